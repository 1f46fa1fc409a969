use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

/// Rounds over the rows at most; nearly all classes end far sooner.
const ROUNDS_MAX: usize = 60;
/// Largest spread of the projected gradient at which a class is solved; LIBLINEAR's own default.
const TOLERANCE: f32 = 0.1;
const SEED: u64 = 15;

/// The features of one example: a dense part, and the entries of a sparse one by column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) dense: &'a [f32],
    pub(super) sparse: &'a [(u32, f32)],
}

/// One linear function a class, each fitted to tell its own examples from all others.
///
/// # Source
/// L2-regularised squared hinge loss by dual coordinate descent with shrinking: Hsieh et al., "A dual coordinate descent method for
/// large-scale linear SVM" (2008).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LinearSvm {
    /// `[classes, dense]`, by rows.
    pub(super) dense: Vec<f32>,
    /// `[classes, sparse]`, by rows.
    pub(super) sparse: Vec<f32>,
    /// `[classes]`.
    pub(super) bias: Vec<f32>,
}

impl LinearSvm {
    /// Fits `rows`, all of the same dense width and with columns below `columns`, to `labels` below `classes`. `cost` weighs errors
    /// against the length of the weights. The classes are shared out to `threads`; the result does not depend on how many.
    pub(super) fn fit(rows: &[Row<'_>], columns: usize, labels: &[u32], classes: usize, cost: f32, threads: usize) -> Self {
        let width = rows.first().map_or(0, |row| row.dense.len());
        let diagonal: Vec<f32> = rows.iter().map(|row| squared_length(*row) + 1.0 + 0.5 / cost).collect();
        let solve = |class: usize| Solver::new(rows, columns, width, &diagonal, cost).solve(labels, class as u32);
        let numbers: Vec<usize> = (0..classes).collect();
        let solved: Vec<Weights> = std::thread::scope(|scope| {
            let share = classes.div_ceil(threads.max(1)).max(1);
            let workers: Vec<_> =
                numbers.chunks(share).map(|part| scope.spawn(move || part.iter().map(|&class| solve(class)).collect::<Vec<_>>())).collect();
            let joined = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            joined.flatten().collect()
        });
        let mut all = Self { dense: Vec::with_capacity(classes * width), sparse: Vec::with_capacity(classes * columns), bias: Vec::new() };
        for weights in solved {
            all.dense.extend(weights.dense);
            all.sparse.extend(weights.sparse);
            all.bias.push(weights.bias);
        }
        all
    }

    /// A score a class: positive on its own side.
    pub(super) fn scores(&self, row: Row<'_>) -> Vec<f32> {
        let (width, columns) = (row.dense.len(), self.sparse.len() / self.bias.len().max(1));
        let score = |(class, bias): (usize, &f32)| {
            let sparse = &self.sparse[class * columns..(class + 1) * columns];
            dot(&self.dense[class * width..(class + 1) * width], row.dense) + sparse_dot(sparse, row.sparse) + bias
        };
        self.bias.iter().enumerate().map(score).collect()
    }
}

struct Weights {
    dense: Vec<f32>,
    sparse: Vec<f32>,
    bias: f32,
}

/// The dual problem of one class.
struct Solver<'a> {
    rows: &'a [Row<'a>],
    diagonal: &'a [f32],
    weights: Weights,
    slack: f32,
}

impl<'a> Solver<'a> {
    fn new(rows: &'a [Row<'a>], columns: usize, width: usize, diagonal: &'a [f32], cost: f32) -> Self {
        let weights = Weights { dense: vec![0.0; width], sparse: vec![0.0; columns], bias: 0.0 };
        Self { rows, diagonal, weights, slack: 0.5 / cost }
    }

    fn solve(mut self, labels: &[u32], class: u32) -> Weights {
        let mut chance = StdRng::seed_from_u64(SEED ^ (u64::from(class) << 8));
        let sign = |at: usize| if labels[at] == class { 1.0 } else { -1.0 };
        let mut alpha = vec![0.0f32; self.rows.len()];
        let mut active: Vec<usize> = (0..self.rows.len()).collect();
        let mut highest_before = f32::INFINITY;
        for _ in 0..ROUNDS_MAX {
            active.shuffle(&mut chance);
            let (mut highest, mut lowest) = (f32::NEG_INFINITY, f32::INFINITY);
            let mut kept = Vec::with_capacity(active.len());
            for &at in &active {
                let gradient = sign(at) * self.score(at) - 1.0 + self.slack * alpha[at];
                if alpha[at] == 0.0 && gradient > highest_before {
                    continue;
                }
                kept.push(at);
                let projected = if alpha[at] == 0.0 { gradient.min(0.0) } else { gradient };
                highest = highest.max(projected);
                lowest = lowest.min(projected);
                if projected.abs() > 1e-12 {
                    let before = alpha[at];
                    alpha[at] = (before - gradient / self.diagonal[at]).max(0.0);
                    self.add(at, (alpha[at] - before) * sign(at));
                }
            }
            let all_looked_at = kept.len() == self.rows.len() || highest_before == f32::INFINITY;
            active = kept;
            if highest - lowest <= TOLERANCE || active.is_empty() {
                if all_looked_at {
                    break;
                }
                // Solved on what is left: once more with those that were laid aside.
                active = (0..self.rows.len()).collect();
                highest_before = f32::INFINITY;
                continue;
            }
            highest_before = if highest <= 0.0 { f32::INFINITY } else { highest };
        }
        self.weights
    }

    fn score(&self, at: usize) -> f32 {
        dot(&self.weights.dense, self.rows[at].dense) + sparse_dot(&self.weights.sparse, self.rows[at].sparse) + self.weights.bias
    }

    fn add(&mut self, at: usize, step: f32) {
        for (weight, value) in self.weights.dense.iter_mut().zip(self.rows[at].dense) {
            *weight += step * value;
        }
        for &(column, value) in self.rows[at].sparse {
            self.weights.sparse[column as usize] += step * value;
        }
        self.weights.bias += step;
    }
}

fn squared_length(row: Row<'_>) -> f32 {
    dot(row.dense, row.dense) + row.sparse.iter().map(|(_, value)| value * value).sum::<f32>()
}

fn sparse_dot(weights: &[f32], entries: &[(u32, f32)]) -> f32 {
    entries.iter().map(|&(column, value)| weights[column as usize] * value).sum()
}

/// Dot product. Sixteen sums side by side, as the compiler may not reorder a single one.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0.0f32; LANES];
    let (whole_a, whole_b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = whole_a.remainder().iter().zip(whole_b.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in whole_a.zip(whole_b) {
        for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
            *sum += x * y;
        }
    }
    sums.iter().sum::<f32>() + rest
}
