use std::collections::{BTreeMap, HashMap};

/// Lengths of the letter runs that are counted, in characters.
const LETTERS: std::ops::RangeInclusive<usize> = 3..=5;
/// Words and letters together weigh this much beside a vector of length 1.
const WEIGHT: f32 = 0.5;
/// Columns at most of each kind; the most frequent stay.
const COLUMNS_MAX: usize = 12_000;
/// From this many sentences on, what occurs in one of them only is left out.
const MANY_SENTENCES: usize = 2_000;

/// The words of a sentence and the letters they are made of, weighed by how rare they are (TF-IDF with sublinear counts; Salton &
/// Buckley 1988). It knows names and spellings that a sentence vector blurs, and a word that was misheard still shares letters.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Lexicon {
    words: Columns,
    letters: Columns,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Columns {
    index: HashMap<String, u32>,
    /// Inverse document frequency of each.
    rarity: Vec<f32>,
}

impl Lexicon {
    /// Learns what occurs in `texts`, and how rarely.
    pub(super) fn fit<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> Self {
        Self { words: Columns::fit(texts.clone().map(words)), letters: Columns::fit(texts.map(letters)) }
    }

    /// Number of columns.
    pub(super) fn width(&self) -> usize {
        self.words.rarity.len() + self.letters.rarity.len()
    }

    /// The entries of a sentence by column, in order of the columns.
    pub(super) fn entries(&self, text: &str) -> Vec<(u32, f32)> {
        let mut entries = self.words.entries(words(text), 0);
        entries.extend(self.letters.entries(letters(text), self.words.rarity.len() as u32));
        entries
    }

    /// Names of the columns, words first, and their rarities; with the number of words, all that is needed to make it again.
    pub(super) fn parts(&self) -> (Vec<&str>, Vec<f32>, usize) {
        let names = self.words.names().into_iter().chain(self.letters.names()).collect();
        (names, [&self.words.rarity[..], &self.letters.rarity].concat(), self.words.rarity.len())
    }

    /// The reverse of [`Lexicon::parts`]; none where the counts do not fit each other.
    pub(super) fn from_parts(names: &[&str], rarity: &[f32], words: usize) -> Option<Self> {
        let columns = |names: &[&str], rarity: &[f32]| Columns {
            index: names.iter().map(|name| (*name).to_owned()).zip(0..).collect(),
            rarity: rarity.to_vec(),
        };
        let fits = names.len() == rarity.len() && words <= names.len();
        fits.then(|| Self { words: columns(&names[..words], &rarity[..words]), letters: columns(&names[words..], &rarity[words..]) })
    }
}

impl Columns {
    fn fit(sentences: impl Iterator<Item = Vec<String>>) -> Self {
        let mut frequency: BTreeMap<String, usize> = BTreeMap::new();
        let mut count = 0usize;
        for mut parts in sentences {
            count += 1;
            parts.sort_unstable();
            parts.dedup();
            parts.into_iter().for_each(|part| *frequency.entry(part).or_default() += 1);
        }
        let fewest = if count >= MANY_SENTENCES { 2 } else { 1 };
        let mut kept: Vec<(String, usize)> = frequency.into_iter().filter(|(_, sentences)| *sentences >= fewest).collect();
        kept.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        kept.truncate(COLUMNS_MAX);
        let rarity = kept.iter().map(|(_, sentences)| ((1.0 + count as f32) / (1.0 + *sentences as f32)).ln() + 1.0).collect();
        Self { index: kept.into_iter().map(|(part, _)| part).zip(0..).collect(), rarity }
    }

    fn entries(&self, parts: Vec<String>, first: u32) -> Vec<(u32, f32)> {
        let mut counts: BTreeMap<u32, f32> = BTreeMap::new();
        parts.iter().filter_map(|part| self.index.get(part)).for_each(|column| *counts.entry(*column).or_default() += 1.0);
        let weighed = |(column, count): (u32, f32)| (first + column, (1.0 + count.ln()) * self.rarity[column as usize]);
        let mut entries: Vec<(u32, f32)> = counts.into_iter().map(weighed).collect();
        let length = entries.iter().map(|(_, value)| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        entries.iter_mut().for_each(|(_, value)| *value *= WEIGHT / length);
        entries
    }

    fn names(&self) -> Vec<&str> {
        let mut names: Vec<(&str, u32)> = self.index.iter().map(|(name, column)| (name.as_str(), *column)).collect();
        names.sort_by_key(|(_, column)| *column);
        names.into_iter().map(|(name, _)| name).collect()
    }
}

/// Words of two letters and more, and pairs of neighbours.
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| word.chars().nth(1).is_some()).collect();
    let pairs = words.windows(2).map(|pair| pair.join(" "));
    words.iter().map(|word| (*word).to_owned()).chain(pairs).collect()
}

/// Runs of letters within each word, a space on both sides of it.
fn letters(text: &str) -> Vec<String> {
    let mut runs = Vec::new();
    for word in text.to_lowercase().split_whitespace() {
        let padded: Vec<char> = std::iter::once(' ').chain(word.chars()).chain([' ']).collect();
        for size in LETTERS {
            runs.extend(padded.windows(size.min(padded.len())).map(|run| run.iter().collect::<String>()));
            if padded.len() <= size {
                break;
            }
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_has_entries_of_half_a_length_for_words_and_for_letters() {
        let lexicon = Lexicon::fit(["my card was declined", "the card is lost", "card"].into_iter());
        let entries = lexicon.entries("Card declined!");
        let words = lexicon.words.rarity.len() as u32;
        let length = |part: Vec<&(u32, f32)>| part.iter().map(|(_, value)| value * value).sum::<f32>().sqrt();
        let (first, second): (Vec<_>, Vec<_>) = entries.iter().partition(|(column, _)| *column < words);
        assert!((length(first) - WEIGHT).abs() < 1e-5);
        assert!((length(second) - WEIGHT).abs() < 1e-5);
    }

    #[test]
    fn a_rare_word_weighs_more_than_a_common_one() {
        let lexicon = Lexicon::fit(["card lost", "card declined", "card stolen"].into_iter());
        let value = |word: &str| {
            let column = lexicon.words.index[word];
            lexicon.entries("card lost").iter().find(|(at, _)| *at == column).map(|(_, value)| *value)
        };
        assert!(value("lost") > value("card"));
    }

    #[test]
    fn a_misheard_word_shares_letters_and_an_unknown_sentence_has_no_entries() {
        let lexicon = Lexicon::fit(["contactless payment"].into_iter());
        assert!(!lexicon.entries("contackless").is_empty());
        assert!(lexicon.entries("äöü 漢字 🥝").is_empty());
        assert!(lexicon.entries("").is_empty());
    }

    #[test]
    fn it_is_made_again_from_its_parts() {
        let lexicon = Lexicon::fit(["my card was declined", "the card is lost"].into_iter());
        let (names, rarity, words) = lexicon.parts();
        assert_eq!(Lexicon::from_parts(&names, &rarity, words), Some(lexicon.clone()));
        assert_eq!(Lexicon::from_parts(&names, &rarity[1..], words), None);
    }
}
