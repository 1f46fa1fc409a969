//! Rows as the numbers that a network takes: each between about -5 and 5, with 0 as the middle.

use serde::{Deserialize, Serialize};

use super::columns::{Frame, Schema};
use super::derived::Derived;

/// Places of the distribution that are kept; between them it is taken for straight.
const KNOTS_MAX: usize = 256;
/// A flag for rows that are 0, or unknown, is worth an input where this share of the rows has it, and the same share has not.
const FLAG_SHARE_MIN: f64 = 0.02;
/// Standardised numbers are cut here, so that one wild value moves little.
const CUT: f32 = 5.0;

/// How a number becomes inputs. What is unknown is the middle: 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberInputs {
    /// Values of training, rising, and the place of each under the normal curve. Empty where only the logarithm is used.
    pub knots: Vec<(f32, f32)>,
    /// `ln(1 + |x| / unit)` with the sign of x, and the mean and the inverse of the deviation of that. A unit of 0: x as it is.
    pub unit: f32,
    /// Mean after the logarithm.
    pub mean: f32,
    /// One over the deviation after the logarithm.
    pub factor: f32,
    /// The share of rows that are not 0, where that is told apart.
    pub nonzero: Option<f32>,
    /// The share of unknown rows, where that is told apart.
    pub unknown: Option<f32>,
}

/// How rows become inputs, learnt from the rows of training without their labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputEncoding {
    /// Numbers made of several columns.
    pub derived: Vec<Derived>,
    /// For each column of the schema and then each derived number; `None` for words.
    pub numbers: Vec<Option<NumberInputs>>,
    /// Levels of each column of the schema.
    pub levels: Vec<usize>,
}

/// Which numbers a network is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Each number once, standardised: the plain network of the preset `seed`.
    Plain,
    /// Ranks, logarithms, flags and what columns make together.
    Full,
}

impl InputEncoding {
    /// Learns from the rows of training.
    pub fn learn(schema: &Schema, frame: &Frame, view: View) -> Self {
        let derived = if view == View::Full { Derived::of(schema) } else { Vec::new() };
        let numbers = frame.numbers.iter().map(|values| (!values.is_empty()).then(|| NumberInputs::learn(values, view)));
        let numbers = numbers.chain(derived.iter().map(|d| Some(NumberInputs::learn(&d.values(frame), view)))).collect();
        Self { derived, numbers, levels: schema.columns.iter().map(|column| column.levels.len()).collect() }
    }

    /// Inputs a row.
    pub fn width(&self) -> usize {
        self.owners().len()
    }

    /// For each input the number it comes from: a column of the schema, or after those a derived one.
    pub fn owners(&self) -> Vec<usize> {
        let numbers = self
            .numbers
            .iter()
            .enumerate()
            .flat_map(|(at, number)| std::iter::repeat_n(at, number.as_ref().map_or(0, NumberInputs::width)));
        numbers.chain(self.levels.iter().enumerate().flat_map(|(at, levels)| std::iter::repeat_n(at, *levels))).collect()
    }

    /// `[rows, width]`, row by row.
    pub fn apply(&self, frame: &Frame) -> Vec<f32> {
        let width = self.width();
        let mut inputs = vec![0.0; frame.rows * width];
        let derived: Vec<Vec<f32>> = self.derived.iter().map(|derived| derived.values(frame)).collect();
        let values = frame.numbers.iter().chain(&derived);
        let mut start = 0;
        for (number, values) in self.numbers.iter().zip(values) {
            let Some(number) = number else { continue };
            for (row, x) in values.iter().enumerate() {
                number.write(*x, &mut inputs[row * width + start..]);
            }
            start += number.width();
        }
        for (codes, levels) in frame.codes.iter().zip(&self.levels) {
            for (row, code) in codes.iter().enumerate().filter(|(_, code)| **code > 0) {
                inputs[row * width + start + usize::from(*code) - 1] = 1.0;
            }
            start += levels;
        }
        inputs
    }
}

impl NumberInputs {
    fn learn(values: &[f32], view: View) -> Self {
        let mut known: Vec<f32> = values.iter().copied().filter(|x| !x.is_nan()).collect();
        known.sort_unstable_by(f32::total_cmp);
        let share = |count: usize, of: usize| count as f64 / of.max(1) as f64;
        let told_apart = |share: f64| (FLAG_SHARE_MIN..=1.0 - FLAG_SHARE_MIN).contains(&share).then_some(share as f32);
        let mut nonzero: Vec<f32> = known.iter().map(|x| x.abs()).filter(|x| *x > 0.0).collect();
        nonzero.sort_unstable_by(f32::total_cmp);
        let is_full = view == View::Full;
        let has_two_values = known.first().zip(known.last()).is_some_and(|(low, high)| known.iter().all(|x| x == low || x == high));
        let unit = if is_full && !has_two_values { nonzero.get(nonzero.len() / 2).copied().unwrap_or(0.0) } else { 0.0 };
        let mut number = Self {
            knots: if is_full && !has_two_values { knots(&known) } else { Vec::new() },
            unit,
            mean: 0.0,
            factor: 1.0,
            nonzero: told_apart(share(nonzero.len(), known.len())).filter(|_| is_full && !has_two_values),
            unknown: told_apart(share(values.len() - known.len(), values.len())),
        };
        let count = known.len().max(1) as f64;
        let mean = known.iter().map(|x| f64::from(number.bend(*x))).sum::<f64>() / count;
        let variance = known.iter().map(|x| (f64::from(number.bend(*x)) - mean).powi(2)).sum::<f64>() / count;
        (number.mean, number.factor) = (mean as f32, if variance > 0.0 { (1.0 / variance.sqrt()) as f32 } else { 1.0 });
        // Numbers near the end of the range have no variance within it.
        if !(number.mean.is_finite() && number.factor.is_finite()) {
            (number.mean, number.factor) = (0.0, 1.0);
        }
        number
    }

    pub(super) fn width(&self) -> usize {
        1 + usize::from(!self.knots.is_empty()) + usize::from(self.nonzero.is_some()) + usize::from(self.unknown.is_some())
    }

    fn bend(&self, x: f32) -> f32 {
        if self.unit > 0.0 { x.signum() * (x.abs() / self.unit).min(f32::MAX).ln_1p() } else { x }
    }

    fn write(&self, x: f32, inputs: &mut [f32]) {
        let is_unknown = x.is_nan();
        let mut out = inputs.iter_mut();
        let mut put = |value: f32| {
            if let Some(input) = out.next() {
                *input = value;
            }
        };
        put(if is_unknown { 0.0 } else { ((self.bend(x) - self.mean) * self.factor).clamp(-CUT, CUT) });
        if !self.knots.is_empty() {
            put(if is_unknown { 0.0 } else { between(&self.knots, x) });
        }
        if let Some(share) = self.nonzero {
            put(if is_unknown { 0.0 } else { f32::from(u8::from(x != 0.0)) - share });
        }
        if let Some(share) = self.unknown {
            put(f32::from(u8::from(is_unknown)) - share);
        }
    }
}

/// Each value that there is, or as many evenly spaced by rank, with the normal quantile of its mean rank.
fn knots(sorted: &[f32]) -> Vec<(f32, f32)> {
    let mut knots: Vec<(f32, f32)> = Vec::new();
    let mut rank = 0;
    for group in sorted.chunk_by(|a, b| a == b) {
        let middle = (rank as f64 + group.len() as f64 / 2.0) / sorted.len() as f64;
        rank += group.len();
        knots.push((group[0], normal_quantile(middle) as f32));
    }
    let steps = knots.len().div_ceil(KNOTS_MAX);
    let last = knots.len().saturating_sub(1);
    knots.into_iter().enumerate().filter(|(at, _)| at % steps.max(1) == 0 || *at == last).map(|(_, knot)| knot).collect()
}

/// Straight lines from knot to knot, level outside.
fn between(knots: &[(f32, f32)], x: f32) -> f32 {
    let after = knots.partition_point(|(value, _)| *value <= x);
    match (after.checked_sub(1).map(|before| knots[before]), knots.get(after)) {
        (Some(low), Some(high)) => low.1 + (high.1 - low.1) * ((x - low.0) / (high.0 - low.0)),
        (Some(low), None) => low.1,
        (None, Some(high)) => high.1,
        (None, None) => 0.0,
    }
}

/// The normal distribution's quantile, with an error below 4.5e-4: far less than the noise of a rank.
/// # Source
/// Abramowitz & Stegun, "Handbook of Mathematical Functions" (1964), 26.2.23.
fn normal_quantile(share: f64) -> f64 {
    let tail = share.min(1.0 - share).max(1e-9);
    let t = (-2.0 * tail.ln()).sqrt();
    let z = t - (2.515_517 + t * (0.802_853 + t * 0.010_328)) / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)));
    if share < 0.5 { -z } else { z }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantile_is_that_of_the_normal_curve() {
        for (share, z) in [(0.5, 0.0), (0.975, 1.959_964), (0.1, -1.281_552)] {
            assert!((normal_quantile(share) - z).abs() < 5e-4, "{share}");
        }
    }

    #[test]
    fn a_number_is_ranked_bent_and_flagged_and_the_unknown_is_the_middle() {
        let values: Vec<f32> = (0..100)
            .map(|x| {
                if x < 40 {
                    0.0
                } else if x < 90 {
                    x as f32
                } else {
                    f32::NAN
                }
            })
            .collect();
        let number = NumberInputs::learn(&values, View::Full);
        assert_eq!(number.width(), 4);
        let inputs = |x: f32| {
            let mut out = [9.0; 4];
            number.write(x, &mut out);
            out
        };
        assert_eq!(inputs(f32::NAN)[..3], [0.0; 3]);
        assert!(inputs(f32::NAN)[3] > 0.5 && inputs(50.0)[3] < 0.0);
        assert!(inputs(89.0)[1] > 2.0 && inputs(1e30)[1] == inputs(89.0)[1]);
        assert!(inputs(-1.0)[0] >= -CUT && inputs(f32::MAX)[0] <= CUT);
        assert!(inputs(0.0)[2] < 0.0 && inputs(45.0)[2] > 0.0);
    }

    #[test]
    fn numbers_at_the_end_of_the_range_stay_finite() {
        let number = NumberInputs::learn(&[f32::MAX, -f32::MAX, f32::MAX, 1.0], View::Plain);
        let mut out = [0.0; 1];
        number.write(f32::MAX, &mut out);
        assert!(out[0].is_finite() && number.factor.is_finite());
    }
}
