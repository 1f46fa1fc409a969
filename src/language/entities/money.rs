use super::reading::{Rank, Reading};
use crate::domain::{EntityKind, PriceCents};
use crate::language::spoken::{numbers, prices};

/// Longest price, in words: "one hundred and five pounds and ninety nine pence".
const PRICE_WORDS_MAX: usize = 9;
/// What is said before a price that is a limit, and how the value tells it.
const BOUNDS: [(&[&str], &str); 18] = [
    (&["no", "more", "than"], "<="),
    (&["not", "more", "than"], "<="),
    (&["at", "most"], "<="),
    (&["up", "to"], "<="),
    (&["maximum"], "<="),
    (&["max"], "<="),
    (&["less", "than"], "<"),
    (&["cheaper", "than"], "<"),
    (&["lower", "than"], "<"),
    (&["under"], "<"),
    (&["below"], "<"),
    (&["at", "least"], ">="),
    (&["more", "than"], ">"),
    (&["over"], ">"),
    (&["above"], ">"),
    (&["about"], "~"),
    (&["around"], "~"),
    (&["roughly"], "~"),
];
/// A number alone behind one of these limits is a price: "something under five".
const BARE_BOUNDS: [&str; 2] = ["<", "<="];
/// Words before "two fifty" that make it a price.
const PRICE_CUES: [&str; 12] = ["for", "cost", "costs", "price", "pay", "paid", "charge", "charged", "is", "was", "only", "per"];

/// Prices and limits of price. Values are cents of the shop's currency, with "<", "<=", ">", ">=" or "~" (about) before a limit, and two
/// of them parted by ".." for a range.
#[derive(Debug)]
pub(super) struct Money {
    currency: Vec<String>,
}

/// A price at the beginning of some words.
struct Price {
    cents: u32,
    words: usize,
    /// A currency, a sign or a decimal point leaves no doubt.
    is_sure: bool,
}

impl Money {
    pub(super) fn new(currency: &[String]) -> Self {
        let mut words: Vec<String> = currency.iter().map(|word| word.to_lowercase()).collect();
        let singular: Vec<String> =
            words.iter().filter_map(|word| word.strip_suffix('s')).filter(|w| w.len() > 2).map(str::to_owned).collect();
        words.extend(singular);
        Self { currency: words }
    }

    /// `is_noun` tells whether words begin with something that is counted: behind it "two fifty" is no price.
    pub(super) fn readings(&self, words: &[&str], is_noun: &dyn Fn(&[&str]) -> bool) -> Vec<Reading> {
        (0..words.len()).flat_map(|at| [self.price(words, at, is_noun), self.limit(words, at), self.range(words, at)]).flatten().collect()
    }

    fn price(&self, words: &[&str], at: usize, is_noun: &dyn Fn(&[&str]) -> bool) -> Option<Reading> {
        let price = self.price_at(&words[at..])?;
        let behind = words.get(at + price.words..).unwrap_or(&[]);
        let is_after_cue = (1..=2).any(|back| at.checked_sub(back).is_some_and(|before| PRICE_CUES.contains(&words[before])));
        if !price.is_sure && is_noun(behind) {
            return None;
        }
        let rank = if price.is_sure || is_after_cue { Rank::Certain } else { Rank::Usual };
        Some(Reading::of(at, price.words, rank, EntityKind::Price, price.cents.to_string()))
    }

    fn limit(&self, words: &[&str], at: usize) -> Option<Reading> {
        let (bound, sign) = BOUNDS.iter().find(|(bound, _)| words[at..].starts_with(bound))?;
        let rest = &words[at + bound.len()..];
        let (cents, used) = match self.price_at(rest) {
            Some(price) => (price.cents, price.words),
            None => {
                let number = numbers::number_at(rest).filter(|number| !number.is_ordinal && BARE_BOUNDS.contains(sign))?;
                let is_end = rest.get(number.words).is_none_or(|word| matches!(*word, "please" | "if" | "or" | "and"));
                (u32::try_from(number.value.checked_mul(100)?).ok().filter(|_| is_end)?, number.words)
            }
        };
        Some(Reading::of(at, bound.len() + used, Rank::Certain, EntityKind::Price, format!("{sign}{cents}")))
    }

    /// "between two and three euros", "from 5 to 10 euros".
    fn range(&self, words: &[&str], at: usize) -> Option<Reading> {
        let joint = match words[at] {
            "between" => "and",
            "from" => "to",
            _ => return None,
        };
        let rest = &words[at + 1..];
        let middle = rest.iter().take(PRICE_WORDS_MAX).position(|word| *word == joint)?;
        let upper = self.price_at(&rest[middle + 1..]).filter(|price| price.is_sure)?;
        let low = &rest[..middle];
        let lower = self.price_at(low).filter(|price| price.words == low.len()).map(|price| price.cents).or_else(|| {
            let number = numbers::number_at(low).filter(|number| number.words == low.len() && !number.is_ordinal)?;
            u32::try_from(number.value.checked_mul(100)?).ok()
        })?;
        let value = format!("{lower}..{}", upper.cents);
        Some(Reading::of(at, 2 + middle + upper.words, Rank::Certain, EntityKind::Price, value))
    }

    fn price_at(&self, words: &[&str]) -> Option<Price> {
        let first = words.first()?;
        let can_begin = prices::is_sign(first) || *first == "a" || first.starts_with(|c: char| c.is_ascii_digit());
        if !can_begin && numbers::number_at(words).is_none() {
            return None;
        }
        let is_shops = |word: &str| self.currency.iter().any(|known| known == word);
        (1..=PRICE_WORDS_MAX.min(words.len())).rev().find_map(|length| {
            let said = &words[..length];
            let PriceCents(cents) = prices::price_of_words(said, &is_shops)?;
            // "2.5" may be litres; "2.99" is a price.
            let is_decimal = length == 1 && first.split_once('.').is_some_and(|(_, decimals)| decimals.len() == 2);
            let names_money = said.iter().any(|word| prices::is_sign(word) || prices::is_currency_word(word) || is_shops(word));
            let is_sure = is_decimal || names_money || said.contains(&"point");
            // Pounds weigh where people do not pay with them, and wherever something "of" follows.
            let is_weight = said
                .last()
                .is_some_and(|word| matches!(*word, "pound" | "pounds") && (!is_shops(word) || words.get(length) == Some(&"of")));
            let is_price = !is_weight && (is_sure || length > 1);
            is_price.then_some(Price { cents, words: length, is_sure })
        })
    }
}
