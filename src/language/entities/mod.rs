//! What a sentence names: products and brands of the catalog, amounts, prices, days, numbers, people and places.
//!
//! Each file reads one sort of thing and proposes readings of stretches of words; [`reading`] keeps those that do not overlap, the longest
//! first, so that no number is told twice. What the catalog and the word lists name exactly ([`lexicon`]) comes before what is nearly so
//! ([`near`]): misspelt, or misheard across the gaps between words. [`ProductWords`] turns words back to the
//! products they fit, to be held against a photo. Nothing here knows what kind of shop it is: its words are data.

mod amounts;
mod common;
mod hints;
mod identifiers;
mod inflection;
mod lexicon;
mod moments;
mod money;
mod near;
mod people;
mod reading;
mod sentence;
#[cfg(test)]
mod tests;

pub use hints::{Hint, HintKind, ProductWords};
pub use lexicon::WordLists;

use amounts::Amounts;
use common::CommonWords;
use identifiers::Identifiers;
use lexicon::Lexicon;
use money::Money;
use near::NearNames;
use sentence::Sentence;

use crate::domain::{Catalog, Entity};

/// Finds what a sentence names. Made once for a shop, asked for every sentence: some tens of microseconds each.
#[derive(Debug)]
pub struct EntityFinder {
    lexicon: Lexicon,
    near: NearNames,
    amounts: Amounts,
    money: Money,
    identifiers: Identifiers,
    common: CommonWords,
}

impl EntityFinder {
    /// Indexes the catalog and the word lists.
    pub fn new(catalog: &Catalog, words: &WordLists) -> Self {
        let lexicon = Lexicon::new(catalog, words);
        Self {
            near: NearNames::new(&lexicon),
            lexicon,
            amounts: Amounts::new(catalog, &words.unit),
            money: Money::new(&words.currency),
            identifiers: Identifiers::new(&words.order_number, &words.customer_number),
            common: CommonWords::new(),
        }
    }

    /// What the sentence names, in order of speech. Spans are bytes of `text`.
    pub fn find(&self, text: &str) -> Vec<Entity> {
        let sentence = Sentence::new(text);
        let words = sentence.words();
        let is_noun = |words: &[&str]| self.amounts.has_unit(words) || self.lexicon.at(words).is_some();
        let mut readings = self.lexicon.readings(&words);
        readings.extend(self.amounts.readings(&words, &self.lexicon, &self.common));
        readings.extend(self.money.readings(&words, &is_noun));
        readings.extend(moments::readings(&words, &is_noun));
        readings.extend(self.identifiers.readings(&sentence, &words));
        readings.extend(self.near.split_readings(&words, &self.lexicon));
        readings.extend(people::readings(&sentence, &words, &self.lexicon, &self.common));
        let mut taken = vec![false; words.len()];
        let mut chosen = reading::choose(readings, &mut taken);
        chosen.extend(self.near.readings(&words, &taken, &self.lexicon, &self.common));
        reading::entities(&sentence, moments::joined(&words, chosen))
    }
}
