//! What can be told about a grammar before anybody speaks to it.

use std::collections::HashSet;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::program::{Node, Program};
use super::reading::Path;
use super::states::StateId;
use super::{Grammar, Reading, TokenMask, ambiguity, normal_form};

/// Texts shown as examples of what can be read in two ways.
const AMBIGUITIES_SHOWN: usize = 5;
/// Candidates looked at for them.
const CANDIDATES_MAX: usize = 200;
/// Where the search has to give up, sentences drawn by chance are tried.
const SAMPLES_TRIED: usize = 300;
/// More examples are not drawn.
const SAMPLES_MAX: usize = 10_000;
/// Examples are the same at each run.
const SEED: u64 = 1;

/// What [`Grammar::report`] says.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Its name.
    pub name: String,
    /// Its intents, in the order of the file.
    pub intents: Vec<String>,
    /// Its slots, in the order of the file.
    pub slots: Vec<SlotValues>,
    /// How many texts it accepts; above 2^53 roughly.
    pub texts: f64,
    /// Characters of the longest.
    pub longest_chars: usize,
    /// Some of them, drawn by chance.
    pub samples: Vec<Sample>,
    /// Texts that can be read in two ways, the shortest first; at most a few.
    pub ambiguities: Vec<Ambiguity>,
    /// Whether there can be no others than those shown; the search has a bound.
    pub ambiguities_are_all: bool,
    /// Names that no sentence leads to.
    pub unused: Vec<String>,
    /// Places of the automaton before it is made deterministic.
    pub nodes: usize,
    /// States of the automaton over characters.
    pub states: usize,
    /// And its arcs.
    pub arcs: usize,
}

/// A slot and what it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotValues {
    /// Its name.
    pub name: String,
    /// The values; `None` where there are too many for a list.
    pub values: Option<Vec<String>>,
}

/// A sentence and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// What may be said.
    pub text: String,
    /// How it is read.
    pub reading: Reading,
}

/// A sentence that means two things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ambiguity {
    /// What may be said.
    pub text: String,
    /// The readings, the one that is taken first.
    pub readings: Vec<Reading>,
}

/// How large a grammar is in the tokens of a recogniser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenSize {
    /// States that rows of tokens lead to.
    pub states: usize,
    /// Allowed tokens of all of them.
    pub arcs: usize,
    /// States in which no token is allowed though the text may not end there: the vocabulary cannot spell what the grammar allows.
    pub dead_ends: usize,
}

impl Grammar {
    /// Looks at all of it. Takes a tenth of a second for the coffee bar, some seconds for lists of ten thousand words.
    pub fn report(&self, samples: usize) -> Report {
        let (ambiguities, ambiguities_are_all) = self.ambiguities();
        let mut seen = HashSet::new();
        let slots = self.slots.iter().zip(&self.slot_values);
        Report {
            name: self.name.clone(),
            intents: self.intents.iter().filter(|intent| seen.insert(*intent)).cloned().collect(),
            slots: slots.map(|(slot, values)| SlotValues { name: slot.name.clone(), values: values.clone() }).collect(),
            texts: self.states.texts(),
            longest_chars: self.states.longest().saturating_sub(1),
            samples: self.samples(samples, SEED),
            ambiguities,
            ambiguities_are_all,
            unused: self.unused.clone(),
            nodes: self.program.nodes.len(),
            states: self.states.len(),
            arcs: self.states.arcs_len(),
        }
    }

    /// Sentences drawn by chance, each way at a place being as likely as the others: fewer than `count` where there are no more.
    pub fn samples(&self, count: usize, seed: u64) -> Vec<Sample> {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut seen = HashSet::new();
        let mut samples = Vec::new();
        for _ in 0..count.min(SAMPLES_MAX).saturating_mul(8) {
            let (text, path) = drawn(&self.program, &mut rng);
            // Two hyphens or marks in a row can be written that are no text in normal form; another is drawn then.
            let is_text = self.states.walk(&text).is_some_and(|state| self.states.is_final(state));
            if samples.len() < count && is_text && seen.insert(text.clone()) {
                samples.push(Sample { text: shown(&text), reading: self.reading(&path) });
            }
        }
        samples
    }

    /// Texts with more than one reading, and whether these are all.
    fn ambiguities(&self) -> (Vec<Ambiguity>, bool) {
        let found = ambiguity::search(&self.program, &self.intents, CANDIDATES_MAX);
        let mut is_all = found.is_complete;
        let mut texts = found.texts;
        if !is_all {
            texts.extend(self.samples(SAMPLES_TRIED, SEED).iter().filter_map(|sample| normal_form(&sample.text)));
        }
        let mut ambiguities = Vec::new();
        for text in texts {
            let is_text = self.states.walk(&text).is_some_and(|state| self.states.is_final(state));
            let readings = if is_text { self.readings(&text) } else { Vec::new() };
            if readings.len() < 2 {
                // Its two ways mean the same, and may have hidden two others that do not.
                is_all = false;
            } else if ambiguities.len() < AMBIGUITIES_SHOWN {
                ambiguities.push(Ambiguity { text: shown(&text), readings });
            } else {
                is_all = false;
                break;
            }
        }
        (ambiguities, is_all)
    }

    /// Whether a text can be read in more than one way.
    pub fn is_ambiguous(&self, text: &str) -> bool {
        normal_form(text).is_some_and(|text| self.readings(&text).len() > 1)
    }
}

/// Walks all states that tokens lead to.
pub fn token_size(mask: &mut TokenMask) -> TokenSize {
    let mut size = TokenSize { states: 0, arcs: 0, dead_ends: 0 };
    let mut seen: HashSet<StateId> = HashSet::from([mask.start()]);
    let mut open = vec![mask.start()];
    while let Some(state) = open.pop() {
        let allowed = mask.allowed(state);
        size.states += 1;
        size.arcs += allowed.tokens.len();
        size.dead_ends += usize::from(allowed.tokens.is_empty() && !allowed.is_final);
        open.extend(allowed.tokens.iter().map(|token| token.1).filter(|next| seen.insert(*next)));
    }
    size
}

fn drawn(program: &Program, rng: &mut StdRng) -> (Vec<u8>, Path) {
    let mut text = Vec::new();
    let mut tags = Vec::new();
    let mut at = program.start;
    loop {
        at = match program.node(at) {
            Node::Byte(byte, next) => {
                text.push(*byte);
                *next
            }
            Node::Split(ways) => ways[rng.random_range(0..ways.len())],
            Node::Tag(tag, next) => {
                tags.push(*tag);
                *next
            }
            Node::Accept(sentence) => return (text, Path { sentence: *sentence, tags }),
        };
    }
}

/// A text in normal form as people read it.
fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).trim().to_owned()
}
