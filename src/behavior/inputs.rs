use std::fmt;

use candle_core::{Device, Tensor};

use super::error::BehaviorError;
use super::features::{FEATURES, Standardisation};
use crate::domain::SessionFeatures;

/// Numbers in a sentence embedding (MiniLM).
pub const TEXT: usize = 384;
/// Numbers in a photo embedding (the classifier's pooled features).
pub const PHOTO: usize = 1280;
/// Kinds of input.
pub const MODALITIES: usize = 3;

/// A kind of input. The order is that of the rows inside the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modality {
    /// The words.
    Text,
    /// The photo.
    Photo,
    /// The session's features.
    Session,
}

impl Modality {
    /// All modalities, in order.
    pub const ALL: [Modality; MODALITIES] = [Modality::Text, Modality::Photo, Modality::Session];

    /// Its name in reports and explanations.
    pub fn name(self) -> &'static str {
        match self {
            Modality::Text => "words",
            Modality::Photo => "photo",
            Modality::Session => "session",
        }
    }
}

impl fmt::Display for Modality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Makes an embedding comparable: L2 norm 1, less the average direction, times one factor.
///
/// Pooled features after a ReLU all point the same way (mean cosine 0.2 between unlike groceries); what tells them apart is the rest.
/// One factor for all numbers keeps the angles between the rests.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingScale {
    /// Mean of the training embeddings at norm 1.
    pub mean: Vec<f32>,
    /// What makes the rest have mean square 1.
    pub factor: f32,
}

impl EmbeddingScale {
    /// Measures embeddings; those without a direction are passed over. With none at all the scale changes nothing.
    pub fn fit<'a>(width: usize, embeddings: impl Iterator<Item = &'a [f32]> + Clone) -> Self {
        let (mut sum, mut count) = (vec![0.0_f64; width], 0_u32);
        for unit in embeddings.clone().filter_map(unit) {
            sum.iter_mut().zip(&unit).for_each(|(sum, x)| *sum += f64::from(*x));
            count += 1;
        }
        let mean: Vec<f32> = sum.iter().map(|sum| (sum / f64::from(count.max(1))) as f32).collect();
        let square: f64 = embeddings.filter_map(unit).map(|unit| squared_distance(&unit, &mean)).sum();
        let rms = (square / (f64::from(count.max(1)) * width as f64)).sqrt();
        Self { mean, factor: if rms > 1e-6 { (1.0 / rms) as f32 } else { 1.0 } }
    }

    /// The scaled embedding, or what is wrong with it.
    fn apply(&self, modality: Modality, embedding: &[f32]) -> Result<Vec<f32>, BehaviorError> {
        let bad = |problem| BehaviorError::BadEmbedding { modality, problem, expected: self.mean.len() };
        if embedding.len() != self.mean.len() {
            return Err(bad(format!("has {} numbers", embedding.len())));
        }
        let unit = unit(embedding).ok_or_else(|| bad("has no direction".to_owned()))?;
        Ok(unit.iter().zip(&self.mean).map(|(x, mean)| (x - mean) * self.factor).collect())
    }
}

/// The same direction at length 1; `None` for zero, NaN or infinity.
fn unit(embedding: &[f32]) -> Option<Vec<f32>> {
    let norm = embedding.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    (norm.is_finite() && norm > 0.0).then(|| embedding.iter().map(|x| (f64::from(*x) / norm) as f32).collect())
}

fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum()
}

/// All that turns a shopper into vectors; measured on the training part and stored with the weights.
#[derive(Debug, Clone, PartialEq)]
pub struct InputScales {
    /// For sentence embeddings, `[384]`.
    pub text: EmbeddingScale,
    /// For photo embeddings, `[1280]`.
    pub photo: EmbeddingScale,
    /// For the session's features.
    pub session: Standardisation,
}

impl InputScales {
    /// One shopper as the network's vectors. The average shopper is zero in each of them.
    /// # Errors
    /// [`BehaviorError::BadEmbedding`] for an embedding of another length, not finite, or all zero.
    pub fn apply(&self, text: Option<&[f32]>, photo: Option<&[f32]>, session: &SessionFeatures) -> Result<Vectors, BehaviorError> {
        Ok(Vectors {
            text: text.map(|x| self.text.apply(Modality::Text, x)).transpose()?,
            photo: photo.map(|x| self.photo.apply(Modality::Photo, x)).transpose()?,
            session: Some(self.session.apply(session)),
        })
    }
}

/// One shopper, scaled. What is absent is `None`, and reaches the network as a mask, not as a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors {
    /// `[384]`.
    pub text: Option<Vec<f32>>,
    /// `[1280]`.
    pub photo: Option<Vec<f32>>,
    /// The session; absent only in training, where modalities are dropped, and in the ablation.
    pub session: Option<[f32; FEATURES]>,
}

impl Vectors {
    /// Which modalities are there, in the order of [`Modality::ALL`].
    pub fn presence(&self) -> [bool; MODALITIES] {
        [self.text.is_some(), self.photo.is_some(), self.session.is_some()]
    }
}

/// Several shoppers as tensors.
#[derive(Debug, Clone)]
pub struct Batch {
    /// `[batch, 384]`, `[batch, 1280]`, `[batch, features]`: a row of an absent modality is zero.
    pub inputs: [Tensor; MODALITIES],
    /// `[batch, 3]`: 1 where the modality is there, else 0.
    pub presence: Tensor,
}

impl Batch {
    /// Stacks shoppers.
    pub fn stack(shoppers: &[Vectors]) -> candle_core::Result<Self> {
        let rows = shoppers.len();
        let widths = [TEXT, PHOTO, FEATURES];
        let mut flat = widths.map(|width| Vec::with_capacity(rows * width));
        let mut presence = Vec::with_capacity(rows * MODALITIES);
        for shopper in shoppers {
            let parts = [shopper.text.as_deref(), shopper.photo.as_deref(), shopper.session.as_ref().map(<[f32; FEATURES]>::as_slice)];
            for (at, part) in parts.into_iter().enumerate() {
                presence.push(if part.is_some() { 1.0_f32 } else { 0.0 });
                match part {
                    Some(part) => flat[at].extend_from_slice(part),
                    None => flat[at].resize(flat[at].len() + widths[at], 0.0),
                }
            }
        }
        let [text, photo, session] = flat;
        let tensor = |values, width| Tensor::from_vec(values, (rows, width), &Device::Cpu);
        Ok(Self {
            inputs: [tensor(text, TEXT)?, tensor(photo, PHOTO)?, tensor(session, FEATURES)?],
            presence: tensor(presence, MODALITIES)?,
        })
    }

    /// The same shoppers with the other modalities masked (the ablation).
    pub fn only(&self, available: [bool; MODALITIES]) -> candle_core::Result<Self> {
        let available = Tensor::new(&available.map(|there| if there { 1.0_f32 } else { 0.0 }), &Device::Cpu)?;
        Ok(Self { inputs: self.inputs.clone(), presence: self.presence.broadcast_mul(&available)? })
    }

    /// The chosen rows, in the order of `rows` (`[n]`, u32).
    pub fn select(&self, rows: &Tensor) -> candle_core::Result<Self> {
        let [text, photo, session] = &self.inputs;
        let inputs = [text.index_select(rows, 0)?, photo.index_select(rows, 0)?, session.index_select(rows, 0)?];
        Ok(Self { inputs, presence: self.presence.index_select(rows, 0)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_embedding_becomes_zero_and_the_rest_has_mean_square_one() {
        let embeddings = [vec![2.0, 0.0], vec![0.0, 0.5]];
        let scale = EmbeddingScale::fit(2, embeddings.iter().map(Vec::as_slice));
        assert_eq!(scale.mean, [0.5, 0.5]);
        let scaled = scale.apply(Modality::Text, &[7.0, 0.0]).unwrap();
        assert!(scaled.iter().zip([1.0, -1.0]).all(|(x, expected)| (x - expected).abs() < 1e-6), "{scaled:?}");
    }

    #[test]
    fn an_embedding_of_another_length_or_without_direction_is_refused_in_one_sentence() {
        let scale = EmbeddingScale { mean: vec![0.0; 3], factor: 1.0 };
        let said = |embedding: &[f32]| scale.apply(Modality::Photo, embedding).unwrap_err().to_string();
        assert_eq!(said(&[1.0]), "the photo embedding has 1 numbers; expected 3 finite numbers that are not all zero");
        for bad in [[0.0; 3], [f32::NAN, 0.0, 0.0], [f32::INFINITY, 0.0, 0.0]] {
            assert!(said(&bad).contains("has no direction"), "{bad:?}");
        }
    }
}
