use std::sync::Arc;

use super::error::BehaviorError;
use super::outcome::{Head, Outcomes};
use crate::domain::SessionFeatures;

/// One session to learn from: what was known when it mattered, and how it ended.
#[derive(Debug, Clone)]
pub struct Example {
    /// `[384]`; shared, as many shoppers say the same.
    pub text: Option<Arc<[f32]>>,
    /// `[1280]`.
    pub photo: Option<Vec<f32>>,
    /// The session so far.
    pub session: SessionFeatures,
    /// What happened then.
    pub outcomes: Outcomes,
}

/// Sessions in three parts that share no session. They are cut before anything is fitted, so no choice can peek at the last part.
#[derive(Debug, Clone, Default)]
pub struct Examples {
    /// To fit weights and scales.
    pub train: Vec<Example>,
    /// To stop early and to calibrate.
    pub validation: Vec<Example>,
    /// For the figures alone.
    pub test: Vec<Example>,
}

/// Fewer shoppers than this in a part give figures that mean nothing.
const PART_MIN: usize = 50;

impl Examples {
    /// Refuses parts that are too small and outcomes that never or always happen.
    pub fn check(&self) -> Result<(), BehaviorError> {
        for (part, examples) in [("training", &self.train), ("validation", &self.validation), ("test", &self.test)] {
            if examples.len() < PART_MIN {
                return Err(BehaviorError::TooFewExamples { part, found: examples.len(), needed: PART_MIN });
            }
            for head in Head::ALL {
                let positives = examples.iter().filter(|e| e.outcomes[head as usize]).count();
                if positives == 0 || positives == examples.len() {
                    return Err(BehaviorError::OneClass { part, head: head.name() });
                }
            }
        }
        Ok(())
    }
}
