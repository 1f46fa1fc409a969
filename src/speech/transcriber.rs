use std::sync::Arc;

use super::bias::Bias;
use super::confidence::Calibration;
use super::decode::{OpenDecoding, Written, decode};
use super::scores::argmax;
use super::vocabulary::Vocabulary;
use super::whisper::{State, Token, UNITS_MAX, Weights};
use super::words::words;
use super::{ModelHeader, SpeechConfig, SpeechError, guard};
use crate::domain::{Heard, Pcm16k, Probability, SAMPLE_RATE, Segment, Transcript};
use crate::weights::VerifiedFile;

/// Samples of one encoder unit: 20 ms.
const SAMPLES_PER_UNIT: usize = 320;
const UNIT_MS: u32 = 20;
/// whisper.cpp hears nothing in less than a second; shorter sound is padded with silence to this length.
const SAMPLES_MIN: usize = SAMPLE_RATE as usize * 11 / 10;

/// How much the encoder looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The utterance and a margin; falls back to the full window where the result is doubtful.
    Utterance,
    /// 30 s, as whisper.cpp does when it is left alone.
    Full,
}

/// How one utterance is to be heard.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// How much the encoder looks at.
    pub window: Window,
    /// The language spoken, where it is known from an utterance before.
    pub language: Option<&'a str>,
    /// Asked between steps: nobody waits for the answer any more.
    pub is_abandoned: &'a dyn Fn() -> bool,
}

impl Default for Request<'_> {
    fn default() -> Self {
        Self { window: Window::Utterance, language: None, is_abandoned: &|| false }
    }
}

/// A first idea of what is being said while the person still speaks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Draft {
    /// The words so far.
    pub text: String,
    /// The tokens that spell them.
    pub tokens: Vec<Token>,
    /// How many tokens there are up to the last letter of each word.
    pub word_ends: Vec<usize>,
    /// The language they are in.
    pub language: String,
}

/// One recogniser: a listener's state over weights that it shares with others, reused from call to call. One worker owns it.
pub struct Transcriber {
    pub(super) state: State,
    pub(super) config: SpeechConfig,
    short_window: bool,
    bias: Option<Arc<Bias>>,
    calibration: Calibration,
}

/// What was encoded, and how decoding begins.
pub(super) struct Encoded {
    /// Length of the sound, padding included, in units.
    pub(super) units: usize,
    /// Length of the sound itself, in seconds.
    pub(super) seconds: f32,
    /// Units that the encoder looked at.
    pub(super) window: u32,
    pub(super) language: String,
    /// Start, language, task.
    pub(super) prompt: Vec<Token>,
}

impl Transcriber {
    /// Loads a checked file. `short_window` says that the weights were adapted to windows as short as the utterance.
    pub fn load(file: &VerifiedFile, short_window: bool, config: SpeechConfig) -> Result<Self, SpeechError> {
        let header = ModelHeader::read(file.path())?;
        if let Some(language) = config.languages.iter().find(|language| header.is_english_only() && *language != "en") {
            return Err(SpeechError::EnglishOnly { language: language.clone(), model: config.model });
        }
        let weights = Weights::load(file.path(), &header)?;
        if let Some(language) =
            config.languages.iter().find(|code| !header.is_english_only() && weights.vocabulary().language(code).is_none())
        {
            return Err(SpeechError::UnknownLanguage { language: language.clone() });
        }
        let state = State::new(&weights, config.threads)?;
        Ok(Self { calibration: config.calibration(), state, config, short_window, bias: None })
    }

    /// Another listener over the same weights.
    pub fn sibling(&self) -> Result<Self, SpeechError> {
        Ok(Self {
            state: self.state.sibling()?,
            config: self.config.clone(),
            short_window: self.short_window,
            bias: self.bias.clone(),
            calibration: self.calibration,
        })
    }

    /// With the shop's words, which are made likelier.
    pub fn with_bias(self, bias: Arc<Bias>) -> Self {
        Self { bias: Some(bias), ..self }
    }

    /// What the tokens of this Whisper mean.
    pub fn vocabulary(&self) -> &Vocabulary {
        self.state.vocabulary()
    }

    /// How often the encoder ran, in this recogniser's life.
    pub fn encoder_runs(&self) -> u64 {
        self.state.encoded()
    }

    /// Words of one utterance of at most 30 s.
    pub fn transcribe(&mut self, pcm: &Pcm16k, request: &Request<'_>) -> Result<Heard, SpeechError> {
        let encoded = self.encode(pcm, request)?;
        let first = self.decode(&encoded, &[], request)?;
        self.settle(pcm, encoded, first, request)
    }

    /// What was decoded first as words or silence; the sound is encoded once more, with the full window, where the words are doubtful.
    pub(super) fn settle(&mut self, pcm: &Pcm16k, encoded: Encoded, first: Written, request: &Request<'_>) -> Result<Heard, SpeechError> {
        let text = self.text(&first);
        let (no_speech, mean) = (first.no_speech, first.mean_log_probability());
        tracing::debug!(no_speech, mean, tokens = first.steps.len(), seconds = encoded.seconds, "decoded");
        if guard::nobody_spoke(&first, encoded.seconds) {
            return Ok(Heard::Silence);
        }
        if encoded.window < UNITS_MAX
            && let Some(why) = guard::doubt(&first, &text, encoded.seconds)
        {
            tracing::debug!(why, seconds = encoded.seconds, tokens = first.steps.len(), "decoding again with the full window");
            let again = self.encode(pcm, &Request { window: Window::Full, language: Some(&encoded.language), ..*request })?;
            let second = self.decode(&again, &[], request)?;
            return Ok(self.heard(&second, again, true));
        }
        Ok(self.heard(&first, encoded, false))
    }

    /// What is being said, while more of it is to come. `settled` are tokens of the draft before that stand: they are not decided again.
    pub fn draft(&mut self, pcm: &Pcm16k, settled: &[Token], request: &Request<'_>) -> Result<Draft, SpeechError> {
        let encoded = self.encode(pcm, request)?;
        let written = self.decode(&encoded, settled, request)?;
        let text = guard::without_repetition(self.text(&written).trim());
        let is_nothing = guard::nobody_spoke(&written, encoded.seconds) || !text.chars().any(char::is_alphanumeric);
        if is_nothing {
            return Ok(Draft { language: encoded.language, ..Draft::default() });
        }
        let tokens = written.tokens();
        Ok(Draft { text, word_ends: self.word_ends(&tokens), tokens, language: encoded.language })
    }

    fn word_ends(&self, tokens: &[Token]) -> Vec<usize> {
        let mut ends = Vec::new();
        for (at, &token) in tokens.iter().enumerate() {
            let bytes = self.vocabulary().bytes(token);
            let is_mark = bytes.iter().all(|byte| byte.is_ascii_punctuation() || *byte == b' ');
            match ends.last_mut() {
                Some(end) if bytes.first() != Some(&b' ') => *end = if is_mark { *end } else { at + 1 },
                _ => ends.push(at + 1),
            }
        }
        ends
    }

    /// Runs the encoder, and finds the language where it is not known.
    pub(super) fn encode(&mut self, pcm: &Pcm16k, request: &Request<'_>) -> Result<Encoded, SpeechError> {
        let seconds = pcm.seconds();
        if seconds > 30.0 {
            return Err(SpeechError::TooLong { seconds });
        }
        let samples = padded(pcm.samples());
        let units = samples.len().div_ceil(SAMPLES_PER_UNIT);
        let window = self.window(units as u32, request.window);
        if (request.is_abandoned)() {
            return Err(SpeechError::Abandoned);
        }
        self.state.encode(&samples, window)?;
        let language = match request.language {
            Some(language) => language.to_owned(),
            None => self.language()?,
        };
        let marks = *self.vocabulary().marks();
        let mut prompt = vec![marks.start];
        if let Some(token) = self.vocabulary().language(&language) {
            prompt.extend([token, marks.transcribe]);
        }
        Ok(Encoded { units, seconds, window, language, prompt })
    }

    fn window(&self, units: u32, window: Window) -> u32 {
        let own = units + self.config.window_margin_units;
        match window {
            Window::Full => UNITS_MAX,
            Window::Utterance if self.short_window => own.min(UNITS_MAX),
            Window::Utterance => own.max(self.config.window_floor_units).min(UNITS_MAX),
        }
    }

    /// The likeliest of the languages that the config lists.
    fn language(&mut self) -> Result<String, SpeechError> {
        let first = self.config.languages.first().cloned().unwrap_or_default();
        if self.config.languages.len() < 2 {
            return Ok(first);
        }
        let start = self.vocabulary().marks().start;
        let tokens: Vec<Option<Token>> = self.config.languages.iter().map(|code| self.vocabulary().language(code)).collect();
        let logits = self.state.logits(&[start])?;
        let score = |token: &Option<Token>| token.and_then(|token| logits.get(token as usize)).copied().unwrap_or(f32::NEG_INFINITY);
        let scores: Vec<f32> = tokens.iter().map(score).collect();
        Ok(argmax(&scores).and_then(|(at, _)| self.config.languages.get(at).cloned()).unwrap_or(first))
    }

    pub(super) fn decode(&mut self, encoded: &Encoded, settled: &[Token], request: &Request<'_>) -> Result<Written, SpeechError> {
        let what = OpenDecoding {
            prompt: &encoded.prompt,
            settled,
            units: encoded.units,
            tokens_max: guard::tokens_max(encoded.seconds),
            bias: self.bias.as_deref(),
            is_abandoned: request.is_abandoned,
        };
        decode(&mut self.state, &what)
    }

    pub(super) fn text(&self, written: &Written) -> String {
        self.vocabulary().text(&written.tokens()).trim().to_owned()
    }

    fn heard(&self, written: &Written, encoded: Encoded, decoded_again: bool) -> Heard {
        let whole = self.text(written);
        let text = guard::without_repetition(&whole);
        if guard::nobody_spoke(written, encoded.seconds) || !text.chars().any(char::is_alphanumeric) {
            return Heard::Silence;
        }
        let confidence = Probability::clamped(written.mean_log_probability().exp());
        let mut words = words(written, self.vocabulary(), encoded.units, |scores| self.calibration.word(scores));
        words.truncate(text.split_whitespace().count());
        let segments = match text == whole {
            true => self.segments(written, &encoded),
            // The places of what was cut off are not of interest.
            false => vec![Segment {
                start_ms: words.first().map_or(0, |word| word.start_ms),
                end_ms: words.last().map_or(0, |word| word.end_ms),
                text: text.clone(),
            }],
        };
        Heard::Words(Transcript { text, confidence, segments, words, language: encoded.language, audio_ctx: encoded.window, decoded_again })
    }

    /// The stretches between timestamps; what stands behind the last one reaches to the end of the sound.
    fn segments(&self, written: &Written, encoded: &Encoded) -> Vec<Segment> {
        let end_ms = (encoded.seconds * 1_000.0) as u32;
        let ms = |units: usize| u32::try_from(units).unwrap_or(u32::MAX).saturating_mul(UNIT_MS).min(end_ms);
        let tokens = written.tokens();
        let (mut segments, mut from, mut begin) = (Vec::new(), 0, 0);
        let rest = [(written.segments.last().map_or(0, |stretch| stretch.to), encoded.units, tokens.len())];
        for (start, end, to) in written.segments.iter().map(|s| (s.from, s.to, s.tokens_to)).chain(rest) {
            let text = self.vocabulary().text(&tokens[from.min(to)..to]).trim().to_owned();
            if !text.is_empty() {
                begin = ms(start).max(begin);
                segments.push(Segment { start_ms: begin, end_ms: ms(end).max(begin), text });
            }
            from = to;
        }
        segments
    }
}

fn padded(samples: &[f32]) -> Vec<f32> {
    let mut samples = samples.to_vec();
    samples.resize(samples.len().max(SAMPLES_MIN), 0.0);
    samples
}
