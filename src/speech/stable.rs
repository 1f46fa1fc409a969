//! Which words of a partial result will stay.

use super::transcriber::Draft;
use super::whisper::Token;

/// Follows the hypotheses about an utterance that is still being spoken: a word stands as soon as two hypotheses in a row agree on it
/// and on all before it (Macháček et al. 2023, "Turning Whisper into Real-Time Transcription System", LocalAgreement-2).
#[derive(Debug, Clone, Default)]
pub struct Agreement {
    last: Vec<String>,
    stable: usize,
    settled: Vec<Token>,
}

/// A partial result.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Partial {
    /// Words that stand.
    pub stable: String,
    /// Words that may still change.
    pub tentative: String,
}

impl Agreement {
    /// Takes the newest hypothesis, which heard more of the sound than the one before.
    pub fn hear(&mut self, draft: &Draft) -> Partial {
        let words: Vec<String> = draft.text.split_whitespace().map(str::to_owned).collect();
        let agreed = words.iter().zip(&self.last).take_while(|(a, b)| is_same(a, b)).count();
        // What was shown as standing is not taken back, unless the newest hypothesis is shorter.
        self.stable = self.stable.max(agreed).min(words.len());
        let (stable, tentative) = words.split_at(self.stable);
        let partial = Partial { stable: stable.join(" "), tentative: tentative.join(" ") };
        let settled = self.stable.checked_sub(1).and_then(|last| draft.word_ends.get(last)).map_or(0, |end| (*end).min(draft.tokens.len()));
        self.settled = draft.tokens[..settled].to_vec();
        self.last = words;
        partial
    }

    /// The tokens of the words that stand: the next draft need not decide them again.
    pub fn settled(&self) -> &[Token] {
        &self.settled
    }

    /// Forgets: another utterance begins.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Case and the mark behind a word follow from what comes next, so they say nothing against it.
fn is_same(a: &str, b: &str) -> bool {
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    bare(a) == bare(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(hypotheses: &[&str], stable: &str, tentative: &str) {
        let mut agreement = Agreement::default();
        let draft = |text: &&str| {
            let words = text.split_whitespace().count();
            let (tokens, word_ends) = ((0..).take(2 * words).collect(), (1..=words).map(|word| 2 * word).collect());
            Draft { text: (*text).to_owned(), tokens, word_ends, language: "en".to_owned() }
        };
        let last = hypotheses.iter().map(|text| agreement.hear(&draft(text))).last().unwrap_or_default();
        assert_eq!(agreement.settled().len(), 2 * stable.split_whitespace().count());
        assert_eq!((last.stable.as_str(), last.tentative.as_str()), (stable, tentative));
    }

    #[test]
    fn a_word_stands_when_two_hypotheses_agree_on_it() {
        check(&["how"], "", "how");
        check(&["How much.", "how much is the."], "how much", "is the.");
        check(&["how match", "how much is", "how much is this?"], "how much is", "this?");
    }

    #[test]
    fn words_behind_a_difference_do_not_stand() {
        check(&["a large latte", "a small latte"], "a", "small latte");
    }

    #[test]
    fn what_stands_is_not_taken_back_by_a_hypothesis_that_doubts_it() {
        check(&["one two three", "one two three", "one too three four"], "one too three", "four");
        check(&["one two three", "one two three", "one"], "one", "");
    }
}
