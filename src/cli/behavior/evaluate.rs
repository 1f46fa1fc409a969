//! `kioskd behavior evaluate`

use std::path::PathBuf;

use super::super::{Failure, open};
use super::tables;
use crate::behavior::tabular::{Figures, Labelled, TabularModel};
use crate::weights::write_atomically;

/// Arguments of `kioskd behavior evaluate`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The folder that `kioskd behavior train` wrote
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Rows with the columns and the label of the training
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Also write the probability of each row here, as `line,probability`
    #[arg(long, value_name = "FILE")]
    probabilities: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let model = TabularModel::read(&arguments.model).map_err(tables::failure)?;
    let mut table = tables::read(&arguments.data)?;
    let data = Labelled::read(&mut table, &model.schema).map_err(tables::failure)?;
    tables::tell_bad(&table.path, &table.bad);
    let probabilities = model.probabilities(&data.frame);
    if let Some(path) = &arguments.probabilities {
        let rows: String = table.rows.iter().zip(&probabilities).map(|(row, p)| format!("{},{p}\n", row.line)).collect();
        let outcome = write_atomically(path, format!("line,probability\n{rows}").as_bytes());
        outcome.map_err(|e| Failure::Job(format!("{} could not be written: {e}", path.display())))?;
    }
    let figures = Figures::of(&probabilities, &data.labels, model.threshold);
    if arguments.json {
        return open::print_json(&figures);
    }
    let shown = |value: Option<f64>| value.map_or("none".to_owned(), |value| format!("{value:.4}"));
    open::print_line(&format!("{} rows, {} positive, {} not used", figures.rows, figures.positives, table.bad.len()))?;
    open::print_line(&format!("PR-AUC {}, ROC-AUC {}", shown(figures.pr_auc), shown(figures.roc_auc)))?;
    open::print_line(&format!(
        "from {:.3} on: F1 {:.4}, precision {:.4}, recall {:.4}, accuracy {:.4}",
        figures.threshold, figures.f1, figures.precision, figures.recall, figures.accuracy
    ))?;
    open::print_line(&format!("log loss {}, calibration error {}", shown(figures.log_loss), shown(figures.ece)))
}
