use super::sentence::Sentence;
use crate::domain::{Entity, EntityKind};

/// Which of two readings of equally many words is kept; the first of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// The words around leave no doubt.
    Certain,
    /// Stands so in the shop's files.
    Listed,
    /// The usual reading.
    Usual,
    /// Only where nothing else fits.
    Last,
}

/// One way to read a stretch of words.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    /// The first word.
    pub(super) from: usize,
    /// The word behind the last.
    pub(super) to: usize,
    pub(super) rank: Rank,
    /// What the words name; "milk" is a category and an allergen.
    pub(super) meanings: Vec<(EntityKind, String)>,
}

impl Reading {
    /// A stretch of words that means one thing.
    pub(super) fn of(from: usize, words: usize, rank: Rank, kind: EntityKind, value: String) -> Self {
        Self { from, to: from + words, rank, meanings: vec![(kind, value)] }
    }
}

/// Readings that do not overlap: the longest first, among equally long ones by rank, then the one that was said first. Words taken
/// before stay taken.
pub(super) fn choose(mut readings: Vec<Reading>, taken: &mut [bool]) -> Vec<Reading> {
    readings.sort_by_key(|reading| (std::cmp::Reverse(reading.to - reading.from), reading.rank, reading.from));
    keep_free(readings, taken)
}

/// Readings in the order of preference whose words are all free still; they are taken then.
pub(super) fn keep_free(readings: Vec<Reading>, taken: &mut [bool]) -> Vec<Reading> {
    let mut kept = Vec::new();
    for reading in readings {
        let words = &mut taken[reading.from..reading.to];
        if words.iter().all(|taken| !taken) {
            words.fill(true);
            kept.push(reading);
        }
    }
    kept
}

/// The readings as entities, in order of speech.
pub(super) fn entities(sentence: &Sentence<'_>, mut readings: Vec<Reading>) -> Vec<Entity> {
    readings.sort_by_key(|reading| reading.from);
    let mut found = Vec::with_capacity(readings.len());
    for reading in readings {
        let (start, end) = sentence.span(reading.from, reading.to);
        let text = sentence.said(reading.from, reading.to);
        let mut meanings = reading.meanings;
        meanings.sort_by_key(|(kind, _)| *kind);
        found.extend(meanings.into_iter().map(|(kind, value)| Entity { kind, text: text.to_owned(), value, start, end }));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_reading_wins_and_then_the_surest() {
        let reading = |from, words, rank, value: &str| Reading::of(from, words, rank, EntityKind::Quantity, value.to_owned());
        let mut taken = [false, false, false, true];
        let kept = choose(
            vec![
                reading(0, 1, Rank::Certain, "short"),
                reading(0, 2, Rank::Usual, "usual"),
                reading(0, 2, Rank::Listed, "listed"),
                reading(2, 2, Rank::Certain, "over a taken word"),
                reading(2, 1, Rank::Last, "free"),
            ],
            &mut taken,
        );
        let values: Vec<&str> = kept.iter().map(|r| r.meanings[0].1.as_str()).collect();
        assert_eq!(values, ["listed", "free"]);
        assert_eq!(taken, [true; 4]);
    }
}
