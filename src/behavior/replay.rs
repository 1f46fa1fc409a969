use std::collections::BTreeMap;

use candle_core::{Tensor, Var};
use serde::{Deserialize, Serialize};

use super::ablation::{labelled, logits, outcomes};
use super::calibrate::Calibration;
use super::checkpoint::Checkpoint;
use super::error::BehaviorError;
use super::example::{Example, Examples};
use super::fusion::FusionNetwork;
use super::outcome::{HEADS, Head, Outcomes};
use super::report::labels_of;
use super::train::{Labelled, TrainConfig, fit_from};
use crate::measure::log_loss;

/// Sessions without which a slice says nothing: a round with fewer held out changes nothing.
pub const HELD_OUT_MIN: usize = 20;
/// Sessions from which on a head's calibration is fitted anew; fewer keep the one there is.
const CALIBRATED_MIN: usize = 40;
/// How far the weights go towards what the sessions say; which share is best is tried on the validation slice.
const SHARES: [f64; 4] = [0.25, 0.5, 0.75, 1.0];

/// What a round of learning came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoundReport {
    /// Sessions to learn from, to choose and calibrate with, and held out to decide.
    pub sessions: [usize; 3],
    /// Mean log loss of the model in use on the held-out sessions, in nats over all outcomes.
    pub log_loss_before: f64,
    /// The same of the new model.
    pub log_loss_after: f64,
    /// Whether the new one is better there, and so to be used.
    pub is_better: bool,
}

/// A round: the new model, if it is better, and the figures.
pub struct Round {
    /// The new model; `None` where it is no better than the one in use.
    pub checkpoint: Option<Checkpoint>,
    /// What was found.
    pub report: RoundReport,
}

/// The slices of a shop's sessions, by their identifiers alone: a session held out once is held out in every round to come, so that no
/// model is ever measured on what an earlier one has learnt.
pub fn sliced(sessions: impl IntoIterator<Item = (String, Example)>) -> Examples {
    let mut slices = Examples::default();
    for (id, example) in sessions {
        match slice_of(&id) {
            0 => slices.test.push(example),
            1 => slices.validation.push(example),
            _ => slices.train.push(example),
        }
    }
    slices
}

/// 0 to 4, by FNV-1a (Fowler, Noll & Vo) of the identifier: the same on every machine.
fn slice_of(id: &str) -> u64 {
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    // The low bits of FNV hardly mix; the high ones do.
    (hash >> 32) % 5
}

/// Learns from a shop's own sessions, beginning with the model in use.
///
/// The weights are tuned on the training slice, and go as far from where they were as helps on the validation slice: weights in between
/// keep what the model knew and add what is new (Wortsman et al., "Robust fine-tuning of zero-shot models", 2022). Heads are calibrated
/// on the validation slice where it is large enough. The held-out slice decides alone.
/// # Errors
/// Where the held-out slice is too small, an embedding is bad or the training diverges. The model in use is not touched in any case.
pub fn learn_from_sessions(base: &Checkpoint, slices: &Examples) -> Result<Round, BehaviorError> {
    for (part, examples) in [("training", &slices.train), ("validation", &slices.validation), ("held-out", &slices.test)] {
        if examples.len() < HELD_OUT_MIN {
            return Err(BehaviorError::TooFewSessions { part, found: examples.len(), needed: HELD_OUT_MIN });
        }
    }
    let part = |examples: &[Example]| labelled(examples, &base.scales);
    let (train, validation, held_out) = (part(&slices.train)?, part(&slices.validation)?, part(&slices.test)?);
    let config = TrainConfig { epochs_max: 12, learning_rate: 1e-3, weight_decay: 0.0, batch: 32, ..TrainConfig::default() };
    let start: BTreeMap<String, Var> = base
        .weights
        .iter()
        .map(|(name, weight)| Ok((name.clone(), Var::from_tensor(&weight.copy()?)?)))
        .collect::<candle_core::Result<_>>()?;
    let tuned = fit_from(&start, ("sessions", &train, &validation), &config, &mut |_| {})?;
    let known = outcomes(&slices.validation);
    let mut best: Option<(f64, Checkpoint)> = None;
    for share in SHARES {
        let weights = between(&base.weights, &tuned, share)?;
        let calibration = calibrated(&weights, &validation, &known, base.calibration)?;
        let candidate = Checkpoint { weights, calibration, ..base.clone() };
        let loss = mean_log_loss(&candidate, &validation, &known)?;
        if best.as_ref().is_none_or(|(least, _)| loss < *least) {
            best = Some((loss, candidate));
        }
    }
    let truth = outcomes(&slices.test);
    let before = mean_log_loss(base, &held_out, &truth)?;
    let candidate = best.map(|(_, candidate)| candidate);
    let after = candidate.as_ref().map_or(Ok(f64::INFINITY), |candidate| mean_log_loss(candidate, &held_out, &truth))?;
    let report = RoundReport {
        sessions: [slices.train.len(), slices.validation.len(), slices.test.len()],
        log_loss_before: before,
        log_loss_after: after,
        is_better: after < before,
    };
    Ok(Round { checkpoint: candidate.filter(|_| report.is_better), report })
}

/// Weights on the straight way from `from` (share 0) to `to` (share 1).
fn between(from: &BTreeMap<String, Tensor>, to: &BTreeMap<String, Tensor>, share: f64) -> candle_core::Result<BTreeMap<String, Tensor>> {
    let mix = |(name, to): (&String, &Tensor)| {
        let mixed = match from.get(name) {
            Some(from) => (from + ((to - from)? * share)?)?,
            None => to.clone(),
        };
        Ok((name.clone(), mixed))
    };
    to.iter().map(mix).collect()
}

fn calibrated(
    weights: &BTreeMap<String, Tensor>,
    sessions: &Labelled,
    known: &[Outcomes],
    before: [Calibration; HEADS],
) -> Result<[Calibration; HEADS], BehaviorError> {
    let raw = logits(&FusionNetwork::from_tensors(weights.clone())?, &sessions.batch)?;
    Ok(Head::ALL.map(|head| {
        let labels = labels_of(head, known);
        let positives = labels.iter().filter(|label| **label).count();
        let says_something = labels.len() >= CALIBRATED_MIN && positives > 0 && positives < labels.len();
        if says_something { Calibration::fit(&raw[head as usize], &labels) } else { before[head as usize] }
    }))
}

/// Over all heads; a head of which the sessions show one answer only counts as well: to be sure of it is right.
fn mean_log_loss(model: &Checkpoint, sessions: &Labelled, known: &[Outcomes]) -> Result<f64, BehaviorError> {
    let raw = logits(&FusionNetwork::from_tensors(model.weights.clone())?, &sessions.batch)?;
    let losses = Head::ALL.into_iter().filter_map(|head| {
        let probabilities: Vec<f32> = raw[head as usize].iter().map(|z| model.calibration[head as usize].probability(*z)).collect();
        log_loss(&probabilities, &labels_of(head, known))
    });
    Ok(losses.sum::<f64>() / HEADS as f64)
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::super::checkpoint::tests::untrained;
    use super::super::features::tests::session;
    use super::super::model::BehaviorModel;
    use super::*;
    use crate::domain::SessionFeatures;

    /// Sessions of a shop where who has something in the basket buys, and the others leave; a tenth the other way round.
    fn sessions(count: usize, is_random: bool) -> Examples {
        let mut chance = StdRng::seed_from_u64(7);
        sliced((0..count).map(|n| {
            let has_basket = chance.random::<bool>();
            let buys = if is_random { chance.random::<bool>() } else { has_basket != (chance.random::<f32>() < 0.1) };
            let features = SessionFeatures { basket: if has_basket { 3 } else { 0 }, ..session() };
            let outcomes = [buys, chance.random(), false, !buys];
            (format!("session-{n}"), Example { text: None, photo: None, session: features, outcomes })
        }))
    }

    #[test]
    fn what_the_sessions_of_a_shop_show_is_learnt_and_told_better_than_before() {
        let base = untrained(3);
        let round = learn_from_sessions(&base, &sessions(400, false)).unwrap();
        assert!(round.report.is_better && round.report.log_loss_after < 0.8 * round.report.log_loss_before, "{:?}", round.report);
        let model = BehaviorModel::from_checkpoint(round.checkpoint.unwrap()).unwrap();
        let purchase = |basket| model.predict(None, None, &SessionFeatures { basket, ..session() }).unwrap().purchase.get();
        assert!(purchase(3) > 0.75 && purchase(0) < 0.25, "{} {}", purchase(3), purchase(0));
    }

    #[test]
    fn a_second_round_on_the_same_sessions_finds_little_more() {
        let first = learn_from_sessions(&untrained(3), &sessions(400, false)).unwrap();
        let second = learn_from_sessions(&first.checkpoint.unwrap(), &sessions(400, false)).unwrap();
        assert!((second.report.log_loss_before - first.report.log_loss_after).abs() < 1e-6);
        assert!(second.report.log_loss_after > 0.9 * second.report.log_loss_before, "{:?}", second.report);
    }

    #[test]
    fn chance_teaches_nothing_that_a_model_which_knows_the_rates_does_not_know() {
        // The first round learns the rates, and there is nothing else to be learnt.
        let first = learn_from_sessions(&untrained(3), &sessions(600, true)).unwrap().checkpoint.unwrap();
        let report = learn_from_sessions(&first, &sessions(600, true)).unwrap().report;
        assert!(report.log_loss_after > 0.97 * report.log_loss_before, "{report:?}");
    }

    #[test]
    fn a_session_is_in_the_same_slice_whenever_it_is_asked_and_one_in_five_is_held_out() {
        let slices = sessions(1_000, true);
        let shares = [slices.train.len(), slices.validation.len(), slices.test.len()];
        assert!(shares[0] > 550 && shares[1] > 150 && shares[2] > 150, "{shares:?}");
        assert_eq!(slice_of("0191-ab"), slice_of("0191-ab"));
    }

    #[test]
    fn too_few_sessions_are_refused_and_say_how_many_are_needed() {
        let Err(error) = learn_from_sessions(&untrained(3), &sessions(30, false)) else { panic!("thirty are too few") };
        assert!(error.to_string().contains("at least 20 are needed"), "{error}");
    }
}
