//! Open decoding: any words, the likeliest next one at a time, by the rules of OpenAI's own decoder (Radford et al. 2022, section 4.5).

use super::SpeechError;
use super::bias::{Bias, Spelled};
use super::scores::{argmax, log_sum_exp};
use super::vocabulary::Vocabulary;
use super::whisper::{State, Token};

/// The first timestamp may be at most this late: 1 s, in units of 20 ms.
const FIRST_UNITS_MAX: usize = 50;
/// A timestamp this far behind the end of the sound is made up: 1 s, in units. The window reaches a little behind the end itself.
const PAST_END_UNITS: usize = 50;
/// A timestamp this close to the end of the sound ends the text: 100 ms, in units.
const END_UNITS: usize = 5;

/// What is to be decoded and how long it may take.
pub struct OpenDecoding<'a> {
    /// Begin of every sequence: start, language, task.
    pub prompt: &'a [Token],
    /// Text that stands already, from an earlier hypothesis about the same sound; empty for none.
    pub settled: &'a [Token],
    /// Length of the sound, in units of 20 ms.
    pub units: usize,
    /// Tokens to write at most.
    pub tokens_max: usize,
    /// Words of the shop that are made likelier.
    pub bias: Option<&'a Bias>,
    /// Asked before each step: nobody waits for the answer any more.
    pub is_abandoned: &'a dyn Fn() -> bool,
}

/// A text token with what the decoder thought of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Which.
    pub token: Token,
    /// Natural logarithm of its probability among all that was allowed.
    pub log_probability: f32,
    /// Log-probability of each timestamp from 0 to the end of the sound, if the text ended behind this token; `[units + 1]`.
    pub end_times: Vec<f32>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Written {
    /// Text tokens in order.
    pub steps: Vec<Step>,
    /// Stretches of text between timestamps: start and end in units of 20 ms, and how many text tokens lie before the end.
    pub segments: Vec<Stretch>,
    /// Probability that nobody speaks, by the first position.
    pub no_speech: f32,
    /// A timestamp lies behind the end of the sound.
    pub past_end: bool,
    /// It was still writing when the bound came.
    pub endless: bool,
}

/// A stretch of text between two timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// In units of 20 ms.
    pub from: usize,
    /// In units of 20 ms.
    pub to: usize,
    /// Text tokens up to its end.
    pub tokens_to: usize,
}

impl Written {
    /// Mean log-probability of the text tokens; 0 where there are none.
    pub fn mean_log_probability(&self) -> f32 {
        let sum: f32 = self.steps.iter().map(|step| step.log_probability).sum();
        if self.steps.is_empty() { 0.0 } else { sum / self.steps.len() as f32 }
    }

    /// The text tokens.
    pub fn tokens(&self) -> Vec<Token> {
        self.steps.iter().map(|step| step.token).collect()
    }
}

/// Decodes what the state has encoded.
pub fn decode(state: &mut State, what: &OpenDecoding<'_>) -> Result<Written, SpeechError> {
    let weights = state.weights();
    let vocabulary = weights.vocabulary();
    let mut writer = Writer::new(what);
    let mut sequence = what.prompt.to_vec();
    if !what.settled.is_empty() {
        // All at once: what stands needs no step of its own.
        sequence.extend(writer.settle(vocabulary));
    }
    // One step more than tokens: the end is a step as well, and so are timestamps.
    for _ in 0..what.tokens_max + 8 {
        if (what.is_abandoned)() {
            return Err(SpeechError::Abandoned);
        }
        match writer.choose(vocabulary, state.logits(&sequence)?) {
            Some(token) => sequence.push(token),
            None => return Ok(writer.written),
        }
    }
    writer.written.endless = true;
    Ok(writer.written)
}

/// The rules, and what was written by them so far.
struct Writer<'a> {
    what: &'a OpenDecoding<'a>,
    written: Written,
    scores: Vec<f32>,
    /// Tokens so far, timestamps among them.
    tokens: Vec<Token>,
    /// The last timestamp, in units.
    time: Option<usize>,
    spelled: Spelled,
}

impl<'a> Writer<'a> {
    fn new(what: &'a OpenDecoding<'a>) -> Self {
        Self { what, written: Written::default(), scores: Vec::new(), tokens: Vec::new(), time: None, spelled: Spelled::default() }
    }

    /// The next token; none at the end.
    fn choose(&mut self, vocabulary: &Vocabulary, logits: &[f32]) -> Option<Token> {
        let marks = *vocabulary.marks();
        if self.tokens.is_empty() {
            let total = log_sum_exp(logits);
            self.written.no_speech = logits.get(marks.no_speech as usize).map_or(0.0, |score| (score - total).exp());
        }
        self.note_end_times(vocabulary, logits);
        self.allow(vocabulary, logits);
        let first_timestamp = marks.first_timestamp as usize;
        let total = log_sum_exp(&self.scores);
        let (text, times) = self.scores.split_at(first_timestamp);
        // If the timestamps together are likelier than any single word, it is time for one of them.
        let best_text = argmax(text);
        let best = match best_text {
            Some((at, score)) if score >= log_sum_exp(times) => self.biased(vocabulary, at, score),
            _ => argmax(times).map_or(marks.end_of_text as usize, |(at, _)| first_timestamp + at),
        };
        let token = Token::try_from(best).unwrap_or(marks.end_of_text);
        self.note(vocabulary, token, self.scores[best] - total)
    }

    /// Takes over the text that stands, behind a first timestamp; returns the tokens to feed.
    fn settle(&mut self, vocabulary: &Vocabulary) -> Vec<Token> {
        let what = self.what;
        self.tokens.push(vocabulary.marks().first_timestamp);
        self.time = Some(0);
        for &token in what.settled.iter().filter(|&&token| vocabulary.is_text(token)).take(what.tokens_max) {
            self.spelled.push(vocabulary.bytes(token));
            // It was scored when it was written.
            self.written.steps.push(Step { token, log_probability: 0.0, end_times: Vec::new() });
            self.tokens.push(token);
        }
        self.tokens.clone()
    }

    fn biased(&self, vocabulary: &Vocabulary, at: usize, score: f32) -> usize {
        let Some(bias) = self.what.bias else { return at };
        bias.choose(&self.spelled, vocabulary, &self.scores[..vocabulary.marks().end_of_text as usize], at, score)
    }

    /// What the decoder says about where the text would end, if it ended behind the last word.
    fn note_end_times(&mut self, vocabulary: &Vocabulary, logits: &[f32]) {
        let Some(step) = self.written.steps.last_mut().filter(|step| step.end_times.is_empty()) else { return };
        let from = vocabulary.marks().first_timestamp as usize;
        let times = &logits[from.min(logits.len())..(from + self.what.units + 1).min(logits.len())];
        let total = log_sum_exp(times);
        step.end_times = times.iter().map(|score| score - total).collect();
    }

    /// Copies the scores and takes out what may not follow.
    fn allow(&mut self, vocabulary: &Vocabulary, logits: &[f32]) {
        let marks = vocabulary.marks();
        let (end_of_text, first_timestamp) = (marks.end_of_text as usize, marks.first_timestamp as usize);
        self.scores.clear();
        self.scores.extend_from_slice(logits);
        for (score, forbidden) in self.scores.iter_mut().zip(vocabulary.forbidden()) {
            if *forbidden {
                *score = f32::NEG_INFINITY;
            }
        }
        let mut forbid = |range: std::ops::Range<usize>| {
            let end = range.end.min(self.scores.len());
            self.scores[range.start.min(end)..end].fill(f32::NEG_INFINITY);
        };
        // Timestamps come in pairs, the first one at the beginning; behind the last one the text may end.
        let is_time = |token: Option<&Token>| token.is_none_or(|&token| token >= marks.first_timestamp);
        let last = self.tokens.last();
        if last.is_some() && is_time(last) {
            if is_time(self.tokens.len().checked_sub(2).and_then(|at| self.tokens.get(at))) {
                forbid(first_timestamp..usize::MAX);
            } else {
                forbid(0..end_of_text);
            }
        }
        if last.is_none() {
            forbid(0..first_timestamp);
            forbid(first_timestamp + FIRST_UNITS_MAX + 1..usize::MAX);
        }
        // Time does not go back.
        forbid(first_timestamp..first_timestamp + self.time.unwrap_or(0));
    }

    fn note(&mut self, vocabulary: &Vocabulary, token: Token, log_probability: f32) -> Option<Token> {
        if vocabulary.is_text(token) {
            if self.written.steps.len() >= self.what.tokens_max {
                self.written.endless = true;
                return None;
            }
            self.spelled.push(vocabulary.bytes(token));
            self.written.steps.push(Step { token, log_probability, end_times: Vec::new() });
            self.tokens.push(token);
            return Some(token);
        }
        let units = vocabulary.units(token)?;
        let tokens_to = self.written.steps.len();
        let begun = self.written.segments.last().map_or(0, |stretch| stretch.tokens_to);
        if tokens_to > begun {
            self.written.segments.push(Stretch { from: self.begin(), to: units, tokens_to });
            self.written.past_end |= units > self.what.units + PAST_END_UNITS;
        }
        self.time = Some(units);
        self.tokens.push(token);
        let is_over = tokens_to > begun && units + END_UNITS >= self.what.units;
        (!is_over).then_some(token)
    }

    /// The timestamp before the running stretch of text.
    fn begin(&self) -> usize {
        self.time.unwrap_or(0)
    }
}
