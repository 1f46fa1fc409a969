use super::{Estimate, bootstrap};

/// A clip counts as runaway from more than this many times its words on, ...
const RUNAWAY_TIMES: usize = 2;
/// ... and this many more: a recogniser that repeats itself, not one that mishears a short answer.
const RUNAWAY_MORE: usize = 4;

/// What became of a sequence, item by item: the fewest changes that make one of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Edits {
    /// Items of the reference.
    pub reference: usize,
    /// Items that became another.
    pub substitutions: usize,
    /// Items that are missing.
    pub deletions: usize,
    /// Items that are too many.
    pub insertions: usize,
}

impl Edits {
    /// Substitutions, deletions and insertions together.
    pub fn errors(&self) -> usize {
        self.substitutions + self.deletions + self.insertions
    }

    /// Errors for each item of the reference; less is better, and it may exceed 1. `None` where the reference is empty.
    pub fn rate(&self) -> Option<f64> {
        (self.reference > 0).then(|| self.errors() as f64 / self.reference as f64)
    }
}

impl std::iter::Sum for Edits {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, next| Self {
            reference: sum.reference + next.reference,
            substitutions: sum.substitutions + next.substitutions,
            deletions: sum.deletions + next.deletions,
            insertions: sum.insertions + next.insertions,
        })
    }
}

/// One step of an alignment, with the places in the reference and in the hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Both have the same item.
    Right {
        /// Place in the hypothesis.
        heard: usize,
    },
    /// They have different items.
    Substituted {
        /// Place in the hypothesis.
        heard: usize,
    },
    /// The hypothesis lacks one.
    Deleted,
    /// The hypothesis has one too many.
    Inserted {
        /// Place in the hypothesis.
        heard: usize,
    },
}

/// Aligns a hypothesis with its reference by the fewest changes; where several are the fewest, a substitution goes before a deletion and an
/// insertion. Takes a byte of memory for each pair of items: it is meant for the words of a clip.
/// # Source
/// Wagner & Fischer, "The String-to-String Correction Problem" (1974).
pub fn align<T: PartialEq>(reference: &[T], hypothesis: &[T]) -> Vec<Step> {
    let width = hypothesis.len() + 1;
    // ways: [reference + 1, hypothesis + 1], which step led here.
    let mut ways = vec![b'i'; (reference.len() + 1) * width];
    let mut costs: Vec<usize> = (0..width).collect();
    for (row, said) in reference.iter().enumerate() {
        let mut diagonal = costs[0];
        costs[0] += 1;
        ways[(row + 1) * width] = b'd';
        for (column, heard) in hypothesis.iter().enumerate() {
            let across = diagonal + usize::from(said != heard);
            let (deleted, inserted) = (costs[column + 1] + 1, costs[column] + 1);
            diagonal = costs[column + 1];
            let cost = across.min(deleted).min(inserted);
            costs[column + 1] = cost;
            ways[(row + 1) * width + column + 1] = match cost {
                _ if cost == across => b's',
                _ if cost == deleted => b'd',
                _ => b'i',
            };
        }
    }
    let (mut row, mut column) = (reference.len(), hypothesis.len());
    let mut steps = Vec::with_capacity(row.max(column));
    while row > 0 || column > 0 {
        match ways[row * width + column] {
            b's' => {
                (row, column) = (row - 1, column - 1);
                let is_right = reference[row] == hypothesis[column];
                steps.push(if is_right { Step::Right { heard: column } } else { Step::Substituted { heard: column } });
            }
            b'd' => {
                row -= 1;
                steps.push(Step::Deleted);
            }
            _ => {
                column -= 1;
                steps.push(Step::Inserted { heard: column });
            }
        }
    }
    steps.reverse();
    steps
}

/// The counts of an alignment, without the alignment: memory for one row only, so that the characters of a long text may be compared.
/// Of several ways with the fewest changes it counts the one that [`align`] takes.
pub fn edits<T: PartialEq>(reference: &[T], hypothesis: &[T]) -> Edits {
    let inserted = |insertions: usize| Edits { insertions, ..Edits::default() };
    let mut row: Vec<Edits> = (0..=hypothesis.len()).map(inserted).collect();
    for said in reference {
        let mut diagonal = row[0];
        row[0].deletions += 1;
        for (column, heard) in hypothesis.iter().enumerate() {
            let mut across = diagonal;
            across.substitutions += usize::from(said != heard);
            let (mut deleted, mut inserted) = (row[column + 1], row[column]);
            deleted.deletions += 1;
            inserted.insertions += 1;
            diagonal = row[column + 1];
            let least = across.errors().min(deleted.errors()).min(inserted.errors());
            row[column + 1] = [across, deleted, inserted].into_iter().find(|way| way.errors() == least).unwrap_or(across);
        }
    }
    let last = row.last().copied().unwrap_or_default();
    Edits { reference: reference.len(), ..last }
}

/// For each item of the hypothesis, whether it is right.
pub fn right_items<T: PartialEq>(reference: &[T], hypothesis: &[T]) -> Vec<bool> {
    let mut right = vec![false; hypothesis.len()];
    for step in align(reference, hypothesis) {
        if let Step::Right { heard } = step {
            right[heard] = true;
        }
    }
    right
}

/// What one clip came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClipErrors {
    /// By words.
    pub words: Edits,
    /// By characters.
    pub characters: Edits,
    /// Words that were put out.
    pub words_out: usize,
}

impl ClipErrors {
    /// Compares words, and the characters of both.
    pub fn of<W: PartialEq>(reference: (&[W], &[char]), hypothesis: (&[W], &[char])) -> Self {
        Self { words: edits(reference.0, hypothesis.0), characters: edits(reference.1, hypothesis.1), words_out: hypothesis.0.len() }
    }

    /// Far more came out than was said: more than twice the words and four. A recogniser does so when it repeats itself or makes text up.
    pub fn is_runaway(&self) -> bool {
        self.words_out > RUNAWAY_TIMES * self.words.reference + RUNAWAY_MORE
    }

    /// Nothing was said, and words came out.
    pub fn is_text_on_silence(&self) -> bool {
        self.words.reference == 0 && self.words_out > 0
    }
}

/// Errors of a corpus for each item of its references: the sum of the errors over the sum of the items, so that long clips weigh more.
/// The interval draws whole clips, as the errors of one clip are not independent.
pub fn corpus_rate(clips: &[ClipErrors], draws: usize, seed: u64, of: impl Fn(&ClipErrors) -> Edits) -> Option<Estimate> {
    bootstrap(clips.len(), draws, seed, |rows| rows.iter().map(|row| of(&clips[*row])).sum::<Edits>().rate())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<&str> {
        text.split_whitespace().collect()
    }

    fn clip(said: &str, heard: &str) -> ClipErrors {
        let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<Vec<_>>();
        ClipErrors::of((&words(said), &letters(said)), (&words(heard), &letters(heard)))
    }

    #[test]
    fn each_kind_of_change_is_counted() {
        let table = [
            ("two oat milks please", "two oat milks please", (0, 0, 0)),
            ("two oat milks please", "two goat milks please", (1, 0, 0)),
            ("two oat milks please", "two milks please", (0, 1, 0)),
            ("two oat milks please", "two oat milks please thanks", (0, 0, 1)),
            ("one two three", "", (0, 3, 0)),
            ("", "you", (0, 0, 1)),
            ("a b c d", "b c d e", (0, 1, 1)),
        ];
        for (said, heard, (substitutions, deletions, insertions)) in table {
            let reference = words(said).len();
            assert_eq!(edits(&words(said), &words(heard)), Edits { reference, substitutions, deletions, insertions }, "{said} / {heard}");
        }
    }

    #[test]
    fn each_word_heard_is_right_or_wrong() {
        assert_eq!(right_items(&words("a b c"), &words("a x c d")), [true, false, true, false]);
        assert_eq!(right_items(&words("a b c"), &words("c")), [true]);
        assert_eq!(right_items::<&str>(&[], &words("you")), [false]);
    }

    #[test]
    fn a_long_clip_weighs_more_than_a_short_one() {
        let clips =
            [clip("yes", "no"), clip("one two three four five six seven eight nine", "one two three four five six seven eight nine")];
        let rate = corpus_rate(&clips, 200, 7, |clip| clip.words).expect("a rate");
        assert!((rate.value - 0.1).abs() < 1e-9 && rate.low == 0.0 && rate.high == 1.0, "{rate:?}");
    }

    #[test]
    fn a_runaway_is_more_than_twice_the_words_and_four() {
        assert!(!clip("yes", "yes yes yes yes yes yes").is_runaway());
        assert!(clip("yes", "yes yes yes yes yes yes yes").is_runaway());
        assert!(clip("", "thank you for watching this").is_runaway());
    }

    #[test]
    fn text_on_silence_is_told_and_has_no_rate() {
        let invented = clip("", "you");
        assert!(invented.is_text_on_silence() && !clip("", "").is_text_on_silence() && !clip("yes", "you").is_text_on_silence());
        assert_eq!(invented.words.rate(), None);
        assert_eq!(corpus_rate(&[invented], 10, 7, |clip| clip.words), None);
        // Beside a clip with words its errors count.
        assert_eq!([invented, clip("yes", "yes")].iter().map(|clip| clip.words).sum::<Edits>().rate(), Some(1.0));
    }

    proptest! {
        #[test]
        fn counts_and_alignment_agree(said in prop::collection::vec(0_u8..4, 0..12), heard in prop::collection::vec(0_u8..4, 0..12)) {
            let counts = edits(&said, &heard);
            let steps = align(&said, &heard);
            let count = |test: fn(&Step) -> bool| steps.iter().filter(|step| test(step)).count();
            prop_assert_eq!(counts.errors(), steps.len() - count(|step| matches!(step, Step::Right { .. })));
            prop_assert_eq!(counts.reference, steps.len() - count(|step| matches!(step, Step::Inserted { .. })));
            prop_assert_eq!(heard.len(), steps.len() - count(|step| matches!(step, Step::Deleted)));
            prop_assert_eq!(said.len() + counts.insertions, heard.len() + counts.deletions);
            prop_assert_eq!(counts.errors() == 0, said == heard);
        }

        #[test]
        fn the_distance_is_that_of_an_independent_implementation(said in "[ab ]{0,10}", heard in "[ab ]{0,10}") {
            let letters = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(edits(&letters(&said), &letters(&heard)).errors(), strsim::levenshtein(&said, &heard));
        }
    }
}
