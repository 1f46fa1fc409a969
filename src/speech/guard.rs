//! Recognises text that a recogniser made up: the same words again and again, more of them than anybody can say, or words of nobody.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::decode::Written;

/// Nobody speaks faster than this for long, in tokens of Whisper a second: auctioneers reach 8 words a second, a word is about 1.3.
const TOKENS_PER_SECOND_MAX: f32 = 10.0;
/// Short utterances may hold a little more than their share.
const TOKENS_SPARE: usize = 12;
/// Mean log-probability below which OpenAI's own decoder calls a result failed (Radford et al. 2022, section 4.5).
const LOG_PROBABILITY_MIN: f32 = -1.0;
/// Above this the model itself says that nobody spoke, if it is unsure of its words as well (as above).
const NO_SPEECH_MAX: f32 = 0.6;
/// In less than a second of sound Whisper tends to hear a polite word in whatever there is, and is a little surer of it: measured on single
/// words of people, and on a kitchen in which nobody speaks.
const BRIEF_SECONDS: f32 = 1.0;
const NO_SPEECH_MAX_BRIEF: f32 = 0.4;
const LOG_PROBABILITY_MIN_BRIEF: f32 = -0.5;
/// Text that becomes this many times smaller when compressed repeats itself (as above), wherever in it.
const COMPRESSION_MAX: f32 = 2.4;
/// A phrase is a loop when it stands this many times in a row; people do say "no, no, no".
const REPEATS_MIN: usize = 4;
/// Longest phrase looked for, in words. The loops of Whisper are one word to one sentence long.
const PHRASE_WORDS_MAX: usize = 12;

/// What the decoder is allowed to write for a sound of this length, in tokens.
pub fn tokens_max(seconds: f32) -> usize {
    TOKENS_SPARE + (seconds.max(0.0) * TOKENS_PER_SECOND_MAX).ceil() as usize
}

/// Whether nobody spoke, by the first position and by how unsure the words are, together: each alone is wrong too often.
pub fn nobody_spoke(written: &Written, seconds: f32) -> bool {
    let (no_speech_max, log_probability_min) = match seconds < BRIEF_SECONDS {
        true => (NO_SPEECH_MAX_BRIEF, LOG_PROBABILITY_MIN_BRIEF),
        false => (NO_SPEECH_MAX, LOG_PROBABILITY_MIN),
    };
    written.no_speech > no_speech_max && written.mean_log_probability() < log_probability_min
}

/// Why a result is decoded again with the full window; none where it is sound.
pub fn doubt(written: &Written, text: &str, seconds: f32) -> Option<&'static str> {
    let doubts = [
        (written.endless || written.steps.len() >= tokens_max(seconds), "more words than anybody can say"),
        (written.past_end, "words behind the end of the sound"),
        (written.mean_log_probability() < LOG_PROBABILITY_MIN, "words that the decoder does not believe itself"),
        (repetition(text).is_some() || compression(text) > COMPRESSION_MAX, "the same words again and again"),
    ];
    doubts.into_iter().find_map(|(is_so, why)| is_so.then_some(why))
}

/// How many times smaller the text becomes by zlib; 1 where that cannot be told.
fn compression(text: &str) -> f32 {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    let compressed = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    compressed.map_or(1.0, |bytes| text.len() as f32 / bytes.len().max(1) as f32)
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
    use super::super::decode::Step;
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

    fn written(tokens: usize, log_probability: f32) -> Written {
        let step = Step { token: 1, log_probability, end_times: Vec::new() };
        Written { steps: vec![step; tokens], ..Written::default() }
    }

    #[test]
    fn more_words_than_anybody_can_say_are_doubtful() {
        assert!(doubt(&written(40, -0.1), "x", 1.0).is_some());
        assert!(doubt(&written(6, -0.3), "how much is this", 1.2).is_none());
        assert!(doubt(&written(6, -1.4), "how much is this", 1.2).is_some());
        assert!(doubt(&Written { past_end: true, ..written(6, -0.3) }, "how much is this", 1.2).is_some());
    }

    #[test]
    fn a_sentence_said_over_and_over_in_the_middle_is_doubtful() {
        let text = format!("well {}that is all for today", "I want a large coffee with milk. ".repeat(6));
        assert!(doubt(&written(20, -0.2), &text, 30.0).is_some());
        let list = "I want a large coffee with milk and sugar, a small tea without milk, and a medium hot chocolate with cream please";
        assert!(doubt(&written(20, -0.2), list, 30.0).is_none());
    }

    #[test]
    fn it_takes_both_signs_to_say_that_nobody_spoke() {
        assert!(nobody_spoke(&Written { no_speech: 0.9, ..written(2, -1.5) }, 2.0));
        assert!(!nobody_spoke(&Written { no_speech: 0.9, ..written(2, -0.4) }, 2.0));
        assert!(!nobody_spoke(&Written { no_speech: 0.2, ..written(2, -1.5) }, 2.0));
    }

    #[test]
    fn a_polite_word_in_half_a_second_of_kitchen_is_nobody() {
        let thank_you = Written { no_speech: 0.67, ..written(3, -0.58) };
        assert!(nobody_spoke(&thank_you, 0.59) && !nobody_spoke(&thank_you, 1.5));
        assert!(!nobody_spoke(&Written { no_speech: 0.39, ..written(3, -0.3) }, 0.6), "a short no is a word");
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
