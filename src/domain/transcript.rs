use super::Probability;

/// A stretch of text with its place in the sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Start in the sound, in milliseconds.
    pub start_ms: u32,
    /// End in the sound, in milliseconds.
    pub end_ms: u32,
    /// The words.
    pub text: String,
}

/// One word as it is written, marks included.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// The word.
    pub text: String,
    /// Start in the sound, in milliseconds.
    pub start_ms: u32,
    /// End in the sound, in milliseconds.
    pub end_ms: u32,
    /// How likely it is right.
    pub confidence: Probability,
}

/// What was said.
#[derive(Debug, Clone, PartialEq)]
pub struct Transcript {
    /// The words, trimmed, in one line; never empty.
    pub text: String,
    /// Geometric mean of the probability of the tokens: how sure the recogniser is of its own words.
    pub confidence: Probability,
    /// The same text, by place.
    pub segments: Vec<Segment>,
    /// The same text, word by word.
    pub words: Vec<Word>,
    /// The language spoken, as a two-letter code.
    pub language: String,
    /// Encoder units (20 ms each) that the recogniser looked at; 1500 is its full window of 30 s.
    pub audio_ctx: u32,
    /// True where a first result was doubtful and the sound was decoded again with the full window.
    pub decoded_again: bool,
}

/// What listening came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// Somebody spoke.
    Words(Transcript),
    /// There was no speech in the sound.
    Silence,
}
