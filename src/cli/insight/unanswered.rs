use std::path::{Path, PathBuf};

use serde_json::json;

use super::super::{Failure, Place, open};
use super::{check_share, visits};
use crate::insight::{SENTENCES_MAX, meaning_groups};
use crate::language::masked;
use crate::store::{Reader, StoreError};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kioskd insight unanswered
  kioskd insight unanswered --data questions.txt --at-least 3 --json")]
pub(in crate::cli) struct Arguments {
    /// A question a line (default: what could not be answered, from the session log)
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Groups of fewer questions than this are counted and not shown
    #[arg(long, value_name = "QUESTIONS", default_value_t = 2)]
    at_least: usize,
    /// Mean similarity within a group, more than 0 up to 1: less makes fewer and looser groups
    // What `evaluate groups` finds best on half of BANKING77 (docs/results/insight.md).
    #[arg(long, value_name = "COSINE", default_value_t = 0.475)]
    similarity_min: f64,
    /// Show so many groups at most
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Print one JSON object for all, and then one a group
    #[arg(long)]
    json: bool,
}

/// A question, and when it was asked.
struct Question {
    words: String,
    at_unix_ms: Option<u64>,
    embedding: Option<Vec<f32>>,
}

pub(super) fn run(place: &Place, arguments: &Arguments) -> Result<(), Failure> {
    check_share("--similarity-min", arguments.similarity_min)?;
    let mut questions = match &arguments.data {
        Some(path) => of_file(path)?,
        None => of_log(place)?,
    };
    if questions.is_empty() {
        return visits::nothing_yet("unanswered questions");
    }
    if questions.len() > SENTENCES_MAX {
        eprintln!("kioskd: {} questions are more than {SENTENCES_MAX}; the first of them are grouped", questions.len());
        questions.truncate(SENTENCES_MAX);
    }
    let vectors = vectors(place, &mut questions)?;
    let groups = meaning_groups(&vectors, arguments.similarity_min);
    let (shown, hidden): (Vec<_>, Vec<_>) = groups.iter().partition(|group| group.members.len() >= arguments.at_least);
    let alone: usize = hidden.iter().map(|group| group.members.len()).sum();
    if arguments.json {
        open::print_json(&json!({ "kind": "summary", "questions": questions.len(), "groups": shown.len(), "not_shown": alone }))?;
    } else {
        let (questions, groups, at_least) = (questions.len(), shown.len(), arguments.at_least);
        open::print_line(&format!(
            "{questions} questions without an answer, {groups} groups; {alone} questions are in groups of fewer than {at_least}"
        ))?;
    }
    for group in shown.into_iter().take(arguments.limit) {
        let times = || group.members.iter().filter_map(|member| questions[*member].at_unix_ms);
        let (first, last) = (times().min().map(moment), times().max().map(moment));
        let (count, typical) = (group.members.len(), &questions[group.typical].words);
        if arguments.json {
            open::print_json(&json!({ "kind": "group", "questions": count, "typical": typical, "first": first, "last": last }))?;
        } else {
            let when = first.zip(last).map(|(first, last)| format!("  ({first} to {last})")).unwrap_or_default();
            open::print_line(&format!("{count:>4}  {typical}{when}"))?;
        }
    }
    Ok(())
}

fn of_file(path: &Path) -> Result<Vec<Question>, Failure> {
    let text = String::from_utf8(open::read(path)?).map_err(|_| Failure::Input(format!("{} is not text in UTF-8", path.display())))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let questions: Vec<Question> = lines.map(|line| Question { words: masked(line), at_unix_ms: None, embedding: None }).collect();
    if questions.is_empty() {
        return Err(Failure::Input(format!("{} holds no question; expected one a line", path.display())));
    }
    Ok(questions)
}

/// The newest first; words are masked there.
fn of_log(place: &Place) -> Result<Vec<Question>, Failure> {
    let found = match Reader::new(&open::config(place)?.paths.data).unanswered(SENTENCES_MAX as u32) {
        Err(StoreError::Missing { .. }) => Vec::new(),
        found => found?,
    };
    // Of a photo without words nothing is known that could be grouped.
    let asked = found.into_iter().filter_map(|turn| Some((turn.words?, turn.at_unix_ms, turn.embedding)));
    Ok(asked.map(|(words, at, embedding)| Question { words, at_unix_ms: Some(at), embedding }).collect())
}

/// The stored vectors; what has none, as a number was masked in it, is encoded as it was masked.
fn vectors(place: &Place, questions: &mut [Question]) -> Result<Vec<Vec<f32>>, Failure> {
    let without: Vec<usize> = (0..questions.len()).filter(|at| questions[*at].embedding.is_none()).collect();
    if !without.is_empty() {
        let encoder = open::encoder(&open::config(place)?)?;
        let texts: Vec<String> = without.iter().map(|at| questions[*at].words.clone()).collect();
        let encoded = encoder.encode_all(&texts, open::cores(), &|| ()).map_err(|e| Failure::Job(e.to_string()))?;
        without.iter().zip(encoded).for_each(|(at, vector)| questions[*at].embedding = Some(vector.embedding().to_vec()));
    }
    Ok(questions.iter_mut().map(|question| question.embedding.take().unwrap_or_default()).collect())
}

fn moment(at_unix_ms: u64) -> String {
    jiff::Timestamp::from_millisecond(i64::try_from(at_unix_ms).unwrap_or(i64::MAX)).map(|at| at.to_string()).unwrap_or_default()
}
