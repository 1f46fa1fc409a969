use std::collections::BTreeMap;

use super::Probability;

/// A sentence of a closed grammar that was heard.
#[derive(Debug, Clone, PartialEq)]
pub struct SpokenOrder {
    /// The sentence, as the grammar spells it.
    pub text: String,
    /// What the person wants.
    pub intent: String,
    /// The slots that were filled, with the grammar's own values.
    pub slots: BTreeMap<String, String>,
    /// How likely this is what was said, and not something else altogether.
    pub confidence: Probability,
}

impl SpokenOrder {
    /// Whether it is rather an order than something else.
    pub fn is_accepted(&self) -> bool {
        self.confidence.get() >= 0.5
    }
}
