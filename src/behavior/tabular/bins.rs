//! Rows as small whole numbers, which trees split: a number becomes its bin, a word its code.

use serde::{Deserialize, Serialize};

use super::columns::{Frame, Schema};
use super::derived::Derived;

/// Bins of a number at most, beside bin 0 for the unknown.
const BINS_MAX: usize = 254;

/// What a tree may ask of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Feature {
    /// Whether a number is below one of these, rising.
    Number {
        /// A column of the schema.
        column: usize,
        /// Where bins end.
        cuts: Vec<f32>,
    },
    /// The same of a number made of several columns.
    Derived {
        /// How it is made.
        of: Derived,
        /// Where bins end.
        cuts: Vec<f32>,
    },
    /// Whether a word is one of a set.
    Word {
        /// A column of the schema.
        column: usize,
    },
    /// Whether a word comes before another in the alphabet: cruder than sets, and harder to learn by heart.
    Letter {
        /// A column of the schema.
        column: usize,
    },
}

/// What trees are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TreeView {
    /// Columns as they are, words by the alphabet: for deep trees.
    Columns,
    /// Numbers made of several columns too, and words in sets: for shallow trees.
    Full,
}

/// The features of a set of rows, feature by feature.
#[derive(Debug, Clone)]
pub(super) struct Binned {
    /// `[features][rows]`.
    pub bins: Vec<Vec<u8>>,
    /// Whether the bins of a feature have no order.
    pub are_words: Vec<bool>,
}

impl Feature {
    /// Learns the bins from the rows of training.
    pub(super) fn learn(schema: &Schema, frame: &Frame, view: TreeView) -> Vec<Feature> {
        let mut features = Vec::new();
        for (column, described) in schema.columns.iter().enumerate() {
            if described.is_number {
                features.push(Feature::Number { column, cuts: cuts(&frame.numbers[column]) });
            }
            match view {
                _ if described.levels.is_empty() => {}
                TreeView::Full => features.push(Feature::Word { column }),
                TreeView::Columns if described.is_number => {}
                TreeView::Columns => features.push(Feature::Letter { column }),
            }
        }
        if view == TreeView::Full {
            features.extend(Derived::of(schema).into_iter().map(|of| Feature::Derived { cuts: cuts(&of.values(frame)), of }));
        }
        features
    }

    /// The columns that it asks.
    pub(super) fn columns(&self) -> Vec<usize> {
        match self {
            Feature::Number { column, .. } | Feature::Word { column } | Feature::Letter { column } => vec![*column],
            Feature::Derived { of, .. } => of.parts(),
        }
    }

    fn bins(&self, frame: &Frame) -> Vec<u8> {
        match self {
            Feature::Number { column, cuts } => frame.numbers[*column].iter().map(|x| bin(cuts, *x)).collect(),
            Feature::Derived { of, cuts } => of.values(frame).into_iter().map(|x| bin(cuts, x)).collect(),
            // A schema has at most 63 levels.
            Feature::Word { column } | Feature::Letter { column } => frame.codes[*column].iter().map(|code| *code as u8).collect(),
        }
    }
}

impl Binned {
    pub fn new(features: &[Feature], frame: &Frame) -> Self {
        Self {
            bins: features.iter().map(|feature| feature.bins(frame)).collect(),
            are_words: features.iter().map(|feature| matches!(feature, Feature::Word { .. })).collect(),
        }
    }
}

/// Between all values where there are few, else at even ranks.
fn cuts(values: &[f32]) -> Vec<f32> {
    let mut known: Vec<f32> = values.iter().copied().filter(|x| !x.is_nan()).collect();
    known.sort_unstable_by(f32::total_cmp);
    let mut distinct = known.clone();
    distinct.dedup();
    let chosen: Vec<f32> = match distinct.len() {
        0..=BINS_MAX => distinct,
        _ => (0..BINS_MAX).map(|step| known[step * (known.len() - 1) / (BINS_MAX - 1)]).collect(),
    };
    let mut cuts: Vec<f32> = chosen.windows(2).map(|pair| pair[0] / 2.0 + pair[1] / 2.0).collect();
    cuts.dedup();
    cuts
}

/// 0 for the unknown, else 1 and the number of cuts below.
fn bin(cuts: &[f32], x: f32) -> u8 {
    if x.is_nan() { 0 } else { 1 + cuts.partition_point(|cut| *cut < x) as u8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_have_a_bin_each_and_many_share_bins_of_even_size() {
        assert_eq!(cuts(&[3.0, 1.0, 1.0, f32::NAN, 2.0]), [1.5, 2.5]);
        let many: Vec<f32> = (0..10_000).map(|x| x as f32).collect();
        let cuts = cuts(&many);
        assert_eq!(cuts.len(), BINS_MAX - 1);
        assert_eq!((bin(&cuts, f32::NAN), bin(&cuts, -1.0), bin(&cuts, 1e9)), (0, 1, 254));
    }
}
