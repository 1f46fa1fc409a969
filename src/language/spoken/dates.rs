//! Days of the year: "may twenty first", "21 May 2026", "the twenty-first of May".

use super::{numbers, scan};

/// Their names, January first.
pub(super) const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
/// February has its leap day: without a year nobody can tell.
const DAYS: [u8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// A day, of any year or of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// Day of the month, from 1.
    pub day: u8,
    /// Month, from 1.
    pub month: u8,
    /// Year, 1000 to 2999.
    pub year: Option<u16>,
}

impl Date {
    /// A day that exists, at least in a leap year, and a year that people say.
    pub fn new(day: u8, month: u8, year: Option<u16>) -> Option<Self> {
        let last = *DAYS.get(usize::from(month).checked_sub(1)?)?;
        let is_said = year.is_none_or(|year| (1_000..3_000).contains(&year));
        ((1..=last).contains(&day) && is_said).then_some(Self { day, month, year })
    }
}

/// Reads a day; the whole text is the day. Words, digits and both orders are understood.
pub fn date(text: &str) -> Option<Date> {
    let words = scan::words(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    date_of_words(&words)
}

/// The same for words that are cut already.
pub(in crate::language) fn date_of_words(words: &[&str]) -> Option<Date> {
    let words = words.strip_prefix(&["the"]).unwrap_or(words);
    let (month, day, rest) = match words.first().and_then(|word| month(word)) {
        Some(month) => {
            let (day, rest) = day(words[1..].strip_prefix(&["the"]).unwrap_or(&words[1..]))?;
            (month, day, rest)
        }
        None => {
            let (day, rest) = day(words)?;
            let rest = rest.strip_prefix(&["of"]).unwrap_or(rest);
            (month(rest.first()?)?, day, &rest[1..])
        }
    };
    Date::new(day, month, year(rest)?)
}

/// The number of the month of that name, in lower case and not shortened.
pub(in crate::language) fn month(word: &str) -> Option<u8> {
    MONTHS.iter().position(|name| name.eq_ignore_ascii_case(word)).and_then(|at| u8::try_from(at + 1).ok())
}

fn day<'w, 't>(words: &'w [&'t str]) -> Option<(u8, &'w [&'t str])> {
    let number = numbers::number_at(words)?;
    let rest = &words[number.words..];
    let rest = match rest {
        ["st" | "nd" | "rd" | "th", rest @ ..] if !number.is_ordinal => rest,
        _ => rest,
    };
    Some((u8::try_from(number.value).ok()?, rest))
}

/// `Some(None)` where no year is said.
fn year(words: &[&str]) -> Option<Option<u16>> {
    if words.is_empty() {
        return Some(None);
    }
    let (digits, used) = numbers::run_at(words)?;
    if used == words.len() && digits.len() == 4 { digits.parse().ok().map(Some) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: (u8, u8, Option<u16>)) {
        assert_eq!(date(text), Date::new(expected.0, expected.1, expected.2), "{text}");
        assert!(date(text).is_some(), "{text}");
    }

    #[test]
    fn a_day_is_read_in_words_and_digits_and_both_orders() {
        for text in ["may twenty first", "May 21st", "May 21", "21 May", "the twenty-first of May", "the 21st of May", "May the 21st"] {
            check(text, (21, 5, None));
        }
    }

    #[test]
    fn a_year_may_follow() {
        check("march third nineteen twenty eight", (3, 3, Some(1928)));
        check("September 27, 1967", (27, 9, Some(1967)));
        check("eighteen february nineteen seventy", (18, 2, Some(1970)));
        check("the first of june two thousand and five", (1, 6, Some(2005)));
        check("may twenty twenty twenty six", (20, 5, Some(2026)));
        check("july fourth nineteen oh five", (4, 7, Some(1905)));
    }

    #[test]
    fn a_day_that_does_not_exist_is_none() {
        for text in ["may thirty second", "april 31st", "may", "the first", "may first please", "may first sixty", "may zero"] {
            assert_eq!(date(text), None, "{text}");
        }
    }
}
