//! Recognises text that a recogniser made up: the same words again and again, or more of them than anybody can say.

/// Nobody speaks faster than this for long, in tokens of Whisper a second: auctioneers reach 8 words a second, a word is about 1.3.
const TOKENS_PER_SECOND_MAX: f32 = 10.0;
/// Short utterances may hold a little more than their share.
const TOKENS_SPARE: usize = 12;
/// Mean log-probability below which OpenAI's own decoder calls a result failed (Radford et al. 2022, section 4.5).
const LOG_PROBABILITY_MIN: f32 = -1.0;
/// A phrase is a loop when it stands this many times in a row; people do say "no, no, no".
const REPEATS_MIN: usize = 4;
/// Longest phrase looked for, in words. The loops of Whisper are one word to one sentence long.
const PHRASE_WORDS_MAX: usize = 12;

/// What the decoder is allowed to write for a sound of this length, in tokens.
pub fn tokens_max(seconds: f32) -> usize {
    TOKENS_SPARE + (seconds.max(0.0) * TOKENS_PER_SECOND_MAX).ceil() as usize
}

/// Whether a result should be decoded again with the full window.
pub fn is_doubtful(text: &str, tokens: usize, mean_log_probability: f32, seconds: f32) -> bool {
    tokens >= tokens_max(seconds) || mean_log_probability < LOG_PROBABILITY_MIN || repetition(text).is_some()
}

/// The text with any loop cut to its first round.
pub fn without_repetition(text: &str) -> String {
    let Some(loop_found) = repetition(text) else { return text.to_owned() };
    let words: Vec<&str> = text.split_whitespace().collect();
    words[..loop_found.start + loop_found.period].join(" ")
}

/// A phrase of `period` words that repeats from word `start` to the end of the text.
#[derive(Debug, PartialEq, Eq)]
struct Repetition {
    start: usize,
    period: usize,
}

/// Looks for a loop at the end of the text, where a decoder that has run away leaves it; its last round may be cut short.
fn repetition(text: &str) -> Option<Repetition> {
    let words: Vec<String> = text.split_whitespace().map(bare).collect();
    (1..=PHRASE_WORDS_MAX.min(words.len() / REPEATS_MIN)).find_map(|period| {
        let repeated = (period..words.len()).rev().take_while(|&at| words[at] == words[at - period]).count();
        (repeated >= period * (REPEATS_MIN - 1)).then(|| Repetition { start: words.len() - repeated - period, period })
    })
}

/// A word without its marks: "No," and "no" are one.
fn bare(word: &str) -> String {
    let letters: String = word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if letters.is_empty() { word.to_owned() } else { letters }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, cut: &str) {
        assert_eq!(without_repetition(text), cut);
    }

    #[test]
    fn a_loop_is_cut_to_its_first_round() {
        check("how much is this how much is this how much is this how much is this how much", "how much is this");
        check("I want a latte. you you you you you you", "I want a latte. you");
        check("No, no. NO no no", "No,");
    }

    #[test]
    fn what_people_repeat_is_left_alone() {
        check("no no no", "no no no");
        check("one two one two one two please", "one two one two one two please");
        check("eight eight eight five", "eight eight eight five");
        check("", "");
    }

    #[test]
    fn more_words_than_anybody_can_say_are_doubtful() {
        assert!(is_doubtful("x", 40, -0.1, 1.0));
        assert!(!is_doubtful("how much is this", 6, -0.3, 1.2));
        assert!(is_doubtful("how much is this", 6, -1.4, 1.2));
    }

    proptest! {
        #[test]
        fn cutting_twice_is_cutting_once_and_never_makes_text_longer(words in proptest::collection::vec("[ab]", 0..60)) {
            let text = words.join(" ");
            let once = without_repetition(&text);
            prop_assert!(once.len() <= text.len());
            prop_assert!(text.starts_with(&once));
        }
    }
}
