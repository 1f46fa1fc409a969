use linfa::Dataset;
use linfa::traits::Fit;
use linfa_clustering::{KMeans, KMeansInit};
use ndarray::Array2;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::index::sample;
use rand_xoshiro::Xoshiro256Plus;

use super::silhouette::Distances;
use super::{Axis, Space};
use crate::measure::adjusted_rand;

/// Fewer rows than this make no segments that could be relied upon.
pub const ROWS_MIN: usize = 20;
/// A coordinate counts no further than this: one session left open over night is no segment.
const DEVIATIONS_MAX: f64 = 3.0;
/// Passes of one run of k-means at most.
const PASSES_MAX: u64 = 100;

/// How segments are looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SegmentConfig {
    /// How many segments, at most 10; `None` for as many as have the best silhouette.
    pub segments: Option<usize>,
    /// Runs of k-means for each number of segments, the tightest of which counts.
    pub restarts: usize,
    /// Rows that segments are learnt from, drawn where there are more.
    pub rows_learnt_max: usize,
    /// Rows that silhouettes are measured on, drawn where there are more: their distances need memory by the square.
    pub rows_measured_max: usize,
    /// Pairs of halves of the rows on which it is tried whether the segments come out the same.
    pub halves: usize,
    /// Where chance starts.
    pub seed: u64,
}

impl Default for SegmentConfig {
    fn default() -> Self {
        Self { segments: None, restarts: 5, rows_learnt_max: 6_000, rows_measured_max: 2_000, halves: 5, seed: 1 }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Segmentation {
    /// Mean silhouette of each number of segments that was tried.
    pub silhouettes: Vec<(usize, f64)>,
    /// The mean silhouette of these segments.
    pub silhouette: f64,
    /// Adjusted Rand index between the segments learnt on two halves of the rows, a value each pair of halves.
    pub stability: Vec<f64>,
    /// The largest first.
    pub segments: Vec<Segment>,
    /// For each row the place of its segment.
    pub of_row: Vec<usize>,
}

/// Rows that are like each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// How many.
    pub rows: usize,
    /// Mean of each coordinate of the space.
    pub mean: Vec<f64>,
    /// What sets them apart, the strongest first.
    pub traits: Vec<Trait>,
}

/// In what a segment differs from all rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trait {
    /// The coordinate, by place in [`Space::axes`].
    pub axis: usize,
    /// Its typical value in the segment, in the units of the column (a share for words).
    pub here: f64,
    /// The same over all rows.
    pub overall: f64,
    /// The difference in standard deviations of the coordinate.
    pub difference: f64,
}

/// Why there are no segments.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSegments {
    /// Too few rows.
    #[error("{rows} rows are too few for segments; at least {ROWS_MIN} are needed")]
    TooFew {
        /// How many there are.
        rows: usize,
    },
    /// Nothing to tell rows apart by.
    #[error("the rows are all alike ({distinct} different ones); segments need columns that vary, and at least three different rows")]
    Alike {
        /// How many different rows there are.
        distinct: usize,
    },
    /// The clustering gave up.
    #[error("the rows could not be clustered ({0}); look for numbers that are far too large")]
    Failed(String),
}

/// Parts rows into segments by k-means++, as many as have the largest mean silhouette among 2 to 10.
///
/// The same rows and seed give the same segments.
/// # Source
/// Arthur & Vassilvitskii, "k-means++" (2007), as `linfa-clustering` has it.
pub fn segments(space: &Space, config: &SegmentConfig) -> Result<Segmentation, NoSegments> {
    let rows = space.rows();
    if rows < ROWS_MIN && !space.axes.is_empty() {
        return Err(NoSegments::TooFew { rows });
    }
    let near = Near::of(space);
    let distinct = near.distinct();
    if distinct < 3 {
        return Err(NoSegments::Alike { distinct });
    }
    let mut chance = StdRng::seed_from_u64(config.seed);
    let learnt = near.drawn(config.rows_learnt_max, &mut chance);
    let measured = near.drawn(config.rows_measured_max, &mut chance);
    let distances = Distances::new(&(0..measured.rows).map(|row| measured.row(row)).collect::<Vec<_>>());
    // k-means++ draws centres that differ; there must be enough.
    let most = 10.min(learnt.distinct() - 1).max(2);
    let tried = config.segments.map_or(2..=most, |k| k.min(most)..=k.min(most));
    let mut found: Vec<(usize, f64, Array2<f64>)> = Vec::new();
    for k in tried {
        let centres = learnt.centres(k, config)?;
        let silhouette = distances.silhouette(k, &measured.nearest(&centres));
        found.push((k, silhouette, centres));
    }
    let silhouettes = found.iter().map(|(k, silhouette, _)| (*k, *silhouette)).collect();
    // The fewest of those that are equally good.
    let best = found.into_iter().reduce(|a, b| if b.1 > a.1 { b } else { a });
    let (k, silhouette, centres) = best.ok_or(NoSegments::Alike { distinct })?;
    let stability = (0..config.halves).map(|_| learnt.stability(k, config, &mut chance)).collect::<Result<_, _>>()?;
    let of_row = by_size(k, &near.nearest(&centres));
    let segments = (0..k).filter_map(|segment| describe(space, segment, &of_row)).collect();
    Ok(Segmentation { silhouettes, silhouette, stability, segments, of_row })
}

/// Points with their far coordinates cut.
struct Near {
    rows: usize,
    width: usize,
    points: Vec<f64>,
}

impl Near {
    fn of(space: &Space) -> Self {
        let points = space.points.iter().map(|x| x.clamp(-DEVIATIONS_MAX, DEVIATIONS_MAX)).collect();
        Self { rows: space.rows(), width: space.axes.len(), points }
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.points[row * self.width..(row + 1) * self.width]
    }

    fn some(&self, rows: &[usize]) -> Self {
        Self { rows: rows.len(), width: self.width, points: rows.iter().flat_map(|row| self.row(*row)).copied().collect() }
    }

    fn drawn(&self, most: usize, chance: &mut StdRng) -> Self {
        let mut rows = sample(chance, self.rows, most.min(self.rows)).into_vec();
        rows.sort_unstable();
        self.some(&rows)
    }

    /// How many different points there are, counted up to 12.
    fn distinct(&self) -> usize {
        let mut seen: Vec<&[f64]> = Vec::new();
        for row in 0..self.rows {
            if seen.len() < 12 && !seen.contains(&self.row(row)) {
                seen.push(self.row(row));
            }
        }
        seen.len()
    }

    fn array(&self) -> Array2<f64> {
        Array2::from_shape_vec((self.rows, self.width), self.points.clone()).unwrap_or_default()
    }

    /// The centres of `k` segments, `[k, width]`.
    fn centres(&self, k: usize, config: &SegmentConfig) -> Result<Array2<f64>, NoSegments> {
        let fitted = KMeans::params_with_rng(k, generator(config.seed, k))
            .n_runs(config.restarts.max(1))
            .max_n_iterations(PASSES_MAX)
            .tolerance(1e-3)
            .init_method(KMeansInit::KMeansPlusPlus)
            .fit(&Dataset::from(self.array()));
        fitted.map(|model| model.centroids().clone()).map_err(|e| NoSegments::Failed(e.to_string()))
    }

    /// For each point the nearest centre.
    fn nearest(&self, centres: &Array2<f64>) -> Vec<usize> {
        let square = |row: &[f64], centre: usize| -> f64 { centres.row(centre).iter().zip(row).map(|(c, x)| (c - x) * (c - x)).sum() };
        let nearest = |row: &[f64]| {
            let squares = (0..centres.nrows()).map(|centre| (centre, square(row, centre)));
            squares.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(centre, _)| centre)
        };
        (0..self.rows).map(|row| nearest(self.row(row))).collect()
    }

    /// Learns `k` segments on one half of the points and on the other, and compares what they make of all.
    fn stability(&self, k: usize, config: &SegmentConfig, chance: &mut StdRng) -> Result<f64, NoSegments> {
        let order = sample(chance, self.rows, self.rows).into_vec();
        let (one, other) = order.split_at(self.rows / 2);
        let (one, other) = (self.some(one), self.some(other));
        if one.distinct() <= k.min(11) || other.distinct() <= k.min(11) {
            return Ok(0.0);
        }
        Ok(adjusted_rand(&self.nearest(&one.centres(k, config)?), &self.nearest(&other.centres(k, config)?)))
    }
}

/// The largest segment becomes the first.
fn by_size(k: usize, of_row: &[usize]) -> Vec<usize> {
    let mut sizes = vec![0_usize; k];
    of_row.iter().for_each(|segment| sizes[*segment] += 1);
    let mut order: Vec<usize> = (0..k).collect();
    order.sort_by_key(|segment| (std::cmp::Reverse(sizes[*segment]), *segment));
    let mut place = vec![0; k];
    order.iter().enumerate().for_each(|(at, segment)| place[*segment] = at);
    of_row.iter().map(|segment| place[*segment]).collect()
}

fn describe(space: &Space, segment: usize, of_row: &[usize]) -> Option<Segment> {
    let rows: Vec<usize> = (0..of_row.len()).filter(|row| of_row[*row] == segment).collect();
    if rows.is_empty() {
        return None;
    }
    let mean: Vec<f64> =
        (0..space.axes.len()).map(|axis| rows.iter().map(|row| space.row(*row)[axis]).sum::<f64>() / rows.len() as f64).collect();
    let of_axis = |(axis, (of, difference)): (usize, (&Axis, &f64))| Trait {
        axis,
        here: of.in_units(*difference),
        overall: of.in_units(0.0),
        difference: *difference,
    };
    let mut traits: Vec<Trait> = space.axes.iter().zip(&mean).enumerate().map(of_axis).collect();
    traits.sort_by(|a, b| b.difference.abs().total_cmp(&a.difference.abs()).then(a.axis.cmp(&b.axis)));
    Some(Segment { rows: rows.len(), mean, traits })
}

/// A generator for linfa, which has the interface of an older `rand`.
fn generator(seed: u64, k: usize) -> Xoshiro256Plus {
    <Xoshiro256Plus as rand_xoshiro::rand_core::SeedableRng>::seed_from_u64(seed.wrapping_mul(1_000).wrapping_add(k as u64))
}

#[cfg(test)]
mod tests {
    use super::super::{Cells, Column, Sheet};
    use super::*;
    use rand::Rng;

    /// Three kinds of customers: hasty ones on the telephone, and two at the kiosk.
    fn customers(rows: usize) -> (Space, Vec<usize>) {
        let mut chance = StdRng::seed_from_u64(5);
        let kinds: Vec<usize> = (0..rows).map(|row| row % 3).collect();
        let mut number = |means: [f64; 3]| Cells::Numbers(kinds.iter().map(|kind| means[*kind] + chance.random_range(-1.0..1.0)).collect());
        let columns = [("turns", number([2.0, 8.0, 5.0])), ("items", number([1.0, 1.5, 9.0]))];
        let mut columns: Vec<Column> = columns.into_iter().map(|(name, cells)| Column { name: name.to_owned(), cells }).collect();
        let channels: Vec<&str> = kinds.iter().map(|kind| if *kind == 0 { "phone" } else { "kiosk" }).collect();
        columns.push(Column { name: "channel".to_owned(), cells: Cells::words(&channels) });
        (Space::of(&Sheet { rows, columns }), kinds)
    }

    #[test]
    fn three_kinds_of_customers_are_found_and_told_by_what_sets_them_apart() {
        let (space, kinds) = customers(300);
        let found = segments(&space, &SegmentConfig::default()).expect("segments");
        assert_eq!(found.segments.len(), 3, "{:?}", found.silhouettes);
        assert!(adjusted_rand(&found.of_row, &kinds) > 0.99 && found.stability.iter().all(|ari| *ari > 0.99));
        assert!(found.silhouette > 0.5 && found.silhouettes.len() == 9);
        let baskets = found.of_row[2];
        let first = found.segments[baskets].traits[0];
        assert_eq!(space.axes[first.axis].column, 1, "the items set them apart: {first:?}");
        assert!(first.difference > 1.0 && (first.here - 9.0).abs() < 0.3 && (first.overall - 3.83).abs() < 0.3, "{first:?}");
        assert_eq!(segments(&space, &SegmentConfig::default()).expect("segments"), found, "the seed is fixed");
    }

    #[test]
    fn a_number_of_segments_that_was_asked_for_is_taken() {
        let (space, _) = customers(60);
        let found = segments(&space, &SegmentConfig { segments: Some(4), ..SegmentConfig::default() }).expect("segments");
        assert_eq!((found.segments.len(), found.segments.iter().map(|s| s.rows).sum::<usize>()), (4, 60));
    }

    #[test]
    fn too_few_rows_and_rows_that_are_alike_are_told() {
        assert_eq!(segments(&customers(7).0, &SegmentConfig::default()), Err(NoSegments::TooFew { rows: 7 }));
        let same = Column { name: "x".to_owned(), cells: Cells::Numbers(vec![1.0; 50]) };
        let alike = segments(&Space::of(&Sheet { rows: 50, columns: vec![same] }), &SegmentConfig::default());
        assert!(matches!(alike, Err(NoSegments::Alike { .. })), "{alike:?}");
        let two = Column { name: "x".to_owned(), cells: Cells::Numbers((0..50).map(|i| f64::from(i % 2)).collect()) };
        assert_eq!(
            segments(&Space::of(&Sheet { rows: 50, columns: vec![two] }), &SegmentConfig::default()),
            Err(NoSegments::Alike { distinct: 2 })
        );
    }

    #[test]
    fn three_different_rows_are_enough_to_be_told_apart() {
        let three = Column { name: "x".to_owned(), cells: Cells::Numbers((0..60).map(|i| f64::from(i % 3)).collect()) };
        let found = segments(&Space::of(&Sheet { rows: 60, columns: vec![three] }), &SegmentConfig::default()).expect("segments");
        assert_eq!(found.segments.len(), 2);
    }
}
