//! Measuring on labelled data: a file per kind of it. Orders are measured where they are taken, in `cli/orders.rs`.

mod clips;
mod endpoint;
mod fusion;
mod fusion_fit;
mod groups;
mod hints;
mod photos;
mod speech;

pub(super) use photos::{Labelled, read_list};

use std::path::PathBuf;

use super::{Failure, Place, open, orders};

/// Draws of the bootstrap, and its seed: the same interval each time.
const DRAWS: usize = 1_000;
const SEED: u64 = 7;

/// Measure on labelled data.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// How well photos are named, and strangers rejected
    #[command(after_help = "Example:
  kioskd evaluate photos --dir photos --list photos/val.txt --unknown other --json")]
    Photos {
        /// The paths in the list are relative to this folder
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// Lines `path, class_id, coarse_id`
        #[arg(long, value_name = "FILE")]
        list: PathBuf,
        /// A folder of photos that show no known product
        #[arg(long, value_name = "DIR")]
        unknown: Option<PathBuf>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// How well sentences are grouped by meaning, beside grouping by their words
    Groups(groups::Arguments),
    /// How well products are named by photo, by words, and by both
    Fusion(fusion::Arguments),
    /// How many spoken orders are taken right
    #[command(after_help = "Example:
  kioskd evaluate orders --dir orders --labels orders/labels.json --grammar config/grammars/coffee.toml --noise kitchen.flac --snr 12 --json")]
    Orders {
        /// The files of the labels are relative to this folder
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// A JSON object {file: {intent, slots}}; a file without intent is no order
        #[arg(long, value_name = "FILE")]
        labels: PathBuf,
        /// What can be said
        #[arg(long, value_name = "FILE")]
        grammar: PathBuf,
        /// Another model of models/manifest.toml than the settings'
        #[arg(long, value_name = "NAME")]
        model: Option<String>,
        /// A sound to mix in
        #[arg(long, value_name = "FILE", requires = "snr")]
        noise: Option<PathBuf>,
        /// How much louder the speech is than the noise, by the loudest 128 ms of each, in dB
        #[arg(long, value_name = "DB", requires = "noise", allow_hyphen_values = true)]
        snr: Option<f32>,
        /// Print one JSON object a clip and one with the totals
        #[arg(long)]
        json: bool,
    },
    /// When turns are ended: false cut-offs against the wait
    Endpoint(endpoint::Arguments),
    /// How many words and characters are heard wrong, how fast, and how well the confidences hold
    Speech(speech::Arguments),
}

pub(super) fn run(place: &Place, command: Command) -> Result<(), Failure> {
    match command {
        Command::Photos { dir, list, unknown, json } => photos::run(&open::config(place)?, &dir, &list, unknown.as_deref(), json),
        Command::Orders { dir, labels, grammar, model, noise, snr, json } => {
            let noise = noise.as_deref().zip(snr);
            let what = orders::Evaluation { dir: &dir, labels: &labels, grammar: &grammar, model: model.as_deref(), noise, json };
            orders::evaluate(place, &what)
        }
        Command::Groups(arguments) => groups::run(place, &arguments),
        Command::Fusion(arguments) => fusion::run(&open::config(place)?, &arguments),
        Command::Endpoint(arguments) => endpoint::run(&open::config(place)?, &arguments),
        Command::Speech(arguments) => speech::run(open::config(place)?, &arguments),
    }
}
