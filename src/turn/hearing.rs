use std::time::{Duration, Instant};

use crate::audio::{AudioError, EndpointConfig, Vad, pieces};
use crate::domain::{Heard, Pcm16k, Probability, Segment, Transcript};
use crate::speech::{SpeechError, Transcriber, Window};

/// Voice activity and recogniser together: what hears on one worker.
pub struct Hearing {
    /// Where speech is.
    pub vad: Vad,
    /// What is said.
    pub transcriber: Transcriber,
    /// Where one utterance ends and the next begins.
    pub endpoint: EndpointConfig,
}

/// What was heard in a whole sound, and how long each step took.
#[derive(Debug, Clone, PartialEq)]
pub struct HeardSound {
    /// Words or silence.
    pub heard: Heard,
    /// Finding the speech.
    pub voice_activity: Duration,
    /// Finding the words.
    pub transcribe: Duration,
}

/// Why nothing could be heard.
#[derive(Debug, thiserror::Error)]
pub enum HearingError {
    /// The voice detector.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// The recogniser.
    #[error(transparent)]
    Speech(#[from] SpeechError),
}

impl Hearing {
    /// Cuts a sound of any length at its pauses and recognises each piece.
    pub fn hear(&mut self, sound: &Pcm16k, window: Window) -> Result<HeardSound, HearingError> {
        let start = Instant::now();
        let pieces = pieces(sound, &mut self.vad, &self.endpoint)?;
        let voice_activity = start.elapsed();
        let start = Instant::now();
        let mut transcripts = Vec::new();
        for piece in &pieces {
            if let Heard::Words(transcript) = self.transcriber.transcribe(&piece.utterance.pcm, window)? {
                transcripts.push(shifted(transcript, piece.from_ms));
            }
        }
        Ok(HeardSound { heard: joined(transcripts), voice_activity, transcribe: start.elapsed() })
    }
}

/// The transcript with its places counted from the beginning of the whole sound.
fn shifted(mut transcript: Transcript, from_ms: u64) -> Transcript {
    let from_ms = u32::try_from(from_ms).unwrap_or(u32::MAX);
    for Segment { start_ms, end_ms, .. } in &mut transcript.segments {
        *start_ms = start_ms.saturating_add(from_ms);
        *end_ms = end_ms.saturating_add(from_ms);
    }
    transcript
}

/// One transcript of all; its confidence is that of the pieces, weighed by their words.
fn joined(transcripts: Vec<Transcript>) -> Heard {
    let words = |t: &Transcript| t.text.split_whitespace().count().max(1) as f32;
    let total: f32 = transcripts.iter().map(words).sum();
    let log_confidence: f32 = transcripts.iter().map(|t| words(t) * t.confidence.get().max(1e-6).ln()).sum();
    transcripts
        .into_iter()
        .reduce(|mut all, next| {
            all.text = format!("{} {}", all.text, next.text);
            all.segments.extend(next.segments);
            all.audio_ctx = all.audio_ctx.max(next.audio_ctx);
            all.decoded_again |= next.decoded_again;
            all
        })
        .map_or(Heard::Silence, |all| Heard::Words(Transcript { confidence: Probability::clamped((log_confidence / total).exp()), ..all }))
}
