//! CSV into cells: every row is either kept or told of, with its line.

use super::error::TabularError;

/// A cell of more characters is no measurement of a session; the longest name of a product in the wild has some 200.
pub const CELL_CHARACTERS_MAX: usize = 1_000;
/// More columns than this are no table of sessions.
const COLUMNS_MAX: usize = 2_000;

/// What stands in a cell where nothing is known, in any case.
const UNKNOWN: [&str; 5] = ["", "?", "na", "n/a", "null"];

/// A file's cells, as text.
#[derive(Debug, Clone)]
pub struct Table {
    /// The file, for messages.
    pub path: String,
    /// Names of the columns; no two are equal.
    pub columns: Vec<String>,
    /// Rows with one cell for each column.
    pub rows: Vec<Row>,
    /// Rows that could not be read.
    pub bad: Vec<BadRow>,
}

/// A row and where it stands.
#[derive(Debug, Clone)]
pub struct Row {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Its cells.
    pub cells: csv::StringRecord,
}

/// A row that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BadRow {
    /// From 1.
    pub line: u64,
    /// Why, as the end of a sentence.
    pub reason: String,
}

impl Table {
    /// Reads comma-separated values with a header: quoted cells, either kind of line end, a byte order mark. Blank lines are no rows.
    /// # Errors
    /// Where there is no header, two columns have one name, a cell is longer than 1,000 characters, or there are no rows.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Self, TabularError> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(bytes);
        let bad_header = |problem: String| TabularError::BadHeader { path: path.to_owned(), problem };
        let header = reader.headers().map_err(|e| bad_header(format!("it cannot be read ({e})")))?.clone();
        let columns: Vec<String> = header.iter().map(str::to_owned).collect();
        check_header(&columns).map_err(bad_header)?;
        let mut table = Self { path: path.to_owned(), columns, rows: Vec::new(), bad: Vec::new() };
        let mut lines = Lines { bytes, at: 0, line: 1 };
        let mut record = csv::ByteRecord::new();
        loop {
            let is_row = reader.read_byte_record(&mut record);
            let line = lines.of(record.position().map_or(0, csv::Position::byte) as usize);
            match is_row {
                Ok(false) => break,
                Ok(true) => table.take(line, &record)?,
                Err(e) => table.bad.push(BadRow { line, reason: format!("it cannot be read ({e})") }),
            }
        }
        if table.rows.is_empty() && table.bad.is_empty() {
            return Err(TabularError::Empty { path: table.path });
        }
        Ok(table)
    }

    fn take(&mut self, line: u64, record: &csv::ByteRecord) -> Result<(), TabularError> {
        if let Some(at) = record.iter().position(|cell| cell.len() > CELL_CHARACTERS_MAX) {
            let characters = String::from_utf8_lossy(&record[at]).chars().count();
            if characters > CELL_CHARACTERS_MAX {
                let column = self.columns.get(at).cloned().unwrap_or_else(|| format!("number {}", at + 1));
                return Err(TabularError::LongCell { path: self.path.clone(), line, column, characters, most: CELL_CHARACTERS_MAX });
            }
        }
        let mut bad = |reason: String| self.bad.push(BadRow { line, reason });
        match csv::StringRecord::from_byte_record(record.clone()) {
            Err(_) => bad("it is not text in UTF-8".to_owned()),
            Ok(cells) if cells.len() != self.columns.len() => {
                bad(format!("it has {} cells, the header has {}", cells.len(), self.columns.len()));
            }
            Ok(cells) => self.rows.push(Row { line, cells }),
        }
        Ok(())
    }

    /// Where a column stands.
    /// # Errors
    /// [`TabularError::MissingColumn`], with the names that there are.
    pub fn column(&self, name: &str) -> Result<usize, TabularError> {
        let missing = || TabularError::MissingColumn { path: self.path.clone(), column: name.to_owned(), found: self.columns.join(", ") };
        self.columns.iter().position(|column| column == name).ok_or_else(missing)
    }

    /// Refuses a file of which more than half cannot be used: it is then another kind of file.
    pub(super) fn check_bad(&self) -> Result<(), TabularError> {
        let rows = self.rows.len() + self.bad.len();
        match self.bad.first() {
            Some(first) if self.bad.len() * 2 > rows => Err(TabularError::MostlyBad {
                path: self.path.clone(),
                bad: self.bad.len(),
                rows,
                line: first.line,
                reason: first.reason.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// Takes rows out, by place, and tells why.
    pub(super) fn reject(&mut self, mut rejected: Vec<(usize, String)>) {
        rejected.sort();
        rejected.dedup_by_key(|(at, _)| *at);
        let mut rejected = rejected.into_iter().peekable();
        let mut at = 0;
        let bad = &mut self.bad;
        self.rows.retain(|row| {
            let is_rejected = rejected.peek().is_some_and(|(next, _)| *next == at);
            at += 1;
            if let Some((_, reason)) = rejected.next_if(|_| is_rejected) {
                bad.push(BadRow { line: row.line, reason });
            }
            !is_rejected
        });
        self.bad.sort_by_key(|row| row.line);
    }
}

fn check_header(columns: &[String]) -> Result<(), String> {
    if columns.iter().all(String::is_empty) {
        return Err("the file is empty".to_owned());
    }
    if columns.len() > COLUMNS_MAX {
        return Err(format!("{} columns are more than {COLUMNS_MAX}", columns.len()));
    }
    for (at, name) in columns.iter().enumerate() {
        if name.chars().count() > CELL_CHARACTERS_MAX {
            return Err(format!("the name of column {} has more than {CELL_CHARACTERS_MAX} characters", at + 1));
        }
        if columns[..at].contains(name) {
            return Err(format!("two columns have the name {name:?}"));
        }
    }
    Ok(())
}

/// Whether a cell says that nothing is known.
pub fn is_unknown(cell: &str) -> bool {
    UNKNOWN.iter().any(|word| cell.eq_ignore_ascii_case(word))
}

/// Counts lines up to places that only go forward: the reader's own count is a line behind after `\r\n` and blank lines.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the first character at or after this byte that is no line end.
    fn of(&mut self, byte: usize) -> u64 {
        while self.at < self.bytes.len() && (self.at < byte || matches!(self.bytes[self.at], b'\r' | b'\n')) {
            // A lone carriage return ends a line as well.
            let ends = self.bytes[self.at] == b'\n' || (self.bytes[self.at] == b'\r' && self.bytes.get(self.at + 1) != Some(&b'\n'));
            self.line += u64::from(ends);
            self.at += 1;
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(text: &str) -> Vec<u64> {
        Table::parse("it", text.as_bytes()).unwrap().rows.iter().map(|row| row.line).collect()
    }

    #[test]
    fn rows_know_their_line_after_blank_lines_quoted_line_ends_and_either_line_end() {
        assert_eq!(lines("a,b\n1,2\n3,4\n"), [2, 3]);
        assert_eq!(lines("a,b\r\n1,2\r\n3,4\r\n"), [2, 3]);
        assert_eq!(lines("a,b\n\n1,2\n\n\n3,4"), [3, 6]);
        assert_eq!(lines("a,b\n\"x\ny\",2\n3,4\n"), [2, 4]);
        assert_eq!(lines("\u{feff}a,b\n1,2\n"), [2]);
    }

    #[test]
    fn a_row_with_too_few_or_too_many_cells_is_told_of_and_the_others_stay() {
        let table = Table::parse("it", b"a,b\n1,2\n3\n4,5,6\n7,8\n").unwrap();
        assert_eq!(table.rows.len(), 2);
        let told: Vec<_> = table.bad.iter().map(|bad| (bad.line, bad.reason.as_str())).collect();
        assert_eq!(told, [(3, "it has 1 cells, the header has 2"), (4, "it has 3 cells, the header has 2")]);
    }

    #[test]
    fn a_row_that_is_not_utf_8_is_told_of() {
        let table = Table::parse("it", b"a,b\n1,\xff\n3,4\n").unwrap();
        assert_eq!((table.rows.len(), table.bad[0].line), (1, 2));
    }

    #[test]
    fn nothing_a_header_alone_and_two_columns_of_one_name_are_refused() {
        for (text, says) in [("", "empty"), ("a,b\n", "holds no rows"), ("a,a\n1,2\n", "two columns")] {
            let said = Table::parse("it.csv", text.as_bytes()).unwrap_err().to_string();
            assert!(said.contains(says) && said.starts_with("it.csv"), "{said}");
        }
    }

    #[test]
    fn a_cell_of_ten_thousand_characters_is_refused_with_its_line_and_column() {
        let text = format!("a,b\n1,2\n3,{}\n", "x".repeat(10_000));
        let said = Table::parse("it.csv", text.as_bytes()).unwrap_err().to_string();
        assert!(said.starts_with("it.csv line 3: the cell of column \"b\" has 10000 characters"), "{said}");
    }

    proptest! {
        /// Whatever is in the cells, writing a table and reading it gives the same cells.
        #[test]
        fn what_was_written_is_read_back(cells in prop::collection::vec(prop::array::uniform3("[ -~äß\n\"]{0,12}"), 1..20)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["a", "b", "c"]).unwrap();
            for row in &cells {
                writer.write_record(row).unwrap();
            }
            let table = Table::parse("it", &writer.into_inner().unwrap()).unwrap();
            prop_assert!(table.bad.is_empty());
            prop_assert_eq!(table.rows.len(), cells.len());
            for (row, cells) in table.rows.iter().zip(&cells) {
                prop_assert_eq!(row.cells.iter().map(str::to_owned).collect::<Vec<_>>(), cells.iter().map(|c| c.trim().to_owned()).collect::<Vec<_>>());
            }
        }

        /// No bytes make the reader panic, and no row is lost: each line that is not blank is kept or told of, where nothing is quoted.
        #[test]
        fn every_line_is_kept_or_told_of(lines in prop::collection::vec("[a-z0-9,.]{1,20}", 1..30)) {
            let text = format!("a,b\n{}\n", lines.join("\n"));
            let table = Table::parse("it", text.as_bytes()).unwrap();
            prop_assert_eq!(table.rows.len() + table.bad.len(), lines.len());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Table::parse("it", &bytes);
        }
    }
}
