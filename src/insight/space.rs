use super::{Cells, Sheet};

/// Names told apart in one column; the rarer ones count as one.
const LEVELS_MAX: usize = 30;
/// Above this a column of numbers from 0 up has a long tail, and its logarithm is taken. An exponential distribution has 2, a uniform one 0.
const SKEWNESS_MAX: f64 = 1.0;

/// A sheet as points: every column counts alike, whatever its units.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    /// What each coordinate is.
    pub axes: Vec<Axis>,
    /// `[rows, axes]`: standard deviations from the mean of the column; 0 for what is not known.
    pub points: Vec<f64>,
}

/// A coordinate of a [`Space`].
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// The column, by place.
    pub column: usize,
    /// For words, the name that the coordinate stands for: its value is high where the row has it.
    pub level: Option<usize>,
    /// `Some(unit)` where the coordinate is that of ln(1 + x / unit).
    log_unit: Option<f64>,
    mean: f64,
    deviation: f64,
}

impl Axis {
    /// The coordinate in the units of the column; for words the share of the rows that have the name.
    pub fn in_units(&self, coordinate: f64) -> f64 {
        let x = self.mean + coordinate * self.deviation;
        self.log_unit.map_or(x, |unit| x.exp_m1() * unit)
    }

    fn coordinate(&self, x: f64) -> f64 {
        let x = self.log_unit.map_or(x, |unit| (x / unit).ln_1p());
        if x.is_finite() { (x - self.mean) / self.deviation } else { 0.0 }
    }
}

impl Space {
    /// Makes columns comparable. Columns that never vary have no coordinate.
    ///
    /// A number is counted in standard deviations, of its logarithm where it has a long tail. The names of a column of words share one
    /// column's weight: a row of a name with the share p differs from the mean by what a yes-or-no number would, over all names.
    pub fn of(sheet: &Sheet) -> Self {
        let mut axes: Vec<Axis> = Vec::new();
        let mut coordinates: Vec<Vec<f64>> = Vec::new();
        for (column, of_column) in sheet.columns.iter().enumerate() {
            match &of_column.cells {
                Cells::Numbers(values) => {
                    if let Some(axis) = number_axis(column, values) {
                        coordinates.push(values.iter().map(|x| axis.coordinate(*x)).collect());
                        axes.push(axis);
                    }
                }
                Cells::Words { levels, codes } => {
                    for axis in word_axes(column, levels.len(), codes) {
                        let has = |code: &usize| f64::from(u8::from(Some(*code) == axis.level));
                        coordinates.push(codes.iter().map(|code| axis.coordinate(has(code))).collect());
                        axes.push(axis);
                    }
                }
            }
        }
        let points = (0..sheet.rows).flat_map(|row| coordinates.iter().map(move |values| values[row])).collect();
        Self { axes, points }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.points.len().checked_div(self.axes.len()).unwrap_or(0)
    }

    /// The coordinates of a row.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.points[row * self.axes.len()..(row + 1) * self.axes.len()]
    }
}

fn number_axis(column: usize, values: &[f64]) -> Option<Axis> {
    let known: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
    let (mean, deviation) = mean_and_deviation(&known)?;
    let skewness = known.iter().map(|x| ((x - mean) / deviation).powi(3)).sum::<f64>() / known.len() as f64;
    let plain = Axis { column, level: None, log_unit: None, mean, deviation };
    if skewness <= SKEWNESS_MAX || known.iter().any(|x| *x < 0.0) {
        return Some(plain);
    }
    // The median of what is not zero as the unit: shares below 1 and seconds by the thousand are bent alike.
    let mut positive: Vec<f64> = known.iter().copied().filter(|x| *x > 0.0).collect();
    positive.sort_unstable_by(f64::total_cmp);
    let unit = positive[positive.len() / 2];
    let logs: Vec<f64> = known.iter().map(|x| (x / unit).ln_1p()).collect();
    let Some((mean, deviation)) = mean_and_deviation(&logs) else { return Some(plain) };
    Some(Axis { column, level: None, log_unit: Some(unit), mean, deviation })
}

fn word_axes(column: usize, levels: usize, codes: &[usize]) -> Vec<Axis> {
    let mut counts = vec![0_usize; levels];
    codes.iter().for_each(|code| counts[*code] += 1);
    let mut frequent: Vec<usize> = (0..levels).filter(|level| counts[*level] > 0).collect();
    frequent.sort_by_key(|level| (std::cmp::Reverse(counts[*level]), *level));
    frequent.truncate(LEVELS_MAX);
    let share = |level: usize| counts[level] as f64 / codes.len() as f64;
    let variance: f64 = frequent.iter().map(|level| share(*level) * (1.0 - share(*level))).sum();
    if frequent.len() < 2 || variance <= 0.0 {
        return Vec::new();
    }
    // The same divisor for all names of the column: together they vary as much as one standardised number.
    let axis = |level: usize| Axis { column, level: Some(level), log_unit: None, mean: share(level), deviation: variance.sqrt() };
    frequent.into_iter().map(axis).collect()
}

/// `None` for values that do not vary.
fn mean_and_deviation(values: &[f64]) -> Option<(f64, f64)> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let deviation = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt();
    // What is left of a constant after rounding is no variation.
    (deviation.is_finite() && deviation > 1e-9 * mean.abs().max(1e-3)).then_some((mean, deviation))
}

#[cfg(test)]
mod tests {
    use super::super::Column;
    use super::*;

    fn column(name: &str, cells: Cells) -> Column {
        Column { name: name.to_owned(), cells }
    }

    #[test]
    fn every_column_varies_alike_and_constant_ones_are_left_out() {
        let columns = vec![
            column("cents", Cells::Numbers(vec![100.0, 200.0, 300.0, 400.0])),
            column("same", Cells::Numbers(vec![0.1; 4])),
            column("fruit", Cells::words(&["apple", "pear", "plum", "apple"])),
            column("shop", Cells::words(&["a"; 4])),
        ];
        let space = Space::of(&Sheet { rows: 4, columns });
        assert_eq!(
            space.axes.iter().map(|axis| (axis.column, axis.level)).collect::<Vec<_>>(),
            [(0, None), (2, Some(0)), (2, Some(1)), (2, Some(2))]
        );
        let variance = |axes: std::ops::Range<usize>| axes.map(|a| (0..4).map(|r| space.row(r)[a].powi(2)).sum::<f64>() / 4.0).sum::<f64>();
        assert!((variance(0..1) - 1.0).abs() < 1e-9 && (variance(1..4) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_long_tail_is_bent_and_can_be_told_in_its_own_units() {
        let values: Vec<f64> = (0..100).map(|i| f64::from(i % 10).exp()).collect();
        let space = Space::of(&Sheet { rows: 100, columns: vec![column("seconds", Cells::Numbers(values.clone()))] });
        assert!(space.points.iter().all(|x| x.abs() < 3.0), "{:?}", space.points);
        assert!((space.axes[0].in_units(space.points[7]) - values[7]).abs() < 1e-6);
    }

    #[test]
    fn what_is_not_known_is_as_the_mean() {
        let cells = Cells::Numbers(vec![1.0, f64::NAN, 3.0, f64::INFINITY]);
        let space = Space::of(&Sheet { rows: 4, columns: vec![column("x", cells)] });
        assert_eq!((space.points[1], space.points[3]), (0.0, 0.0));
        assert_eq!(Space::of(&Sheet::default()).rows(), 0);
    }
}
