use super::{
    Answer, Channel, DialogueState, Handoff, Moment, PassedOver, Prediction, Recommendation, SessionFeatures, SessionId, Sighting,
    SpokenOrder, Timings, Transcript, Understanding,
};

/// All there is to say of one turn; what the log keeps and a face shows.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnRecord {
    /// The conversation.
    pub session: SessionId,
    /// Its number in the conversation, from 1.
    pub turn: u32,
    /// When it was taken, in milliseconds since 1970 (UTC).
    pub at_unix_ms: u64,
    /// The same as the shop's clock shows it.
    pub moment: Moment,
    /// Where it came from.
    pub channel: Channel,
    /// What was heard; `None` where nothing was said aloud.
    pub transcript: Option<Transcript>,
    /// What was typed.
    pub typed: Option<String>,
    /// What was seen.
    pub sighting: Option<Sighting>,
    /// What it means.
    pub understanding: Option<Understanding>,
    /// The same read by the grammar of orders, where it can be.
    pub order: Option<SpokenOrder>,
    /// The nearest question of the FAQ, and how near it is.
    pub faq: Option<FaqHit>,
    /// What was known of the session when the turn was predicted.
    pub features: SessionFeatures,
    /// What the person is about to do; `None` without a trained model.
    pub prediction: Option<Prediction>,
    /// What is said back.
    pub answer: Answer,
    /// Whether a member of staff should come.
    pub handoff: Option<Handoff>,
    /// What is offered beside.
    pub recommendations: Vec<Recommendation>,
    /// What could have been offered instead.
    pub passed_over: Vec<PassedOver>,
    /// What the conversation has come to.
    pub state: DialogueState,
    /// How long each stage took.
    pub timings: Timings,
}

/// A question of the FAQ that is near to what was said.
#[derive(Debug, Clone, PartialEq)]
pub struct FaqHit {
    /// The question, as the FAQ writes it.
    pub question: String,
    /// How near, by meaning and by words; 1 is the same.
    pub score: f32,
}
