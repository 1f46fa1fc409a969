/// Rows of any kind (sessions, customers, orders) with named columns of numbers and words.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sheet {
    /// How many rows each column has.
    pub rows: usize,
    /// The columns, in order.
    pub columns: Vec<Column>,
}

/// A named column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// As people know it.
    pub name: String,
    /// What stands in it, a cell a row.
    pub cells: Cells,
}

/// The cells of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// Measured; NaN where nothing is known.
    Numbers(Vec<f64>),
    /// Named.
    Words {
        /// The names there are, in alphabetical order.
        levels: Vec<String>,
        /// For each row the place of its name.
        codes: Vec<usize>,
    },
}

impl Sheet {
    /// The same with words as numbers: how frequent the word is, as the logarithm of its share. A rare word is then far from the others,
    /// however many words there are.
    pub fn by_frequency(&self) -> Self {
        let number = |cells: &Cells| match cells {
            Cells::Numbers(values) => Cells::Numbers(values.clone()),
            Cells::Words { levels, codes } => {
                let mut counts = vec![0_usize; levels.len()];
                codes.iter().for_each(|code| counts[*code] += 1);
                Cells::Numbers(codes.iter().map(|code| (counts[*code] as f64 / codes.len() as f64).ln()).collect())
            }
        };
        let columns = self.columns.iter().map(|column| Column { name: column.name.clone(), cells: number(&column.cells) });
        Self { rows: self.rows, columns: columns.collect() }
    }
}

impl Cells {
    /// From the name in each row.
    pub fn words<S: AsRef<str>>(names: &[S]) -> Self {
        let mut levels: Vec<String> = names.iter().map(|name| name.as_ref().to_owned()).collect();
        levels.sort();
        levels.dedup();
        let place = |name: &S| levels.binary_search_by(|level| level.as_str().cmp(name.as_ref())).unwrap_or(0);
        let codes = names.iter().map(place).collect();
        Cells::Words { levels, codes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart_by_their_place_in_the_alphabet() {
        let Cells::Words { levels, codes } = Cells::words(&["pear", "apple", "pear"]) else { panic!("words") };
        assert_eq!((levels, codes), (vec!["apple".to_owned(), "pear".to_owned()], vec![1, 0, 1]));
    }
}
