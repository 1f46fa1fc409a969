//! Words from sound: OpenAI's Whisper, run by whisper.cpp, on the utterance's own length.
//!
//! [`Transcriber`] takes one utterance of at most 30 s that holds speech (silence is cut off in `audio/` before) and returns its
//! words with a confidence, or silence. Whisper pads everything to 30 s; here the encoder sees the utterance and a small margin,
//! which is about ten times less work for a question. [`guard`] recognises what can go wrong with that (text that repeats itself)
//! and has the sound decoded again with the full window. At most two decodes are made, and the number of tokens is bounded, so the
//! time is bounded too. Nothing here knows of sessions, shops or files.

pub mod guard;
mod model_header;
mod transcriber;

pub use model_header::ModelHeader;
pub use transcriber::{Transcriber, Window};

use serde::Deserialize;

/// How speech is recognised.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpeechConfig {
    /// A Whisper of models/manifest.toml; `kioskd models list` shows them and `kioskd doctor` says which this machine can run.
    pub model: String,
    /// The language spoken, as a two-letter code; English models hear English only.
    pub language: String,
    /// Threads of one recogniser. More than the machine has idle cores is many times slower, as they wait for each other spinning.
    pub threads: usize,
    /// How much longer than the utterance the encoder's window is, in units of 20 ms. Less is faster; below 16 words change.
    pub window_margin_units: u32,
    /// The shortest window of a model without short-window adapter, in units of 20 ms. Less is faster and makes single words repeat.
    pub window_floor_units: u32,
}

impl Default for SpeechConfig {
    fn default() -> Self {
        Self { model: "tiny.en-short".to_owned(), language: "en".to_owned(), threads: 1, window_margin_units: 32, window_floor_units: 512 }
    }
}

impl SpeechConfig {
    /// All that is wrong with the values.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !(1..=64).contains(&self.threads) {
            problems.push(format!("speech.threads is {}; expected 1 to 64, and no more than the machine has cores", self.threads));
        }
        if !(8..=1500).contains(&self.window_margin_units) {
            problems.push(format!("speech.window_margin_units is {}; expected 8 to 1500", self.window_margin_units));
        }
        if !(64..=1500).contains(&self.window_floor_units) {
            problems.push(format!("speech.window_floor_units is {}; expected 64 to 1500", self.window_floor_units));
        }
        if !(2..=3).contains(&self.language.len()) || !self.language.bytes().all(|b| b.is_ascii_lowercase()) {
            problems.push(format!("speech.language is {:?}; expected a code such as \"en\"", self.language));
        }
        problems
    }
}

/// What can go wrong between sound and words. Silence is no error.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    /// The file is no Whisper, or one that whisper.cpp must not be shown.
    #[error("{path} is not a Whisper model in ggml format: {reason}; choose another in speech.model or run `make setup`")]
    BadModel {
        /// The file.
        path: std::path::PathBuf,
        /// What was found.
        reason: String,
    },
    /// The model does not hear that language.
    #[error("speech.language is {language:?}, but {model:?} hears English only; choose a multilingual model such as \"base-f16\"")]
    EnglishOnly {
        /// The language asked for.
        language: String,
        /// The model.
        model: String,
    },
    /// More than the model can see at once.
    #[error("the utterance lasts {seconds:.1} s, but Whisper hears 30 s at a time; cut it at a pause first")]
    TooLong {
        /// Its length.
        seconds: f32,
    },
    /// whisper.cpp said no.
    #[error("whisper.cpp failed: {0:?}; the log has its own words")]
    Whisper(whisper_rs::WhisperError),
}
