use std::collections::BTreeMap;

use super::{Basket, PartChoice, ProductId, Voice};

/// What a conversation has come to: all that the next turn needs to know of the ones before. It is kept with each turn in the log,
/// so a conversation goes on after a restart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DialogueState {
    /// Turns taken.
    pub turns: u32,
    /// When the first one was taken, in milliseconds since 1970 (UTC); 0 before.
    pub started_unix_ms: u64,
    /// When the last one was taken; 0 before.
    pub last_unix_ms: u64,
    /// The language spoken, as a two-letter code; none before anything was heard.
    pub language: Option<String>,
    /// The product talked about.
    pub product: Option<ProductId>,
    /// Products that were named or offered last, in the order in which they were told.
    pub shown: Vec<ProductId>,
    /// The intent that was answered last.
    pub last_intent: Option<String>,
    /// What the desk has asked.
    pub waiting: Waiting,
    /// What was said last, for "say that again".
    pub last_answer: Option<String>,
    /// Turns in a row that could not be answered.
    pub failures: u32,
    /// Turns that could not be answered, in all.
    pub unanswered: u32,
    /// Turns that asked for a fact of a product.
    pub product_questions: u32,
    /// Lowest sentiment so far.
    pub sentiment_min: Option<f32>,
    /// Sentiment of the last turns that had one, oldest first.
    pub moods: Vec<f32>,
    /// How the person spoke first; what comes later is compared with it.
    pub voice: Option<Voice>,
    /// What was ordered.
    pub basket: Basket,
    /// Whether the last answer was about the order.
    pub is_ordering: bool,
    /// What was asked so far, in words for staff, oldest first.
    pub topics: Vec<String>,
    /// Why staff was told already, by the names of the reasons.
    pub handed_over: Vec<String>,
}

/// What the desk has asked, and waits to hear.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Waiting {
    /// Nothing.
    #[default]
    Nothing,
    /// Which product this intent is about.
    Product {
        /// The intent.
        intent: String,
    },
    /// Which of two intents is meant.
    Intent {
        /// One.
        first: String,
        /// The other.
        second: String,
        /// The product it is about, where that is known.
        product: Option<ProductId>,
    },
    /// What is to be ordered.
    Item {
        /// How it is wanted, as far as that was said already.
        parts: BTreeMap<String, PartChoice>,
    },
    /// Whether the order is right.
    Confirm,
    /// Whether a person is wanted.
    Person,
}
