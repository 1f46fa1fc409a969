/// How a text ends, as far as its words tell whether more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// Something must follow: "a latte with", "order number four one", "I'd like a large".
    Unfinished,
    /// Something may follow: the words do not tell.
    Open,
    /// It is a whole sentence, and another clause might follow: "I want a latte."
    Finished,
    /// It is a whole question: "how much is this?"
    Asked,
    /// Whoever says this is done: "that's all, thanks".
    Closed,
}

/// Hesitations, as Whisper writes them: whoever makes one means to go on.
const HESITATIONS: &[&str] = &["um", "uh", "uhm", "umm", "er", "erm", "hmm", "mm", "hm", "ah"];

/// Words that join what follows to what was said, or stand before a noun. No English sentence ends in one, whatever mark a recogniser that
/// is fond of full stops puts behind it.
const JOINING: &[&str] = &[
    "a", "an", "the", "and", "or", "but", "nor", "because", "if", "although", "though", "while", "than", "that's", "with", "without", "of",
    "into", "onto", "per", "between", "my", "your", "our", "their", "its", "his", "every", "very", "plus", "i", "i'm", "i'd", "i'll",
    "i've", "we're", "we'd", "it's", "there's", "what's", "where's", "who's", "he's", "she's", "you're", "they're", "let's", "gonna",
    "wanna", "am", "lots", "bit", "little", "couple", "kind", "also", "maybe", "which", "whose",
];

/// Prepositions and verbs that end a question ("where do these come from?", "what is it for?") but no statement. They wait unless a word
/// that asks stands before them.
const ENDING_QUESTIONS_ONLY: &[&str] = &[
    "to", "for", "from", "in", "on", "at", "by", "about", "like", "want", "get", "have", "need", "give", "make", "take", "order", "brew",
    "add", "is", "are", "was", "were", "do", "does", "did", "can", "could", "would", "should", "will", "may", "some", "any", "how", "what",
    "where", "when", "as", "so", "these", "those",
];

/// Measures and qualities that stand before the noun they belong to. With an article before them and nothing behind, the noun is to come:
/// "a large", "a triple shot twelve ounce". Alone ("large") they answer a question.
const BEFORE_A_NOUN: &[&str] = &[
    "small", "medium", "large", "big", "regular", "extra", "single", "double", "triple", "shot", "shots", "ounce", "ounces", "oz", "roast",
    "light", "dark", "iced", "hot", "cold", "drip", "fresh", "new", "other", "whole", "brown", "soy", "almond", "oat", "skim", "gluten",
    "half",
];

/// Words that begin a question.
const ASKING: &[&str] = &[
    "what", "what's", "where", "where's", "when", "who", "who's", "why", "how", "which", "is", "are", "do", "does", "did", "can", "could",
    "may", "would", "will", "have", "has",
];

/// Words that ask for a thing or a place: after them, a preposition may stand last.
const ASKING_FOR_SOMETHING: &[&str] = &["what", "what's", "where", "where's", "who", "who's", "which", "how", "when", "why"];

/// Verbs, and words that hold one: without any, a full stop of the recogniser is no sentence ("Medium latte." may go on).
const VERBS: &[&str] = &[
    "is", "are", "am", "was", "were", "be", "do", "does", "did", "have", "has", "had", "can", "could", "may", "will", "would", "should",
    "want", "need", "like", "get", "give", "make", "brew", "take", "order", "buy", "pay", "find", "show", "tell", "go", "goes", "come",
    "looking", "cost", "costs", "i'd", "i'm", "i'll", "it's", "that's", "what's", "where's", "there's", "let's", "don't", "doesn't",
    "can't", "won't", "isn't", "bring", "add", "help", "call", "cancel", "enter", "repeat", "stop", "start",
];

/// Whoever says this is done.
const CLOSING: &[&str] = &["please", "thanks", "thank you", "bye", "goodbye", "that's all", "that is all", "that's it", "nothing else"];

/// Digits and letters in a row that are still the beginning of something: order numbers, prices and names that are spelt are longer.
const SPELT_MIN: usize = 4;

const DIGITS: &[&str] = &["zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/// Words after which a number is expected, of several digits.
const NUMBERED: &[&str] = &["number", "code", "zip", "pin", "extension"];

/// Marks that a recogniser puts where it hears that the sentence goes on.
const GOING_ON: &[char] = &[',', ';', ':', '-', '–', '—', '…'];

/// How a text ends. `language` is a two-letter code; the words of other languages than English are not known here, so there every text is
/// open.
///
/// A rule and no model: it takes microseconds, and each of its answers can be told to the person who asks why the desk waited.
pub fn ending(text: &str, language: &str) -> Ending {
    let text = text.trim().to_lowercase();
    let words = words(&text);
    let Some(last) = words.last().copied().filter(|_| language == "en") else { return Ending::Open };
    if text.ends_with(GOING_ON) || text.ends_with("..") {
        return Ending::Unfinished;
    }
    if CLOSING.iter().any(|closing| ends_with_words(&words, closing)) {
        return Ending::Closed;
    }
    let asks_for_something = words[..words.len() - 1].iter().any(|word| ASKING_FOR_SOMETHING.contains(word));
    let joins = HESITATIONS.contains(&last)
        || JOINING.contains(&last)
        || (ENDING_QUESTIONS_ONLY.contains(&last) && !asks_for_something)
        || (last == "me" && words.len() >= 2 && ["give", "get", "make", "bring", "show", "tell"].contains(&words[words.len() - 2]));
    if joins || awaits_noun(&words) || is_in_number(&words) {
        return Ending::Unfinished;
    }
    let has_verb = words.iter().any(|word| VERBS.contains(word));
    // A mark at the end and a verb, or the form of a question: a recogniser's full stop alone is worth little.
    match text.chars().last() {
        _ if words.len() < 3 => Ending::Open,
        Some('?') if words.first().is_some_and(|first| ASKING.contains(first)) => Ending::Asked,
        Some('.' | '!' | '?') if has_verb => Ending::Finished,
        _ => Ending::Open,
    }
}

/// Whether the text ends in words that belong to a noun which was not said: an article, and since then nothing but qualities and numbers.
fn awaits_noun(words: &[&str]) -> bool {
    let qualities = words.iter().rev().take_while(|word| BEFORE_A_NOUN.contains(word) || is_number(word)).count();
    let before = words.len().checked_sub(qualities + 1).map(|at| words[at]);
    qualities > 0
        && words.last().is_some_and(|word| BEFORE_A_NOUN.contains(word))
        && before.is_some_and(|word| ["a", "an", "the"].contains(&word))
}

/// Whether the text ends inside a number or a name that is spelt.
fn is_in_number(words: &[&str]) -> bool {
    // "A" and "I" are letters only beside others.
    let is_letter = |at: usize, word: &str| at > 0 && ["a", "i"].contains(&word);
    let backwards = words.iter().rev().copied().enumerate();
    let run: Vec<&str> = backwards.take_while(|(at, word)| is_spelt(word) || is_letter(*at, word)).map(|(_, word)| word).collect();
    let characters: usize = run.iter().map(|word| if word.bytes().all(|b| b.is_ascii_digit()) { word.len() } else { 1 }).sum();
    let is_announced = words.len().checked_sub(run.len() + 1).is_some_and(|at| NUMBERED.contains(&words[at]));
    // "Number" itself, "point" in a price.
    let is_begun = words.last().is_some_and(|word| NUMBERED.contains(word) || ["point", "hundred", "thousand"].contains(word));
    is_begun && words.len() > 1 || (characters > 0 && characters < SPELT_MIN && (is_announced || run.len() >= 2))
}

/// A digit as a word or a figure, or a letter by itself.
fn is_spelt(word: &str) -> bool {
    DIGITS.contains(&word) || is_number(word) || (word.len() == 1 && !["a", "i"].contains(&word))
}

fn is_number(word: &str) -> bool {
    const TENS: &[&str] =
        &["ten", "eleven", "twelve", "sixteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    DIGITS.contains(&word) || TENS.contains(&word) || word.bytes().all(|b| b.is_ascii_digit())
}

fn ends_with_words(words: &[&str], phrase: &str) -> bool {
    let phrase: Vec<&str> = phrase.split(' ').collect();
    words.ends_with(&phrase)
}

/// Words without the marks around them; a hyphen divides ("m-e-l" is spelt).
fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'').map(|word| word.trim_matches('\'')).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: Ending, texts: &[&str]) {
        for text in texts {
            assert_eq!(ending(text, "en"), expected, "{text:?}");
        }
    }

    #[test]
    fn what_must_go_on_is_unfinished() {
        check(
            Ending::Unfinished,
            &[
                "I want a latte with",
                "A cappuccino and.",
                "Can I get a",
                "I'd like",
                "Give me.",
                "So, um",
                "I would like a large",
                "Get me a triple shot 12 ounce.",
                "Can I have an iced",
                "My order number is four one",
                "order number 41",
                "four one",
                "M-E-L",
                "the card number",
                "two lattes,",
                "Do you have...",
                "where is the",
                "I am looking for",
            ],
        );
    }

    #[test]
    fn a_whole_sentence_is_finished() {
        check(Ending::Finished, &["I want a latte.", "Make me a medium latte.", "A latte would be nice!"]);
    }

    #[test]
    fn a_whole_question_is_asked() {
        check(Ending::Asked, &["How much is this?", "Where do these bananas come from?", "What is this for?", "Can I pay by card?"]);
    }

    #[test]
    fn whoever_is_polite_or_says_so_is_done() {
        check(Ending::Closed, &["I would like a large latte with oat milk, please", "That's all, thanks.", "Bye!"]);
    }

    #[test]
    fn where_the_words_do_not_tell_it_is_open() {
        check(
            Ending::Open,
            &["", "...?", "Medium", "Latte.", "two", "yes", "a medium latte", "4 1 5 5 5 2", "enter 2 5 4 6 1", "June the third"],
        );
        assert_eq!(ending("ich möchte einen Kaffee mit", "de"), Ending::Open);
    }

    #[test]
    fn any_text_has_an_ending() {
        for text in ["'", "?!", "…", "a", "🦀", "\u{0}", "İ", "9".repeat(10_000).as_str()] {
            ending(text, "en");
        }
    }
}
