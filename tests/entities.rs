//! The shop of `config/` and what sentences name in it.

use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use kioskd::config::ShopFiles;
use kioskd::language::EntityFinder;
use proptest::prelude::*;

/// What finding may take for any text of 10,000 characters: some hundred times what it takes on the slowest machine we tried, so that only
/// work that grows with the square of the text fails.
const LONG_TEXT: Duration = Duration::from_secs(2);

fn finder() -> &'static EntityFinder {
    static FINDER: OnceLock<EntityFinder> = OnceLock::new();
    FINDER.get_or_init(|| {
        let files = ShopFiles::read(Path::new("config")).expect("the shop that ships");
        EntityFinder::new(&files.catalog, &files.words)
    })
}

#[test]
fn the_table_of_sentences_is_understood() {
    let finder = finder();
    let table = include_str!("entities.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (mut sentences, mut wrong) = (0, Vec::new());
    for line in table {
        let mut parts = line.split('|').map(str::trim);
        let sentence = parts.next().unwrap_or_default();
        let expected: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        let found = finder.find(sentence);
        let found: Vec<String> = found.iter().map(|e| format!("{}: {} = {}", e.kind.name(), e.text, e.value)).collect();
        sentences += 1;
        if found != expected {
            wrong.push(format!("{sentence}\n    expected {expected:?}\n    found    {found:?}"));
        }
    }
    assert!(sentences >= 80, "{sentences} sentences");
    assert!(wrong.is_empty(), "{} of {sentences}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn half_of_the_sentences_take_less_than_a_millisecond() {
    let finder = finder();
    let mut times: Vec<Duration> = include_str!("entities.txt")
        .lines()
        .filter_map(|line| line.split('|').next())
        .map(|sentence| {
            let begun = Instant::now();
            let _ = finder.find(sentence);
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    assert!(times[times.len() / 2] < Duration::from_millis(1), "{:?}", times[times.len() / 2]);
}

#[test]
fn a_long_text_takes_a_time_that_does_not_grow_with_its_square() {
    let finder = finder();
    let pieces =
        ["a ", "one ", "double ", "two ninety nine ", "oat lee ", "half past ", "x", "9", "Ä", "order 4 1 7 ", "from ", "£", "may "];
    for piece in pieces {
        let text: String = piece.chars().cycle().take(10_000).collect();
        let begun = Instant::now();
        let found = finder.find(&text);
        assert!(begun.elapsed() < LONG_TEXT, "{piece:?} repeated took {:?}", begun.elapsed());
        assert!(found.iter().all(|entity| text.get(entity.start..entity.end) == Some(&entity.text)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_span_is_a_piece_of_the_sentence_and_none_overlaps_another(
        text in prop_oneof![
            "(?s).{0,200}",
            prop::collection::vec(prop::sample::select(vec![
                "oat lee", "two", "half", "a", "of", "€2.50", "under", "between", "and", "euros", "order", "number", "double", "five", "at",
                "tomorrow", "past", "May", "21st", "aisle", "Maria", "from", "the", "bakery", "Dr", "milk", "é🍏", "-", "'s", "kilo", "dozen",
            ]), 0..24).prop_map(|words| words.join(" ")),
        ],
    ) {
        let finder = finder();
        let mut last = (0, 0);
        for entity in finder.find(&text) {
            prop_assert_eq!(text.get(entity.start..entity.end), Some(entity.text.as_str()));
            prop_assert!((entity.start, entity.end) == last || entity.start >= last.1);
            last = (entity.start, entity.end);
        }
    }
}
