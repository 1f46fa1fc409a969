//! What a shopper is about to do: buy, take a recommendation, need a person, or leave without an answer.
//!
//! A turn reaches this area as up to three vectors: the sentence embedding, the photo embedding and the measured features of the
//! session ([`domain::SessionFeatures`](crate::domain::SessionFeatures)). [`InputScales`] makes them comparable, so that the average shopper is the zero vector;
//! [`FusionNetwork`] mixes what is there through gates; [`Calibration`] turns each logit into a probability that can be taken at its
//! word; integrated gradients say what pushed it. [`BehaviorModel::predict`] does all this in well under a millisecond, blocking.
//! [`train`] makes such a model from [`Examples`], and [`simulate()`] makes examples where a shop has none yet. [`learn_from_sessions`] goes on
//! from the model in use with a shop's own sessions, and [`Versions`] keeps what was learnt, to go back where it was a mistake.
//!
//! Invariants: an absent modality is masked and never a vector of zeros; a file of other shapes or features is refused in one
//! sentence; the same seed gives the same bytes; nothing here reads the clock. The area decides nothing: what to do about a
//! prediction is up to `dialogue/` and `recommend/`. Where no model is loaded there is no prediction, rather than a guessed one.

mod ablation;
mod calibrate;
mod card;
mod checkpoint;
mod error;
mod example;
mod explain;
mod features;
mod fusion;
mod inputs;
mod isolation;
mod model;
mod outcome;
mod replay;
mod report;
mod settings;
mod simulate;
pub mod tabular;
mod train;
mod unusual;
mod versions;

pub use ablation::{Trained, train};
pub use calibrate::Calibration;
pub use card::simulated_card;
pub use checkpoint::{Checkpoint, Provenance};
pub use error::BehaviorError;
pub use example::{Example, Examples};
pub use features::{FEATURES, Standardisation, feature_names};
pub use fusion::{Fused, FusionNetwork, Mode};
pub use inputs::{Batch, EmbeddingScale, InputScales, Modality, PHOTO, TEXT, Vectors};
pub use isolation::IsolationForest;
pub use model::BehaviorModel;
pub use outcome::{HEADS, Head, Outcomes};
pub use replay::{HELD_OUT_MIN, Round, RoundReport, learn_from_sessions, sliced};
pub use report::{Gain, HeadFigures, ModelFigures, TrainingReport};
pub use settings::BehaviorConfig;
pub use simulate::{Embed, PhotoPrototype, Shopper, SimulationConfig, World, shoppers, simulate};
pub use train::{Pass, TrainConfig};
pub use unusual::UnusualSessions;
pub use versions::{Version, VersionState, Versions};
