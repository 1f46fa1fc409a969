use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use super::wording;
use crate::domain::{Faq, FaqHit};

/// How much the words of a question may add to its likeness in meaning, at most.
const WORDS_WEIGHT: f32 = 0.35;
/// Candidates that are looked at, of each kind.
const CANDIDATES: usize = 5;
/// The largest weight a word of BM25 can have beside its rarity: k1 + 1, with the 1.2 of FTS5.
const BM25_MOST: f64 = 2.2;

/// Questions that are asked often, found by meaning and by words.
///
/// Meaning is the cosine to the vectors of the question and its alternatives. Words are an FTS5 table in memory, with word stems and BM25; they
/// decide between questions that mean nearly the same, and lift one whose rare words were said ("cheque", "umbrella"). They only add:
/// no question is found by words alone.
pub struct FaqIndex {
    /// The entry and the vector of each text, of length 1.
    rows: Vec<(usize, Vec<f32>)>,
    questions: Vec<String>,
    words: Option<Mutex<Connection>>,
}

impl FaqIndex {
    /// All texts to be encoded, in the order that [`FaqIndex::new`] expects their vectors.
    pub fn texts(faq: &[Faq]) -> Vec<String> {
        faq.iter().flat_map(|entry| std::iter::once(&entry.question).chain(&entry.alternatives).cloned()).collect()
    }

    /// Pairs the vectors with their entries. Without SQLite's full-text search, meaning alone decides.
    pub fn new(faq: &[Faq], vectors: Vec<Vec<f32>>) -> Self {
        let entries = faq.iter().enumerate().flat_map(|(at, entry)| std::iter::repeat_n(at, 1 + entry.alternatives.len()));
        let words = table(faq).inspect_err(|error| tracing::error!(%error, "questions are found by meaning only")).ok();
        Self {
            rows: entries.zip(vectors).collect(),
            questions: faq.iter().map(|entry| entry.question.clone()).collect(),
            words: words.map(Mutex::new),
        }
    }

    /// The nearest question. `vector` is the sentence's, of length 1.
    pub fn nearest(&self, text: &str, vector: &[f32]) -> Option<FaqHit> {
        let cosine = |row: &[f32]| row.iter().zip(vector).map(|(a, b)| a * b).sum::<f32>();
        let mut best: Vec<(usize, f32)> = Vec::new();
        for (entry, row) in &self.rows {
            let near = cosine(row);
            match best.iter_mut().find(|(at, _)| at == entry) {
                Some((_, known)) => *known = known.max(near),
                None => best.push((*entry, near)),
            }
        }
        best.sort_by(|a, b| b.1.total_cmp(&a.1));
        best.truncate(CANDIDATES);
        let by_words = self.by_words(text);
        let score = |(entry, cosine): &(usize, f32)| {
            let shared = by_words.iter().find(|(at, _)| at == entry).map_or(0.0, |(_, share)| *share);
            cosine + WORDS_WEIGHT * shared * (1.0 - cosine)
        };
        let best = best.iter().map(|candidate| (candidate.0, score(candidate))).max_by(|a, b| a.1.total_cmp(&b.1));
        best.map(|(entry, score)| FaqHit { question: self.questions[entry].clone(), score })
    }

    /// Entries by the words they share with the sentence, and how much of its rare words that is, 0 to 1.
    fn by_words(&self, text: &str) -> Vec<(usize, f32)> {
        let Some(connection) = &self.words else { return Vec::new() };
        let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
        shared_words(&connection, text).unwrap_or_else(|error| {
            tracing::error!(%error, "the words of a question were not looked up");
            Vec::new()
        })
    }
}

fn table(faq: &[Faq]) -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch("CREATE VIRTUAL TABLE faq USING fts5(text, tokenize = 'porter unicode61')")?;
    let mut insert = connection.prepare("INSERT INTO faq (rowid, text) VALUES (?1, ?2)")?;
    for (at, entry) in faq.iter().enumerate() {
        let texts = std::iter::once(&entry.question).chain(&entry.alternatives).chain([&entry.answer]);
        insert.execute((at as i64, texts.map(String::as_str).collect::<Vec<_>>().join("\n")))?;
    }
    drop(insert);
    Ok(connection)
}

fn shared_words(connection: &Connection, text: &str) -> rusqlite::Result<Vec<(usize, f32)>> {
    // Only letters and digits reach the query language, each word as a string.
    let mut terms: Vec<String> = wording::words(text).into_iter().map(|w| format!("\"{}\"", w.text.replace('"', ""))).collect();
    terms.sort();
    terms.dedup();
    if terms.is_empty() {
        return Ok(Vec::new());
    }
    let all: i64 = connection.query_row("SELECT count(*) FROM faq", [], |row| row.get(0))?;
    let mut count = connection.prepare_cached("SELECT count(*) FROM faq WHERE faq MATCH ?1")?;
    let mut most = 0.0;
    for term in &terms {
        let with: i64 = count.query_row([term], |row| row.get(0))?;
        // As FTS5 counts rarity: words of most entries weigh next to nothing.
        most += BM25_MOST * (((all - with) as f64 + 0.5) / (with as f64 + 0.5)).ln().max(1e-6);
    }
    let mut search = connection.prepare_cached("SELECT rowid, bm25(faq) FROM faq WHERE faq MATCH ?1 ORDER BY 2, 1 LIMIT ?2")?;
    let found = search.query_map((terms.join(" OR "), CANDIDATES as i64), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, f64>(1)?)))?;
    found.map(|row| row.map(|(entry, rank)| (entry as usize, (-rank / most.max(1e-6)).clamp(0.0, 1.0) as f32))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(question: &str, alternatives: &[&str], answer: &str) -> Faq {
        let alternatives = alternatives.iter().map(|a| (*a).to_owned()).collect();
        Faq { question: question.to_owned(), alternatives, answer: answer.to_owned() }
    }

    fn index() -> FaqIndex {
        let faq = [
            entry("Do you have a toilet?", &["where is the bathroom"], "Behind the bar."),
            entry("Do you take cheques?", &[], "No, no cheques."),
            entry("May I bring my dog?", &[], "Dogs wait outside."),
        ];
        FaqIndex::new(&faq, vec![vec![1.0, 0.0], vec![0.8, 0.6], vec![0.0, 1.0], vec![0.0, 1.0]])
    }

    #[test]
    fn meaning_finds_and_words_decide_between_what_means_the_same() {
        let index = index();
        assert_eq!(index.nearest("x", &[1.0, 0.0]).map(|hit| hit.question), Some("Do you have a toilet?".to_owned()));
        let by_word = |text: &str| index.nearest(text, &[0.05, 0.998]).expect("a question");
        assert_eq!(by_word("can I pay by cheque").question, "Do you take cheques?");
        assert_eq!(by_word("can my dogs come in").question, "May I bring my dog?");
        assert!(by_word("dog").score <= 1.0 && by_word("dog").score > by_word("x").score);
    }

    #[test]
    fn no_sentence_breaks_the_query() {
        let index = index();
        for text in ["\" OR 1=1 --", "NEAR(a b) *", "dog'); DROP TABLE faq;", "\u{0}", "", "\u{1f600}", "AND OR NOT"] {
            assert!(index.nearest(text, &[0.0, 1.0]).is_some(), "{text}");
        }
        assert!(FaqIndex::new(&[], Vec::new()).nearest("dog", &[1.0]).is_none());
    }
}
