use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use super::super::{Failure, Place, open};
use crate::behavior::{Pass, PhotoPrototype, Provenance, SimulationConfig, TrainConfig, Trained, World, simulate, simulated_card, train};
use crate::config::ShopFiles;
use crate::language::Encoder;
use crate::vision::{Gallery, read_classes};

/// Arguments of `kioskd behavior train-simulated`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Folder for fusion.safetensors, its README.md and report.json; made where it does not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Where chance starts, for the shoppers and for the training
    #[arg(long, default_value_t = SimulationConfig::default().seed)]
    seed: u64,
    /// Shoppers to learn from; a quarter more to validate, a third more to measure on
    #[arg(long, default_value_t = SimulationConfig::default().shoppers_train, value_name = "COUNT")]
    shoppers: usize,
    /// Passes over the shoppers at most
    #[arg(long, default_value_t = TrainConfig::default().epochs_max, value_name = "COUNT")]
    epochs: usize,
    /// Print the report as JSON instead of a table
    #[arg(long)]
    json: bool,
}

pub(super) fn run(place: &Place, arguments: &Arguments) -> Result<(), Failure> {
    let job = |e: &dyn std::fmt::Display| Failure::Job(e.to_string());
    let config = open::config(place)?;
    let files = ShopFiles::read(&config.paths.shop).map_err(|problems| Failure::Input(problems.join("\n")))?;
    let manifest = open::manifest(&config)?;
    let verified = |name: &str| manifest.verify(name).map_err(|e| job(&e));
    let photos = verified(&config.vision.model)?;
    let encoder = open::encoder(&config)?;
    let classes = read_classes(&photos.path().with_file_name("classes.csv")).map_err(|e| job(&e))?;
    let gallery = Gallery::load(&verified(&config.vision.gallery)?).map_err(|e| job(&e))?;
    let prototype = |(at, centre): (usize, &[f32])| {
        let class = classes.get(Gallery::class_of_view(at))?.name.clone();
        Some(PhotoPrototype { class, centre: centre.to_vec() })
    };
    let prototypes: Vec<PhotoPrototype> = gallery.views().enumerate().filter_map(prototype).collect();
    let world = World { catalog: &files.catalog, intents: &files.intents, prototypes: &prototypes };
    let provenance = Provenance {
        data: "simulated shoppers".to_owned(),
        text_encoder_sha256: encoder.sha256().to_owned(),
        photo_encoder_sha256: photos.sha256().to_owned(),
    };
    train_simulated(arguments, world, &encoder, &provenance)
}

fn train_simulated(arguments: &Arguments, world: World<'_>, encoder: &Encoder, provenance: &Provenance) -> Result<(), Failure> {
    let simulation = SimulationConfig {
        seed: arguments.seed,
        shoppers_train: arguments.shoppers,
        shoppers_validation: arguments.shoppers / 4,
        shoppers_test: arguments.shoppers / 3,
        ..SimulationConfig::default()
    };
    let config = TrainConfig { seed: arguments.seed, epochs_max: arguments.epochs, ..TrainConfig::default() };
    let bar = progress_bar();
    bar.set_message("simulating shoppers and encoding what they say");
    let mut embed = |texts: &[String]| {
        let vectors = encoder.encode_all(texts, open::cores(), &|| ()).map_err(|e| e.to_string())?;
        Ok(vectors.iter().map(|vector| vector.embedding().to_vec()).collect())
    };
    let examples = simulate(world, &simulation, &mut embed).map_err(|e| Failure::Input(e.to_string()))?;
    let trained = train(&examples, provenance, &config, &mut |pass| show(&bar, pass)).map_err(|e| Failure::Input(e.to_string()))?;
    bar.finish_and_clear();

    let command = format!(
        "kioskd behavior train-simulated --out {} --seed {} --shoppers {} --epochs {}",
        arguments.out.display(),
        arguments.seed,
        arguments.shoppers,
        arguments.epochs
    );
    let json = write(&trained, &arguments.out, &simulated_card(&trained.report, &simulation, &config, &command))?;
    if arguments.json { open::print_line(&json) } else { open::print_line(trained.report.to_string().trim_end()) }
}

/// The weights first, then their figures and their card; returns the figures as JSON.
pub(super) fn write(trained: &Trained, out: &Path, card: &str) -> Result<String, Failure> {
    let job = |e: &dyn std::fmt::Display| Failure::Job(e.to_string());
    trained.checkpoint.write(&out.join("fusion.safetensors")).map_err(|e| job(&e))?;
    let json = serde_json::to_string_pretty(&trained.report).map_err(|e| job(&e))?;
    for (name, text) in [("report.json", json.as_str()), ("README.md", card)] {
        let path = out.join(name);
        let outcome = crate::weights::write_atomically(&path, text.as_bytes());
        outcome.map_err(|e| Failure::Job(format!("{} could not be written: {e}", path.display())))?;
    }
    Ok(json)
}

pub(super) fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    // The template is a constant; where it were wrong, the bar would only look plainer.
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} passes") {
        bar.set_style(style);
    }
    bar
}

pub(super) fn show(bar: &ProgressBar, pass: &Pass) {
    bar.set_length(pass.epochs_max as u64);
    bar.set_position(pass.epoch as u64);
    bar.set_message(format!("{}: loss {:.3}, validation {:.3}", pass.network, pass.train_loss, pass.validation_loss));
}
