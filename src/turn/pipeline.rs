use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use super::hearing::{HeardSound, Hearing, HearingError};
use super::{Desk, IsAbandoned, Speaker, WorkerError};
use crate::audio::{self, AudioError};
use crate::behavior::BehaviorModel;
use crate::dialogue::{self, Decision, DialogueInput, OrderAct, TemplateError};
use crate::domain::{
    Channel, DialogueState, Heard, Pcm16k, Prediction, Probability, SessionFeatures, SessionId, Sighting, SpokenOrder, Timings, Transcript,
    TurnRecord, Understanding, Voice,
};
use crate::language::{LanguageError, masked, with_voice};
use crate::speech::{Draft, Request, Token};
use crate::store::StoreError;
use crate::vision::{self, VisionError};

/// What a person brings to a turn; at least one of the three.
#[derive(Debug, Clone, Default)]
pub struct TurnInput {
    /// Sound.
    pub spoken: Option<Spoken>,
    /// JPEG, PNG or WebP.
    pub photo: Option<Vec<u8>>,
    /// Typed words; they go before spoken ones.
    pub text: Option<String>,
}

/// Sound, as it arrives.
#[derive(Debug, Clone)]
pub enum Spoken {
    /// A WAV, FLAC, MP3, Ogg Vorbis or Opus file.
    File(Vec<u8>),
    /// Sound from a microphone or a line.
    Pcm(Pcm16k),
    /// Sound that was recognised while the person still spoke.
    Heard(Box<HeardSound>),
}

/// Why a turn was not taken. Silence, an unknown product and an unclear sentence are answers, not errors.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// No such conversation.
    #[error("there is no session {0}; begin one with POST /v1/sessions, or leave --session out")]
    UnknownSession(SessionId),
    /// Nothing came in.
    #[error("the turn is empty; send at least one of audio, photo and text")]
    Nothing,
    /// The sound.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// The photo.
    #[error(transparent)]
    Vision(#[from] VisionError),
    /// The recogniser.
    #[error(transparent)]
    Hearing(#[from] HearingError),
    /// The language model.
    #[error(transparent)]
    Language(#[from] LanguageError),
    /// An answer's template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The log.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A worker.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// A thread for decoding could not be had.
    #[error("the machine is too busy to decode what was sent; try again in a moment")]
    Decoding,
}

/// Notes how long each stage took.
struct Watch {
    begun: Instant,
    timings: Timings,
}

impl Watch {
    fn lap(&mut self, stage: &'static str, since: Instant) {
        self.timings.add(stage, since.elapsed());
    }
}

impl Desk {
    /// Takes one turn of a conversation. When this returns, the turn is in the log.
    pub async fn take(&self, session: &SessionId, channel: Channel, input: TurnInput) -> Result<TurnRecord, TurnError> {
        let begun = Instant::now();
        let deadline = begun + self.deadline();
        let mut watch = Watch { begun, timings: Timings::default() };
        if input.spoken.is_none() && input.photo.is_none() && input.text.as_deref().is_none_or(|t| t.trim().is_empty()) {
            return Err(TurnError::Nothing);
        }
        let live = self.sessions.get(session);
        let late = WorkerError::Late { model: "dialogue" };
        let mut held = tokio::time::timeout_at(deadline.into(), live.lock()).await.map_err(|_| late)?;
        let state = match held.take() {
            Some(state) => state,
            None => self.recall(session).await?,
        };
        // If the turn fails, the conversation stands where it stood.
        *held = Some(state.clone());
        let now_unix_ms = self.parts.clock.unix_ms();
        let state = self.parts.dialogue.awake(state, now_unix_ms);
        let record = self.run(session, channel, input, &state, now_unix_ms, deadline, &mut watch).await?;
        let commit = Instant::now();
        self.parts.writer.append(private(record.clone())).await?;
        watch.lap("commit", commit);
        watch.lap("total", watch.begun);
        self.note_offers(&record);
        *held = Some(record.state.clone());
        Ok(TurnRecord { timings: watch.timings, ..record })
    }

    /// Words of a sound, without taking a turn: at the first silence, before it is known whether it was the last.
    pub async fn recognise(&self, session: &SessionId, pcm: Pcm16k) -> Result<HeardSound, TurnError> {
        let deadline = Instant::now() + self.deadline();
        let language = self.sessions.language(session);
        self.hear_pcm(speaker(session), pcm, language, deadline).await
    }

    /// What is being said while the person still speaks, if a recogniser is idle; `settled` are tokens of the draft before that stand.
    pub async fn draft(&self, session: &SessionId, pcm: Pcm16k, settled: Vec<Token>) -> Result<Draft, TurnError> {
        let deadline = Instant::now() + self.deadline();
        let language = self.sessions.language(session);
        let job = move |hearing: &mut Hearing, is_abandoned: IsAbandoned<'_>| {
            hearing.draft(&pcm, &settled, &Request { language: language.as_deref(), is_abandoned, ..Request::default() })
        };
        Ok(self.parts.hearing.run_if_idle(speaker(session), deadline, job).await??)
    }

    async fn hear_pcm(&self, who: Speaker, pcm: Pcm16k, language: Option<String>, deadline: Instant) -> Result<HeardSound, TurnError> {
        let job = move |hearing: &mut Hearing, is_abandoned: IsAbandoned<'_>| {
            hearing.hear(&pcm, &Request { language: language.as_deref(), is_abandoned, ..Request::default() })
        };
        Ok(self.parts.hearing.run(who, deadline, job).await??)
    }

    async fn recall(&self, session: &SessionId) -> Result<DialogueState, TurnError> {
        let (reader, id) = (self.parts.reader.clone(), session.clone());
        let state = tokio::task::spawn_blocking(move || reader.state(&id)).await.map_err(|_| TurnError::Decoding)??;
        state.ok_or_else(|| TurnError::UnknownSession(session.clone()))
    }

    #[expect(clippy::too_many_arguments, reason = "each is a part of the turn")]
    async fn run(
        &self,
        session: &SessionId,
        channel: Channel,
        input: TurnInput,
        state: &DialogueState,
        now_unix_ms: u64,
        deadline: Instant,
        watch: &mut Watch,
    ) -> Result<TurnRecord, TurnError> {
        let (heard, seen) = tokio::join!(self.hear(session, state, input.spoken, deadline), self.see(input.photo, deadline));
        let ((transcript, closed, voice), sighting) = (unpack_heard(heard?, watch), unpack_seen(seen?, watch));
        let typed = input.text.filter(|text| !text.trim().is_empty());
        let sentence = typed.clone().or_else(|| transcript.as_ref().map(|t| t.text.clone()));
        let mut understanding = self.understand(sentence.clone(), deadline, watch).await?;
        if let (Some(understanding), Some((first, now))) = (&mut understanding, state.voice.zip(voice)) {
            understanding.sentiment = understanding.sentiment.map(|said| with_voice(said, first, now));
        }

        let step = Instant::now();
        let parts = &self.parts;
        // What is decided must come out the same when the turn is answered again from the log, which holds masked words.
        let said = sentence.as_deref().map(masked);
        let order = match (&typed, &transcript) {
            (Some(typed), _) => parts.grammars.order(typed, Probability::clamped(1.0)),
            (None, Some(heard)) => closed.filter(SpokenOrder::is_accepted).or_else(|| parts.grammars.order(&heard.text, heard.confidence)),
            (None, None) => None,
        };
        let faq = said.as_deref().zip(understanding.as_ref()).and_then(|(text, u)| parts.faq.nearest(text, &u.embedding));
        // The record keeps what the photo alone showed.
        let fused = parts.fusion.of_turn(sighting.as_ref(), said.as_deref(), understanding.as_ref());
        let brought = DialogueInput {
            text: said.as_deref(),
            understanding: understanding.as_ref(),
            sighting: fused.as_ref(),
            order: order.as_ref(),
            reply: said.as_deref().and_then(|text| parts.grammars.reply(text, &parts.dialogue.orders.menu().replies)),
            faq: faq.as_ref(),
        };
        let decision = parts.dialogue.decide(&brought, state);
        watch.lap("decide", step);

        let features = self.features(channel, state, understanding.as_ref(), &decision, now_unix_ms);
        let prediction = self.predict(session, &features, understanding.as_ref(), sighting.as_ref(), deadline, watch).await?;
        let step = Instant::now();
        let offers = self.offers(session, &decision, state, understanding.as_ref(), sighting.as_ref(), prediction.as_ref());
        watch.lap("recommend", step);

        let step = Instant::now();
        let moment = parts.clock.moment();
        let turn = dialogue::Turn {
            input: brought,
            state,
            decision: &decision,
            prediction: prediction.as_ref(),
            offered: &offers.offered,
            now_unix_ms,
            moment,
        };
        let response = parts.dialogue.respond(&turn)?;
        watch.lap("phrase", step);
        let response = self.open_question(response, &decision, said.as_deref(), understanding.as_ref(), state, deadline).await;

        let mut next = response.state;
        next.voice = state.voice.or(voice);
        if let Some(transcript) = &transcript {
            next.language = Some(transcript.language.clone());
        }
        Ok(TurnRecord {
            session: session.clone(),
            turn: next.turns,
            at_unix_ms: now_unix_ms,
            moment,
            channel,
            transcript,
            typed,
            sighting,
            understanding,
            order,
            faq,
            features,
            prediction,
            answer: response.answer,
            handoff: response.handoff,
            recommendations: offers.offered,
            passed_over: offers.passed_over,
            state: next,
            timings: watch.timings.clone(),
        })
    }

    async fn hear(
        &self,
        session: &SessionId,
        state: &DialogueState,
        spoken: Option<Spoken>,
        deadline: Instant,
    ) -> Result<Option<(Duration, HeardSound)>, TurnError> {
        let Some(spoken) = spoken else { return Ok(None) };
        let step = Instant::now();
        // Decoding needs no model, so it does not wait for one.
        let pcm = match spoken {
            Spoken::Heard(sound) => return Ok(Some((Duration::ZERO, *sound))),
            Spoken::Pcm(pcm) => pcm,
            Spoken::File(bytes) => {
                let limits = self.parts.sound_limits;
                in_time(deadline, move || audio::decode(&bytes, limits)).await??.pcm
            }
        };
        let decoding = step.elapsed();
        let heard = self.hear_pcm(speaker(session), pcm, state.language.clone(), deadline).await?;
        Ok(Some((decoding, heard)))
    }

    async fn see(&self, photo: Option<Vec<u8>>, deadline: Instant) -> Result<Option<(Duration, Duration, Sighting)>, TurnError> {
        let Some(bytes) = photo else { return Ok(None) };
        let step = Instant::now();
        let config = self.parts.vision.clone();
        let crop = in_time(deadline, move || vision::decode(&bytes, &config)).await??;
        let (decoding, step) = (step.elapsed(), Instant::now());
        let sighting = self.parts.seeing.run(deadline, move |(classifier, gallery)| classifier.sight(&crop, gallery)).await??;
        Ok(Some((decoding, step.elapsed(), sighting)))
    }

    async fn understand(&self, sentence: Option<String>, deadline: Instant, watch: &mut Watch) -> Result<Option<Understanding>, TurnError> {
        let Some(sentence) = sentence else { return Ok(None) };
        let step = Instant::now();
        let understanding = self.parts.language.run(deadline, move |language| language.understand(&sentence)).await??;
        watch.lap("understand", step);
        Ok(understanding)
    }

    async fn predict(
        &self,
        session: &SessionId,
        features: &SessionFeatures,
        understanding: Option<&Understanding>,
        sighting: Option<&Sighting>,
        deadline: Instant,
        watch: &mut Watch,
    ) -> Result<Option<Prediction>, TurnError> {
        let Some(behavior) = &self.parts.behavior else { return Ok(None) };
        let step = Instant::now();
        let (features, text) = (features.clone(), understanding.map(|u| u.embedding.clone()));
        let photo = sighting.map(|s| s.embedding.clone());
        let threshold = self.parts.anomaly_threshold;
        let predict = move |model: &mut BehaviorModel| {
            let prediction = model.predict(text.as_deref(), photo.as_deref(), &features);
            let anomaly = prediction.as_ref().ok().and_then(|prediction| prediction.anomaly).filter(|anomaly| anomaly.get() >= threshold);
            (prediction, anomaly.map(|anomaly| (anomaly, model.unusual_because(&features).unwrap_or_default())))
        };
        let (prediction, unusual) = behavior.run(deadline, predict).await?;
        if let Some((anomaly, because)) = unusual {
            tracing::warn!(%session, anomaly = anomaly.get(), because, "unusual session");
        }
        watch.lap("predict", step);
        // A prediction is for the shop; a customer's answer does not fail with it.
        Ok(prediction.inspect_err(|error| tracing::error!(%error, "behaviour was not predicted")).ok())
    }

    fn features(
        &self,
        channel: Channel,
        state: &DialogueState,
        understanding: Option<&Understanding>,
        decision: &Decision,
        now_unix_ms: u64,
    ) -> SessionFeatures {
        let product = match decision {
            Decision::Answer { product: Some(id), .. } => self.parts.catalog.get(id),
            Decision::Order(OrderAct::Add(wishes)) => {
                wishes.iter().find_map(|wish| wish.product.as_ref()).and_then(|id| self.parts.catalog.get(id))
            }
            _ => None,
        };
        let sentiment = understanding.and_then(|u| u.sentiment);
        let moment = self.parts.clock.moment();
        let intent = understanding.map(|u| u.best());
        SessionFeatures {
            turns: state.turns + 1,
            seconds: if state.turns == 0 { 0.0 } else { now_unix_ms.saturating_sub(state.started_unix_ms) as f32 / 1_000.0 },
            hour: f32::from(moment.minutes) / 60.0,
            channel,
            sentiment,
            sentiment_min: [state.sentiment_min, sentiment].into_iter().flatten().reduce(f32::min),
            unanswered: state.unanswered,
            product_questions: state.product_questions,
            asks_for_person: intent.is_some_and(|i| self.parts.dialogue.phrasebook.is_handoff(&i.intent)),
            intent_confidence: intent.map(|i| i.probability.get()),
            price_cents: product.and_then(|p| p.price).map(|price| price.0),
            on_offer: product.is_some_and(|p| p.offer.is_some()),
            in_stock: product.map(|p| p.in_stock),
            basket: u32::try_from(state.basket.lines.len()).unwrap_or(u32::MAX),
        }
    }
}

/// Decodes on a thread that may block, and waits no longer than the turn has time.
async fn in_time<T: Send + 'static>(deadline: Instant, work: impl FnOnce() -> T + Send + 'static) -> Result<T, TurnError> {
    let late = WorkerError::Late { model: "decoding" };
    tokio::time::timeout_at(deadline.into(), tokio::task::spawn_blocking(work)).await.map_err(|_| late)?.map_err(|_| TurnError::Decoding)
}

fn unpack_heard(heard: Option<(Duration, HeardSound)>, watch: &mut Watch) -> (Option<Transcript>, Option<SpokenOrder>, Option<Voice>) {
    let Some((decoding, sound)) = heard else { return (None, None, None) };
    watch.timings.add("decode_audio", decoding);
    watch.timings.add("voice_activity", sound.voice_activity);
    watch.timings.add("transcribe", sound.transcribe);
    match sound.heard {
        Heard::Words(transcript) => (Some(transcript), sound.order, sound.voice),
        Heard::Silence => (None, None, None),
    }
}

fn unpack_seen(seen: Option<(Duration, Duration, Sighting)>, watch: &mut Watch) -> Option<Sighting> {
    let (decoding, classifying, sighting) = seen?;
    watch.timings.add("decode_photo", decoding);
    watch.timings.add("classify", classifying);
    Some(sighting)
}

/// Who is meant by a conversation, where speakers take turns.
fn speaker(session: &SessionId) -> Speaker {
    let mut hasher = DefaultHasher::new();
    session.hash(&mut hasher);
    Speaker(hasher.finish())
}

/// The record as it may be written down.
fn private(mut record: TurnRecord) -> TurnRecord {
    let said = record.typed.clone().or_else(|| record.transcript.as_ref().map(|t| t.text.clone()));
    if let Some(transcript) = &mut record.transcript {
        transcript.text = masked(&transcript.text);
        transcript.segments.iter_mut().for_each(|s| s.text = masked(&s.text));
    }
    record.typed = record.typed.map(|text| masked(&text));
    let kept = record.typed.as_ref().or_else(|| record.transcript.as_ref().map(|t| &t.text));
    let is_masked = kept != said.as_ref();
    if let Some(understanding) = &mut record.understanding {
        // The vector was made of the words before they were masked, and could give them away.
        if is_masked {
            understanding.embedding.clear();
        }
        for entity in &mut understanding.entities {
            (entity.text, entity.value) = (masked(&entity.text), masked(&entity.value));
        }
    }
    record.answer.text = masked(&record.answer.text);
    record.state.last_answer = record.state.last_answer.map(|text| masked(&text));
    if let Some(order) = &mut record.order {
        order.text = masked(&order.text);
        order.slots.values_mut().for_each(|value| *value = masked(value));
    }
    record.answer.details = record.answer.details.map(|text| masked(&text));
    record
}
