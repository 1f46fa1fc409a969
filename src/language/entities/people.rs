use super::common::CommonWords;
use super::lexicon::Lexicon;
use super::reading::{Rank, Reading};
use super::sentence::Sentence;
use crate::domain::EntityKind;
use crate::language::spoken::numbers;

/// Before these words stands a person who is asked for.
const CUES: [&[&str]; 13] = [
    &["speak", "to"],
    &["speak", "with"],
    &["talk", "to"],
    &["talk", "with"],
    &["ask", "for"],
    &["asking", "for"],
    &["asked", "for"],
    &["looking", "for"],
    &["appointment", "with"],
    &["meeting", "with"],
    &["see"],
    &["meet"],
    &["fetch"],
];
const TITLES: [&str; 9] = ["mr", "mister", "mrs", "ms", "miss", "dr", "doctor", "professor", "sir"];
/// Words after a name that nobody took for a part of it.
const BEHIND: [&str; 12] = ["please", "about", "today", "tomorrow", "now", "again", "on", "at", "and", "is", "or", "because"];
/// Words of a name, at most: "Maria Lopez".
const NAME_WORDS_MAX: usize = 2;
const PLACE_NUMBER_MAX: u64 = 999;

/// People by their names ("Maria from the bakery", "Doctor Weber"), and numbered places ("aisle five"). Roles and places themselves are
/// in the shop's lists.
pub(super) fn readings(sentence: &Sentence<'_>, words: &[&str], lexicon: &Lexicon, common: &CommonWords) -> Vec<Reading> {
    let context = Context { sentence, words, lexicon, common };
    (0..words.len()).flat_map(|at| [context.person(at), context.numbered_place(at)]).flatten().collect()
}

struct Context<'a, 't> {
    sentence: &'a Sentence<'t>,
    words: &'a [&'a str],
    lexicon: &'a Lexicon,
    common: &'a CommonWords,
}

impl Context<'_, '_> {
    fn person(&self, at: usize) -> Option<Reading> {
        let has_title = TITLES.contains(&self.words[at]);
        let name_at = at + usize::from(has_title);
        let count = (name_at..self.words.len().min(name_at + NAME_WORDS_MAX)).take_while(|at| self.can_name(*at)).count();
        let is_cued = CUES.iter().any(|cue| at >= cue.len() && self.words[at - cue.len()..at] == **cue);
        // The longest name first: of two words, then of one.
        (1..=count).rev().find_map(|count| {
            let end = name_at + count;
            let place = self.place_behind(end);
            let is_written_as_name = (name_at..end).all(|at| self.sentence.is_name_like(at));
            let stands_alone = self.words.get(end).is_none_or(|word| BEHIND.contains(word)) && is_cued;
            // "Maria from the bakery, please" and nothing else.
            let is_all = at == 0 && place.as_ref().is_some_and(|(_, end)| matches!(self.words[*end..], [] | ["please"]));
            let is_named = is_written_as_name && (is_cued || place.is_some());
            if !(has_title || is_named || is_all || is_cued && place.is_some() || stands_alone) {
                return None;
            }
            let name = self.sentence.said(at, end);
            let (value, end) = match place {
                Some((place, end)) => (format!("{name}, {place}"), end),
                None => (name.to_owned(), end),
            };
            Some(Reading::of(at, end - at, Rank::Certain, EntityKind::Person, value))
        })
    }

    /// A word that may be a name: it means nothing else here.
    fn can_name(&self, at: usize) -> bool {
        let word = self.words[at];
        let is_word = word.chars().count() >= 2 && word.chars().all(|c| c.is_alphabetic() || c == '\'');
        is_word && !self.common.has(word) && self.lexicon.at(&self.words[at..]).is_none() && numbers::number_at(&self.words[at..]).is_none()
    }

    /// "from the bakery": the place, and the word behind it.
    fn place_behind(&self, at: usize) -> Option<(String, usize)> {
        let from = match self.words.get(at..)? {
            ["from" | "in" | "at" | "of", "the", ..] => at + 2,
            ["from" | "in" | "at" | "of", ..] => at + 1,
            _ => return None,
        };
        let (meanings, used) = self.lexicon.at(&self.words[from..])?;
        let place = meanings.iter().find(|(kind, _)| *kind == EntityKind::Place)?;
        Some((place.1.clone(), from + used))
    }

    /// "aisle five", "gate number 12". Behind the number nothing stands that it could count.
    fn numbered_place(&self, at: usize) -> Option<Reading> {
        let (meanings, used) = self.lexicon.at(&self.words[at..])?;
        let (_, place) = meanings.iter().find(|(kind, _)| *kind == EntityKind::Place)?;
        let joint = usize::from(self.words.get(at + used) == Some(&"number"));
        let rest = self.words.get(at + used + joint..)?;
        let number = numbers::number_at(rest).filter(|number| !number.is_ordinal && number.value <= PLACE_NUMBER_MAX)?;
        let counts_something = self.lexicon.at(&rest[number.words..]).is_some();
        let value = format!("{place} {}", number.value);
        (!counts_something).then(|| Reading::of(at, used + joint + number.words, Rank::Certain, EntityKind::Place, value))
    }
}
