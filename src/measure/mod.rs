//! How good something is: the figures that every evaluation prints, as pure functions of scores and labels.
//!
//! Each is checked against numbers worked out by hand, and each says which way is better. Everything may import this folder; it
//! imports nothing of the house.

mod errors;
mod partitions;
mod percentiles;
mod wilson;

pub use errors::{ClipErrors, Edits, Step, align, corpus_rate, edits, right_items};
pub use partitions::{adjusted_rand, v_measure};
pub use percentiles::Percentiles;
pub use wilson::wilson;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Bins of the calibration error; 15 as in Guo et al., "On Calibration of Modern Neural Networks" (2017).
const BINS: usize = 15;

/// Probabilities are kept this far from 0 and 1 in the log loss, so that one sure mistake is costly but finite.
const CERTAIN: f64 = 1e-7;

/// Area under precision and recall, as average precision: the mean precision at each positive, ties taken together.
/// `None` without a positive. A ranking by chance scores the share of positives.
pub fn average_precision(scores: &[f32], labels: &[bool]) -> Option<f64> {
    let positives = labels.iter().filter(|label| **label).count();
    let (mut seen, mut hits, mut area) = (0, 0, 0.0);
    for (rows, hits_here) in tied_groups(scores, labels) {
        seen += rows;
        hits += hits_here;
        area += hits_here as f64 * hits as f64 / seen as f64;
    }
    (positives > 0).then(|| area / positives as f64)
}

/// Probability that a positive is ranked before a negative, a tie counting one half. `None` where there is only one kind.
pub fn roc_auc(scores: &[f32], labels: &[bool]) -> Option<f64> {
    let positives = labels.iter().filter(|label| **label).count();
    let negatives = labels.len() - positives;
    let (mut hits_before, mut area) = (0, 0.0);
    for (rows, hits) in tied_groups(scores, labels) {
        let misses = rows - hits;
        area += misses as f64 * (hits_before as f64 + hits as f64 / 2.0);
        hits_before += hits;
    }
    (positives > 0 && negatives > 0).then(|| area / (positives as f64 * negatives as f64))
}

/// Rows and positives of each distinct score, highest score first.
fn tied_groups(scores: &[f32], labels: &[bool]) -> Vec<(usize, usize)> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_unstable_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    order.chunk_by(|a, b| scores[*a] == scores[*b]).map(|group| (group.len(), group.iter().filter(|row| labels[**row]).count())).collect()
}

/// Mean of -ln of the probability given to what happened. `None` for no rows.
pub fn log_loss(probabilities: &[f32], labels: &[bool]) -> Option<f64> {
    let loss = |(p, label): (&f32, &bool)| {
        let p = f64::from(*p).clamp(CERTAIN, 1.0 - CERTAIN);
        -(if *label { p } else { 1.0 - p }).ln()
    };
    let sum: f64 = probabilities.iter().zip(labels).map(loss).sum();
    (!labels.is_empty()).then(|| sum / labels.len() as f64)
}

/// Expected calibration error over 15 bins of equal width: the mean distance between what was promised and what came.
/// `None` for no rows.
pub fn calibration_error(probabilities: &[f32], labels: &[bool]) -> Option<f64> {
    let mut bins = [(0.0_f64, 0.0_f64); BINS];
    for (p, label) in probabilities.iter().zip(labels) {
        let bin = &mut bins[((p * BINS as f32) as usize).min(BINS - 1)];
        bin.0 += f64::from(*p);
        bin.1 += if *label { 1.0 } else { 0.0 };
    }
    let apart: f64 = bins.iter().map(|(promised, came)| (promised - came).abs()).sum();
    (!labels.is_empty()).then(|| apart / labels.len() as f64)
}

/// A measured value with its 95% interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Estimate {
    /// On the rows as they are.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Percentile bootstrap: draws the rows anew with replacement and takes the middle 95% of the values.
///
/// `measure` gets row numbers, so that two models can be compared on the same draws. `None` where it has no value on the rows
/// themselves; draws without a value are left out.
/// # Source
/// Efron & Tibshirani, "An Introduction to the Bootstrap" (1993), section 13.3.
pub fn bootstrap(rows: usize, draws: usize, seed: u64, measure: impl Fn(&[usize]) -> Option<f64>) -> Option<Estimate> {
    let value = measure(&(0..rows).collect::<Vec<_>>())?;
    let mut chance = StdRng::seed_from_u64(seed);
    let mut values: Vec<f64> =
        (0..draws).filter_map(|_| measure(&(0..rows).map(|_| chance.random_range(0..rows)).collect::<Vec<_>>())).collect();
    values.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| values.get(((values.len().max(1) - 1) as f64 * share).round() as usize).copied().unwrap_or(value);
    Some(Estimate { value, low: at(0.025), high: at(0.975) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: [bool; 5] = [true, false, true, false, false];

    #[track_caller]
    fn near(found: Option<f64>, expected: f64) {
        let found = found.expect("a value");
        assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
    }

    #[test]
    fn average_precision_is_the_mean_precision_at_the_positives() {
        // Positives at ranks 1 and 3: (1/1 + 2/3) / 2.
        near(average_precision(&[0.9, 0.8, 0.7, 0.6, 0.5], &LABELS), 5.0 / 6.0);
    }

    #[test]
    fn a_ranking_that_says_nothing_scores_the_share_of_positives() {
        near(average_precision(&[0.5; 5], &LABELS), 0.4);
        near(roc_auc(&[0.5; 5], &LABELS), 0.5);
    }

    #[test]
    fn roc_auc_counts_a_tie_as_one_half() {
        // Pairs (positive before negative): the first beats all 3, the second ties with one, beats one and loses to one: 4.5 of 6.
        near(roc_auc(&[0.9, 0.8, 0.6, 0.6, 0.1], &LABELS), 4.5 / 6.0);
    }

    #[test]
    fn log_loss_is_the_mean_surprise() {
        near(log_loss(&[0.5, 0.25], &[true, false]), (2.0_f64.ln() + (4.0_f64 / 3.0).ln()) / 2.0);
        assert!(log_loss(&[0.0], &[true]).unwrap().is_finite());
    }

    #[test]
    fn calibration_error_is_the_gap_between_promise_and_outcome() {
        // One bin: promised 0.8 twice, came once: |1.6 - 1| / 2.
        near(calibration_error(&[0.8, 0.8], &[true, false]), 0.3);
        near(calibration_error(&[1.0, 0.0], &[true, false]), 0.0);
    }

    #[test]
    fn what_cannot_be_measured_has_no_value() {
        assert_eq!(average_precision(&[0.1], &[false]), None);
        assert_eq!(roc_auc(&[0.1], &[true]), None);
        assert_eq!(log_loss(&[], &[]), None);
        assert_eq!(calibration_error(&[], &[]), None);
        assert_eq!(bootstrap(0, 10, 1, |rows| (!rows.is_empty()).then_some(1.0)), None);
    }

    #[test]
    fn the_interval_of_a_mean_has_the_width_that_theory_gives() {
        // 1000 rows, half of them 1: deviation of the mean is 0.5 / sqrt(1000), times 1.96 is 0.031.
        let found =
            bootstrap(1000, 1000, 7, |rows| Some(rows.iter().filter(|row| **row < 500).count() as f64 / rows.len() as f64)).unwrap();
        assert!((found.high - found.low - 0.062).abs() < 0.008, "{found:?}");
        assert_eq!(found.value, 0.5);
    }
}
