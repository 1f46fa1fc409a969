//! Names and codes that are spelt: "M as in Mike", "B for Bravo", "m e l v i n", "double l".

use super::{numbers, scan};

/// The radio alphabet of ICAO, Annex 10, volume II, section 5.2.1.3; letter by letter.
const RADIO: [&str; 26] = [
    "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliett", "kilo", "lima", "mike", "november",
    "oscar", "papa", "quebec", "romeo", "sierra", "tango", "uniform", "victor", "whiskey", "xray", "yankee", "zulu",
];
/// Other spellings of them.
const RADIO_OTHERS: [(&str, char); 3] = [("alfa", 'a'), ("juliet", 'j'), ("whisky", 'w')];

/// Reads a spelling; the whole text is spelt, in letters and digits. The result is in lower case.
///
/// A letter may be said with an example ("M as in Mike", "M for Mike", "M like Mike"). Where the example does not hold the letter, its own
/// first letter counts: words are heard better than letters, and "N as in Mike" was an M. One letter alone needs an example.
pub fn spelt(text: &str) -> Option<String> {
    let words = scan::words(text);
    let mut words: &[String] = &words;
    let (mut out, mut has_example) = (String::new(), false);
    while !words.is_empty() {
        let (letters, used, is_example) = next(words)?;
        out.push_str(&letters);
        has_example |= is_example;
        words = &words[used..];
    }
    (out.chars().count() > 1 || has_example).then_some(out)
}

/// What the first words stand for, how many they are, and whether an example was given.
fn next(words: &[String]) -> Option<(String, usize, bool)> {
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    match word(0) {
        "capital" | "small" | "letter" if words.len() > 1 => {
            return next(&words[1..]).map(|(letters, used, example)| (letters, used + 1, example));
        }
        "double" if word(1) == "u" => return Some(("w".to_owned(), 2, false)),
        times @ ("double" | "triple") => {
            let (letters, used, example) = next(words.get(1..).filter(|rest| !rest.is_empty())?)?;
            let is_one = letters.chars().count() == 1;
            return is_one.then(|| (letters.repeat(if times == "double" { 2 } else { 3 }), used + 1, example));
        }
        _ => {}
    }
    if let Some(letter) = letter(word(0)) {
        let example = match (word(1), word(2)) {
            ("as", "in") => Some((word(3), 4)),
            ("for" | "like", example) => Some((example, 3)),
            _ => None,
        };
        return match example.filter(|(example, _)| !example.is_empty()) {
            Some((example, used)) => Some((meant(letter, example).to_string(), used, true)),
            None => Some((letter.to_string(), 1, false)),
        };
    }
    if let Some(letter) = radio(word(0)) {
        return Some((letter.to_string(), 1, true));
    }
    let texts: Vec<&str> = words.iter().map(String::as_str).collect();
    numbers::group_at(&texts, numbers::Before::Letter)
        .filter(|group| group.ending == numbers::Ending::None)
        .map(|group| (group.digits, group.words, false))
}

/// "m", and letters that are written as they sound.
fn letter(word: &str) -> Option<char> {
    match word {
        "zed" | "zee" => return Some('z'),
        "aitch" => return Some('h'),
        _ => {}
    }
    let mut chars = word.chars();
    chars.next().filter(|c| c.is_ascii_lowercase() && chars.next().is_none())
}

fn radio(word: &str) -> Option<char> {
    let by_alphabet = RADIO.iter().find(|listed| **listed == word).and_then(|listed| listed.chars().next());
    by_alphabet.or_else(|| RADIO_OTHERS.iter().find(|(other, _)| *other == word).map(|(_, letter)| *letter))
}

fn meant(letter: char, example: &str) -> char {
    let first = example.chars().next().filter(|c| c.is_ascii_lowercase());
    radio(example).or(if example.contains(letter) { Some(letter) } else { first }).unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_are_read() {
        let table = [
            ("M as in Mike", "m"),
            ("B for Bravo", "b"),
            ("M as in Mike, E as in Echo", "me"),
            ("N as in Mike", "m"),
            ("M as in November", "n"),
            ("x as in fox", "x"),
            ("p as in xylophone", "p"),
            ("m e l v i n", "melvin"),
            ("M-E-L-V-I-N", "melvin"),
            ("H A double L", "hall"),
            ("double u e b", "web"),
            ("capital M e l", "mel"),
            ("mike echo lima", "mel"),
            ("zed o e", "zoe"),
            ("g h eight twenty one", "gh821"),
            ("G D 4", "gd4"),
            ("A for alpha 4 1 7", "a417"),
        ];
        for (text, read) in table {
            assert_eq!(spelt(text).as_deref(), Some(read), "{text}");
        }
    }

    #[test]
    fn what_is_not_spelt_is_none() {
        for text in ["", "m", "melvin", "a latte", "double", "double espresso", "M as in", "is it"] {
            assert_eq!(spelt(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_spelt_is_read_again(name in "[a-z]{2,12}") {
            let said = name.chars().map(String::from).collect::<Vec<_>>();
            prop_assert_eq!(spelt(&said.join(" ")), Some(name.clone()));
            prop_assert_eq!(spelt(&said.join("-").to_uppercase()), Some(name));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "(double |capital |as |in |for |[a-z0-9] ){0,8}") {
            let _ = spelt(&text);
        }
    }
}
