use std::collections::{BTreeMap, HashMap};

use super::common::CommonWords;
use super::inflection::inflected;
use super::lexicon::Lexicon;
use super::reading::{Rank, Reading};
use super::sentence::normal;
use crate::domain::{Catalog, EntityKind};
use crate::language::spoken::quantities::{self, Quantity, Unit};

/// Longest name of a shop's own unit, in words.
const UNIT_WORDS_MAX: usize = 3;
/// A number in so many digits is read out or printed somewhere: an order's number, and not how many.
const DIGITS_OF_NUMBER: usize = 3;
const THOUSANDTHS: u64 = 1_000;

/// How many and how much: "two", "a dozen", "half a pound", "three bags", and sizes of the catalog such as "1 litre".
#[derive(Debug)]
pub(super) struct Amounts {
    /// What the shop counts, by how it is said.
    units: HashMap<String, String>,
    /// Measured sizes of products, as the catalog writes them.
    sizes: Vec<(Quantity, String)>,
}

/// An amount at the beginning of some words.
struct Amount {
    thousandths: u64,
    words: usize,
    /// "a": it counts only with a unit behind it.
    is_article: bool,
}

/// The unit behind an amount.
enum Counted {
    Measured(Unit),
    Shops(String),
}

impl Amounts {
    pub(super) fn new(catalog: &Catalog, unit: &BTreeMap<String, Vec<String>>) -> Self {
        let mut units = HashMap::new();
        for (value, said) in unit {
            for phrase in said.iter().map(|phrase| normal(phrase)) {
                for other in inflected(&phrase) {
                    units.entry(other).or_insert_with(|| value.clone());
                }
                units.insert(phrase, value.clone());
            }
        }
        let mut sizes: Vec<(Quantity, String)> = Vec::new();
        for size in catalog.products().iter().filter_map(|product| product.size.as_ref()) {
            if let Some(quantity) = quantities::quantity(size).filter(|quantity| !sizes.iter().any(|(known, _)| known.equals(*quantity))) {
                sizes.push((quantity, size.clone()));
            }
        }
        Self { units, sizes }
    }

    /// Whether the words begin with something that is counted.
    pub(super) fn has_unit(&self, words: &[&str]) -> bool {
        self.counted(words).is_some()
    }

    pub(super) fn readings(&self, words: &[&str], lexicon: &Lexicon, common: &CommonWords) -> Vec<Reading> {
        (0..words.len()).filter_map(|at| self.reading(words, at, lexicon, common)).collect()
    }

    fn reading(&self, words: &[&str], at: usize, lexicon: &Lexicon, common: &CommonWords) -> Option<Reading> {
        let amount = amount_at(&words[at..])?;
        let mut used = amount.words;
        let mut thousandths = amount.thousandths;
        let rest = |used: usize| words.get(at + used..).unwrap_or(&[]);
        let is_dozen = rest(used).first() == Some(&"dozen");
        if is_dozen {
            (thousandths, used) = (thousandths.checked_mul(12)?, used + 1);
        }
        let behind = |used: usize| rest(used).first().copied();
        match self.counted(rest(used)) {
            Some((counted, unit_words)) => {
                let is_of = behind(used + unit_words) == Some("of");
                let is_last = behind(used + unit_words).is_none();
                match counted {
                    Counted::Measured(unit) => {
                        // "a l": a unit of one letter is written behind digits only.
                        if amount.is_article && rest(used).first().is_some_and(|word| word.len() < 2) {
                            return None;
                        }
                        let quantity = Quantity { thousandths, unit };
                        let size = self.sizes.iter().find(|(known, _)| known.equals(quantity)).filter(|_| !is_of && !is_last);
                        let (kind, value) = match size {
                            Some((_, size)) => (EntityKind::Size, size.clone()),
                            None => (EntityKind::Quantity, format!("{} {}", decimal(thousandths), unit.written())),
                        };
                        let rank = if is_of { Rank::Certain } else { Rank::Usual };
                        Some(Reading::of(at, used + unit_words, rank, kind, value))
                    }
                    Counted::Shops(unit) => {
                        let is_counted = !amount.is_article || is_of || is_last;
                        let value = format!("{} {unit}", decimal(thousandths));
                        is_counted.then(|| Reading::of(at, used + unit_words, Rank::Usual, EntityKind::Quantity, value))
                    }
                }
            }
            None if amount.is_article && !is_dozen => None,
            None => {
                let is_share = matches!(behind(used), Some("%" | "percent" | "per")) || behind(used) == Some("/");
                let is_number = used == 1 && words[at].len() >= DIGITS_OF_NUMBER && words[at].bytes().all(|b| b.is_ascii_digit());
                let names_next = lexicon.at(rest(used)).is_some();
                let is_pronoun = used == 1 && words[at] == "one" && !counts(words, at, names_next, common);
                let is_plain = !is_share && !is_pronoun && (!is_number || names_next);
                is_plain.then(|| Reading::of(at, used, Rank::Usual, EntityKind::Quantity, decimal(thousandths)))
            }
        }
    }

    /// The unit at the beginning of the words, and how many of them it takes.
    fn counted(&self, words: &[&str]) -> Option<(Counted, usize)> {
        for length in (1..=UNIT_WORDS_MAX.min(words.len())).rev() {
            if let Some(unit) = self.units.get(&words[..length].join(" ")) {
                return Some((Counted::Shops(unit.clone()), length));
            }
        }
        words.first().and_then(|word| quantities::unit_of(word)).map(|unit| (Counted::Measured(unit), 1))
    }
}

/// Whether "one" is a number here, and not a thing: "the green one", "this one".
fn counts(words: &[&str], at: usize, names_next: bool, common: &CommonWords) -> bool {
    const ASKING: [&str; 13] = ["just", "only", "take", "have", "get", "need", "want", "like", "order", "add", "buy", "make", "maybe"];
    let before = at.checked_sub(1).map(|before| words[before]);
    let is_pointed_at = before.is_some_and(|word| {
        matches!(word, "the" | "this" | "that" | "other" | "another" | "which" | "each" | "every" | "no" | "any" | "a" | "some")
    });
    let next = words.get(at + 1).copied();
    let is_before_noun = names_next || next.is_some_and(|word| !common.has(word));
    let is_answer = before.is_none() && next.is_none_or(|word| word == "please");
    !is_pointed_at && (is_before_noun || is_answer || before.is_some_and(|word| ASKING.contains(&word)))
}

fn amount_at(words: &[&str]) -> Option<Amount> {
    let amount = |thousandths, words, is_article| Some(Amount { thousandths, words, is_article });
    match words {
        ["a" | "one", "couple" | "pair", "of", ..] => return amount(2 * THOUSANDTHS, 3, false),
        ["couple" | "pair", "of", ..] => return amount(2 * THOUSANDTHS, 2, false),
        ["half", "a" | "an", ..] | ["a", "half", ..] | ["1", "/", "2", ..] => {
            return amount(500, if words[0] == "1" { 3 } else { 2 }, true);
        }
        ["a", "quarter", "of", "a", ..] => return amount(250, 4, true),
        ["quarter", "of", "a", ..] => return amount(250, 3, true),
        ["a", "quarter", ..] => return amount(250, 2, true),
        ["1", "/", "4", ..] => return amount(250, 3, true),
        ["three", "quarters", "of", "a", ..] => return amount(750, 4, true),
        ["3", "/", "4", ..] => return amount(750, 3, true),
        ["half" | "½", ..] => return amount(500, 1, true),
        ["¼", ..] => return amount(250, 1, true),
        ["¾", ..] => return amount(750, 1, true),
        _ => {}
    }
    if let Some((thousandths, rest)) = quantities::amount(words) {
        return amount(thousandths, words.len() - rest.len(), false);
    }
    match words {
        ["a" | "an", ..] => amount(THOUSANDTHS, 1, true),
        _ => None,
    }
}

/// 1500 is "1.5".
fn decimal(thousandths: u64) -> String {
    let (whole, part) = (thousandths / THOUSANDTHS, thousandths % THOUSANDTHS);
    if part == 0 { whole.to_string() } else { format!("{whole}.{}", format!("{part:03}").trim_end_matches('0')) }
}
