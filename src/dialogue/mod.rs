//! What to say next, and in which words.
//!
//! [`Dialogue::decide`] decides: which intent, about which product, from which source, or what becomes of an order. [`Dialogue::respond`]
//! puts the decision into the shop's own words, moves the conversation on, and says whether a member of staff should come. Both are pure
//! functions of the conversation so far and of what was heard, seen and understood, so the same turns give the same answers, and a turn
//! can be answered again from the log. Every fact comes from the catalog, the shop's file or the FAQ, and what they do not say is said to be
//! unknown. Nothing here computes a model; vectors come in, sentences go out.

mod compare;
mod facts;
mod faq;
mod handoff;
mod order;
mod phrase;
mod policy;
mod progress;
mod respond;
mod rules;
mod sayings;
mod subject;
mod wording;

pub use faq::FaqIndex;
pub use order::{OrderAct, Orders, PartWish, Refusal, Wish};
pub use phrase::{Phrasebook, Saying, Sayings, TemplateError};
pub use policy::{Decision, DialogueInput};
pub use respond::{Response, Turn};
pub use subject::Subject;

use std::collections::HashSet;
use std::sync::Arc;

use serde::Deserialize;

use crate::domain::{Catalog, PointingWords, Rule};

/// How conversations are led.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DialogueConfig {
    /// Nearness from which an entry of the FAQ counts as the same question. Less answers more, and more wrongly.
    pub faq_similarity_min: f32,
    /// Turns in a row without an answer after which a person is offered.
    pub failures_before_handoff: u32,
    /// A conversation that is left alone for longer begins afresh, in seconds.
    pub idle_seconds_max: u32,
    /// Probability of needing a person, as the behaviour model tells it, from which staff is told.
    pub handoff_probability_min: f32,
    /// Sentiment that is low, -1 to 1.
    pub mood_low: f32,
    /// How far sentiment must fall, to where it is low, for staff to be told at once, 0 to 2.
    pub mood_fall: f32,
}

impl Default for DialogueConfig {
    fn default() -> Self {
        Self {
            faq_similarity_min: 0.62,
            failures_before_handoff: 2,
            idle_seconds_max: 900,
            handoff_probability_min: 0.8,
            mood_low: -0.75,
            mood_fall: 1.5,
        }
    }
}

impl DialogueConfig {
    /// All that is wrong with the values.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut within = |key: &str, value: f64, least: f64, most: f64| {
            if !(least..=most).contains(&value) {
                problems.push(format!("dialogue.{key} is {value}; expected {least} to {most}"));
            }
        };
        within("faq_similarity_min", f64::from(self.faq_similarity_min), 0.3, 1.0);
        within("failures_before_handoff", f64::from(self.failures_before_handoff), 1.0, 20.0);
        within("idle_seconds_max", f64::from(self.idle_seconds_max), 10.0, 86_400.0);
        within("handoff_probability_min", f64::from(self.handoff_probability_min), 0.0, 1.0);
        within("mood_low", f64::from(self.mood_low), -1.0, 1.0);
        within("mood_fall", f64::from(self.mood_fall), 0.0, 2.0);
        problems
    }
}

/// Words and rules by which a conversation is led, as the shop wrote them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Talk {
    /// How people point at what was told.
    pub pointing: PointingWords,
    /// Sentences that are known by their words.
    pub rules: Vec<Rule>,
    /// The intent of a product's name alone.
    pub bare_intent: Option<String>,
    /// The intent of a photo alone.
    pub shown_intent: Option<String>,
}

/// All that a conversation is led with.
pub struct Dialogue {
    /// The shop's words and facts.
    pub phrasebook: Phrasebook,
    /// What can be ordered.
    pub orders: Orders,
    /// What it sells.
    pub catalog: Arc<Catalog>,
    talk: Talk,
    config: DialogueConfig,
    /// Words of the examples and the catalog.
    vocabulary: HashSet<String>,
}

impl Dialogue {
    /// Of the shop's parts.
    pub fn new(phrasebook: Phrasebook, orders: Orders, talk: Talk, catalog: Arc<Catalog>, config: DialogueConfig) -> Self {
        let examples = phrasebook.intents().iter().flat_map(|d| &d.examples);
        let listed = talk.pointing.filler.iter().chain(&talk.pointing.one).chain(&talk.pointing.same);
        let products = catalog.products().iter();
        let names = products.flat_map(|p| [&p.name, &p.plural, &p.category, &p.unit].into_iter().chain(&p.synonyms).chain(&p.brand));
        let texts = examples.chain(listed).chain(names);
        let vocabulary = texts.flat_map(|text| wording::words(text)).map(|word| word.text).collect();
        Self { phrasebook, orders, catalog, talk, config, vocabulary }
    }
}
