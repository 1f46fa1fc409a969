use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};

use super::LanguageError;
use super::svm::dot;

/// Steps of full-batch Adam; the loss is convex, and flat from about 250 on.
const STEPS: usize = 300;
const LEARNING_RATE: f64 = 0.05;

/// A linear classifier on sentence vectors (multinomial logistic regression).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LinearHead {
    /// `[classes, width]`, by rows.
    pub(super) weight: Vec<f32>,
    /// `[classes]`.
    pub(super) bias: Vec<f32>,
}

impl LinearHead {
    /// Fits `[n, width]` vectors to `labels` below `classes` by cross-entropy. `decay` pulls the weights to zero: vectors of length 1
    /// need large weights, so it is small. Begins at zero, so the result depends on nothing but the data.
    pub(super) fn fit(vectors: &[&[f32]], labels: &[u32], classes: usize, decay: f64) -> Result<Self, LanguageError> {
        let device = Device::Cpu;
        let width = vectors.first().map_or(0, |vector| vector.len());
        let x = Tensor::from_vec(vectors.concat(), (vectors.len(), width), &device)?;
        let y = Tensor::new(labels, &device)?;
        let weight = Var::zeros((width, classes), DType::F32, &device)?;
        let bias = Var::zeros(classes, DType::F32, &device)?;
        let settings = ParamsAdamW { lr: LEARNING_RATE, weight_decay: 0.0, ..ParamsAdamW::default() };
        let mut optimizer = AdamW::new(vec![weight.clone(), bias.clone()], settings)?;
        for _ in 0..STEPS {
            let logits = x.matmul(&weight)?.broadcast_add(&bias)?;
            let penalty = (weight.sqr()?.sum_all()? * decay)?;
            let loss = (candle_nn::loss::cross_entropy(&logits, &y)? + penalty)?;
            optimizer.backward_step(&loss)?;
        }
        Ok(Self { weight: weight.t()?.contiguous()?.flatten_all()?.to_vec1()?, bias: bias.to_vec1()? })
    }

    /// A logit a class.
    pub(super) fn logits(&self, vector: &[f32]) -> Vec<f32> {
        self.weight.chunks_exact(vector.len().max(1)).zip(&self.bias).map(|(row, bias)| dot(row, vector) + bias).collect()
    }
}

/// The temperature that makes softmax probabilities of held-out logits most likely (Guo et al. 2017), by golden-section search.
pub(super) fn fit_temperature(logits: &[Vec<f32>], labels: &[u32]) -> f32 {
    let loss =
        |log_t: f32| logits.iter().zip(labels).map(|(row, &label)| -softmax(row, log_t.exp())[label as usize].max(1e-12).ln()).sum::<f32>();
    let ratio = (5f32.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (0.05f32.ln(), 20f32.ln());
    for _ in 0..40 {
        let (a, b) = (high - ratio * (high - low), low + ratio * (high - low));
        if loss(a) < loss(b) { high = b } else { low = a }
    }
    ((low + high) / 2.0).exp()
}

/// Shares that sum to 1.
pub(super) fn softmax(logits: &[f32], temperature: f32) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shares: Vec<f32> = logits.iter().map(|l| ((l - largest) / temperature).exp()).collect();
    let sum: f32 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 384;

    fn vector(direction: usize, lean: f32) -> Vec<f32> {
        let mut vector = vec![0.0; WIDTH];
        vector[direction] = (1.0 - lean * lean).sqrt();
        vector[direction + 9] = lean;
        vector
    }

    #[test]
    fn what_can_be_told_apart_is_told_apart_and_the_same_each_time() {
        let vectors: Vec<Vec<f32>> = (0..30).map(|n| vector(n % 3, n as f32 / 60.0)).collect();
        let rows: Vec<&[f32]> = vectors.iter().map(Vec::as_slice).collect();
        let labels: Vec<u32> = (0..30).map(|n| n % 3).collect();
        let head = LinearHead::fit(&rows, &labels, 3, 1e-5).expect("fits");
        for (row, &label) in rows.iter().zip(&labels) {
            let logits = head.logits(row);
            let best = (0..3).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).expect("three");
            assert_eq!(best as u32, label);
        }
        assert_eq!(head, LinearHead::fit(&rows, &labels, 3, 1e-5).expect("fits"));
    }

    #[test]
    fn a_timid_head_is_given_a_temperature_below_one() {
        let logits = vec![vec![0.2, 0.0], vec![0.0, 0.2], vec![0.2, 0.0], vec![0.0, 0.2]];
        assert!(fit_temperature(&logits, &[0, 1, 0, 1]) < 0.5);
        let wrong_half = vec![vec![9.0, 0.0]; 4];
        assert!(fit_temperature(&wrong_half, &[0, 1, 0, 1]) > 5.0);
    }
}
