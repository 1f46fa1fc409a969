//! What to say next, and in which words.
//!
//! [`decide`] decides: which intent, about which product, from which source. It is a pure function of the conversation so far, what
//! was understood and what was seen, so the same turns give the same answers. [`Phrasebook`] puts the decision into the shop's own
//! words: every fact comes from the catalog, the shop's file or the FAQ, and what they do not say is said to be unknown.
//! Nothing here computes a model; vectors come in, sentences go out.

mod faq;
mod phrase;
mod policy;

pub use faq::FaqIndex;
pub use phrase::{Moment, Phrasebook, TemplateError, ordered};
pub use policy::{Decision, DialogueInput, Subject, apply, decide};

use serde::Deserialize;

/// How conversations are led.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DialogueConfig {
    /// Cosine from which an entry of the FAQ counts as the same question. Less answers more, and more wrongly.
    pub faq_similarity_min: f32,
    /// Turns in a row without an answer after which a person is offered.
    pub failures_before_handoff: u32,
}

impl Default for DialogueConfig {
    fn default() -> Self {
        Self { faq_similarity_min: 0.62, failures_before_handoff: 2 }
    }
}

impl DialogueConfig {
    /// All that is wrong with the values.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !(0.3..=1.0).contains(&self.faq_similarity_min) {
            problems.push(format!("dialogue.faq_similarity_min is {}; expected 0.3 to 1", self.faq_similarity_min));
        }
        if !(1..=20).contains(&self.failures_before_handoff) {
            problems.push(format!("dialogue.failures_before_handoff is {}; expected 1 to 20", self.failures_before_handoff));
        }
        problems
    }
}
