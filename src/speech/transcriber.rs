use whisper_rs::{FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperState};

use super::{ModelHeader, SpeechConfig, SpeechError, guard};
use crate::domain::{Heard, Pcm16k, Probability, SAMPLE_RATE, Segment, Transcript};
use crate::weights::VerifiedFile;

/// Samples of one encoder unit: 20 ms.
const SAMPLES_PER_UNIT: usize = 320;
/// Units of the full window: 30 s.
const UNITS_MAX: u32 = 1500;
/// whisper.cpp hears nothing in less than a second; shorter sound is padded with silence to this length.
const SAMPLES_MIN: usize = SAMPLE_RATE as usize * 11 / 10;
/// Above this the model itself says that nobody spoke, if it is unsure of its words as well (Radford et al. 2022, section 4.5).
const NO_SPEECH_MAX: f32 = 0.6;
const SILENCE_LOG_PROBABILITY_MAX: f32 = -1.0;

/// How much the encoder looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The utterance and a margin; falls back to the full window where the result is doubtful.
    Utterance,
    /// 30 s, as whisper.cpp does when it is left alone.
    Full,
}

/// One recogniser: the weights and one decoder state, reused from call to call. Not shared: one worker owns it.
pub struct Transcriber {
    state: WhisperState,
    end_of_text: i32,
    config: SpeechConfig,
    short_window: bool,
}

/// One run of the decoder.
struct Decoded {
    text: String,
    tokens: usize,
    mean_log_probability: f32,
    no_speech: f32,
    audio_ctx: u32,
    segments: Vec<Segment>,
}

impl Transcriber {
    /// Loads a checked file. `short_window` says that the weights were adapted to windows as short as the utterance.
    pub fn load(file: &VerifiedFile, short_window: bool, config: SpeechConfig) -> Result<Self, SpeechError> {
        let header = ModelHeader::read(file.path())?;
        if header.is_english_only() && config.language != "en" {
            return Err(SpeechError::EnglishOnly { language: config.language, model: config.model });
        }
        whisper_rs::install_logging_hooks();
        let mut parameters = WhisperContextParameters::default();
        // Flash attention pads the keys to a multiple of 256 and attends to the padding: in a short window words are lost.
        parameters.flash_attn(false);
        let context = WhisperContext::new_with_params(file.path(), parameters).map_err(SpeechError::Whisper)?;
        let state = context.create_state().map_err(SpeechError::Whisper)?;
        Ok(Self { state, end_of_text: context.token_eot(), config, short_window })
    }

    /// Words of one utterance of at most 30 s.
    pub fn transcribe(&mut self, pcm: &Pcm16k, window: Window) -> Result<Heard, SpeechError> {
        let seconds = pcm.seconds();
        if seconds > 30.0 {
            return Err(SpeechError::TooLong { seconds });
        }
        let samples = padded(pcm.samples());
        let first = self.decode(&samples, seconds, self.units(samples.len(), window))?;
        let doubtful = guard::is_doubtful(&first.text, first.tokens, first.mean_log_probability, seconds);
        if doubtful && first.audio_ctx < UNITS_MAX {
            let second = self.decode(&samples, seconds, UNITS_MAX)?;
            return Ok(heard(second, true));
        }
        Ok(heard(first, false))
    }

    fn units(&self, samples: usize, window: Window) -> u32 {
        let own = samples.div_ceil(SAMPLES_PER_UNIT) as u32 + self.config.window_margin_units;
        match window {
            Window::Full => UNITS_MAX,
            Window::Utterance if self.short_window => own.min(UNITS_MAX),
            Window::Utterance => own.max(self.config.window_floor_units).min(UNITS_MAX),
        }
    }

    fn decode(&mut self, samples: &[f32], seconds: f32, audio_ctx: u32) -> Result<Decoded, SpeechError> {
        let parameters = parameters(&self.config, seconds, audio_ctx);
        self.state.full(parameters, samples).map_err(SpeechError::Whisper)?;
        let mut decoded =
            Decoded { text: String::new(), tokens: 0, mean_log_probability: 0.0, no_speech: 0.0, audio_ctx, segments: Vec::new() };
        let mut log_probability = 0.0;
        for segment in self.state.as_iter() {
            let text = segment.to_str_lossy().map_err(SpeechError::Whisper)?.trim().to_owned();
            for token in (0..segment.n_tokens()).filter_map(|at| segment.get_token(at)) {
                let data = token.token_data();
                // Identifiers from end-of-text up are marks and timestamps, not words.
                if data.id < self.end_of_text {
                    decoded.tokens += 1;
                    log_probability += data.plog;
                }
            }
            decoded.no_speech = decoded.no_speech.max(segment.no_speech_probability());
            if !text.is_empty() {
                let ms = |hundredths: i64| u32::try_from(hundredths.max(0) * 10).unwrap_or(u32::MAX);
                let end_ms = ms(segment.end_timestamp()).min((seconds * 1_000.0) as u32);
                let start_ms = ms(segment.start_timestamp()).min(end_ms);
                decoded.segments.push(Segment { start_ms, end_ms, text });
            }
        }
        decoded.text = decoded.segments.iter().map(|s| s.text.as_str()).collect::<Vec<_>>().join(" ");
        decoded.mean_log_probability = if decoded.tokens > 0 { log_probability / decoded.tokens as f32 } else { 0.0 };
        Ok(decoded)
    }
}

fn parameters(config: &SpeechConfig, seconds: f32, audio_ctx: u32) -> FullParams<'_, 'static> {
    let mut parameters = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
    parameters.set_n_threads(config.threads as i32);
    parameters.set_audio_ctx(audio_ctx as i32);
    parameters.set_max_tokens(guard::tokens_max(seconds) as i32);
    // One person's words must not colour the next one's.
    parameters.set_no_context(true);
    parameters.set_single_segment(true);
    // With the timestamp prompt noise gives no text; without it, noise becomes "you".
    parameters.set_no_timestamps(false);
    parameters.set_suppress_blank(true);
    parameters.set_suppress_nst(true);
    // The guard decides whether to decode again, and how: at most once.
    parameters.set_temperature_inc(0.0);
    parameters.set_print_progress(false);
    parameters.set_print_realtime(false);
    parameters.set_print_special(false);
    parameters.set_print_timestamps(false);
    // English is the default; whisper-rs leaks what this call allocates, so it is not made for nothing.
    if config.language != "en" {
        parameters.set_language(Some(&config.language));
    }
    parameters
}

fn padded(samples: &[f32]) -> Vec<f32> {
    let mut samples = samples.to_vec();
    samples.resize(samples.len().max(SAMPLES_MIN), 0.0);
    samples
}

fn heard(decoded: Decoded, decoded_again: bool) -> Heard {
    let nobody_spoke = decoded.no_speech > NO_SPEECH_MAX && decoded.mean_log_probability < SILENCE_LOG_PROBABILITY_MAX;
    let text = guard::without_repetition(&decoded.text);
    if nobody_spoke || !text.chars().any(char::is_alphanumeric) {
        return Heard::Silence;
    }
    let segments = if text == decoded.text { decoded.segments } else { vec![spanning(&decoded.segments, &text)] };
    Heard::Words(Transcript {
        text,
        confidence: Probability::clamped(decoded.mean_log_probability.exp()),
        segments,
        audio_ctx: decoded.audio_ctx,
        decoded_again,
    })
}

/// One segment for text that was cut: the places of its parts are not known any more.
fn spanning(segments: &[Segment], text: &str) -> Segment {
    let start_ms = segments.first().map_or(0, |s| s.start_ms);
    Segment { start_ms, end_ms: segments.last().map_or(start_ms, |s| s.end_ms), text: text.to_owned() }
}
