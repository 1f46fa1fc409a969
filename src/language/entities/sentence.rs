use crate::language::spoken::scan;

/// A sentence cut into words, each with its place in bytes.
pub(super) struct Sentence<'t> {
    text: &'t str,
    words: Vec<String>,
    spans: Vec<(usize, usize)>,
}

impl<'t> Sentence<'t> {
    /// Cuts a text as the readers of spoken numbers do: lower case, without accents and punctuation, a hyphen parts words. The possessive
    /// falls off, so that "Arla's" is "arla".
    pub(super) fn new(text: &'t str) -> Self {
        let pieces = scan::scan(text);
        let spans = pieces.iter().map(|piece| (piece.start, piece.end)).collect();
        Self { text, words: pieces.into_iter().map(|piece| bare(piece.text)).collect(), spans }
    }

    /// The words as they are compared.
    pub(super) fn words(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }

    /// First byte of the first of these words, and the byte behind the last.
    pub(super) fn span(&self, from: usize, to: usize) -> (usize, usize) {
        (self.spans[from].0, self.spans[to - 1].1)
    }

    /// These words as they were said.
    pub(super) fn said(&self, from: usize, to: usize) -> &'t str {
        let (start, end) = self.span(from, to);
        &self.text[start..end]
    }

    /// Whether a word is written with a capital where a sentence does not ask for one.
    pub(super) fn is_name_like(&self, at: usize) -> bool {
        let before = self.text[..self.spans[at].0].trim_end();
        let is_first = before.is_empty() || before.ends_with(['.', '!', '?', ':']);
        !is_first && self.text[self.spans[at].0..].starts_with(char::is_uppercase)
    }
}

fn bare(word: String) -> String {
    match word.strip_suffix("'s") {
        Some(owner) if !owner.is_empty() => owner.to_owned(),
        _ => word,
    }
}

/// A phrase of the shop's files as sentences are compared with it.
pub(super) fn normal(phrase: &str) -> String {
    Sentence::new(phrase).words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_without_case_accents_hyphens_and_possessive() {
        assert_eq!(normal("Arla's  Low-Fat CRÈME"), "arla low fat creme");
        assert_eq!(normal("nine o'clock"), "nine o'clock");
    }

    #[test]
    fn a_capital_tells_a_name_but_not_at_the_beginning_of_a_sentence() {
        let sentence = Sentence::new("Is Maria here? Fetch Maria.");
        let told: Vec<bool> = (0..5).map(|at| sentence.is_name_like(at)).collect();
        assert_eq!(told, [false, true, false, false, true]);
    }
}
