use candle_core::{D, DType, Device, Tensor};
use candle_nn::{Linear, Module, VarBuilder, linear, ops};
use rand::Rng;
use rand::rngs::StdRng;

use super::features::FEATURES;
use super::inputs::{Batch, MODALITIES, Modality, PHOTO, TEXT};
use super::outcome::HEADS;

/// Width of every modality after its projection, of their mixture, and of the layer after it. 64 keeps the file at 0.6 MB and a
/// prediction far under a millisecond.
pub const HIDDEN: usize = 64;

/// Names and shapes of the weights, in the order in which they are drawn. The loader checks a file against the same list.
pub const PARAMETERS: [(&str, &[usize]); 10] = [
    ("project.text", &[HIDDEN, TEXT]),
    ("project.photo", &[HIDDEN, PHOTO]),
    ("project.session", &[HIDDEN, FEATURES]),
    ("project.bias", &[MODALITIES, HIDDEN]),
    ("gate.weight", &[MODALITIES * HIDDEN, MODALITIES * HIDDEN + MODALITIES]),
    ("gate.bias", &[MODALITIES * HIDDEN]),
    ("mix.weight", &[HIDDEN, HIDDEN]),
    ("mix.bias", &[HIDDEN]),
    ("heads.weight", &[HEADS, HIDDEN]),
    ("heads.bias", &[HEADS]),
];

/// What is added to the gate of an absent modality; `exp` of it is exactly 0 in f32, so its share is 0 and not merely small.
const CLOSED: f64 = 1e9;

/// Whether the network is learning.
pub enum Mode<'a> {
    /// Every unit takes part.
    Predict,
    /// Units fall silent at random (Srivastava et al., "Dropout", 2014), by our own generator: candle's cannot be seeded.
    Learn {
        /// Probability that a unit is silent, 0..1.
        dropout: f32,
        /// Where the chance comes from.
        chance: &'a mut StdRng,
    },
}

/// What the network says of a batch.
pub struct Fused {
    /// `[batch, 4]`, before the sigmoid and before calibration.
    pub logits: Tensor,
    /// `[batch, 3]`, how much each modality had to say: 0 for an absent one, rows sum to 1.
    pub shares: Tensor,
}

/// Gated multimodal units for words, photo and session, then one hidden layer and a logit per head.
///
/// Each modality is projected to 64 tanh units. For each of the 64 places a softmax over the modalities that are there, computed
/// from all of them, decides whose unit is passed on. So the photo may settle the kind of product while the words settle the wish.
/// # Source
/// Arevalo et al., "Gated Multimodal Units for Information Fusion" (2017), section 3; their sigmoid for two becomes a softmax for
/// three, and the gate also sees which modalities are there.
#[derive(Debug, Clone)]
pub struct FusionNetwork {
    project: [Linear; MODALITIES],
    /// `[3, 64]`, apart from the projections so that explanations can scale an input along a path without its bias.
    project_bias: Tensor,
    gate: Linear,
    mix: Linear,
    heads: Linear,
}

impl FusionNetwork {
    /// Takes the weights named in `PARAMETERS`.
    /// # Errors
    /// Where one is missing or has another shape.
    pub fn new(weights: VarBuilder) -> candle_core::Result<Self> {
        let project = |name: &str, width: usize| Ok::<_, candle_core::Error>(Linear::new(weights.get((HIDDEN, width), name)?, None));
        Ok(Self {
            project: [project("project.text", TEXT)?, project("project.photo", PHOTO)?, project("project.session", FEATURES)?],
            project_bias: weights.get((MODALITIES, HIDDEN), "project.bias")?,
            gate: linear(MODALITIES * HIDDEN + MODALITIES, MODALITIES * HIDDEN, weights.pp("gate"))?,
            mix: linear(HIDDEN, HIDDEN, weights.pp("mix"))?,
            heads: linear(HIDDEN, HEADS, weights.pp("heads"))?,
        })
    }

    /// From weights by name, on the processor.
    pub fn from_tensors(tensors: impl IntoIterator<Item = (String, Tensor)>) -> candle_core::Result<Self> {
        Self::new(VarBuilder::from_tensors(tensors.into_iter().collect(), DType::F32, &Device::Cpu))
    }

    /// The linear part: `[batch, 3, 64]`, each modality times its weights, without bias. An absent one gives zeros.
    pub fn project(&self, batch: &Batch) -> candle_core::Result<Tensor> {
        let [text, photo, session] = &self.project;
        let [words, picture, features] = &batch.inputs;
        Tensor::stack(&[text.forward(words)?, photo.forward(picture)?, session.forward(features)?], 1)
    }

    /// The rest: gates, mixture and heads. `projected` is `[batch, 3, 64]`, `presence` `[batch, 3]` of zeros and ones.
    pub fn fuse(&self, projected: &Tensor, presence: &Tensor, mode: &mut Mode<'_>) -> candle_core::Result<Fused> {
        let (batch, _) = presence.dims2()?;
        let present = presence.unsqueeze(2)?;
        let units = drop_out(&projected.broadcast_add(&self.project_bias)?.tanh()?.broadcast_mul(&present)?, mode)?;
        let seen = Tensor::cat(&[&units.flatten_from(1)?, presence], 1)?;
        let open = self.gate.forward(&seen)?.reshape((batch, MODALITIES, HIDDEN))?;
        let closed = ((&present - 1.0)? * CLOSED)?;
        let gates = ops::softmax(&open.broadcast_add(&closed)?, 1)?;
        let passed = (gates * units)?;
        let mixed = drop_out(&passed.sum(1)?, mode)?;
        let hidden = drop_out(&self.mix.forward(&mixed)?.relu()?, mode)?;
        Ok(Fused { logits: self.heads.forward(&hidden)?, shares: shares(&passed.detach(), presence)? })
    }

    /// Both parts at once.
    pub fn forward(&self, batch: &Batch, mode: &mut Mode<'_>) -> candle_core::Result<Fused> {
        self.fuse(&self.project(batch)?, &batch.presence, mode)
    }

    /// `[64, width]`: how one modality enters the projection.
    pub fn projection(&self, modality: Modality) -> &Tensor {
        self.project[modality as usize].weight()
    }
}

/// `[batch, 3]` from what passed the gates, `[batch, 3, 64]`: an open gate on a silent unit says nothing, so the sum of magnitudes
/// counts. Where all units are silent, the present modalities share equally.
fn shares(passed: &Tensor, presence: &Tensor) -> candle_core::Result<Tensor> {
    let loudness = (passed.abs()?.sum(2)? + (presence * 1e-6)?)?;
    // Without any modality (only in an ablation) the row stays zero.
    loudness.broadcast_div(&(loudness.sum_keepdim(D::Minus1)? + 1e-12)?)
}

fn drop_out(units: &Tensor, mode: &mut Mode<'_>) -> candle_core::Result<Tensor> {
    let Mode::Learn { dropout, chance } = mode else { return Ok(units.clone()) };
    // What is left is made louder, so that the sum keeps its mean and prediction needs no correction.
    let kept = 1.0 / (1.0 - *dropout);
    let mask: Vec<f32> = (0..units.elem_count()).map(|_| if chance.random::<f32>() < *dropout { 0.0 } else { kept }).collect();
    units * Tensor::from_vec(mask, units.shape(), units.device())?
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::inputs::Vectors;
    use super::super::train::initial_weights;
    use super::*;

    pub fn network(seed: u64) -> FusionNetwork {
        let weights = initial_weights(seed).unwrap();
        FusionNetwork::from_tensors(weights.iter().map(|(name, var)| (name.clone(), var.as_tensor().clone()))).unwrap()
    }

    /// A shopper with all three modalities, made of waves so that no two numbers are alike.
    pub fn shopper() -> Vectors {
        let wave = |n: usize, pace: f32| (0..n).map(|i| (i as f32 * pace).sin()).collect::<Vec<_>>();
        Vectors { text: Some(wave(TEXT, 0.7)), photo: Some(wave(PHOTO, 0.3)), session: Some(std::array::from_fn(|i| (i as f32).cos())) }
    }

    fn fused(network: &FusionNetwork, shopper: &Vectors) -> (Vec<f32>, Vec<f32>) {
        let batch = Batch::stack(std::slice::from_ref(shopper)).unwrap();
        let fused = network.forward(&batch, &mut Mode::Predict).unwrap();
        (fused.logits.flatten_all().unwrap().to_vec1().unwrap(), fused.shares.flatten_all().unwrap().to_vec1().unwrap())
    }

    #[test]
    fn an_absent_photo_has_no_share_and_the_others_share_everything() {
        let (_, shares) = fused(&network(1), &Vectors { photo: None, ..shopper() });
        assert_eq!(shares[Modality::Photo as usize], 0.0);
        assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{shares:?}");
        assert!(shares[0] > 0.0 && shares[2] > 0.0);
    }

    #[test]
    fn an_absent_modality_is_masked_and_not_a_vector_of_zeros() {
        let network = network(1);
        let zeros = Vectors { photo: Some(vec![0.0; PHOTO]), ..shopper() };
        assert_ne!(fused(&network, &zeros).0, fused(&network, &Vectors { photo: None, ..shopper() }).0);
    }

    #[test]
    fn what_stands_in_a_masked_row_changes_nothing() {
        let network = network(1);
        let batch = Batch::stack(&[shopper()]).unwrap().only([true, false, true]).unwrap();
        let loud = Batch { inputs: [batch.inputs[0].clone(), (&batch.inputs[1] + 5.0).unwrap(), batch.inputs[2].clone()], ..batch.clone() };
        let logits = |batch| network.forward(batch, &mut Mode::Predict).unwrap().logits.to_vec2::<f32>().unwrap();
        assert_eq!(logits(&batch), logits(&loud));
    }

    #[test]
    fn the_list_of_weights_is_exactly_what_the_network_takes() {
        let without = |gone: &str| {
            let weights = initial_weights(1).unwrap();
            FusionNetwork::from_tensors(weights.iter().filter(|(n, _)| *n != gone).map(|(n, v)| (n.clone(), v.as_tensor().clone())))
        };
        assert!(without("").is_ok());
        for (name, _) in PARAMETERS {
            assert!(without(name).is_err(), "{name} is not used");
        }
    }
}
