//! Words with their places and how sure they are, from the tokens that spell them.

use super::decode::Written;
use super::vocabulary::Vocabulary;
use crate::domain::{Probability, Word};

/// One unit of the encoder, in milliseconds.
const UNIT_MS: u32 = 20;
/// The longest that a word may take, in units: 2.4 s.
const WORD_UNITS_MAX: usize = 120;
/// English is spoken at some 15 letters a second, and short words take their time, in units.
const USUAL_UNITS: f32 = 4.0;
const USUAL_UNITS_A_LETTER: f32 = 3.0;
/// How much lengths differ, as a natural logarithm.
const LENGTH_DEVIATION: f32 = 0.5;

/// A run of tokens that spell one word.
struct Spelling {
    text: String,
    from: usize,
    to: usize,
}

/// The words of what was written. A word ends where the decoder would end the text behind it; among all ways to place the ends in order,
/// the likeliest one is taken. No attention is looked at, so this costs nothing, and words are placed to about a tenth of a second.
pub fn words(written: &Written, vocabulary: &Vocabulary, units: usize, confidence: impl Fn(&[f32]) -> f32) -> Vec<Word> {
    let spellings = spellings(written, vocabulary);
    let ends = ends(written, &spellings, units);
    let mut begin = written.segments.first().map_or(0, |stretch| stretch.from);
    let mut words = Vec::with_capacity(spellings.len());
    for (spelling, end) in spellings.into_iter().zip(ends) {
        let scores: Vec<f32> = written.steps[spelling.from..spelling.to].iter().map(|step| step.log_probability).collect();
        // Behind a pause a stretch of its own begins.
        let stretch = written.segments.iter().find(|stretch| spelling.from < stretch.tokens_to);
        let start = stretch.map_or(begin, |stretch| begin.max(stretch.from)).min(end);
        let ms = |units: usize| u32::try_from(units).unwrap_or(u32::MAX).saturating_mul(UNIT_MS);
        words.push(Word {
            text: spelling.text,
            start_ms: ms(start),
            end_ms: ms(end),
            confidence: Probability::clamped(confidence(&scores)),
        });
        begin = end;
    }
    words
}

/// Groups tokens into words: one begins with a blank.
fn spellings(written: &Written, vocabulary: &Vocabulary) -> Vec<Spelling> {
    let mut groups: Vec<(usize, usize)> = Vec::new();
    for (at, step) in written.steps.iter().enumerate() {
        let begins = vocabulary.bytes(step.token).first().is_none_or(|byte| *byte == b' ');
        match groups.last_mut().filter(|_| !begins) {
            Some(group) => group.1 = at + 1,
            None => groups.push((at, at + 1)),
        }
    }
    let spelling = |(from, to): (usize, usize)| {
        let tokens: Vec<_> = written.steps[from..to].iter().map(|step| step.token).collect();
        Spelling { text: vocabulary.text(&tokens).trim().to_owned(), from, to }
    };
    groups.into_iter().map(spelling).filter(|spelling| !spelling.text.is_empty()).collect()
}

/// Ends in units, by what the decoder says and by how long a word of so many letters takes.
fn ends(written: &Written, spellings: &[Spelling], units: usize) -> Vec<usize> {
    let places = units + 1;
    let begin = written.segments.first().map_or(0, |stretch| stretch.from.min(units));
    // best[t]: how likely the words so far are if the last of them ends at t; came[word][t]: where the word before ended.
    let mut best = vec![f32::NEG_INFINITY; places];
    best[begin] = 0.0;
    let mut came: Vec<Vec<usize>> = Vec::with_capacity(spellings.len());
    for spelling in spellings {
        let scores = &written.steps[spelling.to - 1].end_times;
        let usual = USUAL_UNITS + USUAL_UNITS_A_LETTER * spelling.text.len() as f32;
        let lengths: Vec<f32> = (0..=WORD_UNITS_MAX).map(|length| length_score(length, usual)).collect();
        let (mut next, mut from) = (vec![f32::NEG_INFINITY; places], vec![begin; places]);
        for end in begin..places {
            let starts = end.saturating_sub(WORD_UNITS_MAX).max(begin)..=end;
            let came_from = starts.map(|start| (start, best[start] + lengths[end - start])).max_by(|a, b| a.1.total_cmp(&b.1));
            let (start, score) = came_from.unwrap_or((begin, f32::NEG_INFINITY));
            // Where the decoder did not say, as behind text that stood already, every place is as good.
            next[end] = score + scores.get(end).copied().unwrap_or(0.0).max(-30.0);
            from[end] = start;
        }
        best = next;
        came.push(from);
    }
    let last = (0..places).max_by(|a, b| best[*a].total_cmp(&best[*b])).unwrap_or(begin);
    let mut ends = vec![last; spellings.len()];
    for at in (1..spellings.len()).rev() {
        ends[at - 1] = came[at][ends[at].min(units)];
    }
    ends
}

/// How usual a length is, on a scale of logarithms: half or double is one deviation and a half.
fn length_score(length: usize, usual: f32) -> f32 {
    let deviation = ((length as f32 + 0.5) / usual).ln() / LENGTH_DEVIATION;
    -0.5 * deviation * deviation
}
