//! `kioskd behavior export-update` and `merge`: several shops learn together, and only changes of weights travel.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::super::{Failure, open};
use super::{shrink, tables, train};
use crate::behavior::tabular::{FitConfig, TabularModel, Update, merge};
use crate::weights::sha256_of_file;

/// Arguments of `kioskd behavior export-update`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Export {
    /// The folder of the model that all shops have; a single network
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// This shop's rows
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Where chance starts
    #[arg(long, default_value_t = 16)]
    seed: u64,
    #[command(flatten)]
    networks: train::Networks,
    /// The file to carry to the others
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Arguments of `kioskd behavior merge`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Merge {
    /// The folder of the model that the updates were made from
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Updates of the shops
    #[arg(required = true, value_name = "FILE")]
    updates: Vec<PathBuf>,
    /// An update longer than so many times the median is cut to that
    #[arg(long, value_name = "TIMES", default_value_t = 2.0)]
    clip: f64,
    /// Folder for the new model
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn checksum(folder: &Path) -> Result<String, Failure> {
    sha256_of_file(&TabularModel::path(folder)).map_err(|e| Failure::Input(e.to_string()))
}

pub(super) fn export(arguments: &Export) -> Result<(), Failure> {
    let model = TabularModel::read(&arguments.model).map_err(tables::failure)?;
    let data = shrink::labelled(&arguments.data, &model)?;
    let mut config = FitConfig { epochs_max: 2, rate_falls: false, learning_rate: 1e-3, ..FitConfig::careful() };
    arguments.networks.change(&mut config);
    let update = Update::learn(&model, checksum(&arguments.model)?, &data, &config, arguments.seed).map_err(tables::failure)?;
    update.write(&arguments.out).map_err(tables::failure)?;
    match arguments.json {
        true => open::print_json(&json!({ "out": arguments.out, "rows": update.rows, "weights": update.change.len() })),
        false => {
            open::print_line(&format!("{} rows, {} weights, written to {}", update.rows, update.change.len(), arguments.out.display()))
        }
    }
}

pub(super) fn merge_all(arguments: &Merge) -> Result<(), Failure> {
    let model = TabularModel::read(&arguments.model).map_err(tables::failure)?;
    let base = checksum(&arguments.model)?;
    let mut updates = Vec::new();
    for path in &arguments.updates {
        updates.push(Update::read(path, &base, model.size()).map_err(tables::failure)?);
    }
    let merged = merge(&model, &updates, arguments.clip).map_err(tables::failure)?;
    merged.write(&arguments.out).map_err(tables::failure)?;
    let rows: usize = updates.iter().map(|update| update.rows).sum();
    match arguments.json {
        true => open::print_json(&json!({ "out": arguments.out, "updates": updates.len(), "rows": rows })),
        false => open::print_line(&format!("{} updates of {rows} rows, written to {}", updates.len(), arguments.out.display())),
    }
}
