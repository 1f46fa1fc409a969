//! Training that tells little about any single row: DP-SGD.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rand_distr::StandardNormal;

use super::accountant::{epsilon, noise_for};
use super::adam::{Adam, AdamSettings};
use super::dense::{Dense, Pass, cross_entropy};
use super::error::TabularError;
use super::fit::{FitConfig, Rows};
use super::model::Privacy;

/// Largest length of a row's gradient. Rows of standardised inputs begin at some 1 to 3; with 1, most are cut and noise is least.
const CLIP: f32 = 1.0;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrivacyWish {
    /// Largest epsilon.
    pub epsilon: f64,
    /// Probability that it does not hold; well below one over the number of rows.
    pub delta: f64,
}

impl PrivacyWish {
    /// The noise that keeps so many passes over so many rows within the wish.
    /// # Errors
    /// [`TabularError::BadSetting`], or [`TabularError::TooPrivate`] where no noise does.
    pub fn plan(&self, rows: usize, config: &FitConfig) -> Result<Privacy, TabularError> {
        let bad = |key, found: f64, expected| Err(TabularError::BadSetting { key, found: found.to_string(), expected });
        if !(self.epsilon > 0.0 && self.epsilon <= 1_000.0) {
            return bad("--dp-epsilon", self.epsilon, "a number above 0 and at most 1000");
        }
        if !(self.delta > 0.0 && self.delta < 1.0) {
            return bad("--dp-delta", self.delta, "a number between 0 and 1, well below one over the number of rows");
        }
        let sample_rate = (config.batch as f64 / rows.max(1) as f64).min(1.0);
        let steps = (config.epochs_max as f64 / sample_rate).ceil() as usize;
        let noise = noise_for(self.epsilon, sample_rate, steps, self.delta);
        let noise = noise.ok_or(TabularError::TooPrivate { epsilon: self.epsilon, steps })?;
        let reached = epsilon(noise, sample_rate, steps, self.delta);
        Ok(Privacy { epsilon: reached, delta: self.delta, noise, clip: CLIP, sample_rate, steps })
    }
}

/// Trains a network on `chosen` rows by DP-SGD: each step draws every row by itself with the sample rate, cuts each row's gradient to the
/// clip's length, adds normal noise to their sum, and goes on by Adam, which looks at nothing but that sum.
/// # Source
/// Abadi et al., "Deep Learning with Differential Privacy" (2016); lengths of single gradients without computing these: Goodfellow,
/// "Efficient Per-Example Gradient Computations" (2015).
pub(super) fn fit_private(rows: &Rows<'_>, chosen: &[u32], config: &FitConfig, plan: &Privacy, seed: u64) -> Result<Dense, TabularError> {
    let sizes: Vec<usize> = std::iter::once(rows.width).chain(config.hidden.iter().copied()).chain([1]).collect();
    let mut network = Dense::new(sizes, config.start, seed);
    // ChaCha with 12 rounds: nobody who does not know the seed can tell its output from chance.
    let mut chance = StdRng::seed_from_u64(seed ^ 0x5eed);
    let mut adam = Adam::new(network.weights().len(), AdamSettings { beta1: 0.9, beta2: config.beta2, weight_decay: 0.0 });
    let (mut pass, mut gradient) = (Pass::default(), vec![0.0; network.weights().len()]);
    let (mut inputs, mut labels) = (Vec::new(), Vec::new());
    let expected_rows = (plan.sample_rate * chosen.len() as f64).max(1.0) as f32;
    for step in 0..plan.steps {
        let drawn: Vec<u32> = chosen.iter().copied().filter(|_| chance.random_bool(plan.sample_rate)).collect();
        gradient.fill(0.0);
        if !drawn.is_empty() {
            rows.take(&drawn, &mut inputs, &mut labels);
            network.forward(&inputs, None, &mut pass);
            clipped_sum(&network, &inputs, &labels, plan.clip, &mut pass, &mut gradient);
        }
        let deviation = plan.noise as f32 * plan.clip;
        for slope in &mut gradient {
            let noise: f32 = chance.sample(StandardNormal);
            *slope = (*slope + deviation * noise) / expected_rows;
        }
        let falling = 1.0 - 0.9 * step as f32 / plan.steps as f32;
        adam.step(&mut network, &gradient, config.learning_rate * falling);
    }
    if network.weights().iter().all(|weight| weight.is_finite()) { Ok(network) } else { Err(TabularError::Diverged) }
}

/// The sum of the rows' gradients, each cut to `clip`.
///
/// A layer's gradient for one row is the outer product of its input (with a 1 for the bias) and its slope, so that its length is the
/// product of theirs; and scaling the slopes of a row scales its gradient.
fn clipped_sum(network: &Dense, inputs: &[f32], labels: &[f32], clip: f32, pass: &mut Pass, gradient: &mut [f32]) {
    let rows = labels.len();
    pass.slopes.resize_with(pass.activations.len(), Vec::new);
    if let (Some(logits), Some(slopes)) = (pass.activations.last(), pass.slopes.last_mut()) {
        cross_entropy(logits, labels, 1.0, slopes);
        // The loss is a mean; a row's own gradient is not.
        slopes.iter_mut().for_each(|slope| *slope *= rows as f32);
    }
    network.spread(pass, 1.0);
    for row in 0..rows {
        let length = |values: &[f32]| {
            let width = values.len() / rows;
            values[row * width..(row + 1) * width].iter().map(|x| x * x).sum::<f32>()
        };
        let square: f32 = (0..pass.slopes.len())
            .map(|at| length(&pass.slopes[at]) * (1.0 + length(if at == 0 { inputs } else { &pass.activations[at - 1] })))
            .sum();
        let factor = (clip / square.sqrt().max(1e-12)).min(1.0);
        for slopes in &mut pass.slopes {
            let width = slopes.len() / rows;
            slopes[row * width..(row + 1) * width].iter_mut().for_each(|slope| *slope *= factor);
        }
    }
    network.gather(inputs, pass, gradient);
}

#[cfg(test)]
mod tests {
    use super::super::dense::Start;
    use super::*;

    fn length(values: &[f32]) -> f32 {
        values.iter().map(|x| x * x).sum::<f32>().sqrt()
    }

    #[test]
    fn the_sum_is_that_of_gradients_cut_one_by_one() {
        let network = Dense::new(vec![3, 4, 1], Start::He, 3);
        let (inputs, labels) = ([0.5, -1.0, 2.0, 3.0, 0.1, -0.4, 0.0, 0.2, 0.1], [1.0, 0.0, 1.0]);
        let sum_of = |rows: std::ops::Range<usize>, clip: f32| {
            let (mut pass, mut gradient) = (Pass::default(), vec![0.0; network.weights().len()]);
            let inputs = &inputs[rows.start * 3..rows.end * 3];
            network.forward(inputs, None, &mut pass);
            clipped_sum(&network, inputs, &labels[rows], clip, &mut pass, &mut gradient);
            gradient
        };
        let mut expected = vec![0.0; network.weights().len()];
        for row in 0..3 {
            let whole = sum_of(row..row + 1, f32::MAX);
            let factor = (0.3 / length(&whole)).min(1.0);
            let cut = sum_of(row..row + 1, 0.3);
            assert!(length(&cut) <= 0.3 + 1e-5);
            expected.iter_mut().zip(&whole).for_each(|(sum, x)| *sum += factor * x);
        }
        for (found, expected) in sum_of(0..3, 0.3).iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
        }
    }

    #[test]
    fn a_plan_keeps_within_the_wish_and_an_impossible_wish_is_refused() {
        let wish = PrivacyWish { epsilon: 3.0, delta: 1e-5 };
        let plan = wish.plan(7_000, &FitConfig::careful()).unwrap();
        assert!(plan.epsilon <= 3.0 && plan.epsilon > 2.9 && plan.noise > 0.5, "{plan:?}");
        assert!(PrivacyWish { epsilon: -1.0, ..wish }.plan(7_000, &FitConfig::careful()).is_err());
        assert!(PrivacyWish { delta: 1.0, ..wish }.plan(7_000, &FitConfig::careful()).is_err());
    }
}
