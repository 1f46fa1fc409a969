//! Training of one network: mini-batches, warm-up and decay of the rate, weight decay, dropout, early stopping.

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::adam::{Adam, AdamSettings};
use super::dense::{Dense, Dropout, Pass, Start, cross_entropy};
use super::error::TabularError;

/// How a network is trained. The same settings on the same rows give the same weights.
#[derive(Debug, Clone, PartialEq)]
pub struct FitConfig {
    /// Units of the hidden layers.
    pub hidden: Vec<usize>,
    /// Its first weights.
    pub start: Start,
    /// Passes over the rows at most.
    pub epochs_max: usize,
    /// Passes without a better loss on the rows set aside, after which training stops; the best weights are kept.
    pub patience_epochs: usize,
    /// Rows a step.
    pub batch: usize,
    /// Highest rate.
    pub learning_rate: f32,
    /// Whether the rate rises over the first pass and then falls along a cosine to 0; else it stays.
    pub rate_falls: bool,
    /// Pull of the matrices towards 0 (L2, decoupled from the gradient).
    pub weight_decay: f32,
    /// Share of hidden units that is silent in a step.
    pub dropout: f32,
    /// How much a positive row weighs against a negative one.
    pub positive_weight: f32,
    /// How slowly the squares of gradients are forgotten.
    pub beta2: f32,
}

impl FitConfig {
    /// The network of the project's seed: in-64-64-1, Adam at 1e-3, mini-batches of 32, 10 passes.
    pub fn seed() -> Self {
        Self {
            hidden: vec![64, 64],
            start: Start::Linear,
            epochs_max: 10,
            patience_epochs: 10,
            batch: 32,
            learning_rate: 1e-3,
            rate_falls: false,
            weight_decay: 0.0,
            dropout: 0.0,
            positive_weight: 1.0,
            beta2: 0.999,
        }
    }

    /// A network that is kept from learning rows by heart. Chosen by cross-validation, see docs/results/behavior.md.
    pub fn careful() -> Self {
        Self {
            hidden: vec![128, 64],
            start: Start::He,
            epochs_max: 35,
            patience_epochs: 12,
            batch: 256,
            learning_rate: 2e-3,
            rate_falls: true,
            weight_decay: 0.05,
            dropout: 0.4,
            positive_weight: 1.0,
            beta2: 0.99,
        }
    }

    /// Refuses what could not train.
    pub fn check(&self) -> Result<(), TabularError> {
        let bad = |key, found: String, expected| Err(TabularError::BadSetting { key, found, expected });
        if self.hidden.is_empty() || self.hidden.len() > 8 || self.hidden.iter().any(|units| !(1..=4096).contains(units)) {
            return bad("hidden", format!("{:?}", self.hidden), "one to eight layers of 1 to 4096 units");
        }
        for (key, value) in [("epochs", self.epochs_max), ("patience", self.patience_epochs), ("batch", self.batch)] {
            if !(1..=100_000).contains(&value) {
                return bad(key, value.to_string(), "1 to 100000");
            }
        }
        if !(self.learning_rate > 0.0 && self.learning_rate <= 1.0) {
            return bad("learning rate", self.learning_rate.to_string(), "a number above 0 and at most 1");
        }
        if !(0.0..=0.9).contains(&self.dropout) {
            return bad("dropout", self.dropout.to_string(), "a number from 0 to 0.9");
        }
        if !(0.0..=10.0).contains(&self.weight_decay) {
            return bad("weight decay", self.weight_decay.to_string(), "a number from 0 to 10");
        }
        if !(0.01..=1000.0).contains(&self.positive_weight) {
            return bad("positive weight", self.positive_weight.to_string(), "a number from 0.01 to 1000");
        }
        Ok(())
    }

    /// The part of the highest rate at a step of so many; a pass has `pass` steps.
    fn rate_at(&self, step: usize, steps: usize, pass: usize) -> f32 {
        if !self.rate_falls {
            return 1.0;
        }
        let warmup = (step + 1) as f32 / pass as f32;
        let done = step.saturating_sub(pass) as f32 / steps.saturating_sub(pass).max(1) as f32;
        warmup.min(1.0) * 0.5 * (1.0 + (std::f32::consts::PI * done).cos())
    }
}

/// Rows as a network sees them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a> {
    /// `[rows, width]` of all rows.
    pub inputs: &'a [f32],
    /// Numbers a row.
    pub width: usize,
    /// What each row's logit should be near, 0 to 1.
    pub labels: &'a [f32],
}

impl Rows<'_> {
    /// The inputs and labels of some of the rows, one after the other.
    pub fn take(&self, chosen: &[u32], inputs: &mut Vec<f32>, labels: &mut Vec<f32>) {
        inputs.clear();
        labels.clear();
        for row in chosen.iter().map(|row| *row as usize) {
            inputs.extend_from_slice(&self.inputs[row * self.width..(row + 1) * self.width]);
            labels.push(self.labels[row]);
        }
    }
}

/// A pass that is over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// Mean loss of its steps.
    pub loss: f64,
    /// Loss on the rows set aside, where there are any.
    pub held_out_loss: Option<f64>,
    /// Share of the highest rate at its end.
    pub rate: f32,
}

/// Trains a network on `chosen` rows. With rows set aside, the weights of the pass with the lowest loss there are kept.
/// # Errors
/// [`TabularError::Diverged`] where the loss is no longer a number.
pub(super) fn fit(
    rows: &Rows<'_>,
    chosen: &[u32],
    held_out: &[u32],
    config: &FitConfig,
    seed: u64,
    on_epoch: &mut dyn FnMut(&Epoch, &Dense),
) -> Result<Dense, TabularError> {
    let sizes: Vec<usize> = std::iter::once(rows.width).chain(config.hidden.iter().copied()).chain([1]).collect();
    let network = Dense::new(sizes, config.start, seed);
    fit_from(network, rows, chosen, held_out, config, seed, on_epoch)
}

/// The same from weights that are there.
pub(super) fn fit_from(
    mut network: Dense,
    rows: &Rows<'_>,
    chosen: &[u32],
    held_out: &[u32],
    config: &FitConfig,
    seed: u64,
    on_epoch: &mut dyn FnMut(&Epoch, &Dense),
) -> Result<Dense, TabularError> {
    // Another stream than that of the first weights.
    let mut chance = StdRng::seed_from_u64(seed ^ 0x5eed);
    let settings = AdamSettings { beta1: 0.9, beta2: config.beta2, weight_decay: config.weight_decay };
    let mut adam = Adam::new(network.weights().len(), settings);
    let mut order = chosen.to_vec();
    let steps_a_pass = chosen.len().div_ceil(config.batch);
    let (mut pass, mut gradient) = (Pass::default(), vec![0.0; network.weights().len()]);
    let (mut inputs, mut labels) = (Vec::new(), Vec::new());
    let (mut best, mut since_best): (Option<(f64, Dense)>, usize) = (None, 0);
    let mut step = 0;
    for epoch in 1..=config.epochs_max {
        order.shuffle(&mut chance);
        let (mut loss, mut rate) = (0.0, 1.0);
        for batch in order.chunks(config.batch) {
            rows.take(batch, &mut inputs, &mut labels);
            let louder = if config.dropout > 0.0 { 1.0 / (1.0 - config.dropout) } else { 1.0 };
            let dropout = (config.dropout > 0.0).then_some(Dropout { share: config.dropout, chance: &mut chance });
            network.forward(&inputs, dropout, &mut pass);
            loss += pass.judge(&labels, config.positive_weight) * batch.len() as f64;
            network.backward(&inputs, &mut pass, louder, &mut gradient);
            rate = config.rate_at(step, config.epochs_max * steps_a_pass, steps_a_pass);
            adam.step(&mut network, &gradient, config.learning_rate * rate);
            step += 1;
        }
        let loss = loss / chosen.len().max(1) as f64;
        let held_out_loss = (!held_out.is_empty()).then(|| loss_on(&network, rows, held_out, config.positive_weight));
        if !(loss.is_finite() && held_out_loss.is_none_or(f64::is_finite)) {
            return Err(TabularError::Diverged);
        }
        on_epoch(&Epoch { epoch, loss, held_out_loss, rate }, &network);
        let Some(held_out_loss) = held_out_loss else { continue };
        if best.as_ref().is_none_or(|(lowest, _)| held_out_loss < *lowest) {
            (best, since_best) = (Some((held_out_loss, network.clone())), 0);
        } else {
            since_best += 1;
        }
        if since_best == config.patience_epochs {
            break;
        }
    }
    Ok(best.map_or(network, |(_, best)| best))
}

impl Pass {
    /// The loss of the logits of this pass; leaves its slopes for the way back.
    fn judge(&mut self, labels: &[f32], positive_weight: f32) -> f64 {
        self.slopes.resize_with(self.activations.len(), Vec::new);
        match (self.activations.last(), self.slopes.last_mut()) {
            (Some(logits), Some(slopes)) => cross_entropy(logits, labels, positive_weight, slopes),
            _ => 0.0,
        }
    }
}

/// Mean loss on some of the rows.
pub(super) fn loss_on(network: &Dense, rows: &Rows<'_>, chosen: &[u32], positive_weight: f32) -> f64 {
    let (mut inputs, mut labels) = (Vec::new(), Vec::new());
    rows.take(chosen, &mut inputs, &mut labels);
    cross_entropy(&network.logits(&inputs), &labels, positive_weight, &mut Vec::new())
}
