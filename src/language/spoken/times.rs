//! Times of the day: "half past three", "quarter to nine", "ten thirty a m", "noon".

use super::{numbers, scan};

pub(super) const HOUR: u16 = 60;
pub(super) const HALF_DAY: u16 = 12 * HOUR;
/// Hours that are said without a half of the day: from one o'clock until before eight a shop's customers mean the afternoon and evening.
pub(super) const AFTERNOON: std::ops::Range<u16> = HOUR..8 * HOUR;

/// Which half of the day is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Unsaid,
    Morning,
    Afternoon,
    Night,
}

/// Reads a time of the day, in minutes since midnight; the whole text is the time, but for an "at" before it.
///
/// Where neither a.m. nor p.m. nor a part of the day is said, hours from one to seven are in the afternoon and evening, all others in the
/// morning, and twelve is noon. Hours above twelve, and those with a zero before them ("08:30"), are hours of 24.
pub fn time(text: &str) -> Option<u16> {
    let words = scan::words(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    time_of_words(words.strip_prefix(&["at"]).unwrap_or(&words))
}

/// The same for words that are cut already.
pub(in crate::language) fn time_of_words(words: &[&str]) -> Option<u16> {
    match words {
        ["noon" | "midday"] => return Some(HALF_DAY),
        ["midnight"] => return Some(0),
        _ => {}
    }
    let (clock, half) = half_of(words);
    let minutes = clock_time(clock)?;
    match minutes {
        Clock::Of24(minutes) => Some(minutes),
        Clock::Of12(minutes) => Some(match half {
            Half::Morning => minutes,
            Half::Afternoon => minutes + HALF_DAY,
            Half::Night if minutes < HALF_DAY / 2 => minutes,
            Half::Night => minutes + HALF_DAY,
            Half::Unsaid if minutes < HOUR || AFTERNOON.contains(&minutes) => minutes + HALF_DAY,
            Half::Unsaid => minutes,
        }),
    }
}

fn half_of<'w, 't>(words: &'w [&'t str]) -> (&'w [&'t str], Half) {
    match words {
        [clock @ .., "am"] | [clock @ .., "a", "m"] | [clock @ .., "in", "the", "morning"] => (clock, Half::Morning),
        [clock @ .., "pm"] | [clock @ .., "p", "m"] | [clock @ .., "in", "the", "afternoon" | "evening"] => (clock, Half::Afternoon),
        [clock @ .., "at", "night"] => (clock, Half::Night),
        _ => (words, Half::Unsaid),
    }
}

/// What a clock shows, in minutes.
enum Clock {
    /// Of twelve hours: less than [`HALF_DAY`].
    Of12(u16),
    /// Of a whole day.
    Of24(u16),
}

fn clock_time(words: &[&str]) -> Option<Clock> {
    let words = words.strip_prefix(&["a"]).unwrap_or(words);
    match words {
        ["half", "past", hour @ ..] | ["half", hour @ ..] => shifted(hour, 30),
        ["quarter", "past" | "after", hour @ ..] => shifted(hour, 15),
        ["quarter", "to" | "before", hour @ ..] => shifted(hour, -15),
        _ => {
            let number = numbers::number_at(words).filter(|number| !number.is_ordinal);
            let rest = number.map_or(words, |number| &words[number.words..]);
            let rest = rest.strip_prefix(&["minutes"]).or(rest.strip_prefix(&["minute"])).unwrap_or(rest);
            let shift = number.filter(|number| (1..60).contains(&number.value)).and_then(|number| i16::try_from(number.value).ok());
            match (rest, shift) {
                (["past" | "after", hour @ ..], Some(minutes)) => shifted(hour, minutes),
                (["to" | "before", hour @ ..], Some(minutes)) => shifted(hour, -minutes),
                _ => shown(words),
            }
        }
    }
}

/// So many minutes after an hour of the clock, or before it.
fn shifted(hour: &[&str], minutes: i16) -> Option<Clock> {
    let hour = hour.strip_suffix(&["o'clock"]).unwrap_or(hour);
    let number = numbers::number_at(hour).filter(|number| number.words == hour.len() && !number.is_ordinal)?;
    let hour = i16::try_from(number.value).ok()?;
    let of = |day: i16| u16::try_from((hour * 60 + minutes).rem_euclid(day)).ok();
    match hour {
        1..=12 => of(720).map(Clock::Of12),
        0 | 13..=23 => of(1_440).map(Clock::Of24),
        _ => None,
    }
}

/// "ten thirty", "nine oh five", "nine o'clock", "15:30".
fn shown(words: &[&str]) -> Option<Clock> {
    if let [digits] = words
        && let Some((hour, minute)) = digits.split_once(':')
    {
        let is_of_24 = hour.starts_with('0');
        return clock(numbers::value_of_digits(hour)?, numbers::value_of_digits(minute)?, is_of_24);
    }
    let hour = numbers::number_at(words).filter(|number| !number.is_ordinal)?;
    let minute = match &words[hour.words..] {
        [] | ["o'clock" | "oclock"] | ["o", "clock"] => 0,
        [oh, digit] if numbers::is_oh(oh) => numbers::digit(digit)?,
        rest => numbers::number_at(rest).filter(|minute| minute.words == rest.len() && minute.value >= 10 && !minute.is_ordinal)?.value,
    };
    clock(hour.value, minute, false)
}

fn clock(hour: u64, minute: u64, is_of_24: bool) -> Option<Clock> {
    let (hour, minute) = (u16::try_from(hour).ok()?, u16::try_from(minute).ok()?);
    match (hour, minute) {
        (_, 60..) | (24.., _) => None,
        (1..=12, _) if !is_of_24 => Some(Clock::Of12(hour % 12 * HOUR + minute)),
        _ => Some(Clock::Of24(hour * HOUR + minute)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_are_read_as_people_say_them() {
        let table = [
            ("half past three", 15 * 60 + 30),
            ("half three", 15 * 60 + 30),
            ("quarter to nine", 8 * 60 + 45),
            ("a quarter past six", 18 * 60 + 15),
            ("ten thirty a m", 10 * 60 + 30),
            ("10:30 a.m.", 10 * 60 + 30),
            ("ten past four", 16 * 60 + 10),
            ("twenty-five to six p.m.", 17 * 60 + 35),
            ("five minutes to one", 12 * 60 + 55),
            ("noon", 12 * 60),
            ("midnight", 0),
            ("nine o'clock", 9 * 60),
            ("at nine", 9 * 60),
            ("nine oh five", 9 * 60 + 5),
            ("twelve", 12 * 60),
            ("twelve thirty", 12 * 60 + 30),
            ("fifteen thirty", 15 * 60 + 30),
            ("15:30", 15 * 60 + 30),
            ("08:30", 8 * 60 + 30),
            ("7:30", 19 * 60 + 30),
            ("seven in the morning", 7 * 60),
            ("three a m", 3 * 60),
            ("eleven at night", 23 * 60),
            ("two at night", 2 * 60),
            ("eight in the evening", 20 * 60),
        ];
        for (text, minutes) in table {
            assert_eq!(time(text), Some(minutes), "{text}");
        }
    }

    #[test]
    fn what_no_clock_shows_is_none() {
        for text in ["", "twenty five", "ten seventy", "25:00", "half past", "half past thirty", "sixty past two", "ten apples", "third"] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_a_minute_of_the_day_or_none(
            words in prop::collection::vec(prop::sample::select(vec![
                "half", "quarter", "past", "to", "at", "night", "a", "m", "pm", "noon", "one", "twelve", "twenty", "oh", "five", "0", "12:59",
                "99", "o'clock", "minutes", "in", "the", "morning", "million",
            ]), 0..7),
        ) {
            prop_assert!(time(&words.join(" ")).is_none_or(|minutes| minutes < 24 * 60));
        }
    }
}
