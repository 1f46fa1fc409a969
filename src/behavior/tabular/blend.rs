//! How much each learner's logit counts, and from which probability on the answer is yes.

use crate::behavior::calibrate::sigmoid;

/// Pull of the weights towards equal ones, a row: they are told apart only where the rows say so clearly.
const PULL: f64 = 0.02;
/// Steps of the descent; the loss is convex in a handful of numbers.
const STEPS: usize = 400;
/// Thresholds that are tried.
const THRESHOLDS: usize = 199;
/// Neighbours over which the F1 of a threshold is averaged, to each side: a lone peak is luck.
const NEIGHBOURS: usize = 4;

/// Weights and a shift that make one logit of several, fitted to rows that the learners have not seen. No weight is negative.
///
/// `logits` is `[learners][rows]`. Minimises the mean log loss by gradient steps, drawn towards equal weights that sum up to 1.
/// # Source
/// Wolpert, "Stacked Generalization" (1992); weights that are not negative: Breiman, "Stacked Regressions" (1996).
pub(super) fn weigh(logits: &[Vec<f32>], labels: &[bool]) -> (Vec<f32>, f32) {
    let equal = 1.0 / logits.len().max(1) as f64;
    let mut weights = vec![equal; logits.len()];
    let mut shift = 0.0;
    let rows = labels.len().max(1) as f64;
    // The curvature of the log loss is at most a quarter of the mean square of what it is taken by.
    let energy: f64 = logits.iter().flatten().map(|z| f64::from(*z) * f64::from(*z)).sum::<f64>() / rows;
    let rate = 1.0 / (0.25 * (energy + 1.0) + PULL);
    for _ in 0..STEPS {
        let mut slopes: Vec<f64> = weights.iter().map(|weight| PULL * (weight - equal)).collect();
        let mut shift_slope = 0.0;
        for (row, label) in labels.iter().enumerate() {
            let z: f64 = logits.iter().zip(&weights).map(|(of, weight)| weight * f64::from(of[row])).sum::<f64>() + shift;
            let miss = (sigmoid(z) - f64::from(u8::from(*label))) / rows;
            shift_slope += miss;
            for (slope, of) in slopes.iter_mut().zip(logits) {
                *slope += miss * f64::from(of[row]);
            }
        }
        shift -= rate * shift_slope;
        for (weight, slope) in weights.iter_mut().zip(slopes) {
            *weight = (*weight - rate * slope).max(0.0);
        }
    }
    (weights.into_iter().map(|weight| weight as f32).collect(), shift as f32)
}

/// The probability from which "yes" gives the best F1, smoothed over its neighbours. 0.5 without a positive.
pub(super) fn best_threshold(probabilities: &[f32], labels: &[bool]) -> f32 {
    if !labels.contains(&true) {
        return 0.5;
    }
    let at = |step: usize| (step + 1) as f32 / (THRESHOLDS + 1) as f32;
    let scores: Vec<f64> = (0..THRESHOLDS).map(|step| f1(probabilities, labels, at(step))).collect();
    let smooth = |step: usize| {
        let near = &scores[step.saturating_sub(NEIGHBOURS)..(step + NEIGHBOURS + 1).min(THRESHOLDS)];
        near.iter().sum::<f64>() / near.len() as f64
    };
    let best = (0..THRESHOLDS).max_by(|a, b| smooth(*a).total_cmp(&smooth(*b)));
    best.map_or(0.5, at)
}

/// The harmonic mean of precision and recall where "yes" begins at `threshold`; 0 without a right yes.
pub(super) fn f1(probabilities: &[f32], labels: &[bool], threshold: f32) -> f64 {
    let said = |p: &f32| *p >= threshold;
    let right = probabilities.iter().zip(labels).filter(|(p, label)| said(p) && **label).count();
    let (yes, positives) = (probabilities.iter().filter(|p| said(p)).count(), labels.iter().filter(|label| **label).count());
    if right == 0 { 0.0 } else { 2.0 * right as f64 / (yes + positives) as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_learner_that_knows_counts_more_than_one_that_guesses() {
        let labels: Vec<bool> = (0..400).map(|row| row % 4 == 0).collect();
        let knows: Vec<f32> = labels.iter().enumerate().map(|(row, label)| if *label != (row % 10 == 0) { 1.5 } else { -2.0 }).collect();
        let guesses: Vec<f32> = (0..400).map(|row| ((row * 37) % 17) as f32 / 8.0 - 1.0).collect();
        let (weights, _) = weigh(&[knows, guesses], &labels);
        assert!(weights[0] > 0.7 && weights[1] < 0.3 && weights[1] >= 0.0, "{weights:?}");
    }

    #[test]
    fn the_threshold_stands_where_f1_is_best() {
        let probabilities: Vec<f32> = (0..100).map(|row| row as f32 / 100.0).collect();
        let labels: Vec<bool> = (0..100).map(|row| row >= 30).collect();
        let threshold = best_threshold(&probabilities, &labels);
        assert!((0.25..=0.35).contains(&threshold), "{threshold}");
        assert_eq!(best_threshold(&[0.3], &[false]), 0.5);
    }
}
