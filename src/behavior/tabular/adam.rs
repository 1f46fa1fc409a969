//! Adam and AdamW over one slice of weights.

use super::dense::Dense;

/// Means of gradients and of their squares.
#[derive(Debug)]
pub(super) struct Adam {
    mean: Vec<f32>,
    square: Vec<f32>,
    steps: i32,
    settings: AdamSettings,
}

/// # Source
/// Kingma & Ba, "Adam" (2015), and Loshchilov & Hutter, "Decoupled Weight Decay Regularization" (2019).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct AdamSettings {
    /// How slowly the mean forgets.
    pub beta1: f32,
    /// How slowly the squares forget.
    pub beta2: f32,
    /// Pull of the matrices towards 0, times the rate; biases are left alone.
    pub weight_decay: f32,
}

/// Keeps the division finite; PyTorch's value.
const EPSILON: f32 = 1e-8;

impl Adam {
    pub fn new(weights: usize, settings: AdamSettings) -> Self {
        Self { mean: vec![0.0; weights], square: vec![0.0; weights], steps: 0, settings }
    }

    /// One step against the gradient.
    pub fn step(&mut self, network: &mut Dense, gradient: &[f32], rate: f32) {
        self.steps += 1;
        let AdamSettings { beta1, beta2, weight_decay } = self.settings;
        if weight_decay > 0.0 {
            for layer in network.layers() {
                for weight in &mut network.weights_mut()[layer.matrix()] {
                    *weight *= 1.0 - rate * weight_decay;
                }
            }
        }
        // Both means start at 0 and are corrected for it.
        let rate = rate / (1.0 - beta1.powi(self.steps));
        let correction = 1.0 / (1.0 - beta2.powi(self.steps)).sqrt();
        let kernel = Kernel { weights: network.weights_mut(), gradient, mean: &mut self.mean, square: &mut self.square };
        pulp::Arch::new().dispatch(Step { kernel, rate, correction, beta1, beta2 });
    }
}

struct Kernel<'a> {
    weights: &'a mut [f32],
    gradient: &'a [f32],
    mean: &'a mut [f32],
    square: &'a mut [f32],
}

/// The step as vector instructions of whichever processor this is: it goes over every weight after every mini-batch of 32 rows, which
/// takes half of the time where it is done number by number.
struct Step<'a> {
    kernel: Kernel<'a>,
    rate: f32,
    correction: f32,
    beta1: f32,
    beta2: f32,
}

impl pulp::WithSimd for Step<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, simd: S) {
        let Kernel { weights, gradient, mean, square } = self.kernel;
        let (weights, weights_rest) = S::as_mut_simd_f32s(weights);
        let (gradient, gradient_rest) = S::as_simd_f32s(gradient);
        let (mean, mean_rest) = S::as_mut_simd_f32s(mean);
        let (square, square_rest) = S::as_mut_simd_f32s(square);
        let all = |x: f32| simd.splat_f32s(x);
        let (keep1, take1, keep2, take2) = (all(self.beta1), all(1.0 - self.beta1), all(self.beta2), all(1.0 - self.beta2));
        let (against, correction, epsilon) = (all(-self.rate), all(self.correction), all(EPSILON));
        for (((w, g), m), s) in weights.iter_mut().zip(gradient).zip(mean).zip(square) {
            *m = simd.mul_add_f32s(keep1, *m, simd.mul_f32s(take1, *g));
            *s = simd.mul_add_f32s(keep2, *s, simd.mul_f32s(take2, simd.mul_f32s(*g, *g)));
            let width = simd.mul_add_f32s(simd.sqrt_f32s(*s), correction, epsilon);
            *w = simd.mul_add_f32s(against, simd.div_f32s(*m, width), *w);
        }
        for (((w, g), m), s) in weights_rest.iter_mut().zip(gradient_rest).zip(mean_rest).zip(square_rest) {
            *m = self.beta1 * *m + (1.0 - self.beta1) * g;
            *s = self.beta2 * *s + (1.0 - self.beta2) * g * g;
            *w -= self.rate * *m / (s.sqrt() * self.correction + EPSILON);
        }
    }
}
