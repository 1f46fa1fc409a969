use std::collections::BTreeMap;

use candle_core::{Device, Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use serde::Deserialize;

use super::error::BehaviorError;
use super::fusion::{FusionNetwork, Mode, PARAMETERS};
use super::inputs::{Batch, MODALITIES};
use super::outcome::{HEADS, Outcomes};

/// How the network is trained. The same numbers on the same shoppers give the same weights, on one thread bit for bit.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// Where chance starts: first weights, order of shoppers, dropout.
    pub seed: u64,
    /// Passes over the training shoppers at most.
    pub epochs_max: usize,
    /// Passes without a better validation loss after which training stops.
    pub patience_epochs: usize,
    /// Shoppers a step.
    pub batch: usize,
    /// Highest learning rate; reached after the warm-up, then falling along a cosine to 0.
    pub learning_rate: f64,
    /// Passes in which the rate rises from 0.
    pub warmup_epochs: usize,
    /// L2 pull on all weights, decoupled from the gradient (AdamW).
    pub weight_decay: f64,
    /// Probability that a unit is silent in a step.
    pub dropout: f32,
    /// Probability that a modality is hidden in a step; the last one that a shopper has is never hidden.
    pub modality_dropout: f32,
    /// A rare outcome weighs as much more as it is rarer, but at most this much.
    pub positive_weight_max: f32,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            seed: 16,
            epochs_max: 24,
            patience_epochs: 4,
            batch: 128,
            learning_rate: 2e-3,
            warmup_epochs: 1,
            weight_decay: 0.05,
            dropout: 0.3,
            modality_dropout: 0.15,
            positive_weight_max: 3.0,
        }
    }
}

impl TrainConfig {
    /// Refuses what could not train.
    pub fn check(&self) -> Result<(), BehaviorError> {
        let bad = |key, found: String, expected| Err(BehaviorError::BadSetting { key, found, expected });
        for (key, value) in [("epochs_max", self.epochs_max), ("patience_epochs", self.patience_epochs), ("batch", self.batch)] {
            if value == 0 {
                return bad(key, value.to_string(), "at least 1");
            }
        }
        for (key, value) in [("dropout", self.dropout), ("modality_dropout", self.modality_dropout)] {
            if !(0.0..0.95).contains(&value) {
                return bad(key, value.to_string(), "a number from 0 to 0.95");
            }
        }
        if !(self.learning_rate > 0.0 && self.learning_rate <= 1.0) {
            return bad("learning_rate", self.learning_rate.to_string(), "a number above 0 and at most 1");
        }
        if !(0.0..=1.0).contains(&self.weight_decay) {
            return bad("weight_decay", self.weight_decay.to_string(), "a number from 0 to 1");
        }
        if !(self.positive_weight_max >= 1.0 && self.positive_weight_max.is_finite()) {
            return bad("positive_weight_max", self.positive_weight_max.to_string(), "a number from 1 up");
        }
        Ok(())
    }
}

/// A pass that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Pass {
    /// Which network: "fusion", or "words alone" and so on.
    pub network: String,
    /// From 1.
    pub epoch: usize,
    /// Passes at most.
    pub epochs_max: usize,
    /// Mean loss of the steps.
    pub train_loss: f64,
    /// Loss on the validation shoppers afterwards.
    pub validation_loss: f64,
}

/// Shoppers as tensors, with what happened.
#[derive(Debug, Clone)]
pub(super) struct Labelled {
    pub batch: Batch,
    /// `[shoppers, 4]` of zeros and ones.
    pub labels: Tensor,
}

impl Labelled {
    pub fn new(batch: Batch, outcomes: &[Outcomes]) -> candle_core::Result<Self> {
        let labels: Vec<f32> = outcomes.iter().flatten().map(|happened| if *happened { 1.0 } else { 0.0 }).collect();
        Ok(Self { batch, labels: Tensor::from_vec(labels, (outcomes.len(), HEADS), &Device::Cpu)? })
    }

    /// The same shoppers with the other modalities masked.
    pub fn only(&self, available: [bool; MODALITIES]) -> candle_core::Result<Self> {
        Ok(Self { batch: self.batch.only(available)?, labels: self.labels.clone() })
    }

    fn len(&self) -> usize {
        self.labels.dims()[0]
    }

    fn select(&self, rows: &[u32]) -> candle_core::Result<Self> {
        let rows = Tensor::new(rows, &Device::Cpu)?;
        Ok(Self { batch: self.batch.select(&rows)?, labels: self.labels.index_select(&rows, 0)? })
    }
}

/// Weights before training: uniform within +-sqrt(3 / inputs) (He et al., 2015, with gain 1 as for tanh), biases zero.
///
/// Drawn here since candle's own generator on the processor cannot be seeded.
pub fn initial_weights(seed: u64) -> candle_core::Result<BTreeMap<String, Var>> {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut weights = BTreeMap::new();
    for (name, shape) in PARAMETERS {
        let limit = match shape {
            [_, inputs] if !name.ends_with("bias") => (3.0 / *inputs as f32).sqrt(),
            _ => 0.0,
        };
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| limit * (2.0 * chance.random::<f32>() - 1.0)).collect();
        weights.insert(name.to_owned(), Var::from_tensor(&Tensor::from_vec(values, shape, &Device::Cpu)?)?);
    }
    Ok(weights)
}

/// Fits a network and returns the weights of the pass with the lowest validation loss.
///
/// AdamW on the binary cross-entropy of all heads together, in shuffled mini-batches.
/// # Errors
/// [`BehaviorError::Diverged`] where the loss is no longer a number.
pub(super) fn fit(
    name: &str,
    train: &Labelled,
    validation: &Labelled,
    config: &TrainConfig,
    on_pass: &mut dyn FnMut(&Pass),
) -> Result<BTreeMap<String, Tensor>, BehaviorError> {
    fit_from(&initial_weights(config.seed)?, (name, train, validation), config, on_pass)
}

/// The same from weights that are there already; they are changed.
pub(super) fn fit_from(
    weights: &BTreeMap<String, Var>,
    (name, train, validation): (&str, &Labelled, &Labelled),
    config: &TrainConfig,
    on_pass: &mut dyn FnMut(&Pass),
) -> Result<BTreeMap<String, Tensor>, BehaviorError> {
    let network = FusionNetwork::from_tensors(weights.iter().map(|(name, var)| (name.clone(), var.as_tensor().clone())))?;
    let mut trainer = Trainer::new(network, weights.values().cloned().collect(), train, config)?;
    let mut best: Option<(f64, BTreeMap<String, Tensor>)> = None;
    let mut passes_since_best = 0;
    for epoch in 1..=config.epochs_max {
        let train_loss = trainer.pass(train, epoch)?;
        let validation_loss = trainer.loss_on(validation)?;
        if !(train_loss.is_finite() && validation_loss.is_finite()) {
            return Err(BehaviorError::Diverged { epoch });
        }
        on_pass(&Pass { network: name.to_owned(), epoch, epochs_max: config.epochs_max, train_loss, validation_loss });
        if best.as_ref().is_none_or(|(lowest, _)| validation_loss < *lowest) {
            best = Some((validation_loss, copy(weights)?));
            passes_since_best = 0;
        } else {
            passes_since_best += 1;
        }
        if passes_since_best == config.patience_epochs {
            break;
        }
    }
    match best {
        Some((_, weights)) => Ok(weights),
        None => copy(weights).map_err(Into::into),
    }
}

/// The weights as they are now, apart from those that training goes on to change.
fn copy(weights: &BTreeMap<String, Var>) -> candle_core::Result<BTreeMap<String, Tensor>> {
    weights.iter().map(|(name, var)| Ok((name.clone(), var.as_tensor().detach().copy()?))).collect()
}

/// A network on its way.
struct Trainer<'a> {
    network: FusionNetwork,
    optimizer: AdamW,
    /// `[1, 4]`, how much an outcome that happened weighs.
    positive_weights: Tensor,
    config: &'a TrainConfig,
    chance: StdRng,
    steps: usize,
    steps_per_pass: usize,
}

impl<'a> Trainer<'a> {
    fn new(network: FusionNetwork, weights: Vec<Var>, train: &Labelled, config: &'a TrainConfig) -> Result<Self, BehaviorError> {
        let optimizer = AdamW::new(weights, ParamsAdamW { lr: 0.0, weight_decay: config.weight_decay, ..ParamsAdamW::default() })?;
        Ok(Self {
            network,
            optimizer,
            positive_weights: positive_weights(&train.labels, config.positive_weight_max)?,
            config,
            // Another stream than that of the first weights.
            chance: StdRng::seed_from_u64(config.seed ^ 0x5eed),
            steps: 0,
            steps_per_pass: train.len().div_ceil(config.batch),
        })
    }

    /// One pass over the shoppers in a new order; returns the mean loss of its steps.
    fn pass(&mut self, train: &Labelled, epoch: usize) -> Result<f64, BehaviorError> {
        let mut rows: Vec<u32> = (0..train.len() as u32).collect();
        rows.shuffle(&mut self.chance);
        let mut sum = 0.0;
        for rows in rows.chunks(self.config.batch) {
            let mut shoppers = train.select(rows)?;
            shoppers.batch.presence = hide_modalities(&shoppers.batch.presence, self.config.modality_dropout, &mut self.chance)?;
            self.optimizer.set_learning_rate(self.rate());
            let mut mode = Mode::Learn { dropout: self.config.dropout, chance: &mut self.chance };
            let logits = self.network.forward(&shoppers.batch, &mut mode)?.logits;
            let loss = cross_entropy(&logits, &shoppers.labels, &self.positive_weights)?;
            self.optimizer.backward_step(&loss)?;
            self.steps += 1;
            sum += f64::from(loss.to_scalar::<f32>()?);
            if !sum.is_finite() {
                return Err(BehaviorError::Diverged { epoch });
            }
        }
        Ok(sum / self.steps_per_pass as f64)
    }

    fn loss_on(&self, shoppers: &Labelled) -> Result<f64, BehaviorError> {
        let logits = self.network.forward(&shoppers.batch, &mut Mode::Predict)?.logits.detach();
        Ok(f64::from(cross_entropy(&logits, &shoppers.labels, &self.positive_weights)?.to_scalar::<f32>()?))
    }

    fn rate(&self) -> f64 {
        let warmup = (self.config.warmup_epochs * self.steps_per_pass) as f64;
        let all = (self.config.epochs_max * self.steps_per_pass) as f64;
        self.config.learning_rate * rate_share(self.steps as f64 + 1.0, warmup, all)
    }
}

/// Share of the highest rate at a step: rising straight through the warm-up, then down along half a cosine (Loshchilov & Hutter,
/// "SGDR", 2017).
fn rate_share(step: f64, warmup: f64, all: f64) -> f64 {
    if step < warmup {
        return step / warmup;
    }
    let gone = ((step - warmup) / (all - warmup).max(1.0)).min(1.0);
    0.5 * (1.0 + (std::f64::consts::PI * gone).cos())
}

/// `[1, 4]`: negatives over positives of each head, from 1 to `max`.
fn positive_weights(labels: &Tensor, max: f32) -> candle_core::Result<Tensor> {
    let rates = labels.mean_keepdim(0)?;
    ((1.0 - &rates)? / (rates + 1e-6)?)?.clamp(1.0_f32, max)
}

/// Mean binary cross-entropy with logits, positives weighted; all `[batch, 4]` but `positive_weights` `[1, 4]`.
/// Written as `max(z, 0) - z y + ln(1 + e^-|z|)`, which neither overflows nor rounds to infinity.
fn cross_entropy(logits: &Tensor, labels: &Tensor, positive_weights: &Tensor) -> candle_core::Result<Tensor> {
    let soft = ((logits.abs()?.neg()?.exp()? + 1.0)?.log()? + logits.relu()?)?;
    let loss = (soft - (logits * labels)?)?;
    let weights = (labels.broadcast_mul(&(positive_weights - 1.0)?)? + 1.0)?;
    (loss * weights)?.mean_all()
}

/// Hides each modality with this probability, so that the network learns to do without; the last one that a shopper has stays.
fn hide_modalities(presence: &Tensor, probability: f32, chance: &mut StdRng) -> candle_core::Result<Tensor> {
    let mut rows = presence.to_vec2::<f32>()?;
    for row in &mut rows {
        let hidden: Vec<bool> = row.iter().map(|there| *there > 0.0 && chance.random::<f32>() < probability).collect();
        if row.iter().zip(&hidden).any(|(there, hidden)| *there > 0.0 && !hidden) {
            row.iter_mut().zip(&hidden).filter(|(_, hidden)| **hidden).for_each(|(there, _)| *there = 0.0);
        }
    }
    Tensor::new(rows, presence.device())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_falls_and_ends_at_zero() {
        assert_eq!(rate_share(5.0, 10.0, 110.0), 0.5);
        assert_eq!(rate_share(10.0, 10.0, 110.0), 1.0);
        assert!((rate_share(60.0, 10.0, 110.0) - 0.5).abs() < 1e-9);
        assert!(rate_share(110.0, 10.0, 110.0).abs() < 1e-9);
        assert_eq!(rate_share(1.0, 0.0, 1.0), 0.5 * (1.0 + std::f64::consts::PI.cos()));
    }

    #[test]
    fn the_loss_is_the_textbook_formula_and_stays_finite() {
        let tensor = |row: [f32; 4]| Tensor::new(&[row], &Device::Cpu).unwrap();
        let loss = |z, y, w| cross_entropy(&tensor(z), &tensor(y), &tensor(w)).unwrap().to_scalar::<f32>().unwrap();
        // sigmoid(ln 3) = 0.75: -ln 0.75 where it happened (weight 2), -ln 0.25 where it did not.
        let three = 3.0_f32.ln();
        let expected = (2.0 * -(0.75_f32.ln()) + -(0.25_f32.ln()) + 2.0 * 2.0_f32.ln()) / 4.0;
        assert!((loss([three, three, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [2.0; 4]) - expected).abs() < 1e-6);
        assert!(loss([1e4, -1e4, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [1.0; 4]).is_finite());
    }

    #[test]
    fn a_rare_outcome_weighs_more_but_not_without_limit() {
        let labels = Tensor::new(&[[1.0_f32, 0.0, 1.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 1.0, 1.0]], &Device::Cpu).unwrap();
        let weights = positive_weights(&labels, 5.0).unwrap().to_vec2::<f32>().unwrap();
        assert!((weights[0][0] - 2.0).abs() < 1e-4, "{weights:?}");
        assert_eq!((weights[0][1], weights[0][2]), (5.0, 1.0));
    }

    #[test]
    fn the_last_modality_of_a_shopper_is_never_hidden() {
        let presence = Tensor::from_vec([1.0_f32, 0.0, 0.0, 1.0, 1.0, 1.0].repeat(200), (400, 3), &Device::Cpu).unwrap();
        let hidden = hide_modalities(&presence, 0.9, &mut StdRng::seed_from_u64(1)).unwrap().to_vec2::<f32>().unwrap();
        assert!(hidden.iter().all(|row| row.iter().sum::<f32>() >= 1.0));
        assert!(hidden.iter().any(|row| row.iter().sum::<f32>() == 1.0));
    }

    #[test]
    fn settings_that_cannot_train_are_refused_by_name() {
        let said = |config: TrainConfig| config.check().unwrap_err().to_string();
        assert_eq!(said(TrainConfig { batch: 0, ..Default::default() }), "behaviour setting batch is 0; expected at least 1");
        assert!(said(TrainConfig { dropout: 1.0, ..Default::default() }).contains("dropout is 1"));
        assert!(said(TrainConfig { learning_rate: f64::NAN, ..Default::default() }).contains("learning_rate is NaN"));
        assert!(TrainConfig::default().check().is_ok());
    }
}
