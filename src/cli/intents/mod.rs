mod data;
mod figures;

use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;

use super::{Failure, Place, open, progress};
use crate::language::{Augmenter, Encoder, IntentClassifier, IntentExamples, SentenceVector, Variant};
use figures::Figures;

/// The file in a model's folder that is loaded.
const FILE: &str = "intents.safetensors";

/// Train and measure what sentences mean.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Learn intents from labelled sentences
    #[command(after_help = "Examples:
  kioskd intents train --data sentences.csv --out var/intents
  kioskd intents train --data config/intents --out var/intents

A CSV file has a heading with text and category (or intent, or label); `oos` marks sentences for no desk. A JSON file has lists of
[sentence, intent] under train and val, and under oos_train and oos_val those for no desk.")]
    Train {
        /// CSV, JSON, or the folder of a shop's intents
        #[arg(long, value_name = "FILE")]
        data: PathBuf,
        /// Folder for the model and its card; made where it does not exist
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Learn a variant of each sentence too, in which a word is misheard, left out or moved
        #[arg(long)]
        augment: bool,
        /// Print figures as JSON
        #[arg(long)]
        json: bool,
    },
    /// Count how often a trained model is right
    #[command(after_help = "Example:
  kioskd intents evaluate --model var/intents --data test.csv --json")]
    Evaluate {
        /// Folder that `intents train` wrote
        #[arg(long, value_name = "DIR")]
        model: PathBuf,
        /// CSV or JSON with the model's intents; of a JSON file test and oos_test are used, or else val and oos_val
        #[arg(long, value_name = "FILE")]
        data: PathBuf,
        /// Print figures as JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(place: &Place, command: Command) -> Result<(), Failure> {
    let config = open::config(place)?;
    match command {
        Command::Train { data, out, augment, json } => {
            let set = data::read(&data, None)?;
            let train = set.train.ok_or_else(|| Failure::Input(format!("{} has no sentences to learn from", data.display())))?;
            let validation = set.validation.filter(|_| set.test.is_none() || data.extension().is_some_and(|e| e == "json"));
            learn(&open::encoder(&config)?, &train, validation.as_ref(), &out, (augment, json))
        }
        Command::Evaluate { model, data, json } => {
            let path = model.join(FILE);
            let classifier = IntentClassifier::load(&path).map_err(|e| Failure::Input(e.to_string()))?;
            let encoder = open::encoder(&config)?;
            if classifier.encoder() != encoder.fingerprint() {
                return Err(Failure::Input(format!(
                    "{} was trained with the encoder {}, but {} is in use; train it again",
                    path.display(),
                    classifier.encoder(),
                    encoder.fingerprint()
                )));
            }
            let set = data::read(&data, Some(classifier.names()))?;
            let test = set.test.or(set.validation);
            let test = test.ok_or_else(|| Failure::Input(format!("{} has no sentences to measure on", data.display())))?;
            let figures = measure(&classifier, &encoder, &test)?;
            if json { open::print_json(&figures) } else { open::print_line(figures.to_string().trim_end()) }
        }
    }
}

fn learn(
    encoder: &Encoder,
    train: &IntentExamples,
    validation: Option<&IntentExamples>,
    out: &std::path::Path,
    (augment, json): (bool, bool),
) -> Result<(), Failure> {
    let began = Instant::now();
    let vectors = encode(encoder, &train.texts)?;
    let others = validation.map(|examples| encode(encoder, &examples.texts)).transpose()?;
    let encoded_s = began.elapsed().as_secs_f64();
    let validation = validation.zip(others.as_deref());
    let train_on = train.without_unknown_class();
    let variants = if augment { variants_of(encoder, &train_on)? } else { Vec::new() };
    let (classifier, report) = IntentClassifier::fit((&train_on, &vectors), &variants, validation, &encoder.fingerprint(), open::cores())
        .map_err(|e| Failure::Input(e.to_string()))?;
    let job = |e: std::io::Error| Failure::Job(format!("{} could not be written: {e}", out.display()));
    classifier.save(&out.join(FILE)).map_err(job)?;
    let sentences = train.texts.len() + validation.map_or(0, |(examples, _)| examples.texts.len());
    let card = figures::card(classifier.names(), sentences, &encoder.fingerprint());
    crate::weights::write_atomically(&out.join("README.md"), card.as_bytes()).map_err(job)?;
    let seconds = began.elapsed().as_secs_f64();
    if json {
        open::print_json(
            &json!({ "sentences": sentences, "intents": classifier.names().len(), "unseen": report.unseen, "unseen_right": report.right, "seconds": seconds, "encoding_seconds": encoded_s }),
        )
    } else {
        open::print_line(&format!(
            "{} intents of {sentences} sentences in {seconds:.0} s: {}",
            classifier.names().len(),
            out.join(FILE).display()
        ))
    }
}

fn variants_of(encoder: &Encoder, examples: &IntentExamples) -> Result<Vec<Variant>, Failure> {
    let said_otherwise = Augmenter::new(std::iter::empty()).variants(&examples.texts);
    let places: Vec<(usize, String)> = said_otherwise.into_iter().enumerate().filter_map(|(of, text)| Some((of, text?))).collect();
    let vectors = encode(encoder, &places.iter().map(|(_, text)| text.clone()).collect::<Vec<_>>())?;
    Ok(places.into_iter().zip(vectors).map(|((of, text), vector)| Variant { of, text, vector }).collect())
}

fn measure(classifier: &IntentClassifier, encoder: &Encoder, test: &IntentExamples) -> Result<Figures, Failure> {
    let vectors = encode(encoder, &test.texts)?;
    let readings: Vec<_> = test.texts.iter().zip(&vectors).map(|(text, vector)| classifier.read(text, vector, 0.0)).collect();
    Ok(Figures::of(classifier.names(), test, &readings))
}

fn encode(encoder: &Encoder, texts: &[String]) -> Result<Vec<SentenceVector>, Failure> {
    let bar = progress::bar(texts.len() as u64, "encoding");
    let vectors = encoder.encode_all(texts, open::cores(), &|| bar.inc(1)).map_err(|e| Failure::Job(e.to_string()));
    bar.finish_and_clear();
    vectors
}
