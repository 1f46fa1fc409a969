use std::collections::VecDeque;

use serde::Deserialize;

use super::framer::FRAME_MS;
use crate::domain::{EndedBy, Probability};

/// Whisper hears 30 s at a time; what is longer would be lost without a word.
const UTTERANCE_MS_LIMIT: u32 = 30_000;

/// A frame has sound in it when it is this much louder than the quietest one of the last seconds, in dB.
const LOUDER_DB: f32 = 10.0;

/// How far back the quietest frame is looked for.
const QUIET_WITHIN_MS: u32 = 5_000;

/// Quiet frames that belong to a word: the closed lips of a "p" take up to 100 ms.
const GAP_FRAMES: usize = 3;

/// Shortest stretch that has a noise floor, in frames. A stream that begins in the middle of a word is not judged by that word.
const FLOOR_FRAMES_MIN: usize = 16;

/// When an utterance begins and ends. Times are in milliseconds and are rounded up to whole frames of 32 ms.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EndpointConfig {
    /// Probability of speech from which a frame counts as speech, 0 to 1 (0.5). Less hears whispering, and the coffee machine too.
    pub start_threshold: f32,
    /// Probability below which a frame counts as silence again, at most `start_threshold` (0.35). Between the two, things stay as they
    /// are: a soft syllable does not end a word. Less waits longer in noise; more cuts off soft endings.
    pub end_threshold: f32,
    /// Frames quieter than this are silence whatever the model says, in dBFS (-65). More deafens the kiosk to people who stand back.
    pub quietest_speech_dbfs: f32,
    /// How far above the noise floor, the quietest moment of the last 5 s, a frame must be to count as speech, in dB (4). A coffee machine
    /// that the model takes for a voice is silence after 5 s at the latest. More loses soft speech in noise; 0 trusts the model.
    pub above_noise_db: f32,
    /// Speech needed before an utterance begins (96 ms). Less takes a click for a word; more misses a short "no".
    pub min_speech_ms: u32,
    /// Silence that ends an utterance of which nothing but the sound's level is known, as in a file (500 ms). Less answers sooner and cuts
    /// off slow speakers.
    pub trailing_silence_ms: u32,
    /// In a conversation, silence that ends what was surely finished (250 ms): at least `hang_over_ms`.
    pub wait_finished_ms: u32,
    /// In a conversation, silence that ends what surely goes on (2 200 ms). More leaves time to think, and somebody who meant it that way
    /// waits longer for the answer.
    pub wait_unfinished_ms: u32,
    /// In a conversation, how much surer than measured it must be that somebody is done, in log-odds, -5 to 5 (0). More waits longer
    /// where it is unclear; less answers sooner.
    pub caution: f32,
    /// From this age on a running utterance is not waited for any more: `trailing_silence_ms` at most ends it (15 000 ms).
    pub patient_ms_max: u32,
    /// Sound kept from before the first frame of speech (300 ms), for soft beginnings such as "h" and "f". More costs recognition time.
    pub pre_roll_ms: u32,
    /// How much further back an utterance may begin (1 000 ms) as long as the sound there is well above the quiet before it: over the
    /// telephone the model needs up to half a second to know a voice. 0 trusts the model; more costs recognition time in noise.
    pub look_back_ms: u32,
    /// Sound kept after the last frame of speech (160 ms), for soft endings such as "s" and "t"; less than `trailing_silence_ms`. It is
    /// also how long a silence must last before the final decode may start: more starts it later.
    pub hang_over_ms: u32,
    /// A longer utterance is cut at its quietest moment (28 000 ms); at most 30 000, the window whisper hears at a time.
    pub utterance_ms_max: u32,
}

impl Default for EndpointConfig {
    fn default() -> Self {
        Self {
            start_threshold: 0.5,
            end_threshold: 0.35,
            quietest_speech_dbfs: -65.0,
            above_noise_db: 4.0,
            min_speech_ms: 96,
            trailing_silence_ms: 500,
            wait_finished_ms: 250,
            wait_unfinished_ms: 2_200,
            caution: 0.0,
            patient_ms_max: 15_000,
            pre_roll_ms: 300,
            look_back_ms: 1_000,
            hang_over_ms: 160,
            utterance_ms_max: 28_000,
        }
    }
}

impl EndpointConfig {
    /// All that is wrong with the values, a sentence each; empty where they make sense together.
    pub fn check(&self) -> Vec<String> {
        let probability = |value: f32| value > 0.0 && value <= 1.0;
        let longest_silence = self.pre_roll_ms.max(self.trailing_silence_ms).max(self.min_speech_ms);
        [
            (!probability(self.start_threshold))
                .then(|| format!("start_threshold is {}; expected more than 0, up to 1", self.start_threshold)),
            (!probability(self.end_threshold) || self.end_threshold > self.start_threshold).then(|| {
                format!("end_threshold is {}; expected more than 0, up to start_threshold ({})", self.end_threshold, self.start_threshold)
            }),
            (!(-120.0..=0.0).contains(&self.quietest_speech_dbfs))
                .then(|| format!("quietest_speech_dbfs is {}; expected -120 to 0", self.quietest_speech_dbfs)),
            (!(0.0..=30.0).contains(&self.above_noise_db)).then(|| format!("above_noise_db is {}; expected 0 to 30", self.above_noise_db)),
            (!(-5.0..=5.0).contains(&self.caution)).then(|| format!("caution is {}; expected -5 to 5", self.caution)),
            (self.wait_finished_ms < self.hang_over_ms || self.wait_finished_ms > self.wait_unfinished_ms).then(|| {
                format!(
                    "wait_finished_ms is {}; expected hang_over_ms ({}) to wait_unfinished_ms ({})",
                    self.wait_finished_ms, self.hang_over_ms, self.wait_unfinished_ms
                )
            }),
            (self.wait_unfinished_ms > self.patient_ms_max || self.patient_ms_max > self.utterance_ms_max).then(|| {
                format!(
                    "patient_ms_max is {}; expected wait_unfinished_ms ({}) to utterance_ms_max ({})",
                    self.patient_ms_max, self.wait_unfinished_ms, self.utterance_ms_max
                )
            }),
            (self.hang_over_ms >= self.trailing_silence_ms).then(|| {
                format!("hang_over_ms is {}; expected less than trailing_silence_ms ({})", self.hang_over_ms, self.trailing_silence_ms)
            }),
            (self.look_back_ms > QUIET_WITHIN_MS)
                .then(|| format!("look_back_ms is {}; expected at most {QUIET_WITHIN_MS}", self.look_back_ms)),
            (self.utterance_ms_max > UTTERANCE_MS_LIMIT)
                .then(|| format!("utterance_ms_max is {}; expected at most {UTTERANCE_MS_LIMIT}", self.utterance_ms_max)),
            (u64::from(self.utterance_ms_max) < 2 * u64::from(longest_silence)).then(|| {
                format!(
                    "utterance_ms_max is {}; expected at least twice pre_roll_ms, trailing_silence_ms and min_speech_ms ({})",
                    self.utterance_ms_max,
                    2 * u64::from(longest_silence)
                )
            }),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// What the endpointer heard happen. Times are milliseconds since the stream began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointEvent {
    /// Somebody began to speak.
    SpeechStarted {
        /// When the voice began.
        at_ms: u64,
        /// Where the utterance's sound begins: earlier by the pre-roll.
        from_ms: u64,
    },
    /// The first silence. The person may be done, so the caller may decode this sound now: if nothing more is said, exactly the same
    /// range follows in `Ended`.
    MaybeEnded {
        /// Beginning of the utterance's sound.
        from_ms: u64,
        /// Its end, if this is the end.
        to_ms: u64,
    },
    /// It was only a pause: the decode begun at `MaybeEnded` is of no use.
    Resumed {
        /// When the voice came back.
        at_ms: u64,
    },
    /// The utterance is over.
    Ended {
        /// Why.
        ended_by: EndedBy,
        /// Beginning of the utterance's sound.
        from_ms: u64,
        /// Its end.
        to_ms: u64,
    },
}

/// Finds where utterances begin and end in a stream of frames.
///
/// A pure state machine: it knows no model, no clock and no sound, only a probability and a level for every frame of 32 ms. Time is the
/// number of frames so far.
#[derive(Debug, Clone)]
pub struct Endpointer {
    config: EndpointConfig,
    state: State,
    now_ms: u64,
    /// The end of the utterance before: the pre-roll of the next one does not reach back beyond it.
    earliest_ms: u64,
    /// For this utterance, see [`Endpointer::wait`].
    trailing_silence_ms: u32,
    /// Probability and level of each frame of the running utterance, for the choice of a cut. Bounded by `utterance_ms_max`.
    heard: VecDeque<(Probability, f32)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// Nobody speaks.
    Quiet,
    /// Perhaps somebody begins to: speech since `since_ms`, too short so far.
    Rising { since_ms: u64 },
    /// Somebody speaks.
    Speaking { from_ms: u64 },
    /// Silence since `since_ms`, after an utterance that began at `from_ms`; `told` once `MaybeEnded` has been said.
    Trailing { from_ms: u64, since_ms: u64, told: bool },
}

/// What a frame is taken for. Between the thresholds it is neither.
#[derive(Debug, Clone, Copy, PartialEq)]
enum FrameIs {
    Speech,
    Unclear,
    Silence,
}

impl Endpointer {
    /// # Errors
    /// All that [`EndpointConfig::check`] finds.
    pub fn new(config: EndpointConfig) -> Result<Self, Vec<String>> {
        let problems = config.check();
        if !problems.is_empty() {
            return Err(problems);
        }
        let trailing_silence_ms = config.trailing_silence_ms;
        Ok(Self { config, state: State::Quiet, now_ms: 0, earliest_ms: 0, trailing_silence_ms, heard: VecDeque::new() })
    }

    /// Milliseconds of sound heard so far.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Changes the silence that ends the running utterance, until it ends or a pause turns out to be one; `hang_over_ms` at least. For
    /// whoever knows more than the sound: after "two lattes and" it is worth waiting longer, after "that is all" it is not. Longer than
    /// `trailing_silence_ms` is waited only until the utterance is `patient_ms_max` old.
    pub fn wait(&mut self, trailing_silence_ms: u32) {
        self.trailing_silence_ms = trailing_silence_ms.max(self.config.hang_over_ms);
    }

    /// Takes the next frame of 32 ms: how likely it is speech, and its RMS level in dBFS. Tells what happened, mostly nothing.
    pub fn push(&mut self, probability: Probability, level_dbfs: f32) -> Vec<EndpointEvent> {
        let frame_ms = self.now_ms;
        self.now_ms += u64::from(FRAME_MS);
        let frame = self.judge(probability, level_dbfs);
        let mut events = Vec::new();
        match self.state {
            State::Quiet | State::Rising { .. } => self.await_speech(frame, frame_ms, &mut events),
            State::Speaking { from_ms } if frame == FrameIs::Silence => {
                self.state = State::Trailing { from_ms, since_ms: frame_ms, told: false };
            }
            State::Speaking { .. } => {}
            State::Trailing { from_ms, told, .. } if frame == FrameIs::Speech => {
                self.state = State::Speaking { from_ms };
                if told {
                    // The next pause comes after other words.
                    self.trailing_silence_ms = self.config.trailing_silence_ms;
                    events.push(EndpointEvent::Resumed { at_ms: frame_ms });
                }
            }
            State::Trailing { .. } => {}
        }
        self.remember(probability, level_dbfs);
        self.await_silence(&mut events);
        self.keep_to_length(&mut events);
        events
    }

    /// The stream is over: what is being said ends here.
    pub fn close(&mut self) -> Option<EndpointEvent> {
        let (from_ms, to_ms) = match self.state {
            State::Quiet | State::Rising { .. } => return None,
            State::Speaking { from_ms } => (from_ms, self.now_ms),
            State::Trailing { from_ms, since_ms, .. } => (from_ms, self.end_of_sound(since_ms)),
        };
        self.begin_anew(to_ms);
        Some(EndpointEvent::Ended { ended_by: EndedBy::LineClosed, from_ms, to_ms })
    }

    fn judge(&self, probability: Probability, level_dbfs: f32) -> FrameIs {
        if level_dbfs < self.quietest_speech_dbfs() || probability.get() < self.config.end_threshold {
            FrameIs::Silence
        } else if probability.get() < self.config.start_threshold {
            FrameIs::Unclear
        } else {
            FrameIs::Speech
        }
    }

    /// The level below which a frame is silence whatever the model says: a little above the noise floor.
    fn quietest_speech_dbfs(&self) -> f32 {
        let fixed_dbfs = self.config.quietest_speech_dbfs;
        // Minimum statistics (Martin 2001): between words there is a moment of nothing but noise, however long somebody speaks.
        let recent = self.levels_before(0);
        if self.config.above_noise_db == 0.0 || recent.len() < FLOOR_FRAMES_MIN {
            return fixed_dbfs;
        }
        (recent.fold(0.0, f32::min) + self.config.above_noise_db).max(fixed_dbfs)
    }

    /// Levels of the frames before the one `frames_ago`, newest first, as far back as the noise floor is looked for.
    fn levels_before(&self, frames_ago: usize) -> impl ExactSizeIterator<Item = f32> {
        self.heard.iter().rev().map(|(_, level_dbfs)| *level_dbfs).skip(frames_ago).take((QUIET_WITHIN_MS / FRAME_MS) as usize)
    }

    /// Nobody spoke so far: speech that lasts long enough begins an utterance, with some sound from before it.
    fn await_speech(&mut self, frame: FrameIs, frame_ms: u64, events: &mut Vec<EndpointEvent>) {
        let since_ms = match (self.state, frame) {
            (_, FrameIs::Silence) | (State::Quiet, FrameIs::Unclear) => {
                self.state = State::Quiet;
                return;
            }
            (State::Rising { since_ms }, _) => since_ms,
            _ => frame_ms,
        };
        if self.now_ms - since_ms < u64::from(self.config.min_speech_ms) {
            self.state = State::Rising { since_ms };
            return;
        }
        let unheard_frames = self.loud_frames_before((frame_ms - since_ms) / u64::from(FRAME_MS));
        let at_ms = since_ms.saturating_sub(unheard_frames * u64::from(FRAME_MS)).max(self.earliest_ms);
        let from_ms = at_ms.saturating_sub(u64::from(self.config.pre_roll_ms)).max(self.earliest_ms);
        self.state = State::Speaking { from_ms };
        events.push(EndpointEvent::SpeechStarted { at_ms, from_ms });
    }

    /// How many frames before the one `frames_ago` already had sound in them, by their level alone.
    fn loud_frames_before(&self, frames_ago: u64) -> u64 {
        let quietest = self.levels_before(frames_ago as usize).fold(0.0, f32::min);
        // Against digital silence every hiss would count.
        let quiet_dbfs = quietest.max(self.config.quietest_speech_dbfs);
        let mut loud = 0;
        for (age, level_dbfs) in self.levels_before(frames_ago as usize).take((self.config.look_back_ms / FRAME_MS) as usize).enumerate() {
            if level_dbfs > quiet_dbfs + LOUDER_DB {
                loud = age + 1;
            } else if age + 1 > loud + GAP_FRAMES {
                break;
            }
        }
        loud as u64
    }

    /// Somebody has stopped speaking: tells of the first silence, and of the one that lasted long enough.
    fn await_silence(&mut self, events: &mut Vec<EndpointEvent>) {
        let State::Trailing { from_ms, since_ms, told } = self.state else { return };
        let silence_ms = self.now_ms - since_ms;
        let to_ms = self.end_of_sound(since_ms);
        if !told && silence_ms >= u64::from(self.config.hang_over_ms) {
            self.state = State::Trailing { from_ms, since_ms, told: true };
            events.push(EndpointEvent::MaybeEnded { from_ms, to_ms });
        }
        if silence_ms >= self.patience(from_ms, since_ms) {
            self.begin_anew(to_ms);
            events.push(EndpointEvent::Ended { ended_by: EndedBy::Silence, from_ms, to_ms });
        }
    }

    /// How long a silence since `since_ms` may last, in milliseconds: less, the older the utterance is.
    fn patience(&self, from_ms: u64, since_ms: u64) -> u64 {
        let patient_until_ms = from_ms + u64::from(self.config.patient_ms_max);
        let allowed_ms = patient_until_ms.saturating_sub(since_ms).max(u64::from(self.config.trailing_silence_ms));
        u64::from(self.trailing_silence_ms).min(allowed_ms)
    }

    /// Cuts an utterance that has become too long where speech was least likely; what comes after the cut begins the next one.
    fn keep_to_length(&mut self, events: &mut Vec<EndpointEvent>) {
        let (State::Speaking { from_ms } | State::Trailing { from_ms, .. }) = self.state else { return };
        if self.now_ms + u64::from(FRAME_MS) - from_ms <= u64::from(self.config.utterance_ms_max) {
            return;
        }
        let cut_ms = self.now_ms - u64::from(FRAME_MS) * self.frames_since_quietest() as u64;
        events.push(EndpointEvent::Ended { ended_by: EndedBy::LengthLimit, from_ms, to_ms: cut_ms });
        let state = self.state;
        self.begin_anew(cut_ms);
        self.state = match state {
            State::Trailing { since_ms, .. } if cut_ms >= since_ms => return,
            State::Trailing { since_ms, .. } => State::Trailing { from_ms: cut_ms, since_ms, told: false },
            _ => State::Speaking { from_ms: cut_ms },
        };
        events.push(EndpointEvent::SpeechStarted { at_ms: cut_ms, from_ms: cut_ms });
    }

    /// How many frames ago the frame ended that was least likely speech; among equals, the quietest. Only the second half of the
    /// utterance is looked at, so that both parts stay long enough to be understood.
    fn frames_since_quietest(&self) -> usize {
        let half = self.heard.len().div_ceil(2).max(1);
        // The newest frame stays: an utterance that begins with nothing would have nothing to end with.
        let ages = self.heard.iter().rev().enumerate().take(half).skip(1);
        let quietest = ages.min_by(|(_, a), (_, b)| a.0.get().total_cmp(&b.0.get()).then(a.1.total_cmp(&b.1)));
        quietest.map_or(0, |(age, _)| age)
    }

    fn remember(&mut self, probability: Probability, level_dbfs: f32) {
        let frames_max = (self.config.utterance_ms_max / FRAME_MS) as usize;
        if self.heard.len() >= frames_max.max(1) {
            self.heard.pop_front();
        }
        self.heard.push_back((probability, level_dbfs));
    }

    /// Where the sound of an utterance ends after which silence began at `since_ms`.
    fn end_of_sound(&self, since_ms: u64) -> u64 {
        (since_ms + u64::from(self.config.hang_over_ms)).min(self.now_ms)
    }

    fn begin_anew(&mut self, earliest_ms: u64) {
        self.state = State::Quiet;
        self.earliest_ms = earliest_ms;
        self.trailing_silence_ms = self.config.trailing_silence_ms;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, Copy)]
    enum Heard {
        Speech(u32),
        Quiet(u32),
        Soft(u32),
    }
    use Heard::{Quiet, Soft, Speech};

    const LOUD_DBFS: f32 = -20.0;

    /// These scripts tell of probabilities, and their level never changes: the noise floor is left out.
    fn by_the_model() -> EndpointConfig {
        EndpointConfig { above_noise_db: 0.0, ..Default::default() }
    }

    /// Plays a script through the endpointer: every event, with the time at which it was told.
    fn play(config: &EndpointConfig, heard: &[Heard]) -> Vec<(u64, EndpointEvent)> {
        let mut endpointer = Endpointer::new(config.clone()).unwrap();
        let mut events = Vec::new();
        let mut script_ms = 0;
        for part in heard {
            let (length_ms, probability) = match part {
                Speech(ms) => (ms, 0.9),
                Soft(ms) => (ms, 0.4),
                Quiet(ms) => (ms, 0.05),
            };
            script_ms += u64::from(*length_ms);
            while endpointer.now_ms() + u64::from(FRAME_MS) <= script_ms {
                let told = endpointer.push(Probability::clamped(probability), LOUD_DBFS);
                events.extend(told.into_iter().map(|event| (endpointer.now_ms(), event)));
            }
        }
        events.extend(endpointer.close().map(|event| (endpointer.now_ms(), event)));
        events
    }

    /// The one place that knows the API: by what each utterance ended, and when that was told.
    #[track_caller]
    fn check(heard: &[Heard], ends: &[(u64, EndedBy)]) {
        let events = play(&by_the_model(), heard);
        let told: Vec<_> = events
            .iter()
            .filter_map(|(at, event)| match event {
                EndpointEvent::Ended { ended_by, .. } => Some((*at, *ended_by)),
                _ => None,
            })
            .collect();
        assert_eq!(told, ends, "{events:#?}");
    }

    #[test]
    fn a_pause_inside_a_sentence_is_not_an_end() {
        check(&[Speech(800), Quiet(400), Speech(608), Quiet(704)], &[(2_304, EndedBy::Silence)]);
    }

    #[test]
    fn one_short_word_at_the_start_still_ends() {
        check(&[Speech(256), Quiet(704)], &[(768, EndedBy::Silence)]);
    }

    #[test]
    fn two_sentences_are_two_utterances() {
        check(&[Quiet(640), Speech(640), Quiet(640), Speech(640), Quiet(640)], &[(1_792, EndedBy::Silence), (3_072, EndedBy::Silence)]);
    }

    #[test]
    fn silence_is_no_utterance() {
        check(&[Quiet(20_000)], &[]);
    }

    #[test]
    fn a_click_is_no_utterance() {
        check(&[Quiet(320), Speech(64), Quiet(960)], &[]);
    }

    #[test]
    fn sound_between_the_thresholds_neither_begins_nor_ends_an_utterance() {
        check(&[Soft(3_200)], &[]);
        check(&[Speech(320), Soft(3_200), Quiet(640)], &[(4_032, EndedBy::Silence)]);
    }

    #[test]
    fn a_line_that_closes_ends_what_is_being_said() {
        check(&[Quiet(320), Speech(640)], &[(960, EndedBy::LineClosed)]);
        check(&[Speech(640), Quiet(320)], &[(960, EndedBy::LineClosed)]);
    }

    #[test]
    fn the_decode_may_start_at_the_first_silence_and_hears_what_the_end_will_hear() {
        let events = play(&by_the_model(), &[Quiet(640), Speech(640), Quiet(960)]);
        let (from_ms, to_ms) = (340, 1_440);
        assert_eq!(
            events,
            [
                (736, EndpointEvent::SpeechStarted { at_ms: 640, from_ms }),
                (1_440, EndpointEvent::MaybeEnded { from_ms, to_ms }),
                (1_792, EndpointEvent::Ended { ended_by: EndedBy::Silence, from_ms, to_ms }),
            ]
        );
    }

    #[test]
    fn speech_after_the_first_silence_takes_the_end_back() {
        let events = play(&by_the_model(), &[Speech(640), Quiet(320), Speech(320), Quiet(640)]);
        assert!(events.contains(&(992, EndpointEvent::Resumed { at_ms: 960 })), "{events:#?}");
    }

    #[test]
    fn the_pre_roll_does_not_reach_into_the_utterance_before() {
        let config = EndpointConfig { pre_roll_ms: 2_000, ..by_the_model() };
        let events = play(&config, &[Speech(640), Quiet(544), Speech(640), Quiet(640)]);
        assert!(events.contains(&(1_280, EndpointEvent::SpeechStarted { at_ms: 1_184, from_ms: 800 })), "{events:#?}");
    }

    #[test]
    fn what_is_too_quiet_is_no_speech_whatever_the_model_says() {
        let mut endpointer = Endpointer::new(by_the_model()).unwrap();
        assert!((0..100).all(|_| endpointer.push(Probability::clamped(0.99), -80.0).is_empty()));
    }

    #[test]
    fn a_beginning_that_only_the_level_gives_away_is_kept() {
        let mut endpointer = Endpointer::new(by_the_model()).unwrap();
        let mut heard = |frames, probability, level_dbfs| -> Vec<EndpointEvent> {
            (0..frames).flat_map(|_| endpointer.push(Probability::clamped(probability), level_dbfs)).collect()
        };
        assert_eq!(heard(40, 0.05, -60.0), []);
        assert_eq!(heard(10, 0.2, -30.0), []);
        assert_eq!(heard(2, 0.2, -58.0), []);
        assert_eq!(heard(5, 0.2, -30.0), []);
        assert_eq!(heard(3, 0.9, -30.0), [EndpointEvent::SpeechStarted { at_ms: 1_280, from_ms: 980 }]);
    }

    #[test]
    fn a_long_speech_is_cut_in_its_longest_hesitation_and_nothing_is_lost() {
        let events = play(&by_the_model(), &[Speech(20_000), Soft(96), Speech(20_000), Quiet(640)]);
        let ends: Vec<_> = events.iter().filter(|(_, event)| matches!(event, EndpointEvent::Ended { .. })).collect();
        let [(_, EndpointEvent::Ended { ended_by: EndedBy::LengthLimit, from_ms: 0, to_ms: cut_ms }), (_, second)] = ends[..] else {
            panic!("{events:#?}")
        };
        assert!((20_000..20_128).contains(cut_ms), "{cut_ms}");
        assert!(matches!(second, EndpointEvent::Ended { ended_by: EndedBy::Silence, from_ms, .. } if from_ms == cut_ms));
    }

    #[test]
    fn a_line_that_closes_right_after_a_cut_still_ends_an_utterance_of_some_length() {
        let events = play(&by_the_model(), &[Quiet(389), Speech(12_832), Quiet(292), Speech(14_551)]);
        let ends: Vec<_> = events
            .iter()
            .filter_map(|(_, e)| if let EndpointEvent::Ended { from_ms, to_ms, .. } = e { Some(to_ms - from_ms) } else { None })
            .collect();
        assert!(!ends.is_empty() && ends.iter().all(|length| *length > 0), "{events:#?}");
    }

    #[test]
    fn the_wait_can_be_changed_for_one_utterance() {
        let mut endpointer = Endpointer::new(by_the_model()).unwrap();
        let mut frames_to_end = |wait_ms: Option<u32>| {
            for _ in 0..10 {
                endpointer.push(Probability::clamped(0.9), LOUD_DBFS);
            }
            if let Some(ms) = wait_ms {
                endpointer.wait(ms);
            }
            let ended = |events: Vec<EndpointEvent>| events.iter().any(|event| matches!(event, EndpointEvent::Ended { .. }));
            (1..1_000).find(|_| ended(endpointer.push(Probability::clamped(0.0), LOUD_DBFS)))
        };
        assert_eq!(frames_to_end(Some(1_600)), Some(50));
        assert_eq!(frames_to_end(Some(0)), Some(5));
        assert_eq!(frames_to_end(None), Some(16));
    }

    #[test]
    fn a_pause_that_was_waited_out_does_not_make_the_next_one_longer() {
        let mut endpointer = Endpointer::new(by_the_model()).unwrap();
        let mut hear = |probability, frames, wait_ms: Option<u32>| -> usize {
            (0..frames)
                .filter(|_| {
                    let told = endpointer.push(Probability::clamped(probability), LOUD_DBFS);
                    if told.iter().any(|event| matches!(event, EndpointEvent::MaybeEnded { .. })) {
                        wait_ms.into_iter().for_each(|ms| endpointer.wait(ms));
                    }
                    told.iter().any(|event| matches!(event, EndpointEvent::Ended { .. }))
                })
                .count()
        };
        assert_eq!([hear(0.9, 20, None), hear(0.0, 50, Some(2_000)), hear(0.9, 20, None)], [0, 0, 0]);
        assert_eq!([hear(0.0, 15, None), hear(0.0, 1, None)], [0, 1], "500 ms again");
    }

    #[test]
    fn nobody_is_waited_for_once_the_utterance_is_old() {
        let mut endpointer = Endpointer::new(by_the_model()).unwrap();
        let mut ended_ms = None;
        // Half a second of words, then a pause of 1.6 s that is always waited out, over and over: at 15 s somebody is speaking.
        for frame in 0..1_000 {
            let speaks = frame % 66 < 16;
            for event in endpointer.push(Probability::clamped(if speaks { 0.9 } else { 0.0 }), LOUD_DBFS) {
                match event {
                    EndpointEvent::MaybeEnded { .. } => endpointer.wait(2_000),
                    EndpointEvent::Ended { ended_by, .. } => ended_ms = ended_ms.or(Some((endpointer.now_ms(), ended_by))),
                    _ => {}
                }
            }
        }
        let Some((ended_ms, EndedBy::Silence)) = ended_ms else { panic!("it ended by {ended_ms:?}") };
        assert!((15_000..16_000).contains(&ended_ms), "{ended_ms}");
    }

    #[test]
    fn a_machine_that_sounds_like_a_voice_does_not_keep_the_utterance_open() {
        let mut endpointer = Endpointer::new(EndpointConfig::default()).unwrap();
        let mut told = Vec::new();
        let mut hear = |frames: u32, probability: f32, level_dbfs: &dyn Fn(u32) -> f32| {
            for frame in 0..frames {
                let events = endpointer.push(Probability::clamped(probability), level_dbfs(frame));
                told.extend(events.into_iter().map(|event| (endpointer.now_ms(), event)));
            }
        };
        hear(40, 0.05, &|_| -60.0);
        // Words with moments between them, then a grinder that starts and never stops.
        hear(60, 0.9, &|frame| if frame % 10 == 9 { -50.0 } else { -25.0 });
        hear(400, 0.9, &|_| -40.0);
        let [(_, EndpointEvent::SpeechStarted { .. }), .., (at_ms, EndpointEvent::Ended { ended_by: EndedBy::Silence, .. })] = told[..]
        else {
            panic!("{told:#?}")
        };
        assert!(at_ms < 3_200 + 5_000 + 600, "{at_ms}");
    }

    #[test]
    fn somebody_who_speaks_on_for_long_is_no_noise() {
        let mut endpointer = Endpointer::new(EndpointConfig::default()).unwrap();
        // 20 s over a fan at -45 dBFS, with a gap of one frame every 3 s, and nothing quieter than 6 dB above it otherwise.
        let level = |frame: u32| if frame % 94 == 93 { -45.0 } else { -39.0 + (frame % 7) as f32 * 3.0 };
        let events: Vec<_> = (0..625).flat_map(|frame| endpointer.push(Probability::clamped(0.9), level(frame))).collect();
        assert!(matches!(events[..], [EndpointEvent::SpeechStarted { .. }]), "{events:#?}");
    }

    #[test]
    fn all_problems_of_a_config_are_told_at_once() {
        let config = EndpointConfig {
            start_threshold: 1.5,
            end_threshold: f32::NAN,
            hang_over_ms: 500,
            wait_unfinished_ms: 20_000,
            utterance_ms_max: 60_000,
            ..Default::default()
        };
        assert_eq!(config.check().len(), 6, "{:#?}", config.check());
        assert_eq!(EndpointConfig::default().check(), Vec::<String>::new());
    }

    fn scripts() -> impl Strategy<Value = Vec<Heard>> {
        let part = prop_oneof![(0..6_000_u32).prop_map(Speech), (0..1_500_u32).prop_map(Quiet), (0..800_u32).prop_map(Soft)];
        prop::collection::vec(part, 0..40)
    }

    proptest! {
        #[test]
        fn an_endpoint_never_comes_before_speech_and_utterances_never_overlap(script in scripts()) {
            let (mut speaking, mut free_from_ms) = (None, 0);
            for (now_ms, event) in play(&by_the_model(), &script) {
                match event {
                    EndpointEvent::SpeechStarted { at_ms, from_ms } => {
                        prop_assert!(speaking.is_none() && free_from_ms <= from_ms && from_ms <= at_ms && at_ms <= now_ms);
                        speaking = Some(from_ms);
                    }
                    EndpointEvent::MaybeEnded { from_ms, to_ms } => prop_assert!(speaking == Some(from_ms) && to_ms <= now_ms),
                    EndpointEvent::Resumed { at_ms } => prop_assert!(speaking.is_some() && at_ms <= now_ms),
                    EndpointEvent::Ended { from_ms, to_ms, .. } => {
                        prop_assert!(speaking == Some(from_ms) && from_ms < to_ms && to_ms <= now_ms);
                        prop_assert!(to_ms - from_ms <= 28_000);
                        (speaking, free_from_ms) = (None, to_ms);
                    }
                }
            }
            prop_assert!(speaking.is_none(), "every utterance ends");
        }
    }
}
