use std::sync::Arc;

use candle_core::Tensor;

use super::calibrate::Calibration;
use super::checkpoint::{Checkpoint, Provenance};
use super::error::BehaviorError;
use super::explain::{purchase_effects, strongest};
use super::fusion::{FusionNetwork, Mode};
use super::inputs::{Batch, InputScales, Modality, Vectors};
use super::outcome::{HEADS, Head};
use super::unusual::UnusualSessions;
use crate::domain::{ModalityShares, Prediction, Probability, Push, SessionFeatures};
use crate::weights::VerifiedFile;

/// A trained model that says what a shopper is about to do, and why.
#[derive(Debug, Clone)]
pub struct BehaviorModel {
    network: FusionNetwork,
    scales: InputScales,
    calibration: [Calibration; HEADS],
    provenance: Provenance,
    usual: Option<Arc<UnusualSessions>>,
}

impl BehaviorModel {
    /// Loads a checked file.
    /// # Errors
    /// See [`Checkpoint::from_bytes`].
    pub fn load(file: &VerifiedFile) -> Result<Self, BehaviorError> {
        Self::from_checkpoint(Checkpoint::read(file.path())?)
    }

    /// From a model that was just trained or read.
    pub fn from_checkpoint(checkpoint: Checkpoint) -> Result<Self, BehaviorError> {
        Ok(Self {
            network: FusionNetwork::from_tensors(checkpoint.weights)?,
            scales: checkpoint.scales,
            calibration: checkpoint.calibration,
            provenance: checkpoint.provenance,
            usual: None,
        })
    }

    /// The same model, that also says how unlike other sessions one is.
    pub fn with_usual(self, usual: Option<Arc<UnusualSessions>>) -> Self {
        Self { usual, ..self }
    }

    /// In what a session is most unlike the others, where something says what is usual.
    pub fn unusual_because(&self, session: &SessionFeatures) -> Option<&'static str> {
        self.usual.as_ref().map(|usual| usual.reason(session))
    }

    /// What it was made from.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// Refuses other encoders than those it was trained with: their vectors have the right length and mean something else.
    /// # Errors
    /// [`BehaviorError::OtherEncoder`].
    pub fn check_encoders(&self, text_sha256: &str, photo_sha256: &str) -> Result<(), BehaviorError> {
        let trained = &self.provenance;
        let pairs =
            [(Modality::Text, &trained.text_encoder_sha256, text_sha256), (Modality::Photo, &trained.photo_encoder_sha256, photo_sha256)];
        match pairs.into_iter().find(|(_, expected, found)| expected != found) {
            Some((modality, expected, found)) => {
                Err(BehaviorError::OtherEncoder { modality, expected: expected.clone(), found: found.to_owned() })
            }
            None => Ok(()),
        }
    }

    /// What this shopper is about to do.
    ///
    /// `text` is `[384]` and `photo` `[1280]`, of any length above 0; `None` for what is not there.
    /// # Errors
    /// [`BehaviorError::BadEmbedding`] for an embedding of another length, not finite, or all zero.
    pub fn predict(&self, text: Option<&[f32]>, photo: Option<&[f32]>, session: &SessionFeatures) -> Result<Prediction, BehaviorError> {
        let shopper = self.scales.apply(text, photo, session)?;
        let (batch, projected) = self.project(&shopper)?;
        let fused = self.network.fuse(&projected, &batch.presence, &mut Mode::Predict)?;
        let logits = fused.logits.squeeze(0)?.to_vec1::<f32>()?;
        let shares = fused.shares.squeeze(0)?.to_vec1::<f32>()?;
        let probability = |head: Head| Probability::clamped(self.calibration[head as usize].probability(logits[head as usize]));
        Ok(Prediction {
            purchase: probability(Head::Purchase),
            accept_recommendation: probability(Head::AcceptRecommendation),
            handoff_needed: probability(Head::HandoffNeeded),
            abandon: probability(Head::Abandon),
            anomaly: self.usual.as_ref().map(|usual| usual.score(session)),
            shares: ModalityShares {
                text: shares[Modality::Text as usize],
                photo: shares[Modality::Photo as usize],
                session: shares[Modality::Session as usize],
            },
            because: strongest(self.effects(&shopper, &projected, &batch.presence)?),
        })
    }

    /// All that pushes the calibrated purchase logit away from the average shopper's: the words, the photo, each named feature. They add
    /// up to the difference.
    /// # Errors
    /// As [`BehaviorModel::predict`].
    pub fn effects_on_purchase(
        &self,
        text: Option<&[f32]>,
        photo: Option<&[f32]>,
        session: &SessionFeatures,
    ) -> Result<Vec<Push>, BehaviorError> {
        let shopper = self.scales.apply(text, photo, session)?;
        let (batch, projected) = self.project(&shopper)?;
        self.effects(&shopper, &projected, &batch.presence)
    }

    fn project(&self, shopper: &Vectors) -> Result<(Batch, Tensor), BehaviorError> {
        let batch = Batch::stack(std::slice::from_ref(shopper))?;
        let projected = self.network.project(&batch)?;
        Ok((batch, projected))
    }

    /// All effects on the calibrated purchase logit: they sum to its difference from the average shopper's.
    fn effects(&self, shopper: &Vectors, projected: &Tensor, presence: &Tensor) -> Result<Vec<Push>, BehaviorError> {
        let scale = self.calibration[Head::Purchase as usize].scale;
        let mut pushes = purchase_effects(&self.network, shopper, projected, presence)?;
        pushes.iter_mut().for_each(|push| push.effect *= scale);
        Ok(pushes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::checkpoint::tests::untrained;
    use super::super::features::tests::session;
    use super::super::inputs::{PHOTO, TEXT};
    use super::*;

    fn waves(n: usize, pace: f32) -> Vec<f32> {
        (0..n).map(|i| (i as f32 * pace).sin()).collect()
    }

    fn model(seed: u64) -> BehaviorModel {
        BehaviorModel::from_checkpoint(untrained(seed)).unwrap()
    }

    impl BehaviorModel {
        /// The sum of all effects, and the difference of the calibrated purchase logit from the average shopper's.
        pub fn completeness(&self, text: Option<&[f32]>, photo: Option<&[f32]>, session: &SessionFeatures) -> (f32, f32) {
            let shopper = self.scales.apply(text, photo, session).unwrap();
            let (batch, projected) = self.project(&shopper).unwrap();
            let logit = |projected: &Tensor| {
                let fused = self.network.fuse(projected, &batch.presence, &mut Mode::Predict).unwrap();
                self.calibration[0].logit(fused.logits.to_vec2::<f32>().unwrap()[0][0])
            };
            let difference = logit(&projected) - logit(&projected.zeros_like().unwrap());
            (self.effects(&shopper, &projected, &batch.presence).unwrap().iter().map(|push| push.effect).sum(), difference)
        }
    }

    #[test]
    fn the_effects_add_up_to_the_difference_from_the_average_shopper() {
        let (text, photo) = (waves(TEXT, 0.7), waves(PHOTO, 0.3));
        for seed in 0..20 {
            for (text, photo) in [(Some(&text[..]), Some(&photo[..])), (None, Some(&photo[..])), (Some(&text[..]), None), (None, None)] {
                let (sum, difference) = model(seed).completeness(text, photo, &session());
                assert!((sum - difference).abs() < 0.05, "seed {seed}: {sum} is not {difference}");
            }
        }
    }

    #[test]
    fn a_shopper_of_whom_nothing_but_the_session_is_known_is_predicted_too() {
        let prediction = model(1).predict(None, None, &session()).unwrap();
        assert_eq!((prediction.shares.text, prediction.shares.photo), (0.0, 0.0));
        assert!((prediction.shares.session - 1.0).abs() < 1e-5);
        assert!(prediction.because.iter().all(|push| push.feature != "words" && push.feature != "photo"));
    }

    #[test]
    fn the_length_of_an_embedding_does_not_matter_but_its_direction_does() {
        let (model, text) = (model(1), waves(TEXT, 0.7));
        let purchase = |text: &[f32]| model.predict(Some(text), None, &session()).unwrap().purchase.get();
        let twice: Vec<f32> = text.iter().map(|x| x * 2.0).collect();
        assert!((purchase(&text) - purchase(&twice)).abs() < 1e-6);
        assert_ne!(purchase(&text), purchase(&waves(TEXT, 0.2)));
    }

    #[test]
    fn other_encoders_than_those_of_the_training_are_refused() {
        let model = model(1);
        assert!(model.check_encoders("aa", "bb").is_ok());
        let said = model.check_encoders("aa", "cc").unwrap_err().to_string();
        assert!(said.starts_with("the behaviour model was trained with the photo encoder bb, but cc is in use"), "{said}");
    }

    #[test]
    fn a_bad_embedding_is_refused_and_a_strange_session_is_not() {
        let model = model(1);
        assert!(model.predict(Some(&[1.0; 3]), None, &session()).is_err());
        assert!(model.predict(None, Some(&[f32::NAN; PHOTO]), &session()).is_err());
        let strange = SessionFeatures { seconds: f32::INFINITY, hour: f32::NAN, turns: u32::MAX, basket: u32::MAX, ..session() };
        assert!(model.predict(None, None, &strange).is_ok());
    }
}
