//! One form for all ways of writing the same words, so that a transcript can be held against what was said.
//!
//! A recogniser writes "9,169" where a reference says "nine one six nine", and both are right. [`canonical`] equates what *sounds* the
//! same or is one reading of the same writing, and nothing else: no word is dropped, none is added, none is exchanged for another with
//! the same meaning. `docs/canonical.md` lists what is equated, with examples, and what is not.
//!
//! # Source
//! The idea is that of the English normaliser of Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision" (2022),
//! appendix C, which also drops fillers and writes contractions out; this one does neither.

use super::numbers::{self, Before, Ending, Group, UNITS, UNITS_ORDINAL};
use super::scan::{After, Piece, scan};
use super::{dates, quantities, spellings};

/// A word of the canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// In lower case, of letters and apostrophes: a digit is "seven", a spelt name "melvin".
    pub text: String,
    /// The first word of the text it was made of; words are parted by white space and counted from 0.
    pub first: usize,
    /// The last word it was made of. "M E L V I N" are six words and one token, "417" is one word and three.
    pub last: usize,
}

/// A text in canonical form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Canonical {
    /// Its words, in order.
    pub tokens: Vec<Token>,
}

impl Canonical {
    /// The words, for the word error rate.
    pub fn words(&self) -> Vec<&str> {
        self.tokens.iter().map(|token| token.text.as_str()).collect()
    }

    /// The letters without blanks and apostrophes, for the character error rate.
    pub fn characters(&self) -> Vec<char> {
        self.tokens.iter().flat_map(|token| token.text.chars()).filter(|c| *c != '\'').collect()
    }

    /// The words, parted by blanks.
    pub fn text(&self) -> String {
        self.words().join(" ")
    }
}

/// Brings a text to its canonical form.
pub fn canonical(text: &str) -> Canonical {
    let pieces = scan(text);
    let words: Vec<&str> = pieces.iter().map(|piece| piece.text.as_str()).collect();
    let mut writer = Writer { pieces: &pieces, words: &words, at: 0, tokens: Vec::new() };
    while writer.at < pieces.len() {
        writer.step();
    }
    let tokens = without_point_of_prices(writer.tokens);
    Canonical { tokens: tokens.into_iter().map(|written| written.token).collect() }
}

/// A token, and whether it is a digit of a number.
struct Written {
    token: Token,
    is_digit: bool,
}

/// Goes through the pieces from left to right.
struct Writer<'a> {
    pieces: &'a [Piece],
    words: &'a [&'a str],
    at: usize,
    tokens: Vec<Written>,
}

impl Writer<'_> {
    fn step(&mut self) {
        let done = self.money() || self.fraction() || self.clock() || self.joined() || self.number() || self.letters() || self.sign();
        if !done {
            // The apostrophe of "king's" is not heard; that of "we're" parts it from "were" and stays.
            let word = self.words[self.at];
            let heard = word.strip_suffix("'s").map(|owner| format!("{owner}s"));
            self.write_words(&spellings::usual(heard.as_deref().unwrap_or(word)), 1);
        }
    }

    fn word(&self, offset: usize) -> &str {
        self.words.get(self.at + offset).copied().unwrap_or_default()
    }

    fn is_glued(&self, offset: usize) -> bool {
        self.pieces.get(self.at + offset).is_some_and(|piece| piece.after == After::Nothing)
    }

    /// Writes words made of the next `pieces` pieces, and goes on behind those.
    fn write_words(&mut self, text: &str, pieces: usize) {
        self.write(text, pieces, 0);
    }

    /// The first `digits` of the words are digits of a number.
    fn write(&mut self, text: &str, pieces: usize, digits: usize) {
        let first = self.pieces[self.at].word;
        let last = self.pieces[self.at + pieces - 1].word;
        let token = |(at, word): (usize, &str)| Written { token: Token { text: word.to_owned(), first, last }, is_digit: at < digits };
        self.tokens.extend(text.split(' ').enumerate().map(token));
        self.at += pieces;
    }

    /// Writes digits as words; the last one carries the ending.
    fn write_digits(&mut self, digits: &str, ending: Ending, pieces: usize) {
        let names: Vec<String> = digits.bytes().filter(u8::is_ascii_digit).map(|b| UNITS[usize::from(b - b'0')].to_owned()).collect();
        let mut text = names.join(" ");
        let last = usize::from(digits.bytes().last().unwrap_or(b'0').saturating_sub(b'0')).min(9);
        match ending {
            Ending::None => {}
            Ending::Ordinal => text = format!("{}{}", text.strip_suffix(UNITS[last]).unwrap_or_default(), UNITS_ORDINAL[last]),
            Ending::Plural => text.push('s'),
        }
        self.write(&text, pieces, names.len().saturating_sub(usize::from(ending != Ending::None)));
    }

    /// "£1.45" is "one pound forty five", and "$2 million" is "two million dollars".
    fn money(&mut self) -> bool {
        let (one, many, part) = match self.word(0) {
            "£" => ("pound", "pounds", "pence"),
            "€" => ("euro", "euros", "cents"),
            "$" => ("dollar", "dollars", "cents"),
            _ => return false,
        };
        if !self.word(1).starts_with(|c: char| c.is_ascii_digit()) || self.word(1).contains(':') {
            return false;
        }
        let amount = self.word(1).to_owned();
        let (whole, cents) = amount.split_once('.').unwrap_or((&amount, ""));
        let whole = whole.replace(',', "");
        let name = if whole == "1" { one } else { many };
        let is_zero = |digits: &str| digits.bytes().all(|b| b == b'0');
        let is_decimal = cents.len() == 1 || cents.len() > 2 || (cents.len() == 2 && numbers::is_scale(self.word(2)));
        if is_decimal {
            // "$1.45 million" has no cents.
            self.at += 1;
            self.number();
            let scale = self.words.get(self.at).copied().filter(|word| numbers::is_scale(word));
            if let Some(scale) = scale {
                self.write_words(scale, 1);
            }
            self.again(many);
        } else if cents.len() == 2 && is_zero(&whole) && !is_zero(cents) {
            self.at += 1;
            self.write_digits(cents.trim_start_matches('0'), Ending::None, 1);
            self.again(part);
        } else {
            // The number goes before its scale, the currency behind it.
            self.at += 1;
            let number = self.words.get(self.at..).and_then(numbers::number_at).filter(|n| cents.is_empty() && n.words > 1);
            match number {
                Some(number) => self.write_digits(&number.value.to_string(), Ending::None, number.words),
                None => self.write_digits(&whole, Ending::None, 1),
            }
            self.again(name);
            if !is_zero(cents) {
                self.at -= 1;
                self.write_digits(cents, Ending::None, 1);
            }
        }
        true
    }

    /// Writes one more word that was made of the piece before.
    fn again(&mut self, word: &str) {
        self.at -= 1;
        self.write_words(word, 1);
    }

    /// "1/2", "½" and "2½"; other slashes part two numbers.
    fn fraction(&mut self) -> bool {
        let glued_to_number = self.at > 0 && self.pieces[self.at - 1].is_digits() && self.is_glued(0);
        let text = match self.word(0) {
            "½" => "half",
            "¼" => "quarter",
            "¾" => "three quarters",
            "1" | "3" if self.word(1) == "/" && self.is_glued(1) => {
                let text = match (self.word(0), self.word(2)) {
                    ("1", "2") => "one half",
                    ("1", "4") => "one quarter",
                    ("3", "4") => "three quarters",
                    _ => return false,
                };
                self.write_words(text, 3);
                return true;
            }
            "/" => {
                self.at += 1;
                return true;
            }
            _ => return false,
        };
        let text = match (glued_to_number, text.starts_with("three")) {
            (true, true) => format!("and {text}"),
            (true, false) => format!("and a {text}"),
            (false, true) => text.to_owned(),
            (false, false) => format!("one {text}"),
        };
        self.write_words(&text, 1);
        true
    }

    /// "10:30" is "ten thirty"; "5:00" is "five o'clock", and before a.m. or p.m. plain "five".
    fn clock(&mut self) -> bool {
        let Some((hour, minute)) = self.words[self.at].split_once(':') else { return false };
        let (hour, minute) = (hour.to_owned(), minute.to_owned());
        if minute != "00" {
            self.write_digits(&format!("{hour}{minute}"), Ending::None, 1);
            return true;
        }
        let has_half = matches!((self.word(1), self.word(2)), ("am" | "pm", _) | ("a" | "p", "m"));
        self.write_digits(&hour, Ending::None, 1);
        if !has_half {
            self.again("oclock");
        }
        true
    }

    /// "o'clock" and "o clock", "e-mail" and "e mail".
    fn joined(&mut self) -> bool {
        let (word, pieces) = match (self.word(0), self.word(1)) {
            ("o'clock", _) => ("oclock", 1),
            ("o", "clock") => ("oclock", 2),
            ("e", "mail") => ("email", 2),
            _ => return false,
        };
        self.write_words(word, pieces);
        true
    }

    /// Numbers in words or digits become their digits, each a word; ordinals and decades keep their ending, units become words.
    fn number(&mut self) -> bool {
        let rest = &self.words[self.at..];
        if let Some((whole, decimals)) = decimal(self.word(0)) {
            self.write_digits(&whole, Ending::None, 1);
            self.again("point");
            self.at -= 1;
            self.write_digits(&decimals, Ending::None, 1);
            self.unit(false);
            return true;
        }
        let is_behind_point = self.is_behind_point();
        let group = if is_behind_point { decimals_at(rest) } else { numbers::group_at(rest, self.before()) };
        let Some(group) = group else { return false };
        let Group { digits, words, mut ending } = group;
        let mut pieces = words;
        let follows = self.word(words).to_owned();
        if self.pieces[self.at].is_digits() && words == 1 && self.is_glued(1) {
            let decade = follows == "s" && digits.ends_with('0');
            match &follows[..] {
                "st" | "nd" | "rd" | "th" => (ending, pieces) = (Ending::Ordinal, 2),
                "s" if decade => (ending, pieces) = (Ending::Plural, 2),
                _ => {}
            }
        }
        // In "May 21st" and "21st May" the ending is written or left out as one likes.
        let is_in_date = dates::month(self.words.get(self.at + pieces).copied().unwrap_or_default()).is_some()
            || self.at.checked_sub(1).is_some_and(|before| dates::month(self.words[before]).is_some());
        if ending == Ending::Ordinal && is_in_date && !numbers::is_scale(self.word(pieces)) {
            ending = Ending::None;
        }
        let is_one = digits == "1" && !is_behind_point && self.before() != Before::Digit;
        self.write_digits(&digits, ending, pieces);
        if ending == Ending::None {
            self.unit(is_one);
        }
        true
    }

    /// The last tokens are a number with a point, and what may be digits behind it.
    fn is_behind_point(&self) -> bool {
        let decimals = self.tokens.iter().rev().take_while(|written| written.is_digit).count();
        let before = &self.tokens[..self.tokens.len() - decimals];
        matches!(before, [.., number, point] if number.is_digit && point.token.text == "point")
    }

    /// The unit behind a number: "16 oz" is "sixteen ounces".
    fn unit(&mut self, is_one: bool) {
        // Single letters behind a number may be spelt: "six g h" are no grams.
        let is_spelt = self.word(0).len() == 1 && self.pieces.get(self.at + 1).is_some_and(|piece| piece.is_letter() || piece.is_digits());
        if !is_spelt && let Some((one, many)) = quantities::written_unit(self.word(0)) {
            self.write_words(if is_one { one } else { many }, 1);
        }
    }

    /// An "o" behind a letter is taken together with it, and is never asked for here.
    fn before(&self) -> Before {
        match self.tokens.last() {
            Some(written) if written.is_digit => Before::Digit,
            _ => Before::Other,
        }
    }

    /// "m e l v i n", "M-E-L-V-I-N" and "M.E.L.V.I.N." are one word, and so is "SPR-ING-H-O-U-S-E".
    fn letters(&mut self) -> bool {
        let chain = self.chain();
        if chain > 1 {
            let text: String = self.words[self.at..self.at + chain].concat();
            self.write_words(&text, chain);
            return true;
        }
        let (mut text, mut used) = (String::new(), 0);
        loop {
            let letter = |offset: usize| self.pieces.get(self.at + offset).filter(|piece| piece.is_letter());
            match (self.word(used), letter(used), letter(used + 1)) {
                ("double", None, Some(next)) if next.text == "u" => (text, used) = (text + "w", used + 2),
                ("double", None, Some(next)) => (text, used) = (text + &next.text.repeat(2), used + 2),
                (_, Some(piece), _) if (self.word(used), self.word(used + 1)) != ("e", "mail") => {
                    (text, used) = (text + &piece.text, used + 1)
                }
                _ => break,
            }
        }
        if used > 1 {
            self.write_words(&spellings::usual(&text), used);
        }
        used > 1
    }

    /// How many pieces are joined by hyphens from here on, if two of them at least are single letters, and not all.
    fn chain(&self) -> usize {
        let is_of_letters = |piece: &&Piece| piece.text.bytes().all(|b| b.is_ascii_lowercase());
        let rest = &self.pieces[self.at..];
        let linked = rest.iter().skip(1).take_while(|piece| piece.after == After::Hyphen && is_of_letters(piece)).count();
        let chain = &rest[..linked + 1];
        let letters = chain.iter().filter(|piece| piece.is_letter()).count();
        let fits = rest.first().filter(is_of_letters).is_some() && letters >= 2 && letters < chain.len();
        if fits { chain.len() } else { 0 }
    }

    /// Signs are spoken.
    fn sign(&mut self) -> bool {
        let text = match self.word(0) {
            "%" => "per cent",
            "&" => "and",
            "+" => "plus",
            "@" => "at",
            "#" => "number",
            "=" => "equals",
            "¢" => "cents",
            "£" => "pounds",
            "€" => "euros",
            "$" => "dollars",
            "°" => match (self.word(1), self.is_glued(1)) {
                ("c", true) => {
                    self.write_words("degrees celsius", 2);
                    return true;
                }
                ("f", true) => {
                    self.write_words("degrees fahrenheit", 2);
                    return true;
                }
                _ => "degrees",
            },
            _ => return false,
        };
        self.write_words(text, 1);
        true
    }
}

/// The two sides of a decimal number, in digits.
fn decimal(word: &str) -> Option<(String, String)> {
    let (whole, decimals) = word.split_once('.')?;
    Some((numbers::written_digits(whole)?, decimals.to_owned()))
}

/// Behind a point digits are read one by one: "three point one four" and not "fourteen hundred".
fn decimals_at(words: &[&str]) -> Option<Group> {
    let first = words.first()?;
    if let Some(digit) = numbers::digit(first) {
        return Some(Group { digits: digit.to_string(), words: 1, ending: Ending::None });
    }
    let written = numbers::written_digits(first).map(|digits| Group { digits, words: 1, ending: Ending::None });
    written.or_else(|| {
        let number = numbers::below_hundred(words)?;
        let ending = if number.is_ordinal { Ending::Ordinal } else { Ending::None };
        Some(Group { digits: number.value.to_string(), words: number.words, ending })
    })
}

/// "2.99" is how "two ninety nine" and "two point nine nine" are both written, so that the point before exactly two digits goes;
/// that of "2.99 million" stays.
fn without_point_of_prices(tokens: Vec<Written>) -> Vec<Written> {
    let is_digit = |at: Option<usize>| at.and_then(|at| tokens.get(at)).is_some_and(|written| written.is_digit);
    let goes: Vec<bool> = (0..tokens.len())
        .map(|at| {
            let is_point = tokens[at].token.text == "point" && is_digit(at.checked_sub(1));
            let is_scaled = tokens.get(at + 3).is_some_and(|written| numbers::is_scale(&written.token.text));
            is_point && is_digit(Some(at + 1)) && is_digit(Some(at + 2)) && !is_digit(Some(at + 3)) && !is_scaled
        })
        .collect();
    tokens.into_iter().zip(goes).filter(|(_, goes)| !goes).map(|(written, _)| written).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_sounds_the_same_or_is_written_the_same_is_equal() {
        let table = [
            // Case and punctuation.
            ("Hello, world!", "hello world"),
            ("It\u{2019}s Arla's caf\u{e9}", "it's arla's cafe"),
            ("an ice-cream", "an ice cream"),
            ("the king's bench", "the kings' bench"),
            // Digits.
            ("nine one six nine", "9,169"),
            ("nine thousand one hundred and sixty nine", "9169"),
            ("four one two four two one", "412-421"),
            ("one oh oh two eight", "1-O-O-2-8"),
            ("eight ninety seven", "897"),
            ("double oh seven", "007"),
            ("enter fourteen", "Enter 14."),
            ("a hundred and five", "105"),
            ("twelve thousand three hundred", "12,300"),
            ("fifty eight thousand nine thirty nine", "58,939"),
            ("sixty hundred one hundred", "6,000 100"),
            ("nineteen hundred", "1900"),
            ("two million", "2,000,000"),
            ("2 million", "two million"),
            ("several hundred", "several hundred"),
            ("oh seven", "07"),
            ("one point five million", "1.5 million"),
            ("three point one four one six", "3.1416"),
            // Spelling.
            ("m e l v i n", "M-E-L-V-I-N"),
            ("m e l v i n", "M.E.L.V.I.N."),
            ("m e l v i n", "Melvin"),
            ("s p r i n g h o u s e", "SPR-ing-H-O-U-S-E"),
            ("u m n y h six", "UMNYH6"),
            ("b o x eight oh seven", "B-O-X 807"),
            ("e n y w o six three", "E-N-Y-W-O-6-3"),
            ("h a double l", "H-A-L-L"),
            ("the t v that is on", "the TV that is on"),
            ("i e the letter", "i.e. the letter"),
            ("a T-shirt", "a t shirt"),
            // Money.
            ("two ninety nine", "2.99"),
            ("two point nine nine", "2.99"),
            ("one pound forty five", "£1.45"),
            ("one pound", "£1"),
            ("forty pence", "£0.40"),
            ("five pence", "£0.05"),
            ("two million dollars", "$2 million"),
            ("one point five million dollars", "$1.5 million"),
            ("one point four five million dollars", "$1.45 million"),
            ("two point nine nine million", "2.99 million"),
            ("oh one pound forty five", "Oh, £1.45"),
            ("twelve thousand three hundred euros", "€12,300"),
            ("forty p", "40p"),
            ("fifty percent", "50 per cent"),
            ("fifty percent", "50%"),
            // Units.
            ("sixteen ounces", "16 oz"),
            ("sixteen ounces", "16oz."),
            ("one ounce", "1 oz"),
            ("two hundred and fifty grams", "250g"),
            ("one point five liters", "1.5 l"),
            ("twenty degrees celsius", "20\u{b0}C"),
            // Dates, ordinals, times.
            ("may twenty first", "May 21st"),
            ("may twenty first", "May 21"),
            ("eighteen february nineteen seventy", "18th February, 1970."),
            ("march third nineteen twenty eight", "March 3, 1928"),
            ("the twenty first time", "the 21st time"),
            ("the twelfth man", "the 12th man"),
            ("the thirtieth", "the 30th"),
            ("the nineteen sixties", "the 1960s"),
            ("the nineteen sixties", "the 1960's"),
            ("ten thirty", "10:30"),
            ("ten thirty a m", "10:30 a.m."),
            ("five o'clock", "5:00"),
            ("five p m", "5:00 PM"),
            ("one half", "1/2"),
            ("two and a half", "2\u{bd}"),
            // Words.
            ("okay", "OK"),
            ("okay", "O.K."),
            ("mister smith", "Mr. Smith"),
            ("bread and butter", "bread & butter"),
            ("number five", "#5"),
            ("colour", "color"),
            ("email", "e-mail"),
            ("an email", "an e mail"),
            ("alright", "all right"),
        ];
        for (said, written) in table {
            assert_eq!(canonical(said).words(), canonical(written).words(), "{said} / {written}");
        }
    }

    #[test]
    fn the_tables_of_the_documentation_are_true() {
        let text = include_str!("../../../docs/canonical.md");
        let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")).filter(|row| !row.starts_with("---"));
        let (mut equal, mut different) = (0, 0);
        for row in rows {
            let cells: Vec<Vec<&str>> = row.split('|').map(|cell| cell.split(';').map(str::trim).collect()).collect();
            match &cells[..] {
                [_, said, ..] if said == &["said"] => {}
                [said, ..] if said == &["said"] => {}
                [_, said, written, forms] => {
                    equal += 1;
                    for (at, text) in said.iter().enumerate().chain(written.iter().enumerate()) {
                        let form = if forms.len() == 1 { forms[0] } else { forms[at] };
                        assert_eq!(canonical(text).text(), form, "{text}");
                    }
                }
                [said, heard, _] => {
                    different += 1;
                    assert_ne!(canonical(said[0]).text(), canonical(heard[0]).text());
                }
                _ => panic!("{row}"),
            }
        }
        assert!(equal > 25 && different > 8, "{equal} {different}");
    }

    #[test]
    fn what_is_heard_wrong_stays_different() {
        let table = [
            ("do not", "don't"),
            ("we're", "were"),
            ("um yes", "yes"),
            ("four", "for"),
            ("twenty first", "twenty one"),
            ("fourth", "four"),
            ("two ninety nine", "$2.99"),
            ("one thousand", "a thousand times"),
            ("half past three", "3:30"),
            ("thirteen", "thirty"),
            ("four one seven", "four one"),
            ("going to", "gonna"),
            ("mum", "mom"),
            ("oh no", "no"),
            ("two and three", "two three"),
        ];
        for (said, heard) in table {
            assert_ne!(canonical(said).words(), canonical(heard).words(), "{said} / {heard}");
        }
    }

    #[test]
    fn the_form_is_words_that_can_be_read() {
        assert_eq!(canonical("Enter 9,169, M-E-L!").text(), "enter nine one six nine mel");
        assert_eq!(canonical("the 21st").text(), "the two first");
        assert_eq!(canonical("").text(), "");
        assert_eq!(canonical("... !").text(), "");
        assert_eq!(canonical("You're 5").characters().iter().collect::<String>(), "yourefive");
    }

    #[test]
    fn a_token_knows_the_words_it_was_made_of() {
        let form = canonical("Order 41 for M E L");
        let seen: Vec<_> = form.tokens.iter().map(|token| (token.text.as_str(), token.first, token.last)).collect();
        assert_eq!(seen, [("order", 0, 0), ("four", 1, 1), ("one", 1, 1), ("for", 2, 2), ("mel", 3, 5)]);
    }

    proptest! {
        #[test]
        fn any_text_has_a_form_whose_tokens_lie_in_it(text in "(?s).{0,80}") {
            let words = text.split_whitespace().count();
            let form = canonical(&text);
            prop_assert!(form.tokens.iter().all(|token| !token.text.is_empty() && token.first <= token.last && token.last < words));
        }

        #[test]
        fn the_form_of_a_form_is_itself(
            words in prop::collection::vec(prop::sample::select(vec![
                "the", "and", "lemons", "one", "twenty", "first", "hundred", "thousand", "oh", "may", "point", "9,169", "2.99", "10:30",
                "5:00", "£1.45", "50%", "16 oz", "21st", "1960s", "okay", "can't", "percent", "gray", "sixty", "half", "1/2",
            ]), 0..10),
        ) {
            let once = canonical(&words.join(" "));
            prop_assert_eq!(canonical(&once.text()).text(), once.text());
        }

        #[test]
        fn no_word_is_dropped(words in prop::collection::vec("[b-hj-np-z][a-z]{2,7}", 0..10)) {
            let joined = words.join(" ");
            let form = canonical(&joined);
            for (at, word) in words.iter().enumerate() {
                prop_assert!(form.tokens.iter().any(|token| (token.first..=token.last).contains(&at)), "{} of {}", word, joined);
            }
        }
    }
}
