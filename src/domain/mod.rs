//! The words of the house: plain values with units and invariants, and nothing else.
//!
//! Every other folder may import this one; this one imports the standard library alone. There is no serde here and no IO: `wire/`
//! and `store/` convert, so a renamed field breaks neither a client nor an old database. What can go more than one way is an enum
//! (a photo is known or unknown, a person was heard or was silent), never a sentinel.

mod answer;
mod catalog;
mod dialogue_state;
mod feedback;
mod handoff;
mod ids;
mod intent;
mod moment;
mod offer;
mod order;
mod pcm;
mod prediction;
mod shop;
mod sighting;
mod talk;
mod timings;
mod transcript;
mod turn_record;
mod understanding;
mod units;
mod voice;

pub use answer::{Answer, AnswerKind};
pub use catalog::{Catalog, CatalogError, Product};
pub use dialogue_state::{DialogueState, Waiting};
pub use feedback::{Feedback, FeedbackOutcome};
pub use handoff::{Handoff, HandoffReason};
pub use ids::{ProductId, SessionId};
pub use intent::{Act, IntentDefinition, IntentKind, IntentManner, Needs};
pub use moment::Moment;
pub use offer::{EvidenceKind, EvidenceStrengths, OfferedTurn, PassedOver, Recommendation};
pub use order::{Basket, BasketLine, Menu, MenuChoice, MenuPart, OrderWords, PartChoice, Reply, SpokenOrder};
pub use pcm::{EndedBy, Pcm16k, PcmError, SAMPLE_RATE, Utterance};
pub use prediction::{Channel, ModalityShares, Prediction, Push, SessionFeatures};
pub use shop::{Faq, OpeningHours, Recipe, Shop};
pub use sighting::{Candidate, PhotoAdvice, Sighting, Verdict};
pub use talk::{PointingWords, Rule};
pub use timings::Timings;
pub use transcript::{Heard, Segment, Transcript, Word};
pub use turn_record::{FaqHit, TurnRecord};
pub use understanding::{Entity, EntityKind, IntentDecision, IntentScore, Understanding};
pub use units::{PriceCents, Probability, UnitError};
pub use voice::Voice;
