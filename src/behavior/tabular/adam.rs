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
        let weights = network.weights_mut().iter_mut().zip(gradient);
        for ((weight, slope), (mean, square)) in weights.zip(self.mean.iter_mut().zip(&mut self.square)) {
            *mean += (1.0 - beta1) * (slope - *mean);
            *square += (1.0 - beta2) * (slope * slope - *square);
            *weight -= rate * *mean / (square.sqrt() * correction + EPSILON);
        }
    }
}
