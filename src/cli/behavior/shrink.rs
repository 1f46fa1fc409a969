//! `kioskd behavior distill`, `prune` and `quantize`: what each makes smaller, quicker and worse.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;

use super::super::{Failure, open};
use super::{tables, train};
use crate::behavior::tabular::{Figures, FitConfig, Labelled, Learnt, TabularModel, distill, prune, quantize};

/// What the three have in common.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The folder of the model
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Rows to learn from and to measure on: those that the model was trained on
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Other rows to measure both models on; without them, a fifth of --data is held out, which the first model may have seen
    #[arg(long, value_name = "FILE")]
    test: Option<PathBuf>,
    /// Folder for the new model
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Where chance starts
    #[arg(long, default_value_t = 16)]
    seed: u64,
    #[command(flatten)]
    networks: train::Networks,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What is done to the model.
#[derive(Debug, Clone, Copy)]
pub(super) enum How {
    Distill,
    /// With the share of units that goes.
    Prune(f64),
    Quantize,
}

pub(super) fn run(arguments: &Arguments, how: How) -> Result<(), Failure> {
    let before = TabularModel::read(&arguments.model).map_err(tables::failure)?;
    let data = labelled(&arguments.data, &before)?;
    let mut config = FitConfig::careful();
    if let How::Prune(_) = how {
        // What is left knows most already.
        (config.epochs_max, config.learning_rate) = (10, 5e-4);
    }
    arguments.networks.change(&mut config);
    let (name, learnt) = match how {
        How::Distill => ("distill", distill(&before, &data, &config, arguments.seed)),
        How::Prune(share) => ("prune", prune(&before, &data, share, &config, arguments.seed)),
        How::Quantize => ("quantize", quantize(&before).map(|model| measured(model, &data))),
    };
    let learnt = learnt.map_err(tables::failure)?;
    let test = match &arguments.test {
        Some(path) => labelled(path, &before)?,
        None => data,
    };
    let command = format!("kioskd behavior {name} --model {} --data {}", arguments.model.display(), arguments.data.display());
    train::write(&learnt, &arguments.out, &command)?;
    let (old, new) = (Weighed::of(&before, &arguments.model, &test)?, Weighed::of(&learnt.model, &arguments.out, &test)?);
    if arguments.json {
        let rows = |of: &Weighed| json!({ "bytes": of.bytes, "numbers": of.numbers, "us_a_row": of.us_a_row, "figures": of.figures });
        return open::print_json(&json!({ "before": rows(&old), "after": rows(&new), "held_out": learnt.held_out }));
    }
    open::print_line(&format!("before: {}", old.told()))?;
    open::print_line(&format!("after:  {}", new.told()))?;
    open::print_line(&train::told(&learnt.held_out))
}

/// A model that was not trained anew keeps its threshold.
fn measured(model: TabularModel, data: &Labelled) -> Learnt {
    let held_out = Figures::of(&model.probabilities(&data.frame), &data.labels, model.threshold);
    Learnt { model, held_out, epochs: Vec::new(), member_pr_aucs: Vec::new() }
}

pub(super) fn labelled(path: &Path, model: &TabularModel) -> Result<Labelled, Failure> {
    let mut table = tables::read(path)?;
    let data = Labelled::read(&mut table, &model.schema).map_err(tables::failure)?;
    tables::tell_bad(&table.path, &table.bad);
    Ok(data)
}

/// A model's size, speed and figures.
struct Weighed {
    bytes: u64,
    numbers: usize,
    us_a_row: f64,
    figures: Figures,
}

/// Rows that are predicted one by one to tell the time of one.
const TIMED_ROWS: usize = 200;

impl Weighed {
    fn of(model: &TabularModel, folder: &Path, data: &Labelled) -> Result<Self, Failure> {
        let path = TabularModel::path(folder);
        let bytes = std::fs::metadata(&path).map_err(|e| Failure::unreadable(&path, &e))?.len();
        let rows: Vec<_> = (0..data.frame.rows.min(TIMED_ROWS)).map(|row| data.frame.row(row)).collect();
        let mut times: Vec<f64> = Vec::new();
        for row in &rows {
            let started = Instant::now();
            std::hint::black_box(model.probabilities(row));
            times.push(started.elapsed().as_secs_f64() * 1e6);
        }
        times.sort_unstable_by(f64::total_cmp);
        let us_a_row = times.get(times.len() / 2).copied().unwrap_or(0.0);
        let figures = Figures::of(&model.probabilities(&data.frame), &data.labels, model.threshold);
        Ok(Self { bytes, numbers: model.size(), us_a_row, figures })
    }

    fn told(&self) -> String {
        let area = self.figures.pr_auc.map_or("none".to_owned(), |area| format!("{area:.4}"));
        let kilobytes = self.bytes as f64 / 1e3;
        format!("{} numbers, {kilobytes:.1} kB, {:.0} us a row, PR-AUC {area}, F1 {:.4}", self.numbers, self.us_a_row, self.figures.f1)
    }
}
