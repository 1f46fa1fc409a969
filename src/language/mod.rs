//! What a sentence means: from words to a [`crate::domain::Understanding`].
//!
//! [`Encoder`] (MiniLM, candle) makes a vector of the sentence; [`IntentClassifier`] decides on it which of the shop's intents is
//! meant, or that none is; [`EntityFinder`] finds what is named in the shop's own catalog and word lists; [`Sentiment`] says how the
//! person feels. All that is particular to a shop is data handed in: examples, products, words. [`masked`] hides personal numbers and
//! addresses before anything is written down. [`ending`] tells by the words alone whether a sentence is likely to go on.

mod augment;
mod bert;
mod dense;
mod encoder;
mod entities;
mod gelu;
mod intent;
mod lexical;
mod linear;
mod mask;
mod memory;
mod mood;
mod sentiment;
pub mod spoken;
mod svm;
mod unfinished;

pub use augment::Augmenter;
pub use encoder::{EMBEDDING, Encoder, FEATURES, SentenceVector};
pub use entities::{EntityFinder, Hint, HintKind, ProductWords, WordLists};
pub use intent::{FitReport, IntentClassifier, IntentExamples, IntentReading, Variant, examples_fingerprint};
pub use mask::masked;
pub use memory::SentenceMemory;
pub use mood::with_voice;
pub use sentiment::{LabelledSentence, Sentiment, SentimentReport};
pub use unfinished::{Ending, ending};

use serde::Deserialize;

use crate::domain::Understanding;

/// How sentences are understood.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LanguageConfig {
    /// Two intents whose probabilities differ by less are asked back. More asks more often.
    pub clarify_margin: f32,
    /// Longer text is cut, in characters. The encoder itself reads 256 word pieces.
    pub text_chars_max: usize,
}

impl Default for LanguageConfig {
    fn default() -> Self {
        Self { clarify_margin: 0.12, text_chars_max: 1_000 }
    }
}

impl LanguageConfig {
    /// All that is wrong with the values.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !(0.0..=0.9).contains(&self.clarify_margin) {
            problems.push(format!("language.clarify_margin is {}; expected 0 to 0.9", self.clarify_margin));
        }
        if !(20..=10_000).contains(&self.text_chars_max) {
            problems.push(format!("language.text_chars_max is {}; expected 20 to 10000", self.text_chars_max));
        }
        problems
    }
}

/// All that is needed to understand a sentence. Not shared: one worker owns it.
pub struct Language {
    /// Sentence to vector.
    pub encoder: Encoder,
    /// Vector to intent.
    pub intents: IntentClassifier,
    /// Words to products, sizes, allergens.
    pub entities: EntityFinder,
    /// Vector to feeling, where a head was trained.
    pub sentiment: Option<Sentiment>,
    /// The knobs.
    pub config: LanguageConfig,
}

impl Language {
    /// Understands one sentence; `None` where it holds no word.
    pub fn understand(&self, text: &str) -> Result<Option<Understanding>, LanguageError> {
        let text = cut(text, self.config.text_chars_max);
        if !text.chars().any(char::is_alphanumeric) {
            return Ok(None);
        }
        let vector = self.encoder.encode(text)?;
        let IntentReading { decision, intents, .. } = self.intents.read(text, &vector, self.config.clarify_margin);
        let sentiment = self.sentiment.as_ref().map(|head| head.score(&vector));
        let embedding = vector.embedding().to_vec();
        Ok(Some(Understanding { decision, intents, entities: self.entities.find(text), sentiment, embedding }))
    }
}

fn cut(text: &str, chars_max: usize) -> &str {
    text.char_indices().nth(chars_max).map_or(text, |(at, _)| &text[..at])
}

/// What can go wrong between words and meaning.
#[derive(Debug, thiserror::Error)]
pub enum LanguageError {
    /// A weights or vocabulary file is not what it should be.
    #[error("{path} is not the sentence encoder that is expected: {reason}; `make setup` provides it again")]
    BadModel {
        /// The file.
        path: std::path::PathBuf,
        /// What was found.
        reason: String,
    },
    /// A head does not fit.
    #[error("{what} cannot be used: {reason}; train it again")]
    BadHead {
        /// Which.
        what: String,
        /// What was found.
        reason: String,
    },
    /// Too little to learn from.
    #[error("{0}")]
    TooLittle(String),
    /// candle said no.
    #[error("the language model failed: {0}")]
    Candle(#[from] candle_core::Error),
}
