use super::ProductId;

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerKind {
    /// The catalog or the shop's facts.
    Fact,
    /// An entry of the FAQ.
    Faq,
    /// Recommendations.
    Recommendation,
    /// A question back.
    Clarify,
    /// A person is fetched.
    Handoff,
    /// An order was noted.
    Order,
    /// A courtesy.
    Smalltalk,
    /// A language model on this machine, from the shop's facts.
    Generated,
    /// The shop's data do not say, or it is not for this desk.
    Unknown,
    /// Nothing was said.
    NotHeard,
}

impl AnswerKind {
    /// Its name on the wire and in records.
    pub fn name(self) -> &'static str {
        match self {
            AnswerKind::Fact => "fact",
            AnswerKind::Faq => "faq",
            AnswerKind::Recommendation => "recommendation",
            AnswerKind::Clarify => "clarify",
            AnswerKind::Handoff => "handoff",
            AnswerKind::Order => "order",
            AnswerKind::Smalltalk => "smalltalk",
            AnswerKind::Generated => "generated",
            AnswerKind::Unknown => "unknown",
            AnswerKind::NotHeard => "not_heard",
        }
    }
}

/// What is said back.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Where it came from.
    pub kind: AnswerKind,
    /// The words, ready to be spoken.
    pub text: String,
    /// A longer text for a screen, where there is more to say.
    pub details: Option<String>,
    /// The product the answer is about, where there is one.
    pub product: Option<ProductId>,
    /// Whether the shop's data had what was asked for. Where not, the question is counted as unanswered.
    pub is_answered: bool,
}

impl Answer {
    /// An answer about no product, with no more to be shown than is said.
    pub fn new(kind: AnswerKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), details: None, product: None, is_answered: kind != AnswerKind::Unknown }
    }
}
