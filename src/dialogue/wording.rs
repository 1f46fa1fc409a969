//! Words of a sentence, and phrases found among them.

use std::collections::HashMap;

/// Words looked at; nobody says more to a desk at once.
const WORDS_MAX: usize = 200;

/// One word: lower case, hyphens part words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub text: String,
    /// Whether a comma or another mark stands before it.
    pub after_mark: bool,
}

/// The words of a sentence, the first of them where there are very many.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let (mut word, mut after_mark) = (String::new(), false);
    for c in text.chars().chain([' ']) {
        match c {
            '\u{2018}' | '\u{2019}' | '\'' => word.push('\''),
            _ if c.is_alphanumeric() => word.extend(c.to_lowercase()),
            _ => {
                let bare = word.trim_matches('\'');
                if !bare.is_empty() {
                    words.push(Word { text: bare.to_owned(), after_mark });
                    after_mark = false;
                }
                word.clear();
                after_mark |= matches!(c, ',' | '.' | ';' | ':' | '!' | '?');
                if words.len() == WORDS_MAX {
                    return words;
                }
            }
        }
    }
    words
}

/// Phrases with what they mean, to be found in a sentence, the longest first.
#[derive(Debug, Clone)]
pub(super) struct PhraseTable<T> {
    by_first_word: HashMap<String, Vec<(Vec<String>, T)>>,
}

impl<T> Default for PhraseTable<T> {
    fn default() -> Self {
        Self { by_first_word: HashMap::new() }
    }
}

impl<T> PhraseTable<T> {
    /// Of two same phrases the first one added counts.
    pub fn add(&mut self, phrase: &str, meaning: T) {
        let parts: Vec<String> = words(phrase).into_iter().map(|w| w.text).collect();
        let Some(first) = parts.first() else { return };
        let same_start = self.by_first_word.entry(first.clone()).or_default();
        if !same_start.iter().any(|(known, _)| *known == parts) {
            same_start.push((parts, meaning));
            same_start.sort_by_key(|(phrase, _)| std::cmp::Reverse(phrase.len()));
        }
    }

    /// The longest phrase that begins the words, with the number of its words.
    pub fn at(&self, words: &[Word]) -> Option<(usize, &T)> {
        let candidates = self.by_first_word.get(&words.first()?.text)?;
        let fits = |phrase: &[String]| phrase.len() <= words.len() && phrase.iter().zip(words).all(|(p, w)| *p == w.text);
        candidates.iter().find(|(phrase, _)| fits(phrase)).map(|(phrase, meaning)| (phrase.len(), meaning))
    }
}

/// How many of the phrases stand in the words; each counts once.
pub(super) fn found<'a>(words: &[Word], phrases: impl IntoIterator<Item = &'a String>) -> usize {
    phrases.into_iter().filter(|phrase| stands_in(words, phrase)).count()
}

/// Whether a phrase stands in the words.
pub(super) fn stands_in(haystack: &[Word], phrase: &str) -> bool {
    let phrase = words(phrase);
    !phrase.is_empty() && haystack.windows(phrase.len()).any(|window| window.iter().zip(&phrase).all(|(a, b)| a.text == b.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_part_words_and_are_remembered() {
        let words = words("No, the semi-skimmed one\u{2019}s fine.");
        let texts: Vec<&str> = words.iter().map(|w| w.text.as_str()).collect();
        assert_eq!(texts, ["no", "the", "semi", "skimmed", "one's", "fine"]);
        assert!(words[1].after_mark && !words[2].after_mark);
        assert_eq!(super::words(&"a ".repeat(10_000)).len(), WORDS_MAX);
        assert!(super::words("?! \u{1f600} ''").is_empty());
    }

    #[test]
    fn the_longest_phrase_is_found() {
        let mut table = PhraseTable::default();
        table.add("medium", 1);
        table.add("medium roast", 2);
        table.add("medium", 3);
        assert_eq!(table.at(&words("medium roast coffee")), Some((2, &2)));
        assert_eq!(table.at(&words("medium coffee")), Some((1, &1)));
        assert_eq!(table.at(&words("coffee")), None);
        assert!(stands_in(&words("a can't breathe b"), "can\u{2019}t breathe") && !stands_in(&words("breathe can't"), "can't breathe"));
    }
}
