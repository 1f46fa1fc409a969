/// Why a member of staff should come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandoffReason {
    /// The person asked for one, or complained.
    Asked,
    /// The mood has fallen.
    Mood,
    /// Several turns in a row could not be answered.
    Failures,
    /// The behaviour model says that one is needed.
    Predicted,
    /// A rule of the shop: its name.
    Rule(String),
}

impl HandoffReason {
    /// Its name on the wire and in records.
    pub fn name(&self) -> &str {
        match self {
            HandoffReason::Asked => "asked",
            HandoffReason::Mood => "mood",
            HandoffReason::Failures => "failures",
            HandoffReason::Predicted => "predicted",
            HandoffReason::Rule(name) => name,
        }
    }
}

/// A conversation is passed on to a member of staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handoff {
    /// Why.
    pub reason: HandoffReason,
    /// What the member of staff should know, in one paragraph.
    pub summary: String,
}
