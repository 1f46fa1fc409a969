//! Other ways of saying what the examples say, so that a classifier knows them too.

use std::collections::HashMap;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// What `tiny.en-short` made of single words, counted by `kioskd evaluate speech --confusions` over the catalog's names in 582 questions of
/// two synthetic voices: said, heard, how often; single letters and numbers are left out.
const CONFUSIONS: &str = include_str!("confusions.tsv");
/// A sentence of fewer words loses none, and keeps their order.
const WORDS_MIN: usize = 4;

/// Makes variants of sentences as Wei & Zou, "EDA" (2019), do: a word is left out, two neighbours change places, a word is put for
/// another that means the same, or, instead of EDA's random insertion, a word is misheard as the recogniser mishears it.
pub struct Augmenter {
    misheard: HashMap<String, Vec<(String, u32)>>,
    /// Phrases that may stand for each other.
    synonyms: Vec<Vec<String>>,
}

impl Augmenter {
    /// `synonyms` are groups of phrases that mean the same, in lower case.
    pub fn new(synonyms: impl Iterator<Item = Vec<String>>) -> Self {
        let mut misheard: HashMap<String, Vec<(String, u32)>> = HashMap::new();
        for line in CONFUSIONS.lines() {
            let mut fields = line.split('\t');
            if let (Some(said), Some(heard), Some(Ok(count))) = (fields.next(), fields.next(), fields.next().map(str::parse)) {
                misheard.entry(said.to_owned()).or_default().push((heard.to_owned(), count));
            }
        }
        Self { misheard, synonyms: synonyms.filter(|group| group.len() > 1).collect() }
    }

    /// A variant of each sentence, in order; none where nothing in it can be changed. The same sentences give the same variants.
    pub fn variants(&self, texts: &[String]) -> Vec<Option<String>> {
        texts.iter().map(|text| self.variant(text)).collect()
    }

    fn variant(&self, text: &str) -> Option<String> {
        let mut chance = StdRng::from_seed(Sha256::digest(text).into());
        let lower = text.to_lowercase();
        let words: Vec<&str> = lower.split_whitespace().collect();
        // What comes first is tried first; each kind of change has its turn.
        let first = chance.random_range(0..4);
        (0..4).find_map(|turn| match (first + turn) % 4 {
            0 => self.mishear(&words, &mut chance),
            1 => self.put_another(&lower, &mut chance),
            2 => without_one(&words, &mut chance),
            _ => swapped(&words, &mut chance),
        })
    }

    fn mishear(&self, words: &[&str], chance: &mut StdRng) -> Option<String> {
        let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
        let known: Vec<usize> = (0..words.len()).filter(|&at| self.misheard.contains_key(&bare(words[at]))).collect();
        let at = *known.choose(chance)?;
        let (heard, _) = self.misheard[&bare(words[at])].choose_weighted(chance, |(_, count)| *count).ok()?;
        Some(words.iter().enumerate().map(|(n, word)| if n == at { heard.as_str() } else { word }).collect::<Vec<_>>().join(" "))
    }

    fn put_another(&self, text: &str, chance: &mut StdRng) -> Option<String> {
        let padded = format!(" {text} ");
        let found: Vec<(&str, &Vec<String>)> = self
            .synonyms
            .iter()
            .flat_map(|group| group.iter().map(move |phrase| (phrase.as_str(), group)))
            .filter(|(phrase, _)| padded.contains(&format!(" {phrase} ")))
            .collect();
        let (phrase, group) = *found.choose(chance)?;
        let others: Vec<&String> = group.iter().filter(|other| *other != phrase).collect();
        let changed = padded.replacen(&format!(" {phrase} "), &format!(" {} ", others.choose(chance)?), 1);
        Some(changed.trim().to_owned())
    }
}

/// The last word is kept: a question hangs on it.
fn without_one(words: &[&str], chance: &mut StdRng) -> Option<String> {
    let out = (words.len() >= WORDS_MIN).then(|| chance.random_range(0..words.len() - 1))?;
    Some(words.iter().enumerate().filter(|(at, _)| *at != out).map(|(_, word)| *word).collect::<Vec<_>>().join(" "))
}

fn swapped(words: &[&str], chance: &mut StdRng) -> Option<String> {
    let at = (words.len() >= WORDS_MIN).then(|| chance.random_range(0..words.len() - 1))?;
    let mut words = words.to_vec();
    words.swap(at, at + 1);
    Some(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn augmenter() -> Augmenter {
        Augmenter::new([vec!["cheap".to_owned(), "less expensive".to_owned()]].into_iter())
    }

    #[test]
    fn a_variant_is_another_sentence_and_the_same_each_time() {
        let texts: Vec<String> =
            ["where can I find the oat milk", "is there something cheap here", "do you take cards at the till"].map(str::to_owned).to_vec();
        let variants = augmenter().variants(&texts);
        assert_eq!(variants, augmenter().variants(&texts));
        for (text, variant) in texts.iter().zip(variants) {
            assert_ne!(variant.expect("long enough"), text.to_lowercase());
        }
    }

    #[test]
    fn a_phrase_is_put_for_another_that_means_the_same() {
        let mut chance = StdRng::seed_from_u64(1);
        assert_eq!(augmenter().put_another("what is cheap here", &mut chance).as_deref(), Some("what is less expensive here"));
        assert_eq!(augmenter().put_another("what is cheaper", &mut chance), None);
    }

    #[test]
    fn words_are_misheard_as_the_recogniser_did() {
        let augmenter = augmenter();
        assert!(augmenter.misheard.len() > 20, "{}", augmenter.misheard.len());
        let said = augmenter.misheard.keys().min().expect("some").clone();
        let variant = augmenter.mishear(&["say", &said], &mut StdRng::seed_from_u64(1)).expect("known");
        assert!(augmenter.misheard[&said].iter().any(|(heard, _)| variant == format!("say {heard}")));
    }

    #[test]
    fn a_word_alone_and_no_word_have_no_variant() {
        assert_eq!(augmenter().variants(&["zzz".to_owned(), String::new(), "🥝".to_owned()]), [None, None, None]);
    }
}
