//! Any table as a sheet of numbers and words.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::super::{Failure, open};
use crate::behavior::tabular::{Table, TabularError, is_unknown, labels};
use crate::insight::{Cells, Column, Sheet};

/// A column is one of numbers where so many of its known cells are numbers.
const NUMBERS_SHARE_MIN: f64 = 0.95;
/// Whole numbers of so few kinds that begin at 1 are names of things (browsers, regions). Counts begin at 0.
const CODES_MAX: usize = 32;

/// The rows to look at: those of a table, or of the session log.
#[derive(Debug, clap::Args)]
pub(super) struct Rows {
    /// A table with the names of its columns in the first line (default: one row for each conversation of the session log)
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// A column that is left out; may be given several times
    #[arg(long, value_name = "COLUMN", requires = "data")]
    pub drop: Vec<String>,
    /// Where chance starts
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// A table that was read.
pub(super) struct Read {
    /// What can be compared.
    pub sheet: Sheet,
    /// The line of each row.
    pub lines: Vec<u64>,
    /// The answer of each row, where a label was named.
    pub labels: Option<Vec<bool>>,
}

/// Reads a CSV. Says on stderr what of it is not used.
pub(super) fn read(path: &Path, label: Option<&str>, drop: &[String]) -> Result<Read, Failure> {
    let mut table = Table::parse(&path.display().to_string(), &open::read(path)?).map_err(failure)?;
    let labels = label.map(|label| labels(&mut table, label)).transpose().map_err(failure)?;
    let left_out: Vec<usize> =
        drop.iter().map(String::as_str).chain(label).map(|name| table.column(name)).collect::<Result<_, _>>().map_err(failure)?;
    if let Some(row) = table.bad.first() {
        eprintln!("kioskd: {}: {} rows are not used, the first at line {}: {}", table.path, table.bad.len(), row.line, row.reason);
    }
    if table.rows.is_empty() {
        return Err(failure(TabularError::Empty { path: table.path }));
    }
    let mut columns = Vec::new();
    for at in (0..table.columns.len()).filter(|at| !left_out.contains(at)) {
        match cells(&table, at)? {
            Some(cells) => columns.push(Column { name: table.columns[at].clone(), cells }),
            None => eprintln!("kioskd: {}: the column {:?} names each row and is not used", table.path, table.columns[at]),
        }
    }
    let lines: Vec<u64> = table.rows.iter().map(|row| row.line).collect();
    Ok(Read { sheet: Sheet { rows: lines.len(), columns }, lines, labels })
}

/// What a cell says.
enum Cell {
    Unknown,
    Number(f64),
    Word,
}

fn cell(text: &str) -> Cell {
    match text.parse::<f64>() {
        _ if is_unknown(text) => Cell::Unknown,
        Ok(x) => Cell::Number(x),
        Err(_) => Cell::Word,
    }
}

fn cells(table: &Table, at: usize) -> Result<Option<Cells>, Failure> {
    let texts: Vec<&str> = table.rows.iter().map(|row| &row.cells[at]).collect();
    let read: Vec<Cell> = texts.iter().map(|text| cell(text)).collect();
    let numbers: Vec<f64> = read.iter().filter_map(|cell| if let Cell::Number(x) = cell { Some(*x) } else { None }).collect();
    let words = read.iter().filter(|cell| matches!(cell, Cell::Word)).count();
    let is_numeric = !numbers.is_empty() && numbers.len() as f64 >= NUMBERS_SHARE_MIN * (numbers.len() + words) as f64;
    if !is_numeric {
        let kinds: BTreeSet<&str> = texts.iter().copied().collect();
        return Ok((texts.len() < 20 || kinds.len() * 2 <= texts.len()).then(|| Cells::words(&texts)));
    }
    if let Some((row, text)) = texts.iter().enumerate().find(|(row, _)| matches!(read[*row], Cell::Number(x) if !x.is_finite())) {
        let (column, found) = (table.columns[at].clone(), (*text).to_owned());
        return Err(failure(TabularError::NotFinite { path: table.path.clone(), line: table.rows[row].line, column, found }));
    }
    if words > 0 {
        eprintln!("kioskd: {}: {words} cells of the column {:?} are no numbers and count as not known", table.path, table.columns[at]);
    }
    let is_counter = numbers.len() == texts.len() && numbers.len() >= 20 && numbers.windows(2).all(|pair| pair[1] - pair[0] == 1.0);
    if is_counter {
        return Ok(None);
    }
    let kinds: BTreeSet<u64> = numbers.iter().map(|x| x.to_bits()).collect();
    let is_code = kinds.len() <= CODES_MAX && numbers.iter().all(|x| x.fract() == 0.0 && *x >= 1.0) && numbers.contains(&1.0);
    if is_code && kinds.len() > 2 {
        return Ok(Some(Cells::words(&texts)));
    }
    Ok(Some(Cells::Numbers(read.iter().map(|cell| if let Cell::Number(x) = cell { *x } else { f64::NAN }).collect())))
}

/// What the user gave is wrong.
pub(super) fn failure(error: TabularError) -> Failure {
    Failure::Input(error.to_string())
}
