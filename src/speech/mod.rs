//! Words from sound: OpenAI's Whisper, run by whisper.cpp, on the utterance's own length.
//!
//! [`Transcriber`] takes one utterance of at most 30 s that holds speech (silence is cut off in `audio/` before) and returns its
//! words with their places and a confidence, or silence. Whisper pads everything to 30 s; here the encoder sees the utterance and a
//! small margin, which is about ten times less work for a question, and it runs once however often the sound is decoded: `decode`
//! writes any words, with the shop's own ones made likelier (`bias`), `search` finds the likeliest sentence of a grammar. [`guard`]
//! recognises what can go wrong with a short window (text that repeats itself) and has the sound heard again with the full one. At most
//! two rounds are made, and the number of tokens is bounded, so the time is bounded too. Nothing here knows of sessions, shops or
//! files, and nothing but `whisper` knows of C.

mod bias;
mod closed;
mod confidence;
mod decode;
pub mod grammar;
pub mod guard;
mod model_header;
mod scores;
mod search;
mod stable;
mod transcriber;
mod vocabulary;
mod whisper;
mod words;

pub use bias::Bias;
pub use closed::{Closed, Evidence, HeardOrder, Search};
pub use confidence::{Calibration, evidence};
pub use model_header::ModelHeader;
pub use stable::{Agreement, Partial};
pub use transcriber::{Draft, Request, Transcriber, Window};
pub use vocabulary::Vocabulary;
pub use whisper::Token;

use serde::Deserialize;

/// More recognisers than this are only had by asking for them.
const RECOGNISERS_BY_CORES_MAX: usize = 8;

/// How speech is recognised.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpeechConfig {
    /// A Whisper of models/manifest.toml; `kioskd models list` shows them and `kioskd doctor` says which this machine can run.
    pub model: String,
    /// The languages that may be spoken, as two-letter codes, the usual one first. With more than one, the first words of a conversation
    /// decide which it is; English models hear English only.
    pub languages: Vec<String>,
    /// Threads of one recogniser. More than the machine has idle cores is many times slower, as they wait for each other spinning.
    pub threads: usize,
    /// Utterances recognised at the same time, each on `threads` of its own over one copy of the weights; 0 for as many as the machine
    /// has cores, up to 8. More costs 120 MB each for tiny and 200 for base.
    pub recognisers: usize,
    /// How much likelier the catalog's names are made, in units of log-probability a letter; 0 leaves them as they are. More understands
    /// more rare names and begins to hear them where they were not said.
    pub shop_words_strength: f32,
    /// How much longer than the utterance the encoder's window is, in units of 20 ms. Less is faster; below 16 words change.
    pub window_margin_units: u32,
    /// The shortest window of a model without short-window adapter, in units of 20 ms. Less is faster and makes single words repeat.
    pub window_floor_units: u32,
}

impl Default for SpeechConfig {
    fn default() -> Self {
        Self {
            model: "tiny.en-short".to_owned(),
            languages: vec!["en".to_owned()],
            threads: 1,
            recognisers: 0,
            shop_words_strength: 0.25,
            window_margin_units: 32,
            window_floor_units: 512,
        }
    }
}

impl SpeechConfig {
    /// All that is wrong with the values.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !(1..=64).contains(&self.threads) {
            problems.push(format!("speech.threads is {}; expected 1 to 64, and no more than the machine has cores", self.threads));
        }
        if !(0.0..=5.0).contains(&self.shop_words_strength) {
            problems.push(format!("speech.shop_words_strength is {}; expected 0 to 5", self.shop_words_strength));
        }
        if self.recognisers > 64 {
            problems.push(format!("speech.recognisers is {}; expected 0 (as many as cores) to 64", self.recognisers));
        }
        if !(8..=1500).contains(&self.window_margin_units) {
            problems.push(format!("speech.window_margin_units is {}; expected 8 to 1500", self.window_margin_units));
        }
        if !(64..=1500).contains(&self.window_floor_units) {
            problems.push(format!("speech.window_floor_units is {}; expected 64 to 1500", self.window_floor_units));
        }
        if self.languages.is_empty() || self.languages.len() > 16 {
            problems.push(format!("speech.languages lists {}; expected 1 to 16", self.languages.len()));
        }
        for language in &self.languages {
            if !(2..=3).contains(&language.len()) || !language.bytes().all(|b| b.is_ascii_lowercase()) {
                problems.push(format!("speech.languages lists {language:?}; expected a code such as \"en\""));
            }
        }
        problems
    }

    /// How many recognisers there are, at least one.
    pub fn recognisers(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let fitting = (cores / self.threads.max(1)).clamp(1, RECOGNISERS_BY_CORES_MAX);
        if self.recognisers == 0 { fitting } else { self.recognisers }
    }

    fn calibration(&self) -> Calibration {
        Calibration::FITTED
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
    #[error("speech.languages lists {language:?}, but {model:?} hears English only; choose a multilingual model such as \"base-f16\"")]
    EnglishOnly {
        /// The language asked for.
        language: String,
        /// The model.
        model: String,
    },
    /// No model hears that language.
    #[error("speech.languages lists {language:?}, which Whisper does not know; use a two-letter code such as \"en\" or \"de\"")]
    UnknownLanguage {
        /// The language asked for.
        language: String,
    },
    /// Nobody waits for the words any more.
    #[error("nobody waits for these words any more")]
    Abandoned,
    /// More than the model can see at once.
    #[error("the utterance lasts {seconds:.1} s, but Whisper hears 30 s at a time; cut it at a pause first")]
    TooLong {
        /// Its length.
        seconds: f32,
    },
    /// whisper.cpp said no.
    #[error("whisper.cpp failed in {call} with code {code}; the log has its own words")]
    Whisper {
        /// Which of its functions.
        call: &'static str,
        /// What it returned.
        code: i32,
    },
}
