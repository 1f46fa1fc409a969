use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::intent::kept_back;
use super::linear::{LinearHead, fit_temperature, softmax};
use super::{LanguageError, SentenceVector};
use crate::weights::VerifiedFile;

/// Weight decay, chosen on training sentences that neither the head nor the encoder's adapter had seen.
const DECAY: f64 = 2e-4;
/// Sentences of each side without which nothing is learnt or measured.
const FEWEST: usize = 5;

/// Length of [`SentenceVector::desk`].
const DESK: usize = super::FEATURES / 2;

/// A sentence with its label, for training.
#[derive(Debug, Clone)]
pub struct LabelledSentence {
    /// The words.
    pub text: String,
    /// Whether it is positive.
    pub positive: bool,
}

/// How a head did on sentences it had not seen.
#[derive(Debug, Clone, Copy)]
pub struct SentimentReport {
    /// Sentences.
    pub sentences: usize,
    /// Of these, kept back to measure on: one in eight, by their words alone. The encoder's adapter has not seen them either.
    pub kept_back: usize,
    /// Of those kept back, rightly told positive or negative by a head that was fitted to the others.
    pub right: usize,
    /// Share of the larger class: what saying always the same would reach.
    pub baseline: f32,
}

/// How a person feels, from the sentence vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Sentiment {
    head: LinearHead,
    temperature: f32,
}

impl Sentiment {
    /// Fits a head to labelled sentences and their vectors, and tells how it does on those kept back.
    ///
    /// `neutral` are vectors of sentences without any feeling, such as a shop's plain questions: each is learnt as half positive, half
    /// negative. Without them a head that has only read reviews takes a side on "how much is this".
    pub fn fit(
        sentences: &[LabelledSentence],
        vectors: &[SentenceVector],
        neutral: &[SentenceVector],
    ) -> Result<(Self, SentimentReport), LanguageError> {
        let labels: Vec<u32> = sentences.iter().map(|s| u32::from(s.positive)).collect();
        let kept: Vec<bool> = sentences.iter().map(|s| kept_back(&s.text)).collect();
        let count = |side: u32, kept_back: bool| labels.iter().zip(&kept).filter(|(l, k)| **l == side && **k == kept_back).count();
        if [(0, false), (1, false), (0, true), (1, true)].iter().any(|&(side, kept_back)| count(side, kept_back) < FEWEST) {
            let message = "about fifty positive and fifty negative sentences are needed: one in eight is kept back to measure on";
            return Err(LanguageError::TooLittle(message.to_owned()));
        }
        let fit = |keep: &dyn Fn(usize) -> bool| {
            let seen = (0..labels.len()).filter(|&at| keep(at)).map(|at| (vectors[at].desk(), labels[at]));
            let sides = neutral.iter().flat_map(|vector| [(vector.desk(), 0), (vector.desk(), 1)]);
            let (rows, marks): (Vec<&[f32]>, Vec<u32>) = seen.chain(sides).unzip();
            LinearHead::fit(&rows, &marks, 2, DECAY)
        };
        let first = fit(&|at| !kept[at])?;
        let unseen = (0..labels.len()).filter(|&at| kept[at]).map(|at| (first.logits(vectors[at].desk()), labels[at]));
        let (logits, truth): (Vec<Vec<f32>>, Vec<u32>) = unseen.unzip();
        let positive = labels.iter().filter(|&&label| label == 1).count();
        let report = SentimentReport {
            sentences: labels.len(),
            kept_back: truth.len(),
            right: logits.iter().zip(&truth).filter(|(logits, label)| u32::from(logits[1] > logits[0]) == **label).count(),
            baseline: positive.max(labels.len() - positive) as f32 / labels.len() as f32,
        };
        Ok((Self { head: fit(&|_| true)?, temperature: fit_temperature(&logits, &truth) }, report))
    }

    /// From -1 (negative) to 1 (positive): twice the calibrated probability of "positive", less one.
    pub fn score(&self, vector: &SentenceVector) -> f32 {
        2.0 * softmax(&self.head.logits(vector.desk()), self.temperature)[1] - 1.0
    }

    /// Writes it, whole or not at all.
    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let (weight, bias, temperature) = (bytes(&self.head.weight), bytes(&self.head.bias), bytes(&[self.temperature]));
        let view = |shape, data| TensorView::new(Dtype::F32, shape, data).map_err(std::io::Error::other);
        let tensors =
            [("weight", view(vec![2, DESK], &weight)?), ("bias", view(vec![2], &bias)?), ("temperature", view(vec![1], &temperature)?)];
        crate::weights::write_atomically(path, &safetensors::serialize(tensors, None).map_err(std::io::Error::other)?)
    }

    /// Loads a checked file.
    pub fn load(file: &VerifiedFile) -> Result<Self, LanguageError> {
        let bad = |reason: String| LanguageError::BadHead { what: file.path().display().to_string(), reason };
        let bytes = std::fs::read(file.path()).map_err(|e| bad(e.to_string()))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|e| bad(e.to_string()))?;
        let floats = |name: &str, count: usize| {
            let tensor = tensors.tensor(name).map_err(|e| bad(e.to_string()))?;
            let values: Vec<f32> = tensor.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            let fits = tensor.dtype() == Dtype::F32 && values.len() == count && values.iter().all(|v| v.is_finite());
            if fits { Ok(values) } else { Err(bad(format!("{name} has not {count} finite numbers"))) }
        };
        let head = LinearHead { weight: floats("weight", 2 * DESK)?, bias: floats("bias", 2)? };
        Ok(Self { head, temperature: floats("temperature", 1)?[0] })
    }
}
