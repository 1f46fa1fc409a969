use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use sha2::{Digest, Sha256};

use super::linear::{LinearHead, dot, fit_temperature, softmax};
use super::{EMBEDDING, LanguageError};
use crate::domain::{IntentDecision, IntentDefinition, IntentKind, IntentScore, Probability};

/// Rounds of cross-validation by which temperature and threshold are set: on examples that the head has not seen.
const FOLDS: usize = 5;
/// Nearest examples of the predicted intent that a sentence is compared with.
const NEIGHBOURS: usize = 5;
/// Share of the shop's own held-out examples that must stay in scope when the threshold is set.
const KEPT: f32 = 0.97;
/// Weight decay of the head; vectors of length 1 need large weights.
const DECAY: f64 = 2e-5;
/// Intents kept in the record.
const TOP: usize = 3;

/// Decides which of the shop's intents a sentence has, or that it has none.
///
/// A linear head on sentence vectors gives calibrated probabilities. Whether the sentence is for this desk at all is a second
/// question, as a softmax is sure of itself far from all it has seen: the standardised sum of the largest logit and the mean cosine
/// to the nearest examples of the predicted intent must pass a threshold. The shop's out-of-scope examples are one more class.
#[derive(Debug, Clone, PartialEq)]
pub struct IntentClassifier {
    names: Vec<String>,
    out_of_scope: Option<usize>,
    head: LinearHead,
    /// `[n, 384]` vectors of all examples, with their classes.
    examples: Vec<f32>,
    labels: Vec<u32>,
    calibration: Calibration,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Calibration {
    temperature: f32,
    logit: (f32, f32),
    cosine: (f32, f32),
    threshold: f32,
}

/// A key that changes with any example, any name and the encoder: a head fitted under another key is of no use.
pub fn examples_fingerprint(definitions: &[IntentDefinition], encoder_sha256: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(encoder_sha256);
    for definition in definitions {
        for text in std::iter::once(&definition.name).chain(&definition.examples) {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

impl IntentClassifier {
    /// Fits the head to the examples; `vectors` are those of all examples, in the order of the definitions.
    pub fn fit(definitions: &[IntentDefinition], vectors: &[Vec<f32>]) -> Result<Self, LanguageError> {
        let labels: Vec<u32> = definitions.iter().zip(0u32..).flat_map(|(d, class)| d.examples.iter().map(move |_| class)).collect();
        let few = definitions.iter().find(|d| d.examples.len() < 2);
        if let Some(few) = few {
            return Err(LanguageError::TooLittle(format!("intent {:?} has fewer than two examples; write at least ten", few.name)));
        }
        if definitions.len() < 2 || labels.len() != vectors.len() {
            return Err(LanguageError::TooLittle("at least two intents with examples are needed to tell them apart".to_owned()));
        }
        let names = definitions.iter().map(|d| d.name.clone()).collect();
        let out_of_scope = definitions.iter().position(|d| d.kind == IntentKind::OutOfScope);
        let held_out = cross_validate(vectors, &labels, definitions.len())?;
        let calibration = calibrate(&held_out, vectors, &labels, out_of_scope);
        let rows: Vec<&[f32]> = vectors.iter().map(Vec::as_slice).collect();
        let head = LinearHead::fit(&rows, &labels, definitions.len(), DECAY)?;
        Ok(Self { names, out_of_scope, head, examples: vectors.concat(), labels, calibration })
    }

    /// The decision and the most probable intents, best first.
    pub fn decide(&self, vector: &[f32], clarify_margin: f32) -> (IntentDecision, Vec<IntentScore>) {
        let logits = self.head.logits(vector);
        let probabilities = softmax(&logits, self.calibration.temperature);
        let mut order: Vec<usize> = (0..logits.len()).collect();
        order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
        let cosine = nearest(self.rows(), &self.labels, order[0] as u32, vector, None);
        let stranger = self.calibration.score(logits[order[0]], cosine) < self.calibration.threshold;
        let decision = if stranger || self.out_of_scope == Some(order[0]) {
            IntentDecision::OutOfScope
        } else if probabilities[order[0]] - probabilities[order[1]] < clarify_margin && self.out_of_scope != Some(order[1]) {
            IntentDecision::Ambiguous
        } else {
            IntentDecision::Clear
        };
        let score = |&at: &usize| IntentScore { intent: self.names[at].clone(), probability: Probability::clamped(probabilities[at]) };
        (decision, order.iter().take(TOP).map(score).collect())
    }

    fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.examples.chunks_exact(EMBEDDING)
    }

    /// Writes the fitted head, whole or not at all.
    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        let c = self.calibration;
        let numbers = [c.temperature, c.logit.0, c.logit.1, c.cosine.0, c.cosine.1, c.threshold];
        let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let labels: Vec<u8> = self.labels.iter().flat_map(|v| v.to_le_bytes()).collect();
        let (weight, bias, examples, numbers) = (bytes(&self.head.weight), bytes(&self.head.bias), bytes(&self.examples), bytes(&numbers));
        let view = |kind, shape, data| TensorView::new(kind, shape, data).map_err(std::io::Error::other);
        let tensors = [
            ("weight", view(Dtype::F32, vec![self.names.len(), EMBEDDING], &weight)?),
            ("bias", view(Dtype::F32, vec![self.names.len()], &bias)?),
            ("examples", view(Dtype::F32, vec![self.labels.len(), EMBEDDING], &examples)?),
            ("labels", view(Dtype::U32, vec![self.labels.len()], &labels)?),
            ("calibration", view(Dtype::F32, vec![6], &numbers)?),
        ];
        crate::weights::write_atomically(path, &safetensors::serialize(tensors, None).map_err(std::io::Error::other)?)
    }

    /// Reads what [`IntentClassifier::save`] wrote for these definitions.
    pub fn load(path: &Path, definitions: &[IntentDefinition]) -> Result<Self, LanguageError> {
        let bad = |reason: String| LanguageError::BadHead { what: path.display().to_string(), reason };
        let bytes = std::fs::read(path).map_err(|e| bad(e.to_string()))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|e| bad(e.to_string()))?;
        let words = |name: &str, kind: Dtype| {
            let tensor = tensors.tensor(name).map_err(|e| bad(e.to_string()))?;
            let fits = tensor.dtype() == kind;
            fits.then(|| tensor.data().chunks_exact(4).map(|b| [b[0], b[1], b[2], b[3]]).collect::<Vec<_>>())
                .ok_or_else(|| bad(format!("{name} is {:?}", tensor.dtype())))
        };
        let floats = |name| Ok::<_, LanguageError>(words(name, Dtype::F32)?.into_iter().map(f32::from_le_bytes).collect::<Vec<_>>());
        let labels: Vec<u32> = words("labels", Dtype::U32)?.into_iter().map(u32::from_le_bytes).collect();
        let (weight, bias, examples, numbers) = (floats("weight")?, floats("bias")?, floats("examples")?, floats("calibration")?);
        let [temperature, lm, ls, cm, cs, threshold] = numbers[..] else { return Err(bad("calibration is incomplete".to_owned())) };
        let classes = definitions.len();
        let fits = weight.len() == classes * EMBEDDING
            && bias.len() == classes
            && examples.len() == labels.len() * EMBEDDING
            && labels.iter().all(|&label| (label as usize) < classes);
        if !fits {
            return Err(bad(format!("it has {} classes, the config has {classes}", bias.len())));
        }
        Ok(Self {
            names: definitions.iter().map(|d| d.name.clone()).collect(),
            out_of_scope: definitions.iter().position(|d| d.kind == IntentKind::OutOfScope),
            head: LinearHead { weight, bias },
            examples,
            labels,
            calibration: Calibration { temperature, logit: (lm, ls), cosine: (cm, cs), threshold },
        })
    }
}

impl Calibration {
    fn score(&self, logit: f32, cosine: f32) -> f32 {
        (logit - self.logit.0) / self.logit.1 + (cosine - self.cosine.0) / self.cosine.1
    }
}

/// Logits of each example by a head that has not seen it.
fn cross_validate(vectors: &[Vec<f32>], labels: &[u32], classes: usize) -> Result<Vec<Vec<f32>>, LanguageError> {
    let mut held_out = vec![Vec::new(); vectors.len()];
    for fold in 0..FOLDS {
        let seen: Vec<usize> = (0..vectors.len()).filter(|at| at % FOLDS != fold).collect();
        let rows: Vec<&[f32]> = seen.iter().map(|&at| vectors[at].as_slice()).collect();
        let marks: Vec<u32> = seen.iter().map(|&at| labels[at]).collect();
        let head = LinearHead::fit(&rows, &marks, classes, DECAY)?;
        (fold..vectors.len()).step_by(FOLDS).for_each(|at| held_out[at] = head.logits(&vectors[at]));
    }
    Ok(held_out)
}

fn calibrate(held_out: &[Vec<f32>], vectors: &[Vec<f32>], labels: &[u32], out_of_scope: Option<usize>) -> Calibration {
    let rows = || vectors.iter().map(Vec::as_slice);
    let in_scope: Vec<(f32, f32)> = (0..vectors.len())
        .filter(|&at| Some(labels[at] as usize) != out_of_scope)
        .map(|at| {
            let (best, &logit) = held_out[at].iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap_or((0, &0.0));
            (logit, nearest(rows(), labels, best as u32, &vectors[at], Some(at)))
        })
        .collect();
    let logit = mean_and_deviation(in_scope.iter().map(|s| s.0));
    let cosine = mean_and_deviation(in_scope.iter().map(|s| s.1));
    let mut calibration = Calibration { temperature: fit_temperature(held_out, labels), logit, cosine, threshold: f32::MIN };
    let mut scores: Vec<f32> = in_scope.iter().map(|&(l, c)| calibration.score(l, c)).collect();
    scores.sort_by(f32::total_cmp);
    calibration.threshold = scores.get(((1.0 - KEPT) * scores.len() as f32) as usize).copied().unwrap_or(f32::MIN);
    calibration
}

/// Mean cosine to the nearest examples of one class, one example left out.
fn nearest<'a>(rows: impl Iterator<Item = &'a [f32]>, labels: &[u32], class: u32, vector: &[f32], without: Option<usize>) -> f32 {
    let own = rows.zip(labels).enumerate().filter(|(at, (_, label))| **label == class && Some(*at) != without);
    let mut cosines: Vec<f32> = own.map(|(_, (row, _))| dot(row, vector)).collect();
    cosines.sort_by(|a, b| b.total_cmp(a));
    cosines.truncate(NEIGHBOURS);
    cosines.iter().sum::<f32>() / cosines.len().max(1) as f32
}

fn mean_and_deviation(values: impl Iterator<Item = f32> + Clone) -> (f32, f32) {
    let count = values.clone().count().max(1) as f32;
    let mean = values.clone().sum::<f32>() / count;
    let variance = values.map(|v| (v - mean).powi(2)).sum::<f32>() / count;
    (mean, variance.sqrt().max(1e-6))
}
