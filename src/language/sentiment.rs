use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::linear::{LinearHead, fit_temperature, softmax};
use super::{EMBEDDING, LanguageError};
use crate::weights::VerifiedFile;

/// Weight decay, chosen by five-fold cross-validation on the training sentences.
const DECAY: f64 = 2e-4;
const FOLDS: usize = 5;

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
    /// Share rightly told positive or negative, by five-fold cross-validation.
    pub accuracy: f32,
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
    /// Fits a head to labelled sentences and their vectors, and tells how it does on held-out fifths.
    ///
    /// `neutral` are vectors of sentences without any feeling, such as a shop's plain questions: each is learnt as half positive, half
    /// negative. Without them a head that has only read reviews takes a side on "how much is this".
    pub fn fit(
        sentences: &[LabelledSentence],
        vectors: &[Vec<f32>],
        neutral: &[Vec<f32>],
    ) -> Result<(Self, SentimentReport), LanguageError> {
        let labels: Vec<u32> = sentences.iter().map(|s| u32::from(s.positive)).collect();
        let positive = labels.iter().filter(|&&l| l == 1).count();
        if positive < FOLDS || labels.len() - positive < FOLDS {
            return Err(LanguageError::TooLittle("at least five positive and five negative sentences are needed".to_owned()));
        }
        let fit = |keep: &dyn Fn(usize) -> bool| {
            let kept: Vec<usize> = (0..labels.len()).filter(|&at| keep(at)).collect();
            let sides = neutral.iter().flat_map(|vector| [(vector.as_slice(), 0), (vector.as_slice(), 1)]);
            let (rows, marks): (Vec<&[f32]>, Vec<u32>) = kept.iter().map(|&at| (vectors[at].as_slice(), labels[at])).chain(sides).unzip();
            LinearHead::fit(&rows, &marks, 2, DECAY)
        };
        let mut held_out = vec![Vec::new(); labels.len()];
        for fold in 0..FOLDS {
            let head = fit(&|at| at % FOLDS != fold)?;
            (fold..labels.len()).step_by(FOLDS).for_each(|at| held_out[at] = head.logits(&vectors[at]));
        }
        let right = held_out.iter().zip(&labels).filter(|(logits, label)| u32::from(logits[1] > logits[0]) == **label).count();
        let report = SentimentReport {
            sentences: labels.len(),
            accuracy: right as f32 / labels.len() as f32,
            baseline: positive.max(labels.len() - positive) as f32 / labels.len() as f32,
        };
        Ok((Self { head: fit(&|_| true)?, temperature: fit_temperature(&held_out, &labels) }, report))
    }

    /// From -1 (negative) to 1 (positive): twice the calibrated probability of "positive", less one.
    pub fn score(&self, vector: &[f32]) -> f32 {
        2.0 * softmax(&self.head.logits(vector), self.temperature)[1] - 1.0
    }

    /// Writes it, whole or not at all.
    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let (weight, bias, temperature) = (bytes(&self.head.weight), bytes(&self.head.bias), bytes(&[self.temperature]));
        let view = |shape, data| TensorView::new(Dtype::F32, shape, data).map_err(std::io::Error::other);
        let tensors = [
            ("weight", view(vec![2, EMBEDDING], &weight)?),
            ("bias", view(vec![2], &bias)?),
            ("temperature", view(vec![1], &temperature)?),
        ];
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
        let head = LinearHead { weight: floats("weight", 2 * EMBEDDING)?, bias: floats("bias", 2)? };
        Ok(Self { head, temperature: floats("temperature", 1)?[0] })
    }
}
