//! `kioskd behavior explain`

use std::path::PathBuf;

use serde_json::json;

use super::super::{Failure, Place, open};
use super::{sessions, tables};
use crate::behavior::tabular::{TabularError, TabularModel};

/// Arguments of `kioskd behavior explain`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The last prediction of this session of the log, by the model in use
    #[arg(long, value_name = "ID", conflicts_with_all = ["model", "data", "row"])]
    session: Option<String>,
    /// The folder of the model
    #[arg(long, value_name = "DIR", required_unless_present = "session")]
    model: Option<PathBuf>,
    /// Rows with the columns of the training; a label is not needed
    #[arg(long, value_name = "FILE", required_unless_present = "session")]
    data: Option<PathBuf>,
    /// Which row, from 1; rows that cannot be used do not count
    #[arg(long, value_name = "NUMBER", required_unless_present = "session")]
    row: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(place: &Place, arguments: &Arguments) -> Result<(), Failure> {
    if let Some(session) = &arguments.session {
        return sessions::explain(place, session, arguments.json);
    }
    let (Some(model), Some(data), Some(number)) = (&arguments.model, &arguments.data, arguments.row) else {
        return Err(Failure::Input("give --session, or --model with --data and --row".to_owned()));
    };
    let model = TabularModel::read(model).map_err(tables::failure)?;
    let mut table = tables::read(data)?;
    let frame = model.schema.frame(&mut table).map_err(tables::failure)?;
    tables::tell_bad(&table.path, &table.bad);
    let Some(row) = number.checked_sub(1).and_then(|at| table.rows.get(at)) else {
        let (path, row, rows) = (table.path.clone(), number, table.rows.len());
        return Err(tables::failure(TabularError::NoSuchRow { path, row, rows }));
    };
    let at = number - 1;
    let found = model.attribute(&frame, at);
    let probability = model.probabilities(&frame.row(at))[0];
    let mut because: Vec<(&str, &str, f32)> = Vec::new();
    for (column, effect) in model.schema.columns.iter().zip(&found.effects) {
        let place = table.column(&column.name).map_err(tables::failure)?;
        because.push((&column.name, &row.cells[place], *effect));
    }
    because.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()));
    if arguments.json {
        let because: Vec<_> =
            because.iter().map(|(column, value, effect)| json!({ "column": column, "value": value, "effect": effect })).collect();
        return open::print_json(&json!({
            "row": number, "line": row.line, "probability": probability, "is_yes": probability >= model.threshold,
            "logit": found.logit, "baseline_logit": found.baseline, "because": because,
        }));
    }
    let answer = if probability >= model.threshold { "yes" } else { "no" };
    open::print_line(&format!("line {}: {} with probability {probability:.3}, so {answer}", row.line, model.schema.label))?;
    for (column, value, effect) in because {
        open::print_line(&format!("{effect:+8.3}  {column} = {value}"))?;
    }
    open::print_line(&format!("{:+8.3}  where nothing is known; together {:+.3}, in logits", found.baseline, found.logit))
}
