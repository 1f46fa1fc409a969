//! Many trees: forests, whose trees vote, and boosted trees, each of which corrects those before it.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::bins::Binned;
use super::tree::{Growth, Tree, grow};
use crate::behavior::calibrate::sigmoid;

/// How many rows a leaf's own share of positives has to be outweighed by: with one, a leaf of four sure rows says 90 %.
const PRIOR_ROWS: f64 = 1.0;

/// Trees whose values are added up, times a factor, to a logit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trees {
    pub trees: Vec<Tree>,
    /// The logit where no tree has spoken.
    pub base: f32,
    /// What each tree's value counts.
    pub factor: f32,
    /// Whether the trees ask columns as they are, and not the full view.
    pub is_on_columns: bool,
}

impl Trees {
    /// The logit of a row.
    pub fn logit(&self, data: &Binned, row: usize) -> f32 {
        self.base + self.factor * self.trees.iter().map(|tree| tree.value(data, row)).sum::<f32>()
    }
}

/// A forest: trees grown independently, each on its own draw of the rows or with cuts by chance, whose log-odds are averaged.
/// # Source
/// Breiman, "Random Forests" (2001).
pub(super) fn forest(data: &Binned, rows: &[u32], labels: &[bool], trees: usize, growth: &Growth, seed: u64) -> Trees {
    let mut chance = StdRng::seed_from_u64(seed);
    let loss: Vec<(f32, f32)> = labels.iter().map(|label| (if *label { -1.0 } else { 0.0 }, 1.0)).collect();
    let share = rows.iter().filter(|row| labels[**row as usize]).count() as f64 / rows.len().max(1) as f64;
    let grow_one = |_| {
        let drawn = match growth.is_random {
            true => rows.to_vec(),
            false => (0..rows.len()).map(|_| rows[chance.random_range(0..rows.len())]).collect(),
        };
        let mut tree = grow(data, drawn.clone(), &loss, growth, &mut chance);
        to_log_odds(&mut tree, data, &drawn, share);
        tree
    };
    let trees: Vec<Tree> = (0..trees).map(grow_one).collect();
    Trees { base: 0.0, factor: 1.0 / trees.len().max(1) as f32, trees, is_on_columns: true }
}

/// Replaces the share of positives in each node by its log-odds, drawn a little to the share of all rows.
fn to_log_odds(tree: &mut Tree, data: &Binned, rows: &[u32], share: f64) {
    let mut counts = vec![0_u32; tree.nodes.len()];
    for row in rows {
        for at in tree.path(data, *row as usize) {
            counts[at] += 1;
        }
    }
    for (node, count) in tree.nodes.iter_mut().zip(counts) {
        let count = f64::from(count);
        let positive = (count * f64::from(node.value) + PRIOR_ROWS * share) / (count + PRIOR_ROWS);
        let positive = positive.clamp(1e-4, 1.0 - 1e-4);
        node.value = (positive / (1.0 - positive)).ln() as f32;
    }
}

/// How boosting goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Boosting {
    pub growth: Growth,
    /// Share of a tree's step that is taken.
    pub rate: f32,
    /// Trees at most.
    pub trees_max: usize,
    /// Trees without a better loss on the rows set aside, after which it stops.
    pub patience: usize,
}

/// Boosted trees: each is a Newton step of the log loss. Those after the best loss on `held_out` are cut off.
/// # Source
/// Friedman, "Greedy Function Approximation: A Gradient Boosting Machine" (2001).
pub(super) fn boost(data: &Binned, rows: &[u32], held_out: &[u32], labels: &[bool], settings: &Boosting, seed: u64) -> Trees {
    let mut chance = StdRng::seed_from_u64(seed);
    let share = (rows.iter().filter(|row| labels[**row as usize]).count() as f64 / rows.len().max(1) as f64).clamp(1e-6, 1.0 - 1e-6);
    let base = (share / (1.0 - share)).ln() as f32;
    let mut logits = vec![base; labels.len()];
    let mut loss = vec![(0.0, 1.0); labels.len()];
    let mut found = Trees { trees: Vec::new(), base, factor: 1.0, is_on_columns: false };
    let (mut best, mut best_length) = (f64::INFINITY, 0);
    while found.trees.len() < settings.trees_max && found.trees.len() < best_length + settings.patience {
        for row in rows.iter().map(|row| *row as usize) {
            let p = sigmoid(f64::from(logits[row])) as f32;
            loss[row] = (p - f32::from(u8::from(labels[row])), (p * (1.0 - p)).max(1e-6));
        }
        let mut tree = grow(data, rows.to_vec(), &loss, &settings.growth, &mut chance);
        for node in &mut tree.nodes {
            node.value *= settings.rate;
        }
        for row in rows.iter().chain(held_out).map(|row| *row as usize) {
            logits[row] += tree.value(data, row);
        }
        found.trees.push(tree);
        let held_out_loss: f64 = held_out.iter().map(|row| surprise(logits[*row as usize], labels[*row as usize])).sum();
        if held_out_loss < best {
            (best, best_length) = (held_out_loss, found.trees.len());
        }
    }
    if !held_out.is_empty() {
        found.trees.truncate(best_length);
    }
    found
}

/// -ln of the probability of what happened.
fn surprise(logit: f32, label: bool) -> f64 {
    let z = f64::from(if label { -logit } else { logit });
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}
