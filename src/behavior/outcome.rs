/// How many outcomes are predicted.
pub const HEADS: usize = 4;

/// What happened in a session, in the order of [`Head::ALL`].
pub type Outcomes = [bool; HEADS];

/// One output of the network. The order is part of the weights file: new heads go to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// Buys what was talked about.
    Purchase,
    /// Takes a recommendation.
    AcceptRecommendation,
    /// Needs a person.
    HandoffNeeded,
    /// Leaves without an answer.
    Abandon,
}

impl Head {
    /// All heads, in the order of the network's outputs.
    pub const ALL: [Head; HEADS] = [Head::Purchase, Head::AcceptRecommendation, Head::HandoffNeeded, Head::Abandon];

    /// Its name in reports and in the weights file.
    pub fn name(self) -> &'static str {
        match self {
            Head::Purchase => "purchase",
            Head::AcceptRecommendation => "accept_recommendation",
            Head::HandoffNeeded => "handoff_needed",
            Head::Abandon => "abandon",
        }
    }
}
