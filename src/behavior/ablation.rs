use std::collections::BTreeMap;

use candle_core::Tensor;

use super::calibrate::Calibration;
use super::checkpoint::{Checkpoint, Provenance};
use super::error::BehaviorError;
use super::example::{Example, Examples};
use super::features::Standardisation;
use super::fusion::{FusionNetwork, Mode};
use super::inputs::{Batch, EmbeddingScale, InputScales, MODALITIES, Modality, PHOTO, TEXT, Vectors};
use super::outcome::{HEADS, Head, Outcomes};
use super::report::{Scored, TrainingReport, figures, gains, labels_of};
use super::train::{Labelled, Pass, TrainConfig, fit};

/// A model and how good it is.
#[derive(Debug)]
pub struct Trained {
    /// To be written, or used at once.
    pub checkpoint: Checkpoint,
    /// Its figures beside those of each modality alone.
    pub report: TrainingReport,
}

/// Trains the fusion network, and beside it the same network on each modality alone, so that the report shows what fusing brings.
///
/// `provenance` says what the examples are and who made their embeddings; it is kept with the weights and heads the report.
/// # Errors
/// Where the examples are too few or of one kind, an embedding is bad, a setting is out of range, or the training diverges.
pub fn train(
    examples: &Examples,
    provenance: &Provenance,
    config: &TrainConfig,
    on_pass: &mut dyn FnMut(&Pass),
) -> Result<Trained, BehaviorError> {
    config.check()?;
    examples.check()?;
    let scales = fit_scales(&examples.train);
    let parts = Parts {
        train: labelled(&examples.train, &scales)?,
        validation: labelled(&examples.validation, &scales)?,
        test: labelled(&examples.test, &scales)?,
        validation_outcomes: outcomes(&examples.validation),
    };
    let fusion = parts.fit("fusion", [true; MODALITIES], config, on_pass)?;
    let mut alone = Vec::new();
    for modality in Modality::ALL {
        let only = Modality::ALL.map(|other| other == modality);
        alone.push(parts.fit(&format!("{modality} alone"), only, config, on_pass)?.scored);
    }
    let checkpoint = Checkpoint { weights: fusion.weights, scales, calibration: fusion.calibration, provenance: provenance.clone() };
    Ok(Trained { checkpoint, report: report(&provenance.data, examples, &fusion.scored, &alone) })
}

/// The three parts as tensors.
struct Parts {
    train: Labelled,
    validation: Labelled,
    test: Labelled,
    validation_outcomes: Vec<Outcomes>,
}

/// A fitted network and what it says of the held-out shoppers.
struct Fitted {
    weights: BTreeMap<String, Tensor>,
    calibration: [Calibration; HEADS],
    scored: Scored,
}

impl Parts {
    /// Fits on the training part, calibrates on the validation part, scores the test part.
    fn fit(
        &self,
        name: &str,
        available: [bool; MODALITIES],
        config: &TrainConfig,
        on_pass: &mut dyn FnMut(&Pass),
    ) -> Result<Fitted, BehaviorError> {
        let validation = self.validation.only(available)?;
        let weights = fit(name, &self.train.only(available)?, &validation, config, on_pass)?;
        let network = FusionNetwork::from_tensors(weights.clone())?;
        let raw = logits(&network, &validation.batch)?;
        let calibration = Head::ALL.map(|head| Calibration::fit(&raw[head as usize], &labels_of(head, &self.validation_outcomes)));
        let raw = logits(&network, &self.test.only(available)?.batch)?;
        let probability = |head: usize| raw[head].iter().map(|z| calibration[head].probability(*z)).collect();
        Ok(Fitted { weights, calibration, scored: Scored { model: name.to_owned(), probabilities: std::array::from_fn(probability) } })
    }
}

/// Raw logits by head.
pub(super) fn logits(network: &FusionNetwork, batch: &Batch) -> candle_core::Result<[Vec<f32>; HEADS]> {
    let rows = network.forward(batch, &mut Mode::Predict)?.logits.to_vec2::<f32>()?;
    Ok(std::array::from_fn(|head| rows.iter().map(|row| row[head]).collect()))
}

fn fit_scales(train: &[Example]) -> InputScales {
    InputScales {
        text: EmbeddingScale::fit(TEXT, train.iter().filter_map(|e| e.text.as_deref())),
        photo: EmbeddingScale::fit(PHOTO, train.iter().filter_map(|e| e.photo.as_deref())),
        session: Standardisation::fit(train.iter().map(|e| &e.session)),
    }
}

pub(super) fn labelled(examples: &[Example], scales: &InputScales) -> Result<Labelled, BehaviorError> {
    let scaled = |e: &Example| scales.apply(e.text.as_deref(), e.photo.as_deref(), &e.session);
    let shoppers: Vec<Vectors> = examples.iter().map(scaled).collect::<Result<_, _>>()?;
    Ok(Labelled::new(Batch::stack(&shoppers)?, &outcomes(examples))?)
}

pub(super) fn outcomes(examples: &[Example]) -> Vec<Outcomes> {
    examples.iter().map(|example| example.outcomes).collect()
}

fn report(data: &str, examples: &Examples, fusion: &Scored, alone: &[Scored]) -> TrainingReport {
    let test = outcomes(&examples.test);
    let base = base_rate(&examples.train, test.len());
    let mut models = vec![figures(fusion, &test)];
    models.extend(alone.iter().chain([&base]).map(|scored| figures(scored, &test)));
    TrainingReport {
        data: data.to_owned(),
        shoppers: [examples.train.len(), examples.validation.len(), examples.test.len()],
        positive_share: Head::ALL.map(|head| share(head, &test)),
        models,
        gains: gains(fusion, alone, &test),
    }
}

/// Says of everybody what happened to the share of training shoppers: what any model must beat.
fn base_rate(train: &[Example], rows: usize) -> Scored {
    let outcomes = outcomes(train);
    Scored { model: "base rate".to_owned(), probabilities: Head::ALL.map(|head| vec![share(head, &outcomes) as f32; rows]) }
}

fn share(head: Head, outcomes: &[Outcomes]) -> f64 {
    outcomes.iter().filter(|outcome| outcome[head as usize]).count() as f64 / outcomes.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::super::checkpoint::tests::provenance;
    use super::super::features::tests::session;
    use super::super::model::BehaviorModel;
    use super::super::simulate::tests::small;
    use super::*;

    fn quick() -> TrainConfig {
        TrainConfig { epochs_max: 6, ..TrainConfig::default() }
    }

    #[test]
    fn training_twice_gives_the_same_bytes_and_a_model_that_can_be_asked() {
        let examples = small(1);
        let once = || train(&examples, &provenance(), &TrainConfig { epochs_max: 1, ..quick() }, &mut |_| {}).unwrap().checkpoint;
        let bytes = once().to_bytes().unwrap();
        assert_eq!(bytes, once().to_bytes().unwrap());
        let model = BehaviorModel::from_checkpoint(Checkpoint::from_bytes("it", &bytes).unwrap()).unwrap();
        let shopper = &examples.test[0];
        let prediction = model.predict(shopper.text.as_deref(), shopper.photo.as_deref(), &shopper.session).unwrap();
        assert!((prediction.shares.text + prediction.shares.photo + prediction.shares.session - 1.0).abs() < 1e-4);
    }

    /// Shoppers who say one of two things and show one of two things. They buy where both are the first, one in twenty otherwise;
    /// the other outcomes are a coin.
    fn shoppers_who_need_both(count: usize, seed: u64) -> Vec<Example> {
        let mut chance = StdRng::seed_from_u64(seed);
        let vector = |width: usize, first: bool| (0..width).map(|i| if (i % 2 == 0) == first { 1.0 } else { 0.1 }).collect::<Vec<f32>>();
        let one = |_| {
            let (wants, likes) = (chance.random::<bool>(), chance.random::<bool>());
            let buys = (wants && likes) != (chance.random::<f32>() < 0.05);
            Example {
                text: Some(Arc::from(vector(TEXT, wants))),
                photo: Some(vector(PHOTO, likes)),
                session: session(),
                outcomes: [buys, chance.random(), chance.random(), chance.random()],
            }
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn what_needs_words_and_photo_together_is_learnt_by_fusion_and_by_neither_alone() {
        let examples = Examples {
            train: shoppers_who_need_both(1_000, 1),
            validation: shoppers_who_need_both(300, 2),
            test: shoppers_who_need_both(600, 3),
        };
        let report = train(&examples, &provenance(), &quick(), &mut |_| {}).unwrap().report;
        let purchase: Vec<_> = report.models.iter().map(|model| model.heads[0].pr_auc).collect();
        let [fusion, words, photo, session, base] = purchase[..] else { panic!("five models") };
        assert!(fusion.low > 0.7 && words.high < 0.65 && photo.high < 0.65, "{report}");
        assert!(session.high < 0.4 && base.high < 0.4, "{report}");
        assert!(report.gains[0].pr_auc.low > 0.1, "{report}");
    }

    #[test]
    fn a_trained_model_ranks_simulated_buyers_it_never_met_and_its_reasons_add_up() {
        let examples = small(2);
        let trained = train(&examples, &provenance(), &quick(), &mut |_| {}).unwrap();
        let (fusion, base) = (&trained.report.models[0], &trained.report.models[4]);
        assert!(fusion.heads[0].pr_auc.low > base.heads[0].pr_auc.high, "{}", trained.report);
        let model = BehaviorModel::from_checkpoint(trained.checkpoint).unwrap();
        for shopper in &examples.test {
            let (sum, difference) = model.completeness(shopper.text.as_deref(), shopper.photo.as_deref(), &shopper.session);
            assert!((sum - difference).abs() < 0.05, "{sum} is not {difference}");
        }
    }

    #[test]
    fn too_few_shoppers_and_an_outcome_that_never_happens_are_refused() {
        let mut examples = small(3);
        examples.validation.iter_mut().for_each(|e| e.outcomes[2] = false);
        let said = train(&examples, &provenance(), &quick(), &mut |_| {}).unwrap_err().to_string();
        assert_eq!(
            said,
            "in the validation part the outcome \"handoff_needed\" is the same for every shopper; it cannot be learnt or measured"
        );
        examples.test.truncate(3);
        examples.validation.clear();
        let said = train(&examples, &provenance(), &quick(), &mut |_| {}).unwrap_err().to_string();
        assert!(said.starts_with("the validation part has 0 shoppers, but at least 50"), "{said}");
    }
}
