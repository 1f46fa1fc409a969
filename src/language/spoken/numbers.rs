//! Numbers in words or digits: how many, which one in a row, and numbers read out digit by digit.

use super::scan;

pub(super) const UNITS: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
pub(super) const TEENS: [&str; 10] =
    ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"];
/// From twenty on, in tens.
pub(super) const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const TENS_PLURAL: [&str; 8] = ["twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties"];
pub(super) const UNITS_ORDINAL: [&str; 10] =
    ["zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"];
pub(super) const TEENS_ORDINAL: [&str; 10] =
    ["tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"];
pub(super) const TENS_ORDINAL: [&str; 8] =
    ["twentieth", "thirtieth", "fortieth", "fiftieth", "sixtieth", "seventieth", "eightieth", "ninetieth"];
/// Words that multiply what stands before them, the largest first, with their ordinals.
pub(super) const SCALES: [(&str, &str, u64); 3] =
    [("billion", "billionth", 1_000_000_000), ("million", "millionth", 1_000_000), ("thousand", "thousandth", 1_000)];

/// A number in digits is a value up to this many of them; a longer one is a string of digits only.
const VALUE_DIGITS_MAX: usize = 15;

/// How many: "twenty one", "a hundred and five", "twelve thousand three hundred", "1,250" or "21". The whole text is the number.
pub fn cardinal(text: &str) -> Option<u64> {
    whole(text, |number| !number.is_ordinal)
}

/// Which one in a row: "twenty first", "the hundred and fifth" without its article, "21st". The whole text is the number.
pub fn ordinal(text: &str) -> Option<u64> {
    let words = scan::words(text);
    match &words[..] {
        [digits, ending] if ["st", "nd", "rd", "th"].contains(&ending.as_str()) => value_of_digits(digits),
        _ => whole(text, |number| number.is_ordinal),
    }
}

/// A number read out digit by digit or in groups, as order and telephone numbers are: "four one seven" is "417", "double oh seven" is
/// "007", "eight ninety seven" is "897". The whole text is the number.
pub fn digits(text: &str) -> Option<String> {
    let words = scan::words(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (digits, used) = run(&words, Before::Digit)?;
    (used == words.len()).then_some(digits)
}

/// The digits of the longest number at the beginning of the words, and how many words it takes. `words` are in lower case, without
/// punctuation and hyphens. An ordinal is no such number, and neither is an "oh" at the beginning.
pub fn run_at(words: &[&str]) -> Option<(String, usize)> {
    if words.first().is_some_and(|word| is_oh(word)) {
        return None;
    }
    run(words, Before::Other)
}

fn run(words: &[&str], mut before: Before) -> Option<(String, usize)> {
    let (mut digits, mut used) = (String::new(), 0);
    while let Some(group) = group_at(&words[used..], before).filter(|group| group.ending == Ending::None) {
        digits.push_str(&group.digits);
        used += group.words;
        before = Before::Digit;
    }
    (used > 0).then_some((digits, used))
}

/// What a word stands behind: it decides whether "oh" is a zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// A number.
    Digit,
    /// A single letter, behind which "o" is a letter too.
    Letter,
    /// Anything else, or nothing.
    Other,
}

/// What a number ends in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    None,
    /// "twenty first".
    Ordinal,
    /// "the nineteen sixties".
    Plural,
}

/// One number among the words of a text: "ninety seven" of "eight ninety seven".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) digits: String,
    /// How many words it takes.
    pub(super) words: usize,
    pub(super) ending: Ending,
}

/// The number at the beginning of the words.
pub(super) fn group_at(words: &[&str], before: Before) -> Option<Group> {
    let group = |digits: String, words: usize| Some(Group { digits, words, ending: Ending::None });
    if let [times @ ("double" | "triple"), digit, ..] = words
        && !(*digit == "o" && before == Before::Letter)
        && let Some(value) = self::digit(digit)
    {
        return group(value.to_string().repeat(if *times == "double" { 2 } else { 3 }), 2);
    }
    let ohs = words.iter().take_while(|word| is_oh(word)).count();
    if ohs > 0 {
        let rest = &words[ohs..];
        // "oh £1.45" is "oh one pound forty five".
        let is_sign = rest.first().is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit() || "£$€½¼¾".contains(c)));
        let is_before_number = is_sign || group_at_without_oh(rest).is_some();
        let is_zero = match before {
            Before::Digit => is_before_number || rest.first().is_none_or(|word| word.len() != 1),
            Before::Letter => false,
            Before::Other => is_before_number,
        };
        return if is_zero { group("0".repeat(ohs), ohs) } else { None };
    }
    group_at_without_oh(words)
}

fn group_at_without_oh(words: &[&str]) -> Option<Group> {
    if let Some(number) = number_at(words) {
        let ending = if number.is_ordinal { Ending::Ordinal } else { Ending::None };
        // Zeros in front are lost in a value, so that a number in digits is taken as it is written.
        let digits = if number.words == 1 { written_digits(words[0]) } else { None };
        return Some(Group { digits: digits.unwrap_or_else(|| number.value.to_string()), words: number.words, ending });
    }
    if let Some(digits) = words.first().and_then(|word| written_digits(word)) {
        return Some(Group { digits, words: 1, ending: Ending::None });
    }
    let decade = words.first().and_then(|word| place(&TENS_PLURAL, word))?;
    Some(Group { digits: ((decade + 2) * 10).to_string(), words: 1, ending: Ending::Plural })
}

/// A word that multiplies the number before it.
pub(super) fn is_scale(word: &str) -> bool {
    word == "hundred" || SCALES.iter().any(|(scale, ..)| *scale == word)
}

/// "oh" and the letter, which recognisers write for one another.
pub(super) fn is_oh(word: &str) -> bool {
    matches!(word, "oh" | "o")
}

/// The value of a single digit in words, "oh" and "nought" among them.
pub(super) fn digit(word: &str) -> Option<u64> {
    if is_oh(word) || matches!(word, "nought" | "naught") { Some(0) } else { place(&UNITS, word).map(|digit| digit as u64) }
}

/// A value at the beginning of the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::language) struct Number {
    pub(in crate::language) value: u64,
    pub(in crate::language) words: usize,
    pub(in crate::language) is_ordinal: bool,
}

fn whole(text: &str, fits: impl Fn(&Number) -> bool) -> Option<u64> {
    let words = scan::words(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    number_at(&words).filter(|number| number.words == words.len() && fits(number)).map(|number| number.value)
}

/// The longest number with a value at the beginning of the words: "twelve thousand three hundred and five".
pub(in crate::language) fn number_at(words: &[&str]) -> Option<Number> {
    let (mut total, mut used, mut last_scale) = (0_u64, 0, u64::MAX);
    loop {
        // "two thousand and five": the "and" belongs to the number only if one follows.
        let joins = usize::from(used > 0 && words.get(used) == Some(&"and"));
        let from = used + joins;
        let part = below_thousand(words.get(from..)?, used == 0).filter(|part| used == 0 || part.value > 0);
        let Some(part) = part else { break };
        let after = from + part.words;
        let scale = words.get(after).and_then(|word| SCALES.iter().find(|(scale, nth, _)| word == scale || word == nth));
        match scale {
            Some((_, nth, scale)) if !part.is_ordinal && part.value > 0 => {
                // "two thousand three thousand" are two numbers.
                if *scale >= last_scale {
                    break;
                }
                total = part.value.checked_mul(*scale).and_then(|value| total.checked_add(value))?;
                (used, last_scale) = (after + 1, *scale);
                if words[after] == *nth {
                    return Some(Number { value: total, words: used, is_ordinal: true });
                }
            }
            _ => {
                let part = hundreds_left_out(words, from, part).filter(|_| used > 0 && joins == 0).unwrap_or(part);
                let value = total.checked_add(part.value)?;
                return Some(Number { value, words: from + part.words, is_ordinal: part.is_ordinal });
            }
        }
    }
    (used > 0).then_some(Number { value: total, words: used, is_ordinal: false })
}

/// "fifty eight thousand nine thirty nine": behind a scale "nine thirty nine" is 939.
fn hundreds_left_out(words: &[&str], from: usize, hundreds: Number) -> Option<Number> {
    let rest = below_hundred(words.get(from + 1..)?).filter(|rest| rest.value >= 10)?;
    let is_unit = hundreds.words == 1 && !hundreds.is_ordinal && hundreds.value < 10;
    is_unit.then_some(Number { value: hundreds.value * 100 + rest.value, words: 1 + rest.words, is_ordinal: rest.is_ordinal })
}

/// "three hundred and five", "twelve hundred", "a hundred", "ninety nine". A number in digits, and "a" before a scale, stand only at the
/// beginning of the whole number.
fn below_thousand(words: &[&str], is_first: bool) -> Option<Number> {
    let next = words.get(1).copied().unwrap_or_default();
    let is_scale = next.starts_with("hundred") || SCALES.iter().any(|(scale, nth, _)| next == *scale || next == *nth);
    let first = match words.first() {
        Some(&"a") if is_first && is_scale && next != "hundreds" => Number { value: 1, words: 1, is_ordinal: false },
        Some(word) if is_first && word.starts_with(|c: char| c.is_ascii_digit()) => {
            Number { value: value_of_digits(word)?, words: 1, is_ordinal: false }
        }
        _ => below_hundred(words)?,
    };
    let is_hundredth = match words.get(first.words) {
        Some(&"hundred") => false,
        Some(&"hundredth") => true,
        _ => return Some(first),
    };
    let is_written = words[0].starts_with(|c: char| c.is_ascii_digit());
    if first.is_ordinal || first.value == 0 || (first.value >= 100 && !is_written) {
        return Some(first);
    }
    let (value, used) = (first.value * 100, first.words + 1);
    let hundreds = Number { value, words: used, is_ordinal: is_hundredth };
    if is_hundredth {
        return Some(hundreds);
    }
    let joins = usize::from(words.get(used) == Some(&"and"));
    // "two hundred one hundred" are two numbers.
    let ends_here = |rest: &Number| !matches!(words.get(used + joins + rest.words), Some(&"hundred" | &"hundredth"));
    match below_hundred(&words[used + joins..]).filter(|rest| rest.value > 0 && ends_here(rest)) {
        Some(rest) => Some(Number { value: value + rest.value, words: used + joins + rest.words, is_ordinal: rest.is_ordinal }),
        None => Some(hundreds),
    }
}

/// "nine", "nineteen", "ninety", "ninety nine", and their ordinals.
pub(super) fn below_hundred(words: &[&str]) -> Option<Number> {
    let number = |value: usize, words, is_ordinal| Some(Number { value: value as u64, words, is_ordinal });
    let first = words.first()?;
    if let Some(ten) = place(&TENS, first) {
        let tens = (ten + 2) * 10;
        let unit = |list: &[&str]| words.get(1).and_then(|word| place(list, word)).filter(|unit| *unit > 0);
        return match (unit(&UNITS), unit(&UNITS_ORDINAL)) {
            (Some(unit), _) => number(tens + unit, 2, false),
            (None, Some(unit)) => number(tens + unit, 2, true),
            (None, None) => number(tens, 1, false),
        };
    }
    if matches!(*first, "nought" | "naught") {
        return number(0, 1, false);
    }
    let lists = [(&UNITS, 0, false), (&TEENS, 10, false), (&UNITS_ORDINAL, 0, true), (&TEENS_ORDINAL, 10, true)];
    let found = lists.iter().find_map(|(list, from, is_ordinal)| Some((place(*list, first)? + from, *is_ordinal)));
    match found {
        Some((value, is_ordinal)) => number(value, 1, is_ordinal),
        None => number((place(&TENS_ORDINAL, first)? + 2) * 10, 1, true),
    }
}

/// The digits of a whole number as it is written, without the commas of its thousands.
pub(super) fn written_digits(word: &str) -> Option<String> {
    let is_whole = word.starts_with(|c: char| c.is_ascii_digit()) && word.bytes().all(|b| b.is_ascii_digit() || b == b',');
    is_whole.then(|| word.replace(',', ""))
}

pub(super) fn value_of_digits(word: &str) -> Option<u64> {
    written_digits(word).filter(|digits| digits.len() <= VALUE_DIGITS_MAX)?.parse().ok()
}

fn place(list: &[&str], word: &str) -> Option<usize> {
    list.iter().position(|listed| *listed == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantities_are_read_in_words_and_in_digits() {
        let table = [
            ("zero", 0),
            ("seven", 7),
            ("twenty one", 21),
            ("Twenty-One", 21),
            ("ninety", 90),
            ("a hundred", 100),
            ("a hundred and five", 105),
            ("one hundred twenty three", 123),
            ("fifteen hundred", 1_500),
            ("two thousand and five", 2_005),
            ("twelve thousand three hundred", 12_300),
            ("one thousand two hundred and fifty", 1_250),
            ("five hundred thousand", 500_000),
            ("fifty eight thousand nine thirty nine", 58_939),
            ("two million three hundred thousand and one", 2_300_001),
            ("1,250", 1_250),
            ("21", 21),
            ("12 thousand", 12_000),
        ];
        for (text, value) in table {
            assert_eq!(cardinal(text), Some(value), "{text}");
        }
    }

    #[test]
    fn what_is_not_one_number_is_none() {
        for text in ["", "apple", "two three", "two and three", "hundred", "twenty first", "two thousand three thousand", "2.99", "and"] {
            assert_eq!(cardinal(text), None, "{text}");
        }
    }

    #[test]
    fn ordinals_are_read_in_words_and_in_digits() {
        let table = [("first", 1), ("twelfth", 12), ("twenty first", 21), ("21st", 21), ("3rd", 3), ("hundred and fifth", 0)];
        for (text, value) in table {
            assert_eq!(ordinal(text), (value > 0).then_some(value), "{text}");
        }
        assert_eq!(ordinal("a hundred and fifth"), Some(105));
        assert_eq!(ordinal("two thousandth"), Some(2_000));
        assert_eq!(ordinal("thirtieth"), Some(30));
        assert_eq!(ordinal("thirty"), None);
    }

    #[test]
    fn a_number_read_out_is_a_string_of_digits() {
        let table = [
            ("four one seven", "417"),
            ("417", "417"),
            ("double oh seven", "007"),
            ("oh eight hundred", "0800"),
            ("nine one six nine", "9169"),
            ("eight ninety seven", "897"),
            ("eight oh seven", "807"),
            ("1-O-O-2-8", "10028"),
            ("nineteen oh five", "1905"),
            ("triple two", "222"),
            ("twenty twenty", "2020"),
            ("007", "007"),
            ("412-421-8896", "4124218896"),
        ];
        for (text, read) in table {
            assert_eq!(digits(text).as_deref(), Some(read), "{text}");
        }
        assert_eq!(digits("four one please"), None);
        assert_eq!(digits("double espresso"), None);
    }

    #[test]
    fn a_run_ends_where_the_number_ends_and_does_not_begin_with_oh() {
        assert_eq!(run_at(&["four", "one", "seven", "please"]), Some(("417".to_owned(), 3)));
        assert_eq!(run_at(&["twenty", "one", "lemons"]), Some(("21".to_owned(), 2)));
        assert_eq!(run_at(&["oh", "two", "lattes"]), None);
        assert_eq!(run_at(&["two", "and", "three"]), Some(("2".to_owned(), 1)));
        assert_eq!(run_at(&["first"]), None);
        assert_eq!(run_at(&[]), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_a_reader_panic(text in "(?s).{0,60}") {
            let _ = (cardinal(&text), ordinal(&text), digits(&text));
        }

        #[test]
        fn no_row_of_number_words_makes_a_reader_panic(
            words in prop::collection::vec(prop::sample::select(vec![
                "a", "and", "oh", "double", "one", "nine", "eleven", "ninety", "hundred", "thousand", "million", "billion", "first",
                "hundredth", "thousandth", "sixties", "999999999999999", "007", "2.5", "x",
            ]), 0..12),
        ) {
            let text = words.join(" ");
            let _ = (cardinal(&text), ordinal(&text), digits(&text));
            if let Some((digits, used)) = run_at(&words) {
                prop_assert!(used <= words.len() && digits.bytes().all(|b| b.is_ascii_digit()));
            }
        }
    }
}
