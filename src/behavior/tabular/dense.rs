//! A fully connected network with one logit: forward, backward, and the loss, on plain slices.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::matrix::{multiply, multiply_left_transposed, multiply_right_transposed};
use crate::behavior::calibrate::sigmoid;

/// `in-h1-..-1` with ReLU between the layers and a logit at the end.
///
/// All weights lie in one slice, layer by layer: a matrix `[inputs, outputs]`, row-major, then the biases `[outputs]`. So an optimizer,
/// noise, pruning and averaging are loops over one slice.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    sizes: Vec<usize>,
    weights: Vec<f32>,
}

/// Where training starts from; uniform in both cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// As `torch.nn.Linear`: weights and biases within 1 / sqrt(inputs).
    Linear,
    /// Within sqrt(6 / inputs), which keeps the size of signals through ReLU; no biases. He et al., "Delving Deep into Rectifiers" (2015).
    He,
}

/// One layer's place in the weights.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layer {
    pub inputs: usize,
    pub outputs: usize,
    /// Where its matrix begins.
    pub start: usize,
}

impl Layer {
    pub fn matrix(&self) -> std::ops::Range<usize> {
        self.start..self.start + self.inputs * self.outputs
    }

    pub fn bias(&self) -> std::ops::Range<usize> {
        let end = self.start + self.inputs * self.outputs;
        end..end + self.outputs
    }
}

/// What a forward pass leaves for the backward pass, used again from step to step.
#[derive(Debug, Default)]
pub(super) struct Pass {
    /// `[rows, outputs]` of each layer, after ReLU and dropout; the last holds the logits.
    pub activations: Vec<Vec<f32>>,
    /// The loss's slope by each layer's output before ReLU, `[rows, outputs]`.
    pub slopes: Vec<Vec<f32>>,
}

impl Dense {
    /// Random weights.
    pub fn new(sizes: Vec<usize>, start: Start, seed: u64) -> Self {
        let mut chance = StdRng::seed_from_u64(seed);
        let mut network = Self { weights: Vec::new(), sizes };
        for layer in network.layers() {
            let inputs = layer.inputs.max(1) as f32;
            let (matrix, bias) = match start {
                Start::Linear => (1.0 / inputs.sqrt(), 1.0 / inputs.sqrt()),
                Start::He => ((6.0 / inputs).sqrt(), 0.0),
            };
            network.weights.extend((0..layer.inputs * layer.outputs).map(|_| chance.random_range(-matrix..=matrix)));
            network.weights.extend((0..layer.outputs).map(|_| chance.random_range(-bias..=bias)));
        }
        network
    }

    /// From weights that were stored; `None` where their number does not fit the sizes.
    pub fn from_weights(sizes: Vec<usize>, weights: Vec<f32>) -> Option<Self> {
        let needed = sizes.windows(2).fold(0_usize, |sum, pair| sum.saturating_add(pair[0].saturating_add(1).saturating_mul(pair[1])));
        let is_whole = sizes.len() >= 2 && sizes.last() == Some(&1) && needed == weights.len();
        is_whole.then_some(Self { sizes, weights })
    }

    /// Numbers in, units of each layer, 1.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// All weights.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    pub(super) fn weights_mut(&mut self) -> &mut [f32] {
        &mut self.weights
    }

    pub(super) fn layers(&self) -> Vec<Layer> {
        let mut start = 0;
        let place = |pair: &[usize]| {
            let layer = Layer { inputs: pair[0], outputs: pair[1], start };
            start = layer.bias().end;
            layer
        };
        self.sizes.windows(2).map(place).collect()
    }

    /// Logits of `inputs` `[rows, in]`.
    pub fn logits(&self, inputs: &[f32]) -> Vec<f32> {
        let mut pass = Pass::default();
        self.forward(inputs, None, &mut pass);
        pass.activations.pop().unwrap_or_default()
    }

    /// Runs `inputs` `[rows, in]` through the network. With `dropout`, hidden units are silent by chance and the others louder, so that the
    /// mean stays.
    pub(super) fn forward(&self, inputs: &[f32], mut dropout: Option<Dropout<'_>>, pass: &mut Pass) {
        let layers = self.layers();
        let rows = inputs.len() / self.sizes[0].max(1);
        pass.activations.resize_with(layers.len(), Vec::new);
        for (at, layer) in layers.iter().enumerate() {
            let (before, after) = pass.activations.split_at_mut(at);
            let input = before.last().map_or(inputs, Vec::as_slice);
            let out = &mut after[0];
            out.clear();
            let bias = &self.weights[layer.bias()];
            for _ in 0..rows {
                out.extend_from_slice(bias);
            }
            multiply(input, &self.weights[layer.matrix()], layer.inputs, 1.0, out);
            if at + 1 < layers.len() {
                for x in out.iter_mut() {
                    *x = x.max(0.0);
                }
                if let Some(dropout) = &mut dropout {
                    dropout.silence(out);
                }
            }
        }
    }

    /// Gradient of the loss by all weights, laid out as they are. `pass` is that of [`forward`](Self::forward) with the last of its slopes
    /// filled in; `louder` is 1, or with dropout 1 / (1 - share).
    pub(super) fn backward(&self, inputs: &[f32], pass: &mut Pass, louder: f32, gradient: &mut [f32]) {
        self.spread(pass, louder);
        self.gather(inputs, pass, gradient);
    }

    /// Sums up the gradient of the weights from the slopes of all layers.
    pub(super) fn gather(&self, inputs: &[f32], pass: &Pass, gradient: &mut [f32]) {
        for (at, layer) in self.layers().iter().enumerate() {
            let input = if at == 0 { inputs } else { &pass.activations[at - 1] };
            let slope = &pass.slopes[at];
            multiply_left_transposed(input, slope, slope.len() / layer.outputs, &mut gradient[layer.matrix()]);
            let bias = &mut gradient[layer.bias()];
            bias.fill(0.0);
            for row in slope.chunks_exact(layer.outputs) {
                for (sum, x) in bias.iter_mut().zip(row) {
                    *sum += x;
                }
            }
        }
    }

    /// Carries the slopes of the logits back to the first layer.
    pub(super) fn spread(&self, pass: &mut Pass, louder: f32) {
        let layers = self.layers();
        pass.slopes.resize_with(layers.len(), Vec::new);
        for at in (1..layers.len()).rev() {
            let (before, after) = pass.slopes.split_at_mut(at);
            let activation = &pass.activations[at - 1];
            let slope = &mut before[at - 1];
            slope.resize(activation.len(), 0.0);
            multiply_right_transposed(&after[0], &self.weights[layers[at].matrix()], layers[at].outputs, slope);
            // A unit that ReLU or dropout made silent passes nothing on.
            for (slope, activation) in slope.iter_mut().zip(activation) {
                *slope = if *activation > 0.0 { *slope * louder } else { 0.0 };
            }
        }
    }

    /// The slope of the logit by each of `inputs` `[rows, in]`.
    pub fn input_slopes(&self, inputs: &[f32]) -> Vec<f32> {
        let mut pass = Pass::default();
        self.forward(inputs, None, &mut pass);
        let layers = self.layers();
        pass.slopes.resize_with(layers.len(), Vec::new);
        if let (Some(slope), Some(logits)) = (pass.slopes.last_mut(), pass.activations.last()) {
            *slope = vec![1.0; logits.len()];
        }
        self.spread(&mut pass, 1.0);
        let mut slopes = vec![0.0; inputs.len()];
        multiply_right_transposed(&pass.slopes[0], &self.weights[layers[0].matrix()], layers[0].outputs, &mut slopes);
        slopes
    }
}

/// Units silenced by chance.
#[derive(Debug)]
pub(super) struct Dropout<'a> {
    /// Share of the units that fall silent, below 1.
    pub share: f32,
    pub chance: &'a mut StdRng,
}

impl Dropout<'_> {
    /// # Source
    /// Srivastava et al., "Dropout" (2014), in its inverted form.
    fn silence(&mut self, units: &mut [f32]) {
        // Sixteen bits decide: enough for a share, and four decisions a draw.
        let limit = (self.share * 65_536.0) as u16;
        let louder = 1.0 / (1.0 - self.share);
        for four in units.chunks_mut(4) {
            let mut bits = self.chance.random::<u64>();
            for unit in four {
                *unit = if (bits as u16) < limit { 0.0 } else { *unit * louder };
                bits >>= 16;
            }
        }
    }
}

/// Mean binary cross-entropy of logits against labels of 0 to 1, and its slope by each logit. A label of 1 weighs `positive_weight`.
///
/// `loss = -w (y ln p + (1 - y) ln(1 - p))` with `p = 1 / (1 + e^-z)`; its slope is `w (p - y)` over the number of rows.
pub(super) fn cross_entropy(logits: &[f32], labels: &[f32], positive_weight: f32, slopes: &mut Vec<f32>) -> f64 {
    let rows = logits.len() as f32;
    let mut loss = 0.0;
    slopes.clear();
    for (z, y) in logits.iter().zip(labels) {
        let weight = 1.0 + (positive_weight - 1.0) * y;
        // ln(1 + e^z) - y z, without overflow.
        loss += f64::from(weight * (z.max(0.0) - z * y + (-z.abs()).exp().ln_1p()));
        slopes.push(weight * (sigmoid(f64::from(*z)) as f32 - y) / rows);
    }
    loss / f64::from(rows)
}

#[cfg(test)]
mod tests {
    use super::super::adam::{Adam, AdamSettings};
    use super::*;

    /// What `benches/peers/behavior_reference.py` printed.
    #[derive(serde::Deserialize)]
    struct Reference {
        sizes: Vec<usize>,
        weights: Vec<f32>,
        inputs: Vec<f32>,
        labels: Vec<f32>,
        positive_weight: f32,
        logits: Vec<f32>,
        loss: f64,
        gradient: Vec<f32>,
        weights_after_3_steps: Vec<f32>,
    }

    fn reference() -> (Reference, Dense) {
        let reference: Reference = serde_json::from_str(include_str!("reference/torch.json")).unwrap();
        let network = Dense::from_weights(reference.sizes.clone(), reference.weights.clone()).unwrap();
        (reference, network)
    }

    /// Loss and gradient of a network on all rows.
    fn judge(network: &Dense, inputs: &[f32], labels: &[f32], positive_weight: f32) -> (f64, Vec<f32>) {
        let (mut pass, mut gradient) = (Pass::default(), vec![0.0; network.weights().len()]);
        network.forward(inputs, None, &mut pass);
        pass.slopes.resize_with(pass.activations.len(), Vec::new);
        let loss = cross_entropy(pass.activations.last().unwrap(), labels, positive_weight, pass.slopes.last_mut().unwrap());
        network.backward(inputs, &mut pass, 1.0, &mut gradient);
        (loss, gradient)
    }

    #[track_caller]
    fn near(found: &[f32], expected: &[f32], tolerance: f32) {
        assert_eq!(found.len(), expected.len());
        for (at, (x, y)) in found.iter().zip(expected).enumerate() {
            assert!((x - y).abs() <= tolerance, "number {at}: {x} is not {y}");
        }
    }

    #[test]
    fn logits_loss_and_gradient_are_those_of_pytorch_for_the_same_weights() {
        let (r, network) = reference();
        near(&network.logits(&r.inputs), &r.logits, 1e-6);
        let (loss, gradient) = judge(&network, &r.inputs, &r.labels, r.positive_weight);
        assert!((loss - r.loss).abs() < 1e-6, "{loss} is not {}", r.loss);
        near(&gradient, &r.gradient, 1e-6);
    }

    #[test]
    fn three_steps_of_adam_lead_where_pytorch_goes() {
        let (r, mut network) = reference();
        let mut adam = Adam::new(network.weights().len(), AdamSettings { beta1: 0.9, beta2: 0.999, weight_decay: 0.0 });
        for _ in 0..3 {
            let gradient = judge(&network, &r.inputs, &r.labels, r.positive_weight).1;
            adam.step(&mut network, &gradient, 1e-3);
        }
        near(network.weights(), &r.weights_after_3_steps, 2e-6);
    }

    #[test]
    fn the_gradient_is_the_slope_that_differences_show() {
        let (r, network) = reference();
        let gradient = judge(&network, &r.inputs, &r.labels, 1.0).1;
        for (at, gradient) in gradient.into_iter().enumerate() {
            let loss = |by: f32| {
                let mut moved = network.clone();
                moved.weights_mut()[at] += by;
                judge(&moved, &r.inputs, &r.labels, 1.0).0
            };
            let slope = (loss(1e-2) - loss(-1e-2)) / 2e-2;
            assert!((slope - f64::from(gradient)).abs() < 2e-3, "weight {at}: {slope} is not {gradient}");
        }
    }

    #[test]
    fn the_loss_is_that_of_the_formula() {
        let mut slopes = Vec::new();
        let loss = cross_entropy(&[0.4, -1.2], &[1.0, 0.0], 1.0, &mut slopes);
        let p = |z: f64| 1.0 / (1.0 + (-z).exp());
        assert!((loss - (-(p(0.4).ln()) - (1.0 - p(-1.2)).ln()) / 2.0).abs() < 1e-6);
        near(&slopes, &[((p(0.4) - 1.0) / 2.0) as f32, (p(-1.2) / 2.0) as f32], 1e-6);
    }

    #[test]
    fn the_slope_by_an_input_is_what_differences_show() {
        let (r, network) = reference();
        let slopes = network.input_slopes(&r.inputs[..5]);
        for (at, slope) in slopes.iter().enumerate() {
            let logit = |by: f32| {
                let mut moved = r.inputs[..5].to_vec();
                moved[at] += by;
                network.logits(&moved)[0]
            };
            assert!(((logit(1e-3) - logit(-1e-3)) / 2e-3 - slope).abs() < 1e-2, "{at}");
        }
    }

    #[test]
    fn dropout_silences_its_share_and_keeps_the_mean() {
        let mut units = vec![1.0; 40_000];
        Dropout { share: 0.4, chance: &mut StdRng::seed_from_u64(1) }.silence(&mut units);
        let silent = units.iter().filter(|unit| **unit == 0.0).count() as f64 / 40_000.0;
        let mean = units.iter().map(|unit| f64::from(*unit)).sum::<f64>() / 40_000.0;
        assert!((silent - 0.4).abs() < 0.01 && (mean - 1.0).abs() < 0.02, "{silent} {mean}");
    }
}
