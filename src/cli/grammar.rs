use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};

use super::{Failure, open};
use crate::speech::grammar::{Grammar, Reading, Report, SlotValues, TokenMask, TokenSize, token_size};

/// The grammars: what can be said at this desk.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Say what a grammar accepts, how it is read, whether it is ambiguous and how large it is
    #[command(after_help = "Example:
  kioskd grammar check config/grammars/coffee.toml --samples 20")]
    Check(CheckArguments),
}

/// What is checked.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArguments {
    /// A grammar in TOML; docs/grammar.md tells how one is written
    file: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// How many example sentences to show
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=1_000))]
    samples: u16,
}

/// `tokens` are the text tokens of the recogniser, by number, where there is one: with them the grammar is also measured in tokens.
pub(super) fn run(command: &Command, tokens: Option<&[Vec<u8>]>) -> Result<(), Failure> {
    let Command::Check(arguments) = command;
    let begun = Instant::now();
    let grammar = Arc::new(read(&arguments.file)?);
    let build_ms = elapsed_ms(begun);
    let report = grammar.report(usize::from(arguments.samples));
    let in_tokens = tokens.map(|tokens| measured(&grammar, tokens));
    if arguments.json {
        open::print_json(&as_json(&report, in_tokens, build_ms))
    } else {
        open::print_line(as_lines(&report, in_tokens, build_ms).trim_end())
    }
}

/// Reads a grammar file; the failure names the file and the line.
pub(super) fn read(path: &Path) -> Result<Grammar, Failure> {
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|e| Failure::unreadable(path, &e))?;
    // One byte more than is allowed, so that what is too large is seen to be.
    file.take(Grammar::FILE_BYTES_MAX as u64 + 1).read_to_string(&mut text).map_err(|e| Failure::unreadable(path, &e))?;
    Grammar::parse(&text).map_err(|e| Failure::Input(format!("{}: {e}", path.display())))
}

/// The size in tokens, and the time that all of its states took to look at, in milliseconds.
fn measured(grammar: &Arc<Grammar>, tokens: &[Vec<u8>]) -> (TokenSize, f64) {
    let begun = Instant::now();
    let size = token_size(&mut TokenMask::new(Arc::clone(grammar), tokens));
    (size, elapsed_ms(begun))
}

fn elapsed_ms(begun: Instant) -> f64 {
    (begun.elapsed().as_secs_f64() * 10_000.0).round() / 10.0
}

fn as_json(report: &Report, in_tokens: Option<(TokenSize, f64)>, build_ms: f64) -> Value {
    let slots: Vec<_> = report.slots.iter().map(|slot| json!({ "name": slot.name, "values": slot.values })).collect();
    let samples: Vec<_> = report.samples.iter().map(|sample| with_text(&sample.text, reading_json(&sample.reading))).collect();
    let ambiguities = report.ambiguities.iter().map(|found| {
        let readings: Vec<_> = found.readings.iter().map(reading_json).collect();
        json!({ "text": found.text, "readings": readings })
    });
    let in_tokens = in_tokens.map(|(size, ms)| json!({ "states": size.states, "arcs": size.arcs, "dead_ends": size.dead_ends, "ms": ms }));
    json!({
        "name": report.name,
        "intents": report.intents,
        "slots": slots,
        "texts": report.texts,
        "longest_chars": report.longest_chars,
        "samples": samples,
        "ambiguities": ambiguities.collect::<Vec<_>>(),
        "ambiguities_are_all": report.ambiguities_are_all,
        "unused": report.unused,
        "nodes": report.nodes,
        "states": report.states,
        "arcs": report.arcs,
        "tokens": in_tokens,
        "build_ms": build_ms,
    })
}

fn reading_json(reading: &Reading) -> Value {
    json!({ "intent": reading.intent, "slots": reading.slots })
}

fn with_text(text: &str, mut reading: Value) -> Value {
    if let Value::Object(object) = &mut reading {
        object.insert("text".to_owned(), json!(text));
    }
    reading
}

fn as_lines(report: &Report, in_tokens: Option<(TokenSize, f64)>, build_ms: f64) -> String {
    let mut out = String::new();
    let mut line = |name: &str, text: String| {
        let _ = writeln!(out, "{name:>12}  {text}");
    };
    line("grammar", report.name.clone());
    line("intents", report.intents.join(", "));
    for SlotValues { name, values } in &report.slots {
        let values = values.as_ref().map_or("too many values for a list".to_owned(), |values| values.join(", "));
        line("slot", format!("{name}: {values}"));
    }
    line("accepts", format!("{} texts, the longest of {} characters", count(report.texts), report.longest_chars));
    line("size", format!("{} nodes, {} states, {} arcs; built in {build_ms} ms", report.nodes, report.states, report.arcs));
    if let Some((size, ms)) = in_tokens {
        line("in tokens", format!("{} states, {} arcs; all of them looked at in {ms} ms", size.states, size.arcs));
        if size.dead_ends > 0 {
            line("", format!("{} states are dead ends: this recogniser has no tokens to spell what may follow", size.dead_ends));
        }
    }
    if !report.unused.is_empty() {
        line("unused", format!("{}: no sentence leads there", report.unused.join(", ")));
    }
    match (report.ambiguities.is_empty(), report.ambiguities_are_all) {
        (true, true) => line("ambiguous", "no".to_owned()),
        (true, false) => line("ambiguous", "nothing was found, but not everything could be looked at".to_owned()),
        (false, true) => line("ambiguous", "these texts; the reading that stands first is taken".to_owned()),
        (false, false) => line("ambiguous", "these texts and perhaps others; the reading that stands first is taken".to_owned()),
    }
    for found in &report.ambiguities {
        let readings: Vec<_> = found.readings.iter().map(reading_line).collect();
        line("", format!("\"{}\": {}", found.text, readings.join(" | ")));
    }
    for (index, sample) in report.samples.iter().enumerate() {
        line(if index == 0 { "for example" } else { "" }, format!("\"{}\"", sample.text));
        line("", format!("    {}", reading_line(&sample.reading)));
    }
    out
}

/// `orderDrink size=large`
fn reading_line(reading: &Reading) -> String {
    let slots = reading.slots.iter().map(|(name, value)| format!(" {name}={value:?}")).collect::<String>();
    format!("{}{slots}", reading.intent)
}

/// Exact as long as the number is.
fn count(texts: f64) -> String {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    if texts <= EXACT_MAX { format!("{texts:.0}") } else { format!("about {texts:.1e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tea() -> Arc<Grammar> {
        let text = r#"
            name = "tea"
            [[sentence]]
            intent = "order"
            say = "a {size} tea"
            [slots.size.values]
            large = ["big", "large"]
            small = []
        "#;
        Arc::new(Grammar::parse(text).expect("a grammar"))
    }

    #[test]
    fn all_that_is_known_is_shown_to_people_and_to_programs() {
        let grammar = tea();
        let letters: Vec<Vec<u8>> = (b' '..=b'~').map(|byte| vec![byte]).collect();
        let (report, in_tokens) = (grammar.report(2), measured(&grammar, &letters));
        let lines = as_lines(&report, Some(in_tokens), 1.5);
        for told in ["tea", "order", "size: large, small", "12 texts", "built in 1.5 ms", "ambiguous  no", "order size=\""] {
            assert!(lines.contains(told), "{told}: {lines}");
        }
        let object = as_json(&report, Some(in_tokens), 1.5);
        assert_eq!(object["slots"], json!([{ "name": "size", "values": ["large", "small"] }]));
        assert_eq!((&object["texts"], &object["tokens"]["states"]), (&json!(12.0), &json!(report.states)));
        assert_eq!(object["samples"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn a_wrong_file_is_named_with_its_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("wrong.toml");
        std::fs::write(&path, "name = \"x\"\n[[sentence]]\nintent = \"i\"\nsay = \"a {colour} tea\"").expect("written");
        let Err(Failure::Input(told)) = read(&path) else { panic!("accepted") };
        assert!(told.contains("wrong.toml: line 4, sentence 1: {colour} is described nowhere"), "{told}");
        std::fs::write(&path, "#".repeat(Grammar::FILE_BYTES_MAX + 9)).expect("written");
        let Err(Failure::Input(told)) = read(&path) else { panic!("accepted") };
        assert!(told.contains("the most that is read"), "{told}");
        std::fs::write(&path, [0xff, 0xfe]).expect("written");
        assert!(matches!(read(&path), Err(Failure::Input(_))));
        assert!(matches!(read(&folder.path().join("absent.toml")), Err(Failure::Input(_))));
    }
}
