use std::path::PathBuf;

use serde_json::json;

use super::{Failure, Place, open, progress};
use crate::config::ShopFiles;
use crate::domain::{IntentDefinition, IntentKind};
use crate::language::{LabelledSentence, Sentiment};
use crate::measure::wilson;

/// The sentiment of sentences.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Train a head on sentence vectors, and print how it does on sentences kept back
    #[command(after_help = "Example:
  kioskd sentiment train --data train.tsv --out models/sentiment/minilm.safetensors")]
    Train {
        /// Tab-separated: text, label (0 or 1), anything; the first line is a heading
        #[arg(long, value_name = "FILE")]
        data: PathBuf,
        /// Where the head is written
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

pub(super) fn run(place: &Place, command: Command) -> Result<(), Failure> {
    let Command::Train { data, out } = command;
    let config = open::config(place)?;
    let job = |e: &dyn std::fmt::Display| Failure::Job(e.to_string());
    let encoder = open::encoder(&config)?;
    let text = String::from_utf8(open::read(&data)?).map_err(|_| Failure::Input(format!("{} is not UTF-8 text", data.display())))?;
    let sentences = parse(&text).map_err(|e| Failure::Input(format!("{}, {e}", data.display())))?;
    let files = ShopFiles::read(&config.paths.shop).map_err(|problems| Failure::Input(problems.join("\n")))?;
    // The shop's own plain questions carry no feeling.
    let is_plain =
        |intent: &&IntentDefinition| matches!(intent.kind, IntentKind::Fact | IntentKind::Faq | IntentKind::Order | IntentKind::Recommend);
    let plain = files.intents.iter().filter(is_plain).flat_map(|intent| intent.examples.iter().cloned());
    let texts: Vec<String> = sentences.iter().map(|s| s.text.clone()).chain(plain).collect();
    let bar = progress::bar(texts.len() as u64, "encoding");
    let mut vectors = encoder.encode_all(&texts, open::cores(), &|| bar.inc(1)).map_err(|e| job(&e))?;
    bar.finish_and_clear();
    let neutral = vectors.split_off(sentences.len());
    let (head, report) = Sentiment::fit(&sentences, &vectors, &neutral).map_err(|e| Failure::Input(e.to_string()))?;
    head.save(&out).map_err(|e| job(&e))?;
    let (low, high) = wilson(report.right, report.kept_back);
    open::print_json(&json!({
        "sentences": report.sentences, "neutral": neutral.len(), "kept_back": report.kept_back,
        "accuracy": report.right as f64 / report.kept_back as f64, "accuracy_interval": [low, high], "always_the_same": report.baseline,
    }))
}

fn parse(text: &str) -> Result<Vec<LabelledSentence>, String> {
    let parse_line = |(at, line): (usize, &str)| {
        let mut fields = line.split('\t');
        match (fields.next(), fields.next().map(str::trim)) {
            (Some(text), Some(label @ ("0" | "1"))) => Ok(LabelledSentence { text: text.to_owned(), positive: label == "1" }),
            _ => Err(format!("line {}: expected a sentence, a tab, and 0 or 1", at + 1)),
        }
    };
    text.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty()).map(parse_line).collect()
}
