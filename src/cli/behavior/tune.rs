//! `kioskd behavior tune`

use std::path::PathBuf;

use serde_json::json;

use super::super::{Failure, open, progress};
use super::tables;
use crate::behavior::tabular::{Labelled, Trial, tune};

/// Arguments of `kioskd behavior tune`.
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
    /// Settings to try
    #[arg(long, value_name = "COUNT", default_value_t = 16)]
    trials: usize,
    /// Rounds: each doubles the passes, and keeps the better half
    #[arg(long, value_name = "COUNT", default_value_t = 4)]
    rounds: usize,
    /// Where chance starts
    #[arg(long, default_value_t = 16)]
    seed: u64,
    /// Threads to compute with (default: one for each core)
    #[arg(long, value_name = "COUNT")]
    threads: Option<usize>,
    /// Print one JSON object a setting, best first
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut table = tables::read(&arguments.data)?;
    let data = Labelled::learn(&mut table, &arguments.label, &arguments.drop).map_err(tables::failure)?;
    tables::tell_bad(&table.path, &table.bad);
    let bar = progress::bar(1, "trying settings");
    let show = |done: usize, all: usize| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    };
    let threads = tables::threads(arguments.threads);
    let found = tune(&data, arguments.trials, arguments.rounds, arguments.seed, threads, &show).map_err(tables::failure)?;
    bar.finish_and_clear();
    if !arguments.json {
        open::print_line("rounds  PR-AUC  epochs  batch   rate  decay  dropout  hidden")?;
    }
    for trial in &found {
        print(trial, arguments.json)?;
    }
    if let Some(best) = found.first().filter(|_| !arguments.json) {
        let fit = &best.config;
        let hidden: Vec<String> = fit.hidden.iter().map(usize::to_string).collect();
        open::print_line(&format!(
            "the best as a command: kioskd behavior train --preset network --hidden {} --epochs {} --batch {} --learning-rate {} --weight-decay {} --dropout {} ..",
            hidden.join(","),
            fit.epochs_max,
            fit.batch,
            fit.learning_rate,
            fit.weight_decay,
            fit.dropout
        ))?;
    }
    Ok(())
}

fn print(trial: &Trial, as_json: bool) -> Result<(), Failure> {
    let fit = &trial.config;
    if as_json {
        return open::print_json(&json!({
            "rounds": trial.rounds, "pr_auc": trial.pr_auc, "epochs": fit.epochs_max, "batch": fit.batch,
            "learning_rate": fit.learning_rate, "weight_decay": fit.weight_decay, "dropout": fit.dropout, "hidden": fit.hidden,
        }));
    }
    open::print_line(&format!(
        "{:>6}  {:.4}  {:>6}  {:>5}  {:>5}  {:>5}  {:>7}  {:?}",
        trial.rounds, trial.pr_auc, fit.epochs_max, fit.batch, fit.learning_rate, fit.weight_decay, fit.dropout, fit.hidden
    ))
}
