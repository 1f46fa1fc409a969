//! The mood of sentences, on the head that ships: negation, understatement, sentences of two minds.

mod common;

use std::io::Write;
use std::process::Stdio;

/// A plain sentence stays this near to 0.
const PLAIN: f64 = 0.6;

#[test]
fn negation_and_sentences_of_two_minds_are_read_rightly_in_nine_of_ten() {
    let table = std::fs::read_to_string(common::path("tests/sentiment.txt")).expect("the table");
    let rows: Vec<(&str, &str)> = table.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' ')).collect();
    let room = tempfile::tempdir().expect("a folder");
    let mut program = common::command(room.path(), &["understand", "--json"]);
    let mut running = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program runs");
    let sentences: String = rows.iter().map(|(_, sentence)| format!("{sentence}\n")).collect();
    running.stdin.take().expect("a pipe").write_all(sentences.as_bytes()).expect("is read");
    let output = running.wait_with_output().expect("ends");
    let lines: Vec<serde_json::Value> = common::stdout(&output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), rows.len());
    let is_wrong = |((sign, _), line): &(&(&str, &str), &serde_json::Value)| {
        let mood = line["sentiment"].as_f64().expect("a head ships");
        match *sign {
            "+" => mood <= 0.0,
            "-" => mood >= 0.0,
            _ => mood.abs() > PLAIN,
        }
    };
    let wrong: Vec<String> =
        rows.iter().zip(&lines).filter(is_wrong).map(|((_, said), line)| format!("{said}: {}", line["sentiment"])).collect();
    assert!(wrong.len() * 10 <= rows.len(), "{} of {} are read wrongly: {wrong:#?}", wrong.len(), rows.len());
}
