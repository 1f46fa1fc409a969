//! What the commands on tables share: reading a file, telling of rows that cannot be used, exit codes.

use std::path::Path;

use super::super::{Failure, open};
use crate::behavior::tabular::{BadRow, Table, TabularError};

/// Bad rows that are told of one by one; the others are counted.
const BAD_ROWS_TOLD: usize = 20;

/// The cells of a file.
pub(super) fn read(path: &Path) -> Result<Table, Failure> {
    Table::parse(&path.display().to_string(), &open::read(path)?).map_err(failure)
}

/// Says on stderr which rows are not used.
pub(super) fn tell_bad(path: &str, bad: &[BadRow]) {
    for row in bad.iter().take(BAD_ROWS_TOLD) {
        eprintln!("kioskd: {path} line {}: {}; the row is not used", row.line, row.reason);
    }
    if bad.len() > BAD_ROWS_TOLD {
        eprintln!("kioskd: {path}: {} more rows are not used; {} in all", bad.len() - BAD_ROWS_TOLD, bad.len());
    }
}

/// What the user gave is wrong, or the job failed.
pub(super) fn failure(error: TabularError) -> Failure {
    match error {
        TabularError::Io { doing: "write", .. } | TabularError::Unwritable(_) | TabularError::Diverged => Failure::Job(error.to_string()),
        _ => Failure::Input(error.to_string()),
    }
}

/// Threads to compute with: as many as asked for, or one for each core.
pub(super) fn threads(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get)).clamp(1, 256)
}
