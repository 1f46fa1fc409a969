use std::time::{Duration, Instant};

use super::OrderEar;
use crate::audio::{AudioError, EndpointConfig, Piece, Vad, pieces, voice};
use crate::domain::{Heard, Pcm16k, Probability, SAMPLE_RATE, SpokenOrder, Transcript, Voice};
use crate::speech::{Closed, Draft, HeardOrder, Request, Search, SpeechError, Token, Transcriber};

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
    /// Cuts a sound of any length at its pauses and recognises each piece, as an order too where the words sound like one.
    pub fn hear(&mut self, sound: &Pcm16k, request: &Request<'_>) -> Result<HeardSound, HearingError> {
        let start = Instant::now();
        let pieces = pieces(sound, &mut self.vad, &self.endpoint)?;
        let voice_activity = start.elapsed();
        let start = Instant::now();
        let mut orders = self.orders.take();
        let words = self.words(sound, &pieces, orders.as_mut(), request);
        self.orders = orders;
        let HeardOrder { open: heard, closed } = words?;
        let voice = spoken(sound, &heard);
        Ok(HeardSound { heard, order: closed.map(|(order, _)| order), voice, voice_activity, transcribe: start.elapsed() })
    }

    fn words(
        &mut self,
        sound: &Pcm16k,
        pieces: &[Piece],
        orders: Option<&mut OrderEar>,
        request: &Request<'_>,
    ) -> Result<HeardOrder, HearingError> {
        match (pieces, orders) {
            ([only], Some(OrderEar { closed, words })) => {
                let is_likely = |text: &str| words.are_in(text);
                let heard = self.transcriber.transcribe_order(&only.utterance.pcm, closed, Search::Believable(&is_likely), request)?;
                let open = match heard.open {
                    Heard::Words(transcript) => Heard::Words(shifted(transcript, only.from_ms)),
                    Heard::Silence => Heard::Silence,
                };
                let closed = heard.closed.filter(|_| matches!(&open, Heard::Words(transcript) if is_likely(&transcript.text)));
                Ok(HeardOrder { open, closed })
            }
            (_, orders) => {
                let open = self.words_of_each(pieces, request)?;
                let fits = sound.samples().len() <= ORDER_SAMPLES_MAX;
                let ear = orders.filter(|ear| matches!(&open, Heard::Words(transcript) if fits && ear.words.are_in(&transcript.text)));
                // An order with a pause in it is none of its pieces: it is heard once more, as a whole.
                let closed =
                    ear.map(|ear| self.order_of_all(sound, pieces, &mut ear.closed, Search::Believable(&|_| true), request)).transpose()?;
                Ok(HeardOrder { open, closed: closed.and_then(|heard| heard.closed) })
            }
        }
    }

    fn words_of_each(&mut self, pieces: &[Piece], request: &Request<'_>) -> Result<Heard, HearingError> {
        let mut transcripts: Vec<Transcript> = Vec::new();
        for piece in pieces {
            // One conversation is in one language: the first words decide.
            let language = request.language.or(transcripts.first().map(|first| first.language.as_str()));
            if let Heard::Words(transcript) = self.transcriber.transcribe(&piece.utterance.pcm, &Request { language, ..*request })? {
                transcripts.push(shifted(transcript, piece.from_ms));
            }
        }
        Ok(joined(transcripts))
    }

    /// Hears a sound as one order: from the first word to the last, pauses and all.
    pub fn hear_order(
        &mut self,
        sound: &Pcm16k,
        closed: &mut Closed,
        how: Search<'_>,
        request: &Request<'_>,
    ) -> Result<HeardOrder, HearingError> {
        let pieces = pieces(sound, &mut self.vad, &self.endpoint)?;
        self.order_of_all(sound, &pieces, closed, how, request)
    }

    fn order_of_all(
        &mut self,
        sound: &Pcm16k,
        pieces: &[Piece],
        closed: &mut Closed,
        how: Search<'_>,
        request: &Request<'_>,
    ) -> Result<HeardOrder, HearingError> {
        let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else {
            return Ok(HeardOrder { open: Heard::Silence, closed: None });
        };
        let samples = |ms: u64| (ms * u64::from(SAMPLE_RATE) / 1_000) as usize;
        let from = samples(first.from_ms);
        let to = samples(last.from_ms) + last.utterance.pcm.samples().len();
        // What is longer than Whisper can hear at once is no order; its beginning is looked at.
        let speech = sound.slice(from..to.min(from + ORDER_SAMPLES_MAX));
        Ok(self.transcriber.transcribe_order(&speech, closed, how, request)?)
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
