//! The shop's words: names of products and brands are made likelier while they are being spelled.

use super::scores::argmax;
use super::vocabulary::Vocabulary;

/// Letters of the text that are looked back on; names are shorter.
const LOOK_BACK: usize = 64;

/// Names that are longer than this are left out, and so are those shorter than the next.
const NAME_LETTERS_MAX: usize = 48;
/// Too many words begin with the same two letters as a name: fewer than these count for nothing.
const NAME_LETTERS_MIN: usize = 3;

/// What may be said in this shop and hardly anywhere else.
///
/// A token that carries on a name is worth `strength` for each letter that it adds, and one that leaves a name half spelled loses what
/// the letters before it had gained: only whole names pay in the end (contextual biasing as in Zhao et al. 2019, "Shallow-Fusion
/// End-to-End Contextual Biasing", with the prefix tree walked in letters, so that any cut into tokens is found).
#[derive(Debug, Clone, Default)]
pub struct Bias {
    /// In lower case, letters and digits with single blanks, sorted.
    names: Vec<String>,
    /// In units of log-probability a letter.
    strength: f32,
}

impl Bias {
    /// From names as people write them.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>, strength: f32) -> Self {
        let mut names: Vec<String> = names
            .into_iter()
            .map(plain)
            .filter(|name| (NAME_LETTERS_MIN..=NAME_LETTERS_MAX).contains(&name.len()) && name.is_ascii())
            .collect();
        names.sort_unstable();
        names.dedup();
        Self { names, strength }
    }

    /// The better of the likeliest token and one that carries on a name.
    pub(super) fn choose(&self, spelled: &Spelled, vocabulary: &Vocabulary, scores: &[f32], at: usize, score: f32) -> usize {
        // Nothing further behind can be lifted above the best.
        let farthest = score - self.strength * NAME_LETTERS_MAX as f32;
        let worth = |(at, &score): (usize, &f32)| match score >= farthest {
            true => score + self.strength * self.gain(spelled, vocabulary.texts().get(at).map_or(&[], Vec::as_slice)),
            false => f32::NEG_INFINITY,
        };
        if self.names.is_empty() || self.strength <= 0.0 {
            return at;
        }
        let worths: Vec<f32> = scores.iter().enumerate().map(worth).collect();
        argmax(&worths).map_or(at, |(best, _)| best)
    }

    /// Letters of names that a token adds; negative where it leaves a name half spelled.
    fn gain(&self, spelled: &Spelled, token: &[u8]) -> f32 {
        let Ok(token) = std::str::from_utf8(token) else { return 0.0 };
        let mut after = spelled.clone();
        after.push(token.as_bytes());
        let gain = self.letters_of_name(&after.text) as f32 - self.letters_of_name(&spelled.text) as f32;
        let is_whole = token.starts_with(|c: char| !c.is_alphanumeric()) && self.is_name_at_end(&spelled.text);
        if is_whole { gain.max(0.0) } else { gain }
    }

    /// Length of the longest ending of the text, from the beginning of a word, that begins a name.
    fn letters_of_name(&self, text: &str) -> usize {
        endings(text).take_while(|ending| ending.len() >= NAME_LETTERS_MIN).find(|ending| self.begins_name(ending)).map_or(0, str::len)
    }

    fn begins_name(&self, ending: &str) -> bool {
        let at = self.names.partition_point(|name| name.as_str() < ending);
        self.names.get(at).is_some_and(|name| name.starts_with(ending))
    }

    fn is_name_at_end(&self, text: &str) -> bool {
        endings(text).any(|ending| self.names.binary_search_by(|name| name.as_str().cmp(ending)).is_ok())
    }
}

/// The end of what was written, plain.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Spelled {
    text: String,
}

impl Spelled {
    pub(super) fn push(&mut self, token: &[u8]) {
        for c in String::from_utf8_lossy(token).chars() {
            push_plain(&mut self.text, c);
        }
        if self.text.len() > 2 * LOOK_BACK
            && let Some(blank) = self.text[self.text.len() - LOOK_BACK..].find(' ')
        {
            self.text.drain(..self.text.len() - LOOK_BACK + blank + 1);
        }
    }
}

fn plain(text: &str) -> String {
    let mut plain = String::new();
    text.chars().for_each(|c| push_plain(&mut plain, c));
    plain.trim().to_owned()
}

/// Lower-case ASCII letters and digits, everything between words one blank; an apostrophe is nothing.
fn push_plain(text: &mut String, c: char) {
    match c {
        '\'' | '\u{2019}' => {}
        c if c.is_ascii_alphanumeric() => text.push(c.to_ascii_lowercase()),
        // Whisper writes foreign letters with and without their marks; a name with them is not looked for.
        c if c.is_alphanumeric() => text.push('?'),
        _ if text.ends_with(' ') || text.is_empty() => {}
        _ => text.push(' '),
    }
}

/// The text from each of its last words on, longest first.
fn endings(text: &str) -> impl Iterator<Item = &str> {
    let text = text.trim_end();
    let from = text.len().saturating_sub(LOOK_BACK);
    let begins = std::iter::once(0).chain(text.match_indices(' ').map(|(at, _)| at + 1));
    begins.filter(move |&at| at >= from && at < text.len()).map(|at| &text[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(text: &str) -> Spelled {
        let mut spelled = Spelled::default();
        spelled.push(text.as_bytes());
        spelled
    }

    #[track_caller]
    fn check(said: &str, token: &str, gain: f32) {
        let bias = Bias::new(["Oatly Oat Drink", "Oatly", "Valio", "M&M's"], 1.0);
        assert_eq!(bias.gain(&spelled(said), token.as_bytes()), gain, "{said:?} + {token:?}");
    }

    #[test]
    fn letters_of_a_name_pay_and_half_names_give_it_back() {
        check("do you have", " oat", 3.0);
        check("do you have Oat", "ly", 2.0);
        check("do you have Oat", "meal", -3.0);
    }

    #[test]
    fn a_whole_name_keeps_what_it_gained() {
        check("do you have Oatly", "?", 0.0);
        check("do you have Oatly", " in", 0.0);
        check("do you have Oatly", " Oat", 4.0);
    }

    #[test]
    fn names_begin_where_words_begin() {
        check("the go", "atly", 0.0);
        check("some val", "io", 2.0);
        check("", " M", 0.0);
        check("", " Val", 3.0);
    }

    #[test]
    fn long_talk_is_forgotten_and_never_cuts_a_letter_in_two() {
        let mut long = Spelled::default();
        (0..1_000).for_each(|_| long.push(" größe und".as_bytes()));
        assert!(long.text.len() <= 3 * LOOK_BACK, "{}", long.text.len());
    }
}
