use rand::rngs::StdRng;
use rand::seq::index::sample;
use rand::{Rng, SeedableRng};

/// Trees; the score's deviation by chance falls with their number.
const TREES: usize = 100;
/// Columns that a cut looks at together. One finds values that are far by themselves; several also find common values in uncommon company.
const TOGETHER: usize = 3;
/// Cuts fall up to this share of the range beyond it.
const MARGIN: f32 = 0.1;

/// How alone a row stands among others: trees that cut at random reach it in few cuts.
///
/// The same rows and seed give the same scores. Columns should be standardised, as cuts add them up. Written here because the kept crate
/// `extended-isolation-forest` 0.2 draws from the thread's own generator, so that no seed makes it repeatable, and wants the number of columns when
/// it is compiled.
/// # Source
/// Liu, Ting & Zhou, "Isolation Forest" (2008); cuts along several columns by Hariri, Carrasco Kind & Brunner, "Extended Isolation Forest"
/// (2019).
#[derive(Debug, Clone)]
pub struct IsolationForest {
    width: usize,
    trees: Vec<Vec<Node>>,
    /// Mean number of cuts that part a row of a sample from the others.
    usual_cuts: f32,
}

/// A cut, or the end of a path.
#[derive(Debug, Clone, Copy)]
enum Node {
    /// Rows whose sum of weighted columns is below the value go to `left`, the others to the one behind it.
    Cut { slope: Slope, value: f64, left: u32 },
    /// Cuts up to here, and those that its rows would still need.
    End { cuts: f32 },
}

/// Columns by place, and their weights.
type Slope = [(u32, f32); TOGETHER];

impl IsolationForest {
    /// Rows a tree is grown on where an answer is wanted in microseconds.
    pub const QUICK: usize = 256;
    /// Rows a tree is grown on where all is to be found: on tables of sessions more than these found little more (docs/results/insight.md).
    pub const SHARP: usize = 2_048;

    /// Grows trees on `rows`, `[rows, width]`, each on `drawn` of them. `None` below two rows, without columns, or where a number is not
    /// finite.
    pub fn fit(rows: &[f32], width: usize, drawn: usize, seed: u64) -> Option<Self> {
        let count = rows.len().checked_div(width)?;
        if count < 2 || rows.iter().any(|x| !x.is_finite()) {
            return None;
        }
        let mut chance = StdRng::seed_from_u64(seed);
        let size = drawn.clamp(2, count);
        // A little deeper than the paper has it: rows of uncommon company are told apart near the ends.
        let depth_max = (size as f32).log2().ceil() as usize + 3;
        let trees = (0..TREES).map(|_| {
            let drawn = sample(&mut chance, count, size).into_vec();
            let mut nodes = vec![Node::End { cuts: 0.0 }];
            grow(&mut nodes, 0, &Grown { rows, width, depth_max }, drawn, 0, &mut chance);
            nodes
        });
        Some(Self { width, trees: trees.collect(), usual_cuts: expected_cuts(size) })
    }

    /// From 0 to 1: one half for a row among many, near 1 for one that stands alone. `row` is `[width]`; a number that is missing or not
    /// finite counts as 0.
    pub fn score(&self, row: &[f32]) -> f32 {
        let cuts: f32 = self.trees.iter().map(|nodes| self.cuts(nodes, row)).sum();
        (-cuts / self.trees.len() as f32 / self.usual_cuts).exp2()
    }

    /// By how much the score falls when each column of the row is made `typical`: what is unusual about it has the largest numbers.
    pub fn reasons(&self, row: &[f32], typical: &[f32]) -> Vec<f32> {
        let score = self.score(row);
        let mut changed: Vec<f32> = (0..self.width).map(|column| row.get(column).copied().unwrap_or(0.0)).collect();
        let fall = |column: usize| {
            let own = std::mem::replace(&mut changed[column], typical.get(column).copied().unwrap_or(0.0));
            let fall = score - self.score(&changed);
            changed[column] = own;
            fall
        };
        (0..self.width).map(fall).collect()
    }

    fn cuts(&self, nodes: &[Node], row: &[f32]) -> f32 {
        let mut at = 0;
        loop {
            match nodes[at] {
                Node::End { cuts } => return cuts,
                Node::Cut { slope, value, left } => {
                    let known = |column: u32| row.get(column as usize).copied().filter(|x| x.is_finite()).unwrap_or(0.0);
                    at = left as usize + usize::from(along(&slope, known) >= value);
                }
            }
        }
    }
}

struct Grown<'a> {
    rows: &'a [f32],
    width: usize,
    depth_max: usize,
}

/// Draws of a direction in which rows may all be the same.
const DIRECTIONS_MAX: usize = 8;

fn grow(nodes: &mut Vec<Node>, at: usize, of: &Grown<'_>, drawn: Vec<usize>, depth: usize, chance: &mut StdRng) {
    let end = Node::End { cuts: depth as f32 + expected_cuts(drawn.len()) };
    nodes[at] = end;
    if depth >= of.depth_max || drawn.len() < 2 {
        return;
    }
    let place = |row: usize, slope: &Slope| along(slope, |column| of.rows[row * of.width + column as usize]);
    let range = |slope: &Slope| {
        let places = drawn.iter().map(|row| place(*row, slope));
        places.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
    };
    // Only a direction in which the rows differ can part them.
    let directions = (0..DIRECTIONS_MAX).map(|_| {
        let slope: Slope = std::array::from_fn(|_| (chance.random_range(0..of.width) as u32, chance.random_range(-1.0..1.0)));
        (slope, range(&slope))
    });
    let parting = directions.into_iter().find(|(_, (low, high))| low < high);
    let Some((slope, (low, high))) = parting else { return };
    // A little beyond the two as well: rows that come later and lie outside of all that was seen are then parted at once.
    let cut = low + (high - low) * f64::from(chance.random_range(-MARGIN..1.0 + MARGIN));
    let (left, right): (Vec<usize>, Vec<usize>) = drawn.into_iter().partition(|row| place(*row, &slope) < cut);
    let first = nodes.len();
    nodes.push(end);
    nodes.push(end);
    nodes[at] = Node::Cut { slope, value: cut, left: first as u32 };
    grow(nodes, first, of, left, depth + 1, chance);
    grow(nodes, first + 1, of, right, depth + 1, chance);
}

/// Where a row lies in a direction. In 64 bits, where even the largest numbers of 32 can be added up.
fn along(slope: &Slope, of_column: impl Fn(u32) -> f32) -> f64 {
    slope.iter().map(|(column, weight)| f64::from(of_column(*column)) * f64::from(*weight)).sum()
}

/// Mean length of a path in a binary tree over so many rows: equation 1 of the paper.
fn expected_cuts(rows: usize) -> f32 {
    const EULER: f32 = 0.577_215_7;
    match rows {
        0 | 1 => 0.0,
        2 => 1.0,
        n => 2.0 * (((n - 1) as f32).ln() + EULER) - 2.0 * (n - 1) as f32 / n as f32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::roc_auc;

    /// Two clouds along a slope, and rows that stand off the slope while each of their numbers is common.
    fn rows(planted: usize) -> (Vec<f32>, Vec<bool>) {
        let mut chance = StdRng::seed_from_u64(3);
        let mut rows = Vec::new();
        for at in 0..1_000 {
            let centre = if at % 2 == 0 { -3.0 } else { 3.0 };
            let (x, y) = (chance.random_range(-1.0..1.0), chance.random_range(-1.0..1.0));
            let is_planted = at < planted;
            rows.extend([centre + x, if is_planted { y - centre } else { y + centre }, chance.random_range(-1.0..1.0)]);
        }
        (rows, (0..1_000).map(|at| at < planted).collect())
    }

    #[test]
    fn rows_of_common_numbers_in_uncommon_company_are_found_where_a_z_score_sees_nothing() {
        let (rows, labels) = rows(20);
        let forest = IsolationForest::fit(&rows, 3, IsolationForest::SHARP, 1).expect("a forest");
        let scores: Vec<f32> = rows.chunks(3).map(|row| forest.score(row)).collect();
        assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)));
        let z: Vec<f32> = rows.chunks(3).map(|row| row.iter().map(|x| x.abs()).fold(0.0, f32::max)).collect();
        let (found, baseline) = (roc_auc(&scores, &labels).expect("both kinds"), roc_auc(&z, &labels).expect("both kinds"));
        assert!(found > 0.9 && baseline < 0.65, "{found} {baseline}");
    }

    #[test]
    fn what_is_unusual_about_a_row_is_named() {
        let (rows, _) = rows(0);
        let forest = IsolationForest::fit(&rows, 3, IsolationForest::SHARP, 1).expect("a forest");
        let odd = [3.0, 3.0, 40.0];
        let reasons = forest.reasons(&odd, &[3.0, 3.0, 0.0]);
        assert!(
            forest.score(&odd) > 0.54 && reasons[2] > 0.08 && reasons[0].abs() < reasons[2] / 4.0,
            "{} {reasons:?}",
            forest.score(&odd)
        );
    }

    #[test]
    fn the_same_seed_gives_the_same_scores() {
        let (rows, _) = rows(5);
        let score = |seed| IsolationForest::fit(&rows, 3, 256, seed).expect("a forest").score(&rows[..3]);
        assert_eq!(score(7), score(7));
        assert_ne!(score(7), score(8));
    }

    #[test]
    fn constant_columns_equal_rows_and_extreme_numbers_are_no_trouble() {
        assert!(IsolationForest::fit(&[], 3, 256, 1).is_none() && IsolationForest::fit(&[1.0], 1, 256, 1).is_none());
        assert!(IsolationForest::fit(&[1.0, 2.0], 0, 256, 1).is_none() && IsolationForest::fit(&[1.0, f32::NAN], 1, 256, 1).is_none());
        let same = IsolationForest::fit(&[4.0; 60], 2, 256, 1).expect("a forest");
        assert!((same.score(&[4.0, 4.0]) - 0.5).abs() < 0.01, "{}", same.score(&[4.0, 4.0]));
        let far = IsolationForest::fit(&[f32::MAX, f32::MIN, 0.0, 1.0], 1, 256, 1).expect("a forest");
        assert!(far.score(&[f32::INFINITY]).is_finite() && far.score(&[]).is_finite());
    }
}
