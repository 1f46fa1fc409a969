//! Names that were misspelt or misheard: one or two wrong letters, or other letters with the same sound, across the gaps between words.

use std::collections::HashMap;

use rphonetic::DoubleMetaphone;
use strsim::damerau_levenshtein;

use super::common::CommonWords;
use super::lexicon::Lexicon;
use super::reading::{Rank, Reading, keep_free};
use crate::domain::EntityKind;

/// Shorter phrases are only found exactly.
const LETTERS_MIN: usize = 5;
/// One wrong letter is forgiven where the longer of both has so many, and two where the shorter has.
const FORGIVEN_ONE: usize = 6;
const FORGIVEN_TWO: usize = 9;
/// Longer ones too.
const LETTERS_MAX: usize = 48;
/// Words of a sentence that are joined, at most; a name of three words may be heard as six.
const WORDS_MAX: usize = 6;
/// Two phrases sound alike only if there is something to hear: consonants of the code.
const SOUNDS_MIN: usize = 3;
/// Phrases that sound alike may differ in this share of their letters: "oat lee" and "oatly" in 2 of 6.
const SOUND_ALIKE: f64 = 0.34;

/// What is found though it was said a little differently. Roles and places are everyday words, and too near to others: "manage", "checked".
const FORGIVING: [EntityKind; 5] = [EntityKind::Product, EntityKind::Category, EntityKind::Brand, EntityKind::Allergen, EntityKind::Diet];

/// A phrase without its blanks.
#[derive(Debug)]
struct Joined {
    letters: String,
    count: usize,
    /// Which letters occur, a bit each: what differs in too many of them needs no closer look.
    mask: u32,
    phrase: String,
}

/// Finds phrases of the lexicon that are nearly what was said.
#[derive(Debug)]
pub(super) struct NearNames {
    by_count: HashMap<usize, Vec<Joined>>,
    /// Code of Double Metaphone to phrases, as places in `by_count`.
    by_sound: HashMap<String, Vec<(usize, usize)>>,
    sounds: DoubleMetaphone,
}

/// A find: what was meant, and how far from it the words are (0 is the same).
struct Near<'a> {
    phrase: &'a str,
    /// Wrong letters.
    wrong: usize,
    /// Their share, less where the sound is right.
    cost: f64,
}

impl NearNames {
    pub(super) fn new(lexicon: &Lexicon) -> Self {
        let sounds = DoubleMetaphone::new(None);
        let mut near = Self { by_count: HashMap::new(), by_sound: HashMap::new(), sounds };
        for phrase in lexicon.phrases() {
            let letters = phrase.replace(' ', "");
            let count = letters.chars().count();
            let is_catalogs = lexicon.meanings(phrase).iter().any(|(kind, _)| FORGIVING.contains(kind));
            if !is_catalogs || !(LETTERS_MIN..=LETTERS_MAX).contains(&count) {
                continue;
            }
            let place = (count, near.by_count.get(&count).map_or(0, Vec::len));
            for code in near.codes(&letters) {
                near.by_sound.entry(code).or_default().push(place);
            }
            let joined = Joined { mask: mask(&letters), letters, count, phrase: phrase.to_owned() };
            near.by_count.entry(count).or_default().push(joined);
        }
        near
    }

    /// Codes of what a phrase sounds like; none where there is too little to hear.
    ///
    /// # Source
    /// Double Metaphone: Philips, "The Double Metaphone Search Algorithm", C/C++ Users Journal 18(6), 2000.
    fn codes(&self, letters: &str) -> Vec<String> {
        if !letters.bytes().all(|b| b.is_ascii_lowercase()) {
            return Vec::new();
        }
        let coded = self.sounds.double_metaphone(letters);
        let mut codes = vec![coded.primary(), coded.alternate()];
        codes.dedup();
        codes.retain(|code| code.len() >= SOUNDS_MIN);
        codes
    }

    /// What the words name exactly but for the gaps between them: "blue berry muffin".
    pub(super) fn split_readings(&self, words: &[&str], lexicon: &Lexicon) -> Vec<Reading> {
        let mut found = Vec::new();
        for from in 0..words.len() {
            let mut letters = String::new();
            for to in from + 1..=(from + WORDS_MAX).min(words.len()) {
                letters.push_str(words[to - 1]);
                let same = self.by_count.get(&letters.chars().count()).into_iter().flatten();
                let own_mask = mask(&letters);
                let phrase = same.filter(|joined| joined.mask == own_mask).find(|joined| joined.letters == letters).map(|j| &j.phrase);
                if let Some(phrase) = phrase.filter(|phrase| **phrase != words[from..to].join(" ")) {
                    found.push(Reading { from, to, rank: Rank::Usual, meanings: lexicon.meanings(phrase).to_vec() });
                }
            }
        }
        found
    }

    /// What the words that are still free nearly name.
    pub(super) fn readings(&self, words: &[&str], taken: &[bool], lexicon: &Lexicon, common: &CommonWords) -> Vec<Reading> {
        let mut found: Vec<(f64, Reading)> = Vec::new();
        for from in 0..words.len() {
            let mut letters = String::new();
            for to in from + 1..=(from + WORDS_MAX).min(words.len()) {
                letters.push_str(words[to - 1]);
                if taken[to - 1] || letters.len() > LETTERS_MAX {
                    break;
                }
                if words[from..to].iter().all(|word| common.has(word)) {
                    continue;
                }
                let must_sound = common.has(words[from]) || common.has(words[to - 1]);
                let near = self.nearest(&letters, must_sound);
                found.extend(near.map(|near| {
                    let meanings = lexicon.meanings(near.phrase).to_vec();
                    (near.cost, Reading { from, to, rank: Rank::Last, meanings })
                }));
            }
        }
        // The nearest first, not the longest: "a capuccino" has more wrong letters than "capuccino".
        found.sort_by(|(a, one), (b, other)| {
            a.total_cmp(b).then((other.to - other.from).cmp(&(one.to - one.from))).then(one.from.cmp(&other.from))
        });
        keep_free(found.into_iter().map(|(_, reading)| reading).collect(), &mut taken.to_vec())
    }

    /// The nearest phrase. Where a frequent word is at an edge, the sounds must agree and nearly all letters: "all pro" may be "alpro",
    /// "my chase" is no "mochas".
    fn nearest(&self, letters: &str, must_sound: bool) -> Option<Near<'_>> {
        let count = letters.chars().count();
        if count < LETTERS_MIN {
            return None;
        }
        let by_sound =
            self.sounding_like(letters, count).filter(|near| !must_sound || near.wrong <= usize::from(count >= FORGIVEN_TWO) + 1);
        let by_letters = if must_sound { None } else { self.spelt_like(letters, count) };
        [by_sound, by_letters].into_iter().flatten().min_by(|a, b| a.cost.total_cmp(&b.cost).then(a.phrase.cmp(b.phrase)))
    }

    fn sounding_like(&self, letters: &str, count: usize) -> Option<Near<'_>> {
        let places = self.codes(letters).into_iter().filter_map(|code| self.by_sound.get(&code)).flatten();
        let near = places.filter_map(|(length, at)| {
            let joined = self.by_count.get(length)?.get(*at)?;
            let wrong = damerau_levenshtein(&joined.letters, letters);
            let share = wrong as f64 / joined.count.max(count) as f64;
            (share <= SOUND_ALIKE).then_some(Near { phrase: &joined.phrase, wrong, cost: share / 2.0 })
        });
        near.min_by(|a, b| a.cost.total_cmp(&b.cost).then(a.phrase.cmp(b.phrase)))
    }

    fn spelt_like(&self, letters: &str, count: usize) -> Option<Near<'_>> {
        let own_mask = mask(letters);
        let candidates = (count.saturating_sub(2)..=count + 2).filter_map(|n| self.by_count.get(&n)).flatten();
        let near = candidates.filter_map(|joined| {
            let forgiven = match (joined.count.min(count), joined.count.max(count)) {
                (FORGIVEN_TWO.., _) => 2,
                (_, FORGIVEN_ONE..) => 1,
                _ => 0,
            };
            // A letter changes two bits at most.
            let is_possible = (joined.mask ^ own_mask).count_ones() as usize <= 2 * forgiven && joined.count.abs_diff(count) <= forgiven;
            let wrong = if is_possible { damerau_levenshtein(&joined.letters, letters) } else { usize::MAX };
            // A word is hardly ever misheard in its first sound alone: "table" is not "cable".
            let begins_alike = joined.letters.chars().next() == letters.chars().next() || forgiven > 1;
            let cost = wrong as f64 / joined.count.max(count) as f64;
            (wrong <= forgiven && begins_alike).then_some(Near { phrase: &joined.phrase, wrong, cost })
        });
        near.min_by(|a, b| a.cost.total_cmp(&b.cost).then(a.phrase.cmp(b.phrase)))
    }
}

/// Which letters occur; all others share the last bit but one.
fn mask(letters: &str) -> u32 {
    letters.bytes().map(|b| 1_u32 << if b.is_ascii_lowercase() { b - b'a' } else { 30 }).fold(0, |mask, bit| mask | bit)
}
