//! The order of things: one turn from what came in to what is said back and written down.
//!
//! [`Desk`] holds the models, each on a worker thread of its own with a bounded queue ([`Worker`]; hearing has several, [`Pool`]), the conversations and the log.
//! [`Desk::take`] runs a turn: sound and photo at the same time, then meaning, decision, prediction, recommendations, words, and the
//! commit; only then is the record returned. Code here awaits and never computes for long. A queue that is full says so at once, a job
//! whose caller has gone is skipped, and a model that panics is loaded again while the desk goes on serving.
//!
//! [`Fusion`] weighs what was said with what was seen, to name the product.
//!
//! [`Ear`] finds the turns in a live stream; how long it waits at a pause is [`patience_ms`] of the voice, the words so far and the
//! [`Habits`] of those who speak here.

mod clock;
mod desk;
mod ear;
mod feedback;
mod fusion;
mod habits;
mod hearing;
mod learner;
mod offers;
mod open_questions;
mod order_ear;
mod patience;
mod pipeline;
mod pool;
mod replay;
mod sessions;
mod worker;

pub use clock::{Clock, FixedClock, SystemClock};
pub use desk::{Desk, DeskConfig, DeskError, Parts};
pub use ear::{Ear, Step, Stretch};
pub use feedback::{FeedbackError, FeedbackInput, take_feedback};
pub use fusion::{Fusion, FusionWeights, features, fused, softmax};
pub use habits::Habits;
pub use hearing::{HeardSound, Hearing, HearingError};
pub use learner::{LearnError, Learner, Lesson, Lessons, lesson};
pub use open_questions::OpenQuestions;
pub use order_ear::{Grammars, OrderEar};
pub use patience::{Evidence, patience_ms};
pub use pipeline::{Spoken, TurnError, TurnInput};
pub use pool::{IsAbandoned, Pool, Speaker};
pub use replay::{Replayed, replay};
pub use worker::{Worker, WorkerError};
