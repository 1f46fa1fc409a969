//! What the columns of a table are, learnt once and kept with the model, and rows as numbers and codes.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::error::TabularError;
use super::table::{Table, is_unknown};

/// A word that stands in fewer rows than this is not told apart from other rare ones.
const LEVEL_ROWS_MIN: usize = 5;
/// Words told apart in a column at most, the most frequent ones: with the rare ones they fit the 64 bits of a tree's set.
pub(super) const LEVELS_MAX: usize = 63;
/// Whole numbers of so few kinds that begin at 1 may be names of things (browsers, regions): they count as numbers and as words. Counts
/// begin at 0.
const CODES_MAX: usize = 32;
/// A column is one of numbers where so many of its known cells are numbers; the other cells make bad rows.
const NUMBERS_SHARE_MIN: f64 = 0.95;

/// A column that a model reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// As in the header.
    pub name: String,
    /// Whether its cells are numbers; true, false, yes and no count as 1 and 0.
    pub is_number: bool,
    /// Words that are told apart, in alphabetical order. A number may have them too.
    pub levels: Vec<String>,
}

/// The columns of a table and its label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// The label column.
    pub label: String,
    /// What the model reads, in the order of the file.
    pub columns: Vec<Column>,
    /// Columns that say nothing, as they are the same in every row or name each row.
    pub ignored: Vec<String>,
    /// Columns that were left out by wish.
    pub dropped: Vec<String>,
}

/// Rows as numbers and codes, column by column.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// Rows.
    pub rows: usize,
    /// For each column of numbers its values, NaN where nothing is known; nothing for words.
    pub numbers: Vec<Vec<f32>>,
    /// For each column with levels the code of each row: 0 for a rare, new or unknown word, else the place of its level, from 1.
    pub codes: Vec<Vec<u16>>,
}

impl Schema {
    /// Learns the columns of a table. Rows with words among numbers are taken out of the table and told of.
    /// # Errors
    /// Where the label or a dropped column is not there, a number is not finite, most rows are bad, or no column is left.
    pub fn learn(table: &mut Table, label: &str, drop: &[String]) -> Result<Self, TabularError> {
        let label_at = table.column(label)?;
        let mut dropped = Vec::new();
        for name in drop {
            dropped.push(table.column(name)?);
        }
        let candidates: Vec<usize> = (0..table.columns.len()).filter(|at| *at != label_at && !dropped.contains(at)).collect();
        let numbers: Vec<bool> = candidates.iter().map(|at| is_numeric(table, *at)).collect();
        let of_numbers = candidates.iter().zip(&numbers).filter(|(_, is_number)| **is_number).map(|(at, _)| *at);
        reject_words(table, of_numbers)?;
        let mut schema = Self { label: label.to_owned(), columns: Vec::new(), ignored: Vec::new(), dropped: drop.to_vec() };
        for (at, is_number) in candidates.into_iter().zip(numbers) {
            match learn_column(table, at, is_number) {
                Some(column) => schema.columns.push(column),
                None => schema.ignored.push(table.columns[at].clone()),
            }
        }
        if schema.columns.is_empty() { Err(TabularError::NothingToLearn { path: table.path.clone() }) } else { Ok(schema) }
    }

    /// Reads a table's rows. Rows with words among numbers are taken out of the table and told of.
    /// # Errors
    /// Where a column is missing, a number is not finite, or most rows are bad.
    pub fn frame(&self, table: &mut Table) -> Result<Frame, TabularError> {
        let mut places = Vec::new();
        for column in &self.columns {
            places.push(table.column(&column.name)?);
        }
        reject_words(table, self.columns.iter().zip(&places).filter(|(column, _)| column.is_number).map(|(_, at)| *at))?;
        let mut frame = Frame { rows: table.rows.len(), ..Frame::default() };
        for (column, at) in self.columns.iter().zip(places) {
            let mut numbers = Vec::new();
            for row in table.rows.iter().filter(|_| column.is_number) {
                numbers.push(Cell::read(&row.cells[at]).number().unwrap_or(f32::NAN));
            }
            // Each word is looked up once: a column has few of them, and as many cells as rows.
            let mut known: HashMap<&str, u16> = HashMap::new();
            let place = |cell: &str| column.levels.binary_search_by(|level| level.as_str().cmp(&word(cell))).map_or(0, |at| at as u16 + 1);
            let cells = table.rows.iter().filter(|_| !column.levels.is_empty()).map(|row| &row.cells[at]);
            let codes = cells.map(|cell| *known.entry(cell).or_insert_with(|| place(cell))).collect();
            frame.numbers.push(numbers);
            frame.codes.push(codes);
        }
        Ok(frame)
    }
}

impl Frame {
    /// A frame of one row.
    pub fn row(&self, row: usize) -> Frame {
        let numbers = self.numbers.iter().map(|values| values.get(row).copied().into_iter().collect()).collect();
        let codes = self.codes.iter().map(|codes| codes.get(row).copied().into_iter().collect()).collect();
        Frame { rows: 1, numbers, codes }
    }
}

/// The labels of a table. Rows without one are taken out and told of.
/// # Errors
/// Where the column is missing or holds something else than 0, 1, true or false.
pub fn labels(table: &mut Table, label: &str) -> Result<Vec<bool>, TabularError> {
    let at = table.column(label)?;
    let missing = |(_, row): &(usize, &super::table::Row)| is_unknown(&row.cells[at]);
    let rejected = table.rows.iter().enumerate().filter(missing).map(|(row, _)| (row, format!("its label {label:?} is missing"))).collect();
    table.reject(rejected);
    table.check_bad()?;
    let parse = |row: &super::table::Row| match &row.cells[at] {
        "1" => Ok(true),
        "0" => Ok(false),
        cell if cell.eq_ignore_ascii_case("true") => Ok(true),
        cell if cell.eq_ignore_ascii_case("false") => Ok(false),
        _ => {
            Err(TabularError::BadLabel { path: table.path.clone(), line: row.line, column: label.to_owned(), found: short(&row.cells[at]) })
        }
    };
    table.rows.iter().map(parse).collect()
}

/// Takes out rows with words among numbers.
fn reject_words(table: &mut Table, columns: impl Iterator<Item = usize>) -> Result<(), TabularError> {
    let mut rejected = Vec::new();
    for at in columns {
        let name = &table.columns[at];
        for (place, row) in table.rows.iter().enumerate() {
            let cell = &row.cells[at];
            match Cell::read(cell) {
                Cell::Number(_) | Cell::Unknown => {}
                Cell::Word => rejected.push((place, format!("column {name:?} holds {:?}, which is no number", short(cell)))),
                Cell::NotFinite => {
                    let (path, column) = (table.path.clone(), name.clone());
                    return Err(TabularError::NotFinite { path, line: row.line, column, found: short(cell) });
                }
            }
        }
    }
    table.reject(rejected);
    table.check_bad()
}

/// `None` where the column is the same in every row or tells nothing but single rows.
fn learn_column(table: &Table, at: usize, is_number: bool) -> Option<Column> {
    let mut cells: HashMap<&str, usize> = HashMap::new();
    for row in &table.rows {
        *cells.entry(&row.cells[at]).or_default() += 1;
    }
    if cells.len() < 2 {
        return None;
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (cell, count) in cells.into_iter().filter(|(cell, _)| !is_unknown(cell)) {
        *counts.entry(word(cell)).or_default() += count;
    }
    let is_code = |level: &String| level.parse::<i64>().is_ok_and(|code| code > 0);
    let are_codes = (3..=CODES_MAX).contains(&counts.len()) && counts.keys().all(is_code);
    counts.retain(|_, count| *count >= LEVEL_ROWS_MIN);
    let mut levels: Vec<(String, usize)> = counts.into_iter().collect();
    levels.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    levels.truncate(LEVELS_MAX);
    let mut levels: Vec<String> = levels.into_iter().map(|(level, _)| level).collect();
    levels.sort();
    if is_number && !are_codes {
        levels.clear();
    }
    (is_number || !levels.is_empty()).then(|| Column { name: table.columns[at].clone(), is_number, levels })
}

fn is_numeric(table: &Table, at: usize) -> bool {
    let (mut known, mut numbers) = (0_usize, 0_usize);
    for row in &table.rows {
        match Cell::read(&row.cells[at]) {
            Cell::Unknown => {}
            Cell::Number(_) | Cell::NotFinite => (known, numbers) = (known + 1, numbers + 1),
            Cell::Word => known += 1,
        }
    }
    known > 0 && numbers as f64 >= NUMBERS_SHARE_MIN * known as f64
}

/// What a cell may be.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cell {
    Number(f32),
    /// NaN, infinity, or beyond 32 bits.
    NotFinite,
    Unknown,
    Word,
}

impl Cell {
    fn read(cell: &str) -> Self {
        let is = |word: &str| cell.eq_ignore_ascii_case(word);
        match cell.parse::<f64>() {
            Ok(x) if (x as f32).is_finite() => Cell::Number(x as f32),
            Ok(_) => Cell::NotFinite,
            Err(_) if is_unknown(cell) => Cell::Unknown,
            Err(_) if is("true") || is("yes") => Cell::Number(1.0),
            Err(_) if is("false") || is("no") => Cell::Number(0.0),
            Err(_) => Cell::Word,
        }
    }

    fn number(self) -> Option<f32> {
        if let Cell::Number(x) = self { Some(x) } else { None }
    }
}

/// A cell as the name of a level: 3 and 3.0 are the same.
fn word(cell: &str) -> String {
    match cell.parse::<f64>() {
        Ok(x) if x.is_finite() && x.fract() == 0.0 && x.abs() < 1e15 => format!("{}", x as i64),
        _ => cell.to_owned(),
    }
}

/// Enough of a cell to find it.
fn short(cell: &str) -> String {
    if cell.chars().count() <= 40 { cell.to_owned() } else { cell.chars().take(40).chain(std::iter::once('…')).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        Table::parse("it.csv", text.as_bytes()).unwrap()
    }

    /// Twenty rows of these cells in turn, after a number that counts the rows.
    fn column(cells: &[&str]) -> Table {
        let rows: String = (0..20).map(|row| format!("{row}.5,{},{}\n", cells[row % cells.len()], row % 2)).collect();
        table(&format!("n,x,y\n{rows}"))
    }

    #[test]
    fn numbers_truths_words_and_codes_are_told_apart() {
        let learnt = |cells: &[&str]| Schema::learn(&mut column(cells), "y", &[]).unwrap().columns[1].clone();
        let kind = |cells: &[&str]| (learnt(cells).is_number, learnt(cells).levels.join(" "));
        assert_eq!(kind(&["1.5", "2.25", ""]), (true, String::new()));
        assert_eq!(kind(&["TRUE", "False"]), (true, String::new()));
        assert_eq!(kind(&["tea", "oat", "?"]), (false, "oat tea".to_owned()));
        assert_eq!(kind(&["1", "2", "3.0"]), (true, "1 2 3".to_owned()));
    }

    #[test]
    fn a_column_that_never_changes_is_left_alone_and_named() {
        assert_eq!(Schema::learn(&mut column(&["same"]), "y", &[]).unwrap().ignored, ["x"]);
    }

    #[test]
    fn a_word_among_numbers_makes_a_bad_row_with_its_line() {
        let rows: String =
            (0..40).map(|row| format!("{},{}\n", if row == 7 { "soon".to_owned() } else { format!("{row}.5") }, row % 2)).collect();
        let mut table = table(&format!("n,y\n{rows}"));
        Schema::learn(&mut table, "y", &[]).unwrap();
        assert_eq!(table.rows.len(), 39);
        assert_eq!((table.bad[0].line, table.bad[0].reason.as_str()), (9, "column \"n\" holds \"soon\", which is no number"));
    }

    #[test]
    fn nan_and_infinity_are_refused_with_line_and_column() {
        for wrong in ["NaN", "inf", "-Infinity", "1e39"] {
            let said = Schema::learn(&mut column(&["1.5", "2.5", "3.5", wrong]), "y", &[]).unwrap_err().to_string();
            assert!(said.starts_with("it.csv line 5: column \"x\" holds") && said.contains(wrong), "{said}");
        }
    }

    #[test]
    fn labels_are_0_1_true_or_false_in_any_case_and_nothing_else() {
        assert_eq!(labels(&mut table("y\n0\n1\nTRUE\nfalse\n"), "y").unwrap(), [false, true, true, false]);
        let said = labels(&mut table("y\n0\nmaybe\n"), "y").unwrap_err().to_string();
        assert_eq!(said, "it.csv line 3: the label column \"y\" holds \"maybe\"; expected 0, 1, true or false");
        let said = labels(&mut table("y\n0\n"), "bought").unwrap_err().to_string();
        assert_eq!(said, "it.csv has no column \"bought\"; it has y");
    }

    #[test]
    fn a_word_that_training_never_saw_has_code_0() {
        let schema = Schema::learn(&mut column(&["tea", "oat"]), "y", &[]).unwrap();
        let frame = schema.frame(&mut table("n,x,y\n1,oat,0\n2,coffee,1\n,tea,1\n")).unwrap();
        assert_eq!(frame.codes[1], [1, 0, 2]);
        assert!(frame.numbers[0][2].is_nan() && frame.numbers[0][0] == 1.0);
    }

    #[test]
    fn a_column_that_is_missing_when_predicting_is_named() {
        let schema = Schema::learn(&mut column(&["tea", "oat"]), "y", &[]).unwrap();
        let said = schema.frame(&mut table("n,y\n1,0\n")).unwrap_err().to_string();
        assert_eq!(said, "it.csv has no column \"x\"; it has n, y");
    }
}
