//! A trained model: rows in, probabilities out.

use serde::{Deserialize, Serialize};

use super::bins::{Binned, Feature};
use super::columns::{Frame, Schema};
use super::dense::Dense;
use super::error::TabularError;
use super::inputs::InputEncoding;
use super::trees::Trees;
use crate::behavior::calibrate::sigmoid;

/// A model of a table: the mean of its learners' logits, weighed, as a probability.
#[derive(Debug, Clone, PartialEq)]
pub struct TabularModel {
    /// The columns that it reads.
    pub schema: Schema,
    /// What it was made from.
    pub about: About,
    pub(super) inputs: InputEncoding,
    pub(super) parts: Vec<Part>,
    /// Added to the weighed logits.
    pub(super) shift: f32,
    /// The probability from which the answer is yes; gives the best F1 on rows that training has not seen.
    pub threshold: f32,
    /// Whether weights of networks are stored as bytes, each one of 255 steps.
    pub(super) is_eight_bit: bool,
}

/// Learners of one kind.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    pub name: String,
    pub weight: f32,
    pub learners: Learners,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Learners {
    Networks(Vec<Dense>),
    Trees { features: Vec<Feature>, trees: Trees },
}

/// What a model was made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The name of the file.
    pub data: String,
    /// Its checksum.
    pub data_sha256: String,
    /// Rows used.
    pub rows: usize,
    /// Rows with a label of true.
    pub positives: usize,
    /// Rows that could not be used.
    pub bad_rows: usize,
    /// The preset.
    pub preset: String,
    /// Where chance started. Kept secret where noise protects the rows.
    pub seed: Option<u64>,
    /// What the weights may tell of a single row, where they were trained privately.
    pub privacy: Option<Privacy>,
}

/// A training by DP-SGD.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Privacy {
    /// How much more likely any weights may be with a row than without it, as a logarithm ...
    pub epsilon: f64,
    /// ... but for this probability.
    pub delta: f64,
    /// Deviation of the noise, in bounds of a row's gradient.
    pub noise: f64,
    /// Largest length of a row's gradient.
    pub clip: f32,
    /// Probability that a row is in a step.
    pub sample_rate: f64,
    /// Steps.
    pub steps: usize,
}

impl TabularModel {
    /// The logit of each row.
    pub fn logits(&self, frame: &Frame) -> Vec<f32> {
        let mut logits = vec![self.shift; frame.rows];
        for part in &self.parts {
            for (sum, logit) in logits.iter_mut().zip(self.part_logits(part, frame)) {
                *sum += part.weight * logit;
            }
        }
        logits
    }

    /// The probability of each row.
    pub fn probabilities(&self, frame: &Frame) -> Vec<f32> {
        self.logits(frame).into_iter().map(|z| sigmoid(f64::from(z)) as f32).collect()
    }

    fn part_logits(&self, part: &Part, frame: &Frame) -> Vec<f32> {
        match &part.learners {
            Learners::Networks(networks) => mean_logits(networks, &self.inputs.apply(frame), frame.rows),
            Learners::Trees { features, trees } => {
                let data = Binned::new(features, frame);
                (0..frame.rows).map(|row| trees.logit(&data, row)).collect()
            }
        }
    }

    /// The network, where the model is one.
    /// # Errors
    /// [`TabularError::NotOneNetwork`].
    pub(super) fn network(&self) -> Result<&Dense, TabularError> {
        match &self.parts[..] {
            [Part { learners: Learners::Networks(networks), .. }] if networks.len() == 1 => Ok(&networks[0]),
            parts => {
                let found: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
                Err(TabularError::NotOneNetwork { found: found.join(", ") })
            }
        }
    }

    /// The same model with another network in place of its own.
    pub(super) fn with_network(&self, network: Dense) -> Self {
        let weight = self.parts.first().map_or(1.0, |part| part.weight);
        let part = Part { name: "networks".to_owned(), weight, learners: Learners::Networks(vec![network]) };
        Self { parts: vec![part], ..self.clone() }
    }

    /// Numbers in all learners: weights of networks and nodes of trees.
    pub fn size(&self) -> usize {
        let of = |part: &Part| match &part.learners {
            Learners::Networks(networks) => networks.iter().map(|network| network.weights().len()).sum::<usize>(),
            Learners::Trees { trees, .. } => trees.trees.iter().map(|tree| tree.nodes.len()).sum(),
        };
        self.parts.iter().map(of).sum()
    }

    /// Names and weights of the kinds of learners.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, f32)> {
        self.parts.iter().map(|part| (part.name.as_str(), part.weight))
    }
}

/// The mean over networks of `inputs` `[rows, in]`.
pub(super) fn mean_logits(networks: &[Dense], inputs: &[f32], rows: usize) -> Vec<f32> {
    let mut sums = vec![0.0; rows];
    for network in networks {
        for (sum, logit) in sums.iter_mut().zip(network.logits(inputs)) {
            *sum += logit / networks.len() as f32;
        }
    }
    sums
}
