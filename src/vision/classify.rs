use ort::session::Session;
use ort::value::Tensor;

use super::{CROP_SIDE, ClassLabel, Crop, Gallery, VisionError, advice};
use crate::domain::{Candidate, Probability, Sighting};
use crate::onnx::OnnxRuntime;
use crate::weights::VerifiedFile;

/// Length of the pooled features.
pub const EMBEDDING: usize = 1280;
/// Logits are divided by this before the softmax: raw ones are too timid, because of label smoothing (the classifier's card).
const TEMPERATURE: f32 = 0.65;
/// How many candidates a sighting names.
const TOP: usize = 5;

/// What the network says of one crop.
#[derive(Debug, Clone)]
pub struct Reading {
    /// A probability a class, calibrated, summing to 1.
    pub probabilities: Vec<f32>,
    /// Raw logits, a class each.
    pub logits: Vec<f32>,
    /// `[1280]`, not scaled.
    pub embedding: Vec<f32>,
}

/// The product classifier. Not shared: one worker owns it.
pub struct Classifier {
    session: Session,
    labels: Vec<ClassLabel>,
}

impl Classifier {
    /// Loads a checked file; `labels` stand in the order of its outputs.
    pub fn load(runtime: &OnnxRuntime, file: &VerifiedFile, threads: usize, labels: Vec<ClassLabel>) -> Result<Self, VisionError> {
        let session = runtime.session(file, threads)?;
        let mut classifier = Self { session, labels };
        // One grey picture shows whether the file keeps the contract, and makes the first shopper's photo as quick as the second's.
        let grey = Crop { rgb: vec![127; (CROP_SIDE * CROP_SIDE * 3) as usize] };
        let reading = classifier.read(&grey)?;
        let (logits, embedding, labels) = (reading.logits.len(), reading.embedding.len(), classifier.labels.len());
        if logits != labels || embedding != EMBEDDING {
            return Err(VisionError::Contract {
                path: file.path().to_owned(),
                reason: format!("it has {logits} classes and an embedding of {embedding}; expected {labels} and {EMBEDDING}"),
            });
        }
        Ok(classifier)
    }

    /// Runs the network on one crop: 9 to 12 ms on one core.
    pub fn read(&mut self, crop: &Crop) -> Result<Reading, VisionError> {
        let side = CROP_SIDE as usize;
        let input = Tensor::from_array(([1, 3, side, side], channels_first(crop)))?;
        let outputs = self.session.run(ort::inputs!["input" => input])?;
        let logits = outputs["logits"].try_extract_tensor::<f32>()?.1.to_vec();
        let embedding = outputs["embedding"].try_extract_tensor::<f32>()?.1.to_vec();
        Ok(Reading { probabilities: softmax(&logits, TEMPERATURE), logits, embedding })
    }

    /// What the photo shows, and whether the shop knows it.
    pub fn sight(&mut self, crop: &Crop, gallery: &Gallery) -> Result<Sighting, VisionError> {
        let reading = self.read(crop)?;
        let mut order: Vec<usize> = (0..reading.probabilities.len()).collect();
        order.sort_by(|&a, &b| reading.probabilities[b].total_cmp(&reading.probabilities[a]));
        let (verdict, similarity) = gallery.judge(order[0], reading.probabilities[order[0]], &reading.embedding);
        let top = order.iter().take(TOP).map(|&class_id| self.candidate(class_id, reading.probabilities[class_id])).collect();
        Ok(Sighting { verdict, top, similarity, advice: advice(crop), embedding: reading.embedding })
    }

    fn candidate(&self, class_id: usize, probability: f32) -> Candidate {
        let ClassLabel { product, label } = self.labels[class_id].clone();
        Candidate { product, label, class_id, probability: Probability::clamped(probability) }
    }
}

/// `[3, 224, 224]`, `(x - 127) / 128`, as EfficientNet-Lite was trained.
fn channels_first(crop: &Crop) -> Vec<f32> {
    (0..3).flat_map(|channel| crop.rgb.iter().skip(channel).step_by(3).map(|&x| (f32::from(x) - 127.0) / 128.0)).collect()
}

fn softmax(logits: &[f32], temperature: f32) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shares: Vec<f32> = logits.iter().map(|l| ((l - largest) / temperature).exp()).collect();
    let sum: f32 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}
