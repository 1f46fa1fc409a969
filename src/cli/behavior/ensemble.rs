//! `kioskd behavior ensemble`

use std::path::PathBuf;

use serde_json::json;

use super::super::{Failure, open, progress};
use super::{tables, train};
use crate::behavior::tabular::{Labelled, Preset, Recipe, learn};

/// Arguments of `kioskd behavior ensemble`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The rows
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// The column to be predicted
    #[arg(long, value_name = "COLUMN")]
    label: String,
    /// A column to leave out; may be given several times
    #[arg(long, value_name = "COLUMN")]
    drop: Vec<String>,
    /// Networks, trained on different four fifths of the rows and from different first weights; a multiple of 5
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    members: usize,
    /// Where chance starts
    #[arg(long, default_value_t = 16)]
    seed: u64,
    /// Threads to compute with (default: one for each core)
    #[arg(long, value_name = "COUNT")]
    threads: Option<usize>,
    #[command(flatten)]
    networks: train::Networks,
    /// Folder for model.safetensors and its README.md
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if !(5..=500).contains(&arguments.members) || !arguments.members.is_multiple_of(5) {
        return Err(Failure::Input(format!("--members is {}; expected a multiple of 5, up to 500", arguments.members)));
    }
    let recipe = Recipe::new(Preset::Ensemble, arguments.seed, tables::threads(arguments.threads)).with_members(arguments.members / 5);
    let recipe = arguments.networks.apply(recipe);
    recipe.check().map_err(tables::failure)?;
    let mut table = tables::read(&arguments.data)?;
    let data = Labelled::learn(&mut table, &arguments.label, &arguments.drop).map_err(tables::failure)?;
    tables::tell_bad(&table.path, &table.bad);
    let about = train::about(&arguments.data, &data, table.bad.len(), &recipe)?;
    let bar = progress::bar(arguments.members as u64, "training");
    let learnt = learn(&data, &recipe, about, &|done, _| bar.set_position(done as u64)).map_err(tables::failure)?;
    bar.finish_and_clear();
    let drop: String = arguments.drop.iter().map(|column| format!(" --drop {column}")).collect();
    let (data, label, out) = (arguments.data.display(), &arguments.label, arguments.out.display());
    let command = format!("kioskd behavior ensemble --data {data} --label {label}{drop} --members {} --out {out}", arguments.members);
    train::write(&learnt, &arguments.out, &command)?;
    if arguments.json {
        return open::print_json(&json!({
            "members": learnt.member_pr_aucs.len(), "member_pr_auc": learnt.member_pr_aucs, "held_out": learnt.held_out,
        }));
    }
    let mean = learnt.member_pr_aucs.iter().sum::<f64>() / learnt.member_pr_aucs.len().max(1) as f64;
    open::print_line(&format!("{} networks; PR-AUC of one, each on its held-out fifth, {mean:.4} in the mean", arguments.members))?;
    open::print_line(&train::told(&learnt.held_out))
}
