use super::Habits;
use super::patience::{Evidence, patience_ms};
use crate::audio::{AudioError, EndpointConfig, EndpointEvent, Endpointer, Frame, Level, SmartTurn, Vad};
use crate::domain::{EndedBy, Heard, Pcm16k, SAMPLE_RATE};
use crate::language::ending;
use crate::speech::grammar::Standing;

/// New sound after which the words so far are worth showing again.
const PARTIAL_EVERY_MS: u64 = 800;

/// Sound kept: the longest utterance (30 s), its pre-roll and look-back, and the silence after it.
const KEPT_SAMPLES: usize = 40 * SAMPLE_RATE as usize;

const SAMPLES_PER_MS: u64 = SAMPLE_RATE as u64 / 1_000;

/// A stretch of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Its beginning, in milliseconds from the beginning of the stream.
    pub from_ms: u64,
    /// Its end.
    pub to_ms: u64,
}

/// What a frame led to.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Nothing to be done.
    Nothing,
    /// The person still speaks; this is the sound so far.
    Partial(Pcm16k),
    /// The first silence: if nothing more is said, this is the utterance, so its words may be looked for now. How long is waited for more
    /// is settled by [`Ear::weigh_sound`] and [`Ear::said_so_far`].
    Likely(Stretch, Pcm16k),
    /// The utterance is over.
    Utterance(Stretch, Pcm16k, EndedBy),
}

/// Finds utterances in a live stream, such as that of a microphone or of a telephone line: frames in, steps out.
///
/// At the first silence it says [`Step::Likely`]. Whoever feeds it then has the sound recognised and tells what was said; together with
/// the voice, that decides how long the silence may last before it is the end. Frames that come meanwhile may wait: time is the number of
/// frames, so nothing is cut off by a slow recogniser. Without [`SmartTurn`] and without words it waits `trailing_silence_ms`.
pub struct Ear {
    vad: Vad,
    smart_turn: Option<SmartTurn>,
    config: EndpointConfig,
    endpointer: Endpointer,
    /// The newest sound; its first sample is this many samples after the beginning of the stream.
    kept: Vec<f32>,
    kept_from: u64,
    speaking_from_ms: Option<u64>,
    shown_ms: u64,
    /// The pause that was told last and may still become the end, and what is known about it.
    pause: Option<(Stretch, Evidence)>,
    habits: Habits,
    /// A turn was ended behind words that could stand as they are; who speaks before this moment was going on, in milliseconds.
    going_on_until_ms: Option<u64>,
}

impl Ear {
    /// An ear for one stream.
    ///
    /// # Errors
    /// [`AudioError::Endpoint`] where the config makes no sense.
    pub fn new(vad: Vad, smart_turn: Option<SmartTurn>, config: EndpointConfig) -> Result<Self, AudioError> {
        let endpointer = endpointer(&config)?;
        Ok(Self {
            vad,
            smart_turn,
            config,
            endpointer,
            kept: Vec::new(),
            kept_from: 0,
            speaking_from_ms: None,
            shown_ms: 0,
            pause: None,
            habits: Habits::default(),
            going_on_until_ms: None,
        })
    }

    /// With what was learned here before.
    pub fn with_habits(self, habits: Habits) -> Self {
        Self { habits, ..self }
    }

    /// What was learned so far about those who speak here.
    pub fn habits(&self) -> Habits {
        self.habits
    }

    /// Begins anew after a gap: what was half said before it is no sentence.
    ///
    /// # Errors
    /// None that [`Ear::new`] would not have given.
    pub fn restart(&mut self) -> Result<(), AudioError> {
        self.vad.reset();
        self.endpointer = endpointer(&self.config)?;
        (self.kept, self.kept_from, self.speaking_from_ms, self.pause, self.going_on_until_ms) = (Vec::new(), 0, None, None, None);
        Ok(())
    }

    /// Milliseconds of sound heard so far.
    pub fn now_ms(&self) -> u64 {
        self.endpointer.now_ms()
    }

    /// Takes the next 32 ms.
    ///
    /// # Errors
    /// [`AudioError::Vad`] where the voice detector fails; [`Ear::restart`] then begins anew.
    pub fn hear(&mut self, frame: &Frame) -> Result<Step, AudioError> {
        self.kept.extend_from_slice(frame);
        let surplus = self.kept.len().saturating_sub(KEPT_SAMPLES);
        self.kept.drain(..surplus);
        self.kept_from += surplus as u64;
        let probability = self.vad.score(frame)?;
        let events = self.endpointer.push(probability, Level::of(frame).rms_dbfs);
        if self.going_on_until_ms.is_some_and(|until_ms| self.endpointer.now_ms() > until_ms) {
            self.going_on_until_ms = None;
            self.habits.note(true);
        }
        let mut step = Step::Nothing;
        for event in events {
            step = self.step(event, step);
        }
        let now_ms = self.endpointer.now_ms();
        // In a pause there are no new words.
        if let (Step::Nothing, Some(from_ms), None) = (&step, self.speaking_from_ms, self.pause)
            && now_ms >= self.shown_ms + PARTIAL_EVERY_MS
        {
            self.shown_ms = now_ms;
            step = Step::Partial(self.sound(Stretch { from_ms, to_ms: now_ms }));
        }
        Ok(step)
    }

    /// The stream is over: what is being said ends here.
    pub fn close(&mut self) -> Step {
        self.endpointer.close().map_or(Step::Nothing, |event| self.step(event, Step::Nothing))
    }

    /// Has the voice judged at the pause that was told last; a call takes some 50 ms on a core of its own, so the words can be looked for
    /// at the same time. Does nothing where there is no model or no pause. A model that fails is told in the log, and the wait is then
    /// settled by the words.
    pub fn weigh_sound(&mut self) {
        let Some((stretch, mut evidence)) = self.pause else { return };
        let heard = Stretch { to_ms: self.endpointer.now_ms(), ..stretch };
        let (from, to) = self.place(heard);
        let Some(smart_turn) = &self.smart_turn else { return };
        match smart_turn.complete(&self.kept[from..to]) {
            Ok(done) => {
                evidence.sound = Some(done);
                self.settle(stretch, evidence);
            }
            Err(error) => tracing::warn!(%error, "the end of a turn was not weighed by its sound"),
        }
    }

    /// Tells what was said in the stretch of a [`Step::Likely`], and where that stands in a grammar if there is one. Does nothing where the
    /// person has spoken on since.
    pub fn said_so_far(&mut self, stretch: Stretch, heard: &Heard, standing: Option<Standing>) {
        let Some((_, mut evidence)) = self.pause.filter(|(pause, _)| *pause == stretch) else { return };
        evidence.ending = match heard {
            Heard::Words(transcript) => Some(ending(&transcript.text, &transcript.language)),
            Heard::Silence => None,
        };
        evidence.standing = standing;
        self.settle(stretch, evidence);
    }

    /// What is known about the pause that was told last, for a log or an evaluation.
    pub fn evidence(&self) -> Option<Evidence> {
        self.pause.map(|(_, evidence)| evidence)
    }

    fn settle(&mut self, stretch: Stretch, evidence: Evidence) {
        self.pause = Some((stretch, evidence));
        self.endpointer.wait(patience_ms(&evidence, &self.habits, &self.config));
    }

    fn step(&mut self, event: EndpointEvent, before: Step) -> Step {
        match event {
            EndpointEvent::SpeechStarted { from_ms, at_ms } => {
                (self.speaking_from_ms, self.shown_ms) = (Some(from_ms), at_ms);
                if self.going_on_until_ms.take().is_some() {
                    self.habits.note(false);
                }
                before
            }
            EndpointEvent::MaybeEnded { from_ms, to_ms } => {
                let stretch = Stretch { from_ms, to_ms };
                self.pause = Some((stretch, Evidence::default()));
                Step::Likely(stretch, self.sound(stretch))
            }
            EndpointEvent::Resumed { .. } => {
                if self.pause.take().is_some_and(|(_, evidence)| evidence.is_open_whole()) {
                    self.habits.note(false);
                }
                before
            }
            EndpointEvent::Ended { from_ms, to_ms, ended_by } => {
                self.speaking_from_ms = None;
                // Whether that was the end is known when nobody has gone on for as long as an unfinished sentence is waited for.
                let open_whole = self.pause.take().filter(|(_, evidence)| evidence.is_open_whole());
                self.going_on_until_ms = open_whole.map(|(pause, _)| pause.to_ms + u64::from(self.config.wait_unfinished_ms));
                let stretch = Stretch { from_ms, to_ms };
                Step::Utterance(stretch, self.sound(stretch), ended_by)
            }
        }
    }

    fn sound(&self, stretch: Stretch) -> Pcm16k {
        let (from, to) = self.place(stretch);
        // What the frames hold is finite, as all that leaves `audio/` is; whatever is not would have no words in it.
        Pcm16k::new(self.kept[from..to].to_vec()).unwrap_or_default()
    }

    /// The part of what is kept that a stretch covers.
    fn place(&self, stretch: Stretch) -> (usize, usize) {
        let at = |ms: u64| usize::try_from((ms * SAMPLES_PER_MS).saturating_sub(self.kept_from)).unwrap_or(usize::MAX).min(self.kept.len());
        let to = at(stretch.to_ms);
        (at(stretch.from_ms).min(to), to)
    }
}

fn endpointer(config: &EndpointConfig) -> Result<Endpointer, AudioError> {
    Endpointer::new(config.clone()).map_err(|problems| AudioError::Endpoint { problems })
}
