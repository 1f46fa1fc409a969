//! Closed decoding: the likeliest sentence of a grammar, best hypothesis first over the states of its automaton.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashSet};

use super::SpeechError;
use super::grammar::{StateId, TokenMask};
use super::scores::log_sum_exp;
use super::whisper::{State, Token};

/// How the search goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effort {
    /// Of the probability that a step gives to tokens that the grammar forbids, this share is forgiven (1: all of it, as if the decoder
    /// knew of nothing else). With none a misheard word costs so much that it is cheapest to end early.
    pub forgiven: f32,
    /// What a token is worth for being there: without it the shortest sentence wins.
    pub length_bonus: f32,
    /// Ways to go on from one hypothesis that are looked at.
    pub ways: usize,
    /// Tokens by which another sentence may be longer than the best one found.
    pub longer: usize,
    /// Tokens put through the decoder, at most; after that the best sentence found so far is taken.
    pub tokens_in_all: usize,
    /// Longest sentence, in tokens.
    pub tokens_max: usize,
    /// Sum of a sentence's log-probabilities below which it is not followed to its end, for nobody would believe it.
    pub sum_min: f32,
}

impl Default for Effort {
    fn default() -> Self {
        Self { forgiven: 0.75, length_bonus: 0.5, ways: 12, longer: 2, tokens_in_all: 600, tokens_max: 40, sum_min: f32::NEG_INFINITY }
    }
}

/// A sentence of the grammar.
#[derive(Debug, Clone, PartialEq)]
pub struct Sentence {
    /// Its tokens, without the end.
    pub tokens: Vec<Token>,
    /// What the search ranks by.
    pub score: f32,
    /// Log-probability of each token and of the end, among all tokens.
    pub log_probabilities: Vec<f32>,
}

impl Sentence {
    /// Mean log-probability of its tokens: far below that of open speech where it is not what was said.
    pub fn mean_log_probability(&self) -> f32 {
        self.log_probabilities.iter().sum::<f32>() / self.log_probabilities.len().max(1) as f32
    }

    /// The lowest mean over two tokens in a row.
    pub fn least(&self) -> f32 {
        let pairs = self.log_probabilities.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0);
        pairs.fold(0.0, f32::min)
    }
}

/// The beginning of a sentence.
struct Hypothesis {
    tokens: Vec<Token>,
    state: StateId,
    score: f32,
    log_probabilities: Vec<f32>,
}

impl PartialEq for Hypothesis {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Hypothesis {}
impl PartialOrd for Hypothesis {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Hypothesis {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then_with(|| other.tokens.cmp(&self.tokens))
    }
}

/// The sentences of the grammar that the encoded sound may be, best first. `prompt` is the one without timestamps.
///
/// The best hypothesis is followed to its end first, one token a step, which costs what open decoding costs; then others are taken up
/// again as long as they may still win. whisper.cpp keeps one row of tokens, so going back costs the tokens behind the fork: a beam
/// that goes forward on all hypotheses at once pays that at every step, this search once a fork.
pub fn search(
    state: &mut State,
    mask: &mut TokenMask,
    prompt: &[Token],
    effort: &Effort,
    is_abandoned: &dyn Fn() -> bool,
) -> Result<Vec<Sentence>, SpeechError> {
    let end_of_text = state.vocabulary().marks().end_of_text;
    let weights = state.weights();
    let mut open = BinaryHeap::from([Hypothesis { tokens: Vec::new(), state: mask.start(), score: 0.0, log_probabilities: Vec::new() }]);
    let mut done: Vec<Sentence> = Vec::new();
    let mut known = HashSet::new();
    let mut spent = 0;
    let mut fed: Vec<Token> = Vec::new();
    while let Some(hypothesis) = open.pop() {
        if is_abandoned() {
            return Err(SpeechError::Abandoned);
        }
        if spent >= effort.tokens_in_all {
            break;
        }
        // What comes next in line has a worse score, but may be farther from its end.
        if best_of(&done).is_some_and(|best| !may_win(&hypothesis, best, effort)) {
            continue;
        }
        // Two spellings of the same words that go on in the same way: the likelier one, which came first, stands for both.
        if !known.insert((hypothesis.state, plain(&weights.vocabulary().text(&hypothesis.tokens)))) {
            continue;
        }
        let common = hypothesis.tokens.iter().zip(&fed).take_while(|(a, b)| a == b).count();
        spent += (hypothesis.tokens.len() - common).max(1);
        let sequence = [prompt, &hypothesis.tokens].concat();
        let logits = state.logits(&sequence)?;
        grow(&hypothesis, logits, mask, effort, end_of_text, &mut open, &mut done);
        fed = hypothesis.tokens;
    }
    done.sort_by(|a, b| b.score.total_cmp(&a.score));
    Ok(done)
}

fn best_of(done: &[Sentence]) -> Option<&Sentence> {
    done.iter().max_by(|a, b| a.score.total_cmp(&b.score))
}

/// Whether a hypothesis would win if all that it lacks were heard without a doubt, and it became little longer than the best.
fn may_win(hypothesis: &Hypothesis, best: &Sentence, effort: &Effort) -> bool {
    let missing = (best.tokens.len() + 1 + effort.longer).saturating_sub(hypothesis.tokens.len()).max(1);
    hypothesis.score + effort.length_bonus * missing as f32 > best.score
}

/// Words without what spelling adds to them.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// All that may follow one hypothesis.
fn grow(
    from: &Hypothesis,
    logits: &[f32],
    mask: &mut TokenMask,
    effort: &Effort,
    end_of_text: Token,
    open: &mut BinaryHeap<Hypothesis>,
    done: &mut Vec<Sentence>,
) {
    let allowed = mask.allowed(from.state);
    let total = log_sum_exp(logits);
    let log_probability = |token: u32| logits.get(token as usize).map_or(f32::NEG_INFINITY, |score| score - total);
    let mut scores: Vec<f32> = allowed.tokens.iter().map(|&(token, _)| log_probability(token)).collect();
    let end = log_probability(end_of_text as u32);
    if allowed.is_final {
        scores.push(end);
    }
    let forgiven = effort.forgiven * log_sum_exp(&scores);
    let score = |log_probability: f32| from.score + log_probability - forgiven + effort.length_bonus;
    if allowed.is_final {
        let log_probabilities = [&from.log_probabilities[..], &[end]].concat();
        done.push(Sentence { tokens: from.tokens.clone(), score: score(end), log_probabilities });
        scores.pop();
    }
    if from.tokens.len() >= effort.tokens_max {
        return;
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    let few = effort.ways.min(order.len());
    if few > 0 && few < order.len() {
        order.select_nth_unstable_by(few - 1, |a, b| scores[*b].total_cmp(&scores[*a]));
    }
    let sum: f32 = from.log_probabilities.iter().sum();
    for &at in order[..few].iter().filter(|at| sum + scores[**at] >= effort.sum_min) {
        let (token, state) = allowed.tokens[at];
        let tokens = [&from.tokens[..], &[token as Token]].concat();
        let log_probabilities = [&from.log_probabilities[..], &scores[at..=at]].concat();
        open.push(Hypothesis { tokens, state, score: score(scores[at]), log_probabilities });
    }
}
