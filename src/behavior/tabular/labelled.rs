//! A table whose columns are known, with what happened in each row.

use super::columns::{Frame, Schema, labels};
use super::error::TabularError;
use super::table::Table;

/// Rows of the rarer answer that are needed: one and a spare for each part.
const RARE_ROWS_MIN: usize = 10;

/// A table whose columns are known, with its labels.
#[derive(Debug, Clone)]
pub struct Labelled {
    /// The columns.
    pub schema: Schema,
    /// The rows.
    pub frame: Frame,
    /// What happened in each row.
    pub labels: Vec<bool>,
}

impl Labelled {
    /// Learns the columns of a table and reads its rows; what cannot be used stays in `table.bad`.
    /// # Errors
    /// See [`Schema::learn`] and [`labels`]; and where there are fewer than 10 rows of one answer.
    pub fn learn(table: &mut Table, label: &str, drop: &[String]) -> Result<Self, TabularError> {
        // Labels first: a table without them is not worth a look at its cells.
        labels(table, label)?;
        let schema = Schema::learn(table, label, drop)?;
        let labels = labels(table, label)?;
        check_kinds(table, label, &labels)?;
        let frame = schema.frame(table)?;
        Ok(Self { schema, frame, labels })
    }

    /// Reads the rows of a table for a model that exists.
    /// # Errors
    /// See [`Schema::frame`] and [`labels`].
    pub fn read(table: &mut Table, schema: &Schema) -> Result<Self, TabularError> {
        labels(table, &schema.label)?;
        let frame = schema.frame(table)?;
        let labels = labels(table, &schema.label)?;
        Ok(Self { schema: schema.clone(), frame, labels })
    }
}

fn check_kinds(table: &Table, label: &str, labels: &[bool]) -> Result<(), TabularError> {
    let (path, column) = (table.path.clone(), label.to_owned());
    let positives = labels.iter().filter(|label| **label).count();
    let negatives = labels.len() - positives;
    match (positives, negatives) {
        (0, 0) => Err(TabularError::Empty { path }),
        (0, _) | (_, 0) => Err(TabularError::OneClass { path, column, only: positives > 0, needed: RARE_ROWS_MIN }),
        _ if positives.min(negatives) < RARE_ROWS_MIN => {
            let (rare, found) = (positives < negatives, positives.min(negatives));
            Err(TabularError::TooFew { path, column, rare, found, needed: RARE_ROWS_MIN })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_answer_only_and_too_few_of_one_are_refused() {
        let refusal = |text: &str| {
            let mut table = Table::parse("it.csv", text.as_bytes()).unwrap();
            Labelled::learn(&mut table, "y", &[]).unwrap_err().to_string()
        };
        let same: String = (0..30).map(|x| format!("{x},0\n")).collect();
        assert!(refusal(&format!("x,y\n{same}")).contains("\"y\" is false in every row"));
        assert!(refusal(&format!("x,y\n{same}9,1\n")).contains("\"y\" is true in 1 rows only; at least 10"));
    }
}
