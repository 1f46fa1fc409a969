use std::time::{Duration, Instant};

use super::OrderEar;
use crate::audio::{AudioError, EndpointConfig, Vad, pieces, voice};
use crate::domain::{Heard, Pcm16k, Probability, SAMPLE_RATE, SpokenOrder, Transcript, Voice};
use crate::speech::{Closed, Draft, HeardOrder, Request, SpeechError, Token, Transcriber};

/// The longest order: what Whisper hears at once.
const ORDER_SAMPLES_MAX: usize = 30 * SAMPLE_RATE as usize;
/// Of a shorter stretch of words no pace is told.
const SPAN_MIN_MS: u32 = 600;

/// Voice activity and recogniser together: what hears on one worker.
pub struct Hearing {
    /// Where speech is.
    pub vad: Vad,
    /// What is said.
    pub transcriber: Transcriber,
    /// Where one utterance ends and the next begins.
    pub endpoint: EndpointConfig,
    /// What can be ordered, where orders are taken.
    pub orders: Option<OrderEar>,
}

/// What was heard in a whole sound, and how long each step took.
#[derive(Debug, Clone, PartialEq)]
pub struct HeardSound {
    /// Words or silence.
    pub heard: Heard,
    /// The likeliest order, where the words sounded like one; whether it is believed is its confidence's to say.
    pub order: Option<SpokenOrder>,
    /// How it was said, where there was a voice.
    pub voice: Option<Voice>,
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
    pub fn hear(&mut self, sound: &Pcm16k, request: &Request<'_>) -> Result<HeardSound, HearingError> {
        let start = Instant::now();
        let pieces = pieces(sound, &mut self.vad, &self.endpoint)?;
        let voice_activity = start.elapsed();
        let start = Instant::now();
        let mut transcripts: Vec<Transcript> = Vec::new();
        for piece in &pieces {
            // One conversation is in one language: the first words decide.
            let language = request.language.or(transcripts.first().map(|first| first.language.as_str()));
            if let Heard::Words(transcript) = self.transcriber.transcribe(&piece.utterance.pcm, &Request { language, ..*request })? {
                transcripts.push(shifted(transcript, piece.from_ms));
            }
        }
        let heard = joined(transcripts);
        let order = self.heard_as_order(sound, &heard, request)?;
        let voice = spoken(sound, &heard);
        Ok(HeardSound { heard, order, voice, voice_activity, transcribe: start.elapsed() })
    }

    /// The sound by the grammar of orders, where the open words have something of one.
    fn heard_as_order(&mut self, sound: &Pcm16k, heard: &Heard, request: &Request<'_>) -> Result<Option<SpokenOrder>, HearingError> {
        let Heard::Words(transcript) = heard else { return Ok(None) };
        let fits = sound.samples().len() <= ORDER_SAMPLES_MAX;
        let Some(mut ear) = self.orders.take_if(|ear| fits && ear.is_likely(&transcript.text)) else { return Ok(None) };
        let closed = self.hear_order(sound, &mut ear.closed, request);
        self.orders = Some(ear);
        Ok(closed?.closed.map(|(order, _)| order))
    }

    /// Hears a sound as one order: from the first word to the last, pauses and all.
    pub fn hear_order(&mut self, sound: &Pcm16k, closed: &mut Closed, request: &Request<'_>) -> Result<HeardOrder, HearingError> {
        let pieces = pieces(sound, &mut self.vad, &self.endpoint)?;
        let speech = match (pieces.first(), pieces.last()) {
            (Some(first), Some(last)) => {
                let samples = |ms: u64| (ms * u64::from(SAMPLE_RATE) / 1_000) as usize;
                let from = samples(first.from_ms);
                let to = samples(last.from_ms) + last.utterance.pcm.samples().len();
                // What is longer than Whisper can hear at once is no order; its beginning is looked at.
                sound.slice(from..to.min(from + ORDER_SAMPLES_MAX))
            }
            _ => return Ok(HeardOrder { open: Heard::Silence, closed: None }),
        };
        Ok(self.transcriber.transcribe_order(&speech, closed, request)?)
    }

    /// What is being said, while more of it is to come; see [`Transcriber::draft`].
    pub fn draft(&mut self, sound: &Pcm16k, settled: &[Token], request: &Request<'_>) -> Result<Draft, HearingError> {
        Ok(self.transcriber.draft(sound, settled, request)?)
    }
}

/// How it was said, with the words a second from the first to the last.
fn spoken(sound: &Pcm16k, heard: &Heard) -> Option<Voice> {
    let Heard::Words(transcript) = heard else { return None };
    let span_ms = transcript.words.first().zip(transcript.words.last()).map(|(first, last)| last.end_ms.saturating_sub(first.start_ms));
    let words_per_s = span_ms.filter(|ms| *ms >= SPAN_MIN_MS).map(|ms| transcript.words.len() as f32 * 1_000.0 / ms as f32);
    Some(Voice { words_per_s, ..voice(sound)? })
}

/// The transcript with its places counted from the beginning of the whole sound.
fn shifted(mut transcript: Transcript, from_ms: u64) -> Transcript {
    let from_ms = u32::try_from(from_ms).unwrap_or(u32::MAX);
    let segments = transcript.segments.iter_mut().map(|segment| (&mut segment.start_ms, &mut segment.end_ms));
    let words = transcript.words.iter_mut().map(|word| (&mut word.start_ms, &mut word.end_ms));
    for (start_ms, end_ms) in segments.chain(words) {
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
            all.words.extend(next.words);
            all.audio_ctx = all.audio_ctx.max(next.audio_ctx);
            all.decoded_again |= next.decoded_again;
            all
        })
        .map_or(Heard::Silence, |all| Heard::Words(Transcript { confidence: Probability::clamped((log_confidence / total).exp()), ..all }))
}
