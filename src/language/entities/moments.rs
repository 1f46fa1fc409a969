use super::reading::{Rank, Reading};
use crate::domain::EntityKind;
use crate::language::spoken::{dates, numbers, times};

/// Longest day or time, in words: "the twenty first of september nineteen ninety nine".
const WORDS_MAX: usize = 9;
const HALF_DAY: u16 = 720;

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const PARTS: [&str; 4] = ["morning", "afternoon", "evening", "night"];
const SPANS: [&str; 7] = ["minute", "hour", "day", "night", "week", "month", "year"];
/// Before these words a bare number is a time: "at nine", "until half three".
const TIME_CUES: [&str; 10] = ["at", "by", "until", "till", "before", "after", "around", "since", "past", "from"];
/// Words between a day and a time of it.
const JOINTS: [&str; 8] = ["at", "on", "by", "in", "the", "around", "about", "from"];

/// Days and times. A value holds a day ("tomorrow", "friday", "next monday", "05-21", "2026-05-21"), a part of the day ("morning"), a time
/// ("15:30"), or several of them in this order; a length of time is "2 hours", "in 10 minutes" or "3 days ago". What day tomorrow is, nobody
/// knows here: there is no clock.
///
/// `is_noun` tells whether words begin with something that is counted: "at two euros" is no time.
pub(super) fn readings(words: &[&str], is_noun: &dyn Fn(&[&str]) -> bool) -> Vec<Reading> {
    (0..words.len()).flat_map(|at| [day(words, at), clock(words, at, is_noun), part(words, at), length(words, at)]).flatten().collect()
}

fn time(at: usize, words: usize, rank: Rank, value: String) -> Option<Reading> {
    Some(Reading::of(at, words, rank, EntityKind::Time, value))
}

fn day(words: &[&str], at: usize) -> Option<Reading> {
    let (day, used) = day_at(&words[at..])?;
    time(at, used, Rank::Listed, day)
}

fn day_at(words: &[&str]) -> Option<(String, usize)> {
    let known = |word: &str| {
        let singular = word.strip_suffix('s').filter(|day| WEEKDAYS.contains(day)).unwrap_or(word);
        WEEKDAYS.contains(&singular).then(|| singular.to_owned())
    };
    match words {
        ["the", "day", "after", "tomorrow", ..] => return Some(("day after tomorrow".to_owned(), 4)),
        ["day", "after", "tomorrow", ..] => return Some(("day after tomorrow".to_owned(), 3)),
        ["the", "day", "before", "yesterday", ..] => return Some(("day before yesterday".to_owned(), 4)),
        [day @ ("today" | "tonight" | "tomorrow" | "yesterday"), ..] => return Some(((*day).to_owned(), 1)),
        [which @ ("next" | "last"), day, ..] if known(day).is_some() || matches!(*day, "week" | "weekend" | "month" | "year") => {
            return Some((format!("{which} {}", known(day).unwrap_or_else(|| (*day).to_owned())), 2));
        }
        ["this", day, ..] if known(day).is_some() => return known(day).map(|day| (day, 2)),
        ["this", span @ ("week" | "weekend" | "month" | "year"), ..] => return Some((format!("this {span}"), 2)),
        ["weekend" | "weekends", ..] => return Some(("weekend".to_owned(), 1)),
        [day, ..] if known(day).is_some() => return known(day).map(|day| (day, 1)),
        _ => {}
    }
    date_at(words)
}

fn date_at(words: &[&str]) -> Option<(String, usize)> {
    // Without a month among the next words there is no date.
    if !words.iter().take(WORDS_MAX).any(|word| dates::month(word).is_some()) {
        return None;
    }
    (2..=WORDS_MAX.min(words.len())).rev().find_map(|length| {
        let date = dates::date_of_words(&words[..length])?;
        let day = format!("{:02}-{:02}", date.month, date.day);
        Some((date.year.map_or(day.clone(), |year| format!("{year:04}-{day}")), length))
    })
}

fn clock(words: &[&str], at: usize, is_noun: &dyn Fn(&[&str]) -> bool) -> Option<Reading> {
    let rest = &words[at..];
    let first = *rest.first()?;
    let can_begin = matches!(first, "half" | "quarter" | "a" | "noon" | "midday" | "midnight")
        || first.starts_with(|c: char| c.is_ascii_digit())
        || numbers::number_at(rest).is_some();
    if !can_begin {
        return None;
    }
    (1..=WORDS_MAX.min(rest.len())).rev().find_map(|length| {
        let minutes = times::time_of_words(&rest[..length])?;
        let value = format!("{:02}:{:02}", minutes / 60, minutes % 60);
        if is_plainly_a_time(&rest[..length]) {
            return time(at, length, Rank::Certain, value);
        }
        let before = at.checked_sub(1).map(|before| words[before]);
        let is_cued = before
            .is_some_and(|word| TIME_CUES.contains(&word) || WEEKDAYS.contains(&word) || matches!(word, "today" | "tomorrow"))
            || (before == Some("to") && at >= 2 && clock_before(words, at));
        // "from nine to five" are two times.
        let may_be_pronoun =
            rest[..length] == ["one"] && !before.is_some_and(|word| matches!(word, "at" | "by" | "until" | "till" | "around" | "to"));
        let are_two = before == Some("from") && rest[..length].contains(&"to");
        let is_free = !may_be_pronoun && !is_noun(&rest[length..]) && !are_two;
        (is_cued && is_free).then(|| Reading::of(at, length, Rank::Certain, EntityKind::Time, value))
    })
}

/// "from nine to five": before the "to" stands a time that was announced as one.
fn clock_before(words: &[&str], at: usize) -> bool {
    let from = words[..at - 1].iter().rposition(|word| matches!(*word, "from" | "between"));
    from.is_some_and(|from| at - from <= 4 && times::time_of_words(&words[from + 1..at - 1]).is_some())
}

fn is_plainly_a_time(said: &[&str]) -> bool {
    let tells_time = |word: &&str| {
        let is_word = matches!(*word, "o'clock" | "oclock" | "am" | "pm" | "past" | "noon" | "midday" | "midnight" | "quarter" | "clock");
        is_word || PARTS.contains(word) || word.contains(':')
    };
    said.iter().any(tells_time) || matches!(said, [_, .., "a" | "p", "m"])
}

/// "tomorrow morning", "this evening", "in the afternoon".
fn part(words: &[&str], at: usize) -> Option<Reading> {
    let parts =
        |word: &str| PARTS.iter().find(|part| word == **part || word.strip_suffix('s') == Some(part)).map(|part| (*part).to_owned());
    match &words[at..] {
        ["this", word, ..] => parts(word).and_then(|part| time(at, 2, Rank::Listed, format!("today {part}"))),
        ["in", "the", word, ..] => parts(word).and_then(|part| time(at + 2, 1, Rank::Listed, part)),
        ["at", "night", ..] => time(at + 1, 1, Rank::Listed, "night".to_owned()),
        rest => {
            let (day, used) = day_at(rest)?;
            let part = parts(rest.get(used)?)?;
            time(at, used + 1, Rank::Listed, format!("{day} {part}"))
        }
    }
}

/// "two hours", "in ten minutes", "three days ago", "half an hour".
fn length(words: &[&str], at: usize) -> Option<Reading> {
    let (is_ahead, rest) = match &words[at..] {
        ["in", rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (count, used) = match rest {
        ["half", "an", "hour", ..] => (None, 3),
        ["a" | "an", ..] => (Some(1), 1),
        _ => {
            let number = numbers::number_at(rest).filter(|number| !number.is_ordinal)?;
            (Some(number.value), number.words)
        }
    };
    let (length, used) = match count {
        None => ("30 minutes".to_owned(), used),
        Some(count) => {
            let word = rest.get(used)?;
            let span = SPANS.iter().find(|span| *word == **span || word.strip_suffix('s') == Some(span))?;
            // "Wait a minute" names no time.
            if rest[0] == "a" && *span == "minute" && !is_ahead {
                return None;
            }
            (format!("{count} {span}{}", if count == 1 { "" } else { "s" }), used + 1)
        }
    };
    let is_ago = rest.get(used) == Some(&"ago");
    let words_used = used + usize::from(is_ahead) + usize::from(is_ago);
    let value = match (is_ahead, is_ago) {
        (true, false) => format!("in {length}"),
        (_, true) => format!("{length} ago"),
        (false, false) => length,
    };
    time(at, words_used, Rank::Usual, value)
}

/// Joins a day and its time to one: "tomorrow at half past three", "nine o'clock on Friday".
pub(super) fn joined(words: &[&str], mut readings: Vec<Reading>) -> Vec<Reading> {
    readings.sort_by_key(|reading| reading.from);
    let mut kept: Vec<Reading> = Vec::with_capacity(readings.len());
    for reading in readings {
        let both = kept.last().and_then(|last| join(words, last, &reading));
        match both {
            Some(both) => {
                kept.pop();
                kept.push(both);
            }
            None => kept.push(reading),
        }
    }
    kept
}

fn join(words: &[&str], one: &Reading, other: &Reading) -> Option<Reading> {
    let [(EntityKind::Time, first)] = &one.meanings[..] else { return None };
    let [(EntityKind::Time, second)] = &other.meanings[..] else { return None };
    let between = words.get(one.to..other.from)?;
    if between.len() > 2 || !between.iter().all(|word| JOINTS.contains(word)) {
        return None;
    }
    let value = match (sort_of(first), sort_of(second)) {
        (Sort::Day, Sort::Clock) => format!("{first} {}", shifted(first, second)),
        (Sort::Clock, Sort::Day) => format!("{second} {}", shifted(second, first)),
        (Sort::Part, Sort::Clock) => format!("{first} {}", shifted(first, second)),
        (Sort::Day, Sort::Part) => format!("{first} {second}"),
        (Sort::Part, Sort::Day) => format!("{second} {first}"),
        _ => return None,
    };
    Some(Reading { from: one.from, to: other.to, rank: one.rank, meanings: vec![(EntityKind::Time, value)] })
}

#[derive(PartialEq, Eq)]
enum Sort {
    Clock,
    Part,
    /// A day, perhaps with its part.
    Day,
    /// A length of time, or a day with its time.
    Whole,
}

fn sort_of(value: &str) -> Sort {
    let is_length =
        value.starts_with("in ") || SPANS.iter().any(|span| value.contains(span) && value.starts_with(|c: char| c.is_ascii_digit()));
    match value {
        _ if is_length => Sort::Whole,
        _ if value.contains(':') => {
            if value.len() == 5 {
                Sort::Clock
            } else {
                Sort::Whole
            }
        }
        _ if PARTS.contains(&value) => Sort::Part,
        _ => Sort::Day,
    }
}

/// "tomorrow evening at eight" is twenty o'clock.
fn shifted(day: &str, clock: &str) -> String {
    let is_late = ["afternoon", "evening", "night", "tonight"].iter().any(|part| day.ends_with(part));
    let minutes = clock.split_once(':').and_then(|(hour, minute)| Some(hour.parse::<u16>().ok()? * 60 + minute.parse::<u16>().ok()?));
    match minutes.filter(|minutes| is_late && *minutes < HALF_DAY && *minutes >= 60) {
        Some(minutes) => format!("{:02}:{:02}", (minutes + HALF_DAY) / 60, minutes % 60),
        None => clock.to_owned(),
    }
}
