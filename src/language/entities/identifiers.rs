use super::reading::{Rank, Reading};
use super::sentence::{Sentence, normal};
use crate::domain::EntityKind;
use crate::language::spoken::{numbers, spelling};

/// Fewer digits are a quantity.
const DIGITS_MIN: usize = 3;
/// Longest number read out, in words, and longest code that is spelt.
const RUN_WORDS_MAX: usize = 24;
const CODE_WORDS_MAX: usize = 12;
/// Words that may stand between "order" and its number.
const FILLERS: [&str; 13] = ["number", "no", "nr", "#", "is", "it", "the", "my", "with", "code", "reference", "id", "ending"];

/// Numbers of orders and of customers, read out digit by digit ("double five", "four one seven") or printed. Values are the digits; a code
/// with letters is in lower case.
#[derive(Debug)]
pub(super) struct Identifiers {
    /// What may stand before a number, in words, and what number that makes it.
    cues: Vec<(Vec<String>, EntityKind)>,
}

impl Identifiers {
    pub(super) fn new(order: &[String], customer: &[String]) -> Self {
        let cue = |kind: EntityKind| move |phrase: &String| (normal(phrase).split(' ').map(str::to_owned).collect::<Vec<_>>(), kind);
        let cues = order.iter().map(cue(EntityKind::OrderNumber)).chain(customer.iter().map(cue(EntityKind::CustomerNumber)));
        Self { cues: cues.filter(|(words, _)| words.iter().all(|word| !word.is_empty())).collect() }
    }

    pub(super) fn readings(&self, sentence: &Sentence<'_>, words: &[&str]) -> Vec<Reading> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < words.len() {
            let cued = self.cue_before(words, at);
            let reading = cued.and_then(|kind| code(sentence, words, at, kind)).or_else(|| digits(words, at, cued));
            at = reading.as_ref().map_or(at + 1, |reading| reading.to);
            found.extend(reading);
        }
        found
    }

    /// What kind of number was announced before this word.
    fn cue_before(&self, words: &[&str], at: usize) -> Option<EntityKind> {
        let mut before = at;
        loop {
            let ends_here =
                |cue: &&(Vec<String>, EntityKind)| before >= cue.0.len() && cue.0.iter().eq(words[before - cue.0.len()..before].iter());
            if let Some((_, kind)) = self.cues.iter().filter(ends_here).max_by_key(|(cue, _)| cue.len()) {
                return Some(*kind);
            }
            before = before.checked_sub(1).filter(|before| FILLERS.contains(&words[*before]))?;
        }
    }
}

fn digits(words: &[&str], at: usize, cued: Option<EntityKind>) -> Option<Reading> {
    let rest = &words[at..(at + RUN_WORDS_MAX).min(words.len())];
    let (digits, used) = numbers::run_at(rest)?;
    // "two hundred" is how many, "two double oh" and "200" are a number.
    let is_cardinal = used > 1 && numbers::number_at(rest).is_some_and(|number| number.words == used);
    let is_read_out = cued.is_some() && used > 1 && !is_cardinal;
    if digits.len() < DIGITS_MIN && !is_read_out {
        return None;
    }
    match cued {
        Some(kind) => Some(Reading::of(at, used, Rank::Certain, kind, digits)),
        None if is_cardinal => None,
        // "two ninety nine" is a price, so that a number of which nobody said what it is comes after it.
        None => Some(Reading::of(at, used, Rank::Last, EntityKind::Number, digits)),
    }
}

/// A code of letters and digits: "g h eight two one".
fn code(sentence: &Sentence<'_>, words: &[&str], at: usize, kind: EntityKind) -> Option<Reading> {
    (2..=CODE_WORDS_MAX.min(words.len() - at)).rev().find_map(|length| {
        let code = spelling::spelt(sentence.said(at, at + length))?;
        let is_mixed =
            code.len() >= DIGITS_MIN && code.bytes().any(|b| b.is_ascii_digit()) && code.bytes().any(|b| b.is_ascii_alphabetic());
        is_mixed.then(|| Reading::of(at, length, Rank::Certain, kind, code))
    })
}
