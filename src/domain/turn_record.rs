use super::{Answer, Channel, DialogueState, Prediction, Recommendation, SessionId, Sighting, Timings, Transcript, Understanding};

/// All there is to say of one turn; what the log keeps and a face shows.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnRecord {
    /// The conversation.
    pub session: SessionId,
    /// Its number in the conversation, from 1.
    pub turn: u32,
    /// When it was taken, in milliseconds since 1970 (UTC).
    pub at_unix_ms: u64,
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
    /// What the person is about to do; `None` without a trained model.
    pub prediction: Option<Prediction>,
    /// What is said back.
    pub answer: Answer,
    /// What is offered beside.
    pub recommendations: Vec<Recommendation>,
    /// What the conversation has come to.
    pub state: DialogueState,
    /// How long each stage took.
    pub timings: Timings,
}
