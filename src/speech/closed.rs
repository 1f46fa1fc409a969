//! Sentences of a grammar from sound, over the same run of the encoder as open recognition.

use std::sync::Arc;

use super::SpeechError;
use super::decode::Written;
use super::grammar::{Grammar, TokenMask};
use super::search::{Effort, Sentence, search};
use super::transcriber::{Encoded, Request, Transcriber};
use crate::domain::{Heard, Pcm16k, Probability, SpokenOrder};

/// A grammar as one recogniser spells it. What it learns about the grammar's states is kept from utterance to utterance.
pub struct Closed {
    mask: TokenMask,
    effort: Effort,
}

/// What a sound is, open and closed.
#[derive(Debug, Clone, PartialEq)]
pub struct HeardOrder {
    /// Any words.
    pub open: Heard,
    /// The likeliest sentence of the grammar, and what speaks for it; none where no sentence fits into the sound.
    pub closed: Option<(SpokenOrder, Evidence)>,
}

/// What speaks for a sentence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// Mean log-probability of its tokens among all tokens.
    pub mean: f32,
    /// The least of them, as a mean over a token and its neighbours: one wrong word is not made good by ten right ones.
    pub least: f32,
    /// How much likelier the open text is than the sentence, as a mean over the tokens of each.
    pub behind_open: f32,
}

/// Where the confidence is one half, and how steep it is there. `kioskd evaluate orders --json` prints what these were read off: at this
/// distance `base-short` misses 2 % of people's orders in a loud kitchen, and `tiny.en-short`, which is surer of what it hears, none of 90.
const BEHIND_OPEN_HALF: f32 = 0.82;
const BEHIND_OPEN_HALF_ENGLISH: f32 = 0.5;
const BEHIND_OPEN_SLOPE: f32 = 6.0;

/// Tokens by which a sentence that is believed may be longer than the open text.
const LONGER_MAX: usize = 6;

/// How much is done to find a sentence of the grammar.
#[derive(Clone, Copy)]
pub enum Search<'a> {
    /// The likeliest sentence in any case, as an evaluation needs it: whether it is believed is its confidence's to say.
    Likeliest,
    /// What a desk needs, which waits for it: nothing is searched where the open words are not worth it or are a sentence already, and
    /// what can no more be believed is given up.
    Believable(&'a dyn Fn(&str) -> bool),
}

impl Evidence {
    /// How likely it is that the sentence was said. What was said by the grammar is nearly as likely as the best open text, token by
    /// token; a sentence that only looks like an order is forced, and lies behind.
    ///
    /// `half`: as far behind, it is one half.
    fn confidence(&self, half: f32) -> f32 {
        1.0 / (1.0 + (BEHIND_OPEN_SLOPE * (self.behind_open - half)).exp())
    }
}

impl Closed {
    /// For one recogniser's tokens.
    pub fn new(grammar: Arc<Grammar>, transcriber: &Transcriber) -> Self {
        Self { mask: TokenMask::new(grammar, transcriber.vocabulary().texts()), effort: Effort::default() }
    }

    /// The grammar.
    pub fn grammar(&self) -> &Grammar {
        self.mask.grammar()
    }
}

impl Transcriber {
    /// Hears one utterance of at most 30 s, open and, where the open words are worth it, closed too; both read the same run of the encoder.
    pub fn transcribe_order(
        &mut self,
        pcm: &Pcm16k,
        closed: &mut Closed,
        how: Search<'_>,
        request: &Request<'_>,
    ) -> Result<HeardOrder, SpeechError> {
        let encoded = self.encode(pcm, request)?;
        let first = self.decode(&encoded, &[], request)?;
        let effort = closed.effort;
        let sentences = match how {
            Search::Likeliest => self.sentences(&encoded, closed, &effort, request)?,
            Search::Believable(is_worth_it) => {
                let text = self.text(&first);
                match (is_worth_it(&text), closed.grammar().read(&text)) {
                    (false, _) => Vec::new(),
                    (true, Some(_)) => vec![as_heard(&first)],
                    (true, None) => self.sentences(&encoded, closed, &believable(&effort, &first, self.behind_open_half()), request)?,
                }
            }
        };
        let open = self.settle(pcm, encoded, first, request)?;
        let order = sentences.first().and_then(|best| self.order(best, closed, &open));
        Ok(HeardOrder { open, closed: order })
    }

    fn behind_open_half(&self) -> f32 {
        if self.vocabulary().is_english_only() { BEHIND_OPEN_HALF_ENGLISH } else { BEHIND_OPEN_HALF }
    }

    fn sentences(
        &mut self,
        encoded: &Encoded,
        closed: &mut Closed,
        effort: &Effort,
        request: &Request<'_>,
    ) -> Result<Vec<Sentence>, SpeechError> {
        // Without timestamps: the grammar says where the sentence ends.
        let mut prompt = encoded.prompt.clone();
        prompt.push(self.vocabulary().marks().no_timestamps);
        search(&mut self.state, &mut closed.mask, &prompt, effort, request.is_abandoned)
    }

    fn order(&self, best: &Sentence, closed: &Closed, open: &Heard) -> Option<(SpokenOrder, Evidence)> {
        let text = self.vocabulary().text(&best.tokens).trim().to_owned();
        let reading = closed.grammar().read(&text)?;
        let open_log_probability = match open {
            Heard::Words(transcript) => transcript.confidence.get().max(1e-6).ln(),
            Heard::Silence => 0.0,
        };
        let evidence = Evidence {
            mean: best.mean_log_probability(),
            least: best.least(),
            behind_open: open_log_probability - best.mean_log_probability(),
        };
        let confidence = Probability::clamped(evidence.confidence(self.behind_open_half()));
        Some((SpokenOrder { text, intent: reading.intent, slots: reading.slots, confidence }, evidence))
    }
}

/// The open text as a sentence.
fn as_heard(open: &Written) -> Sentence {
    let log_probabilities = open.steps.iter().map(|step| step.log_probability).collect();
    Sentence { tokens: open.tokens(), score: 0.0, log_probabilities }
}

/// The effort that ends where a sentence, if all the rest of it were certain, would still lie further than `half` behind the open text.
fn believable(effort: &Effort, open: &Written, half: f32) -> Effort {
    let tokens = open.steps.len() + 1 + LONGER_MAX;
    Effort { sum_min: (open.mean_log_probability() - half) * tokens as f32, ..*effort }
}
