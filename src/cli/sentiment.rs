use std::path::PathBuf;

use serde_json::json;

use super::{Failure, Place, open, progress};
use crate::config::ShopFiles;
use crate::domain::{IntentDefinition, IntentKind};
use crate::language::{Encoder, LabelledSentence, Sentiment};

/// The sentiment of sentences.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Train a head on sentence vectors, and print how it does on held-out fifths
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
    let manifest = open::manifest(&config)?;
    let job = |e: &dyn std::fmt::Display| Failure::Job(e.to_string());
    let encoder =
        Encoder::load(&manifest.verify("minilm").map_err(|e| job(&e))?, &manifest.verify("minilm-tokenizer").map_err(|e| job(&e))?)
            .map_err(|e| job(&e))?;
    let text = String::from_utf8(open::read(&data)?).map_err(|_| Failure::Input(format!("{} is not UTF-8 text", data.display())))?;
    let sentences = parse(&text).map_err(|e| Failure::Input(format!("{}, {e}", data.display())))?;
    let files = ShopFiles::read(&config.paths.shop).map_err(|problems| Failure::Input(problems.join("\n")))?;
    // The shop's own plain questions carry no feeling.
    let is_plain =
        |intent: &&IntentDefinition| matches!(intent.kind, IntentKind::Fact | IntentKind::Faq | IntentKind::Order | IntentKind::Recommend);
    let plain = files.intents.iter().filter(is_plain).flat_map(|intent| intent.examples.iter().cloned());
    let texts: Vec<String> = sentences.iter().map(|s| s.text.clone()).chain(plain).collect();
    let bar = progress::bar(texts.len() as u64, "encoding");
    let mut vectors = encoder.encode_all(&texts, 1, &|| bar.inc(1)).map_err(|e| job(&e))?;
    bar.finish_and_clear();
    let neutral = vectors.split_off(sentences.len());
    let (head, report) = Sentiment::fit(&sentences, &vectors, &neutral).map_err(|e| Failure::Input(e.to_string()))?;
    head.save(&out).map_err(|e| job(&e))?;
    open::print_json(&json!({
        "sentences": report.sentences, "neutral": neutral.len(), "cross_validated_accuracy": report.accuracy, "always_the_same": report.baseline,
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
