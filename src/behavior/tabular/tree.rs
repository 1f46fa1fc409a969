//! One decision tree over binned rows, grown by the gain in a loss of which slopes and curvatures are given.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::index::sample;

use super::bins::Binned;

/// Words in fewer rows of a node than this go with the others, and this much curvature draws the order of words towards the middle.
/// scikit-learn's value.
const WORD_SUPPORT: f64 = 10.0;

/// The feature of a leaf.
pub(super) const LEAF: u16 = u16::MAX;

/// A place in a tree: a question, and what the rows that come here are worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Node {
    /// Which feature is asked, or [`LEAF`].
    pub feature: u16,
    /// Of a number the last bin that goes left; of words a bit for each code that goes left.
    pub code: u64,
    /// Place of the left child; the right one comes next.
    pub left: u32,
    /// What a row that ends here adds to the score.
    pub value: f32,
}

/// Nodes, the root first.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Tree {
    pub nodes: Vec<Node>,
}

/// How a tree grows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Growth {
    /// Leaves at most.
    pub leaves_max: usize,
    /// Rows in a leaf at least.
    pub rows_min: usize,
    /// Share of the features that each node looks at.
    pub features_share: f64,
    /// Pull of the values towards 0, in units of curvature.
    pub ridge: f64,
    /// Whether a node takes one cut by chance of each feature instead of the best one.
    /// Geurts, Ernst & Wehenkel, "Extremely randomized trees" (2006).
    pub is_random: bool,
}

/// What is summed up over rows: slope and curvature of the loss, and their number.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    slope: f64,
    curve: f64,
    rows: usize,
}

impl Sums {
    fn and(self, other: Sums) -> Sums {
        Sums { slope: self.slope + other.slope, curve: self.curve + other.curve, rows: self.rows + other.rows }
    }

    fn without(self, other: Sums) -> Sums {
        Sums { slope: self.slope - other.slope, curve: self.curve - other.curve, rows: self.rows - other.rows }
    }

    /// How much the loss falls where these rows get their best value, times two.
    fn gain(self, ridge: f64) -> f64 {
        self.slope * self.slope / (self.curve + ridge).max(1e-12)
    }

    fn value(self, ridge: f64) -> f32 {
        (-self.slope / (self.curve + ridge).max(1e-12)) as f32
    }
}

/// A leaf that could be split, with its rows as a range.
struct Candidate {
    node: usize,
    rows: std::ops::Range<usize>,
    sums: Sums,
    split: Split,
}

#[derive(Debug, Clone, Copy)]
struct Split {
    gain: f64,
    feature: usize,
    code: u64,
    left: Sums,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.split.gain.total_cmp(&other.split.gain).then(other.node.cmp(&self.node))
    }
}
impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Candidate {}

/// Grows a tree on `rows` (a row may come more than once), best split first.
///
/// `loss` holds for each row of the data the slope of its loss and the curvature. Values are Newton steps: `-slopes / (curves + ridge)`.
/// # Source
/// Chen & Guestrin, "XGBoost" (2016), section 2.2; sets of words in the order of their values: Fisher, "On grouping for maximum
/// homogeneity" (1958).
pub(super) fn grow(data: &Binned, mut rows: Vec<u32>, loss: &[(f32, f32)], growth: &Growth, chance: &mut StdRng) -> Tree {
    let all = sums(&rows, loss);
    let mut tree = Tree { nodes: vec![leaf(all.value(growth.ridge))] };
    let mut grower = Grower { data, loss, growth, histogram: vec![Sums::default(); 256] };
    let mut open = BinaryHeap::new();
    open.extend(grower.candidate(0, &rows, 0..rows.len(), all, chance));
    let mut leaves = 1;
    while leaves < growth.leaves_max {
        let Some(Candidate { node, rows: range, sums, split }) = open.pop() else { break };
        let bins = &data.bins[split.feature];
        let is_word = data.are_words[split.feature];
        let middle = range.start + partition(&mut rows[range.clone()], |row| goes_left(split.code, is_word, bins[row as usize]));
        let (left, right) = (split.left, sums.without(split.left));
        let place = tree.nodes.len();
        tree.nodes[node] = Node { feature: split.feature as u16, code: split.code, left: place as u32, ..tree.nodes[node] };
        tree.nodes.extend([leaf(left.value(growth.ridge)), leaf(right.value(growth.ridge))]);
        leaves += 1;
        open.extend(grower.candidate(place, &rows, range.start..middle, left, chance));
        open.extend(grower.candidate(place + 1, &rows, middle..range.end, right, chance));
    }
    tree
}

fn leaf(value: f32) -> Node {
    Node { feature: LEAF, code: 0, left: 0, value }
}

fn goes_left(code: u64, is_word: bool, bin: u8) -> bool {
    if is_word { code >> bin & 1 == 1 } else { u64::from(bin) <= code }
}

fn sums(rows: &[u32], loss: &[(f32, f32)]) -> Sums {
    let one = |row: &u32| Sums { slope: f64::from(loss[*row as usize].0), curve: f64::from(loss[*row as usize].1), rows: 1 };
    rows.iter().map(one).fold(Sums::default(), Sums::and)
}

/// Rows that go left first; returns how many. Keeps the order, so that memory is read forwards.
fn partition(rows: &mut [u32], is_left: impl Fn(u32) -> bool) -> usize {
    let (left, right): (Vec<u32>, Vec<u32>) = rows.iter().partition(|row| is_left(**row));
    rows[..left.len()].copy_from_slice(&left);
    rows[left.len()..].copy_from_slice(&right);
    left.len()
}

struct Grower<'a> {
    data: &'a Binned,
    loss: &'a [(f32, f32)],
    growth: &'a Growth,
    histogram: Vec<Sums>,
}

impl Grower<'_> {
    /// The best split of a leaf, where one gains anything.
    fn candidate(
        &mut self,
        node: usize,
        rows: &[u32],
        range: std::ops::Range<usize>,
        sums: Sums,
        chance: &mut StdRng,
    ) -> Option<Candidate> {
        if sums.rows < 2 * self.growth.rows_min {
            return None;
        }
        let features = self.data.bins.len();
        let looked_at = ((features as f64 * self.growth.features_share).ceil() as usize).clamp(1, features);
        let mut best: Option<Split> = None;
        for feature in sample(chance, features, looked_at) {
            self.fill(feature, &rows[range.clone()]);
            let found = match (self.data.are_words[feature], self.growth.is_random) {
                (true, _) => self.best_set(feature, sums),
                (false, true) => self.random_cut(feature, sums, chance),
                (false, false) => self.best_cut(feature, sums),
            };
            if let Some(found) = found.filter(|found| best.is_none_or(|best| found.gain > best.gain)) {
                best = Some(found);
            }
        }
        let split = best.filter(|split| split.gain > 1e-9)?;
        Some(Candidate { node, rows: range, sums, split })
    }

    fn fill(&mut self, feature: usize, rows: &[u32]) {
        self.histogram.fill(Sums::default());
        let bins = &self.data.bins[feature];
        for row in rows {
            let (slope, curve) = self.loss[*row as usize];
            let bin = &mut self.histogram[bins[*row as usize] as usize];
            bin.slope += f64::from(slope);
            bin.curve += f64::from(curve);
            bin.rows += 1;
        }
    }

    /// `None` where a side has too few rows.
    fn split(&self, feature: usize, code: u64, left: Sums, all: Sums) -> Option<Split> {
        let right = all.without(left);
        let ridge = self.growth.ridge;
        let gain = left.gain(ridge) + right.gain(ridge) - all.gain(ridge);
        (left.rows >= self.growth.rows_min && right.rows >= self.growth.rows_min).then_some(Split { gain, feature, code, left })
    }

    fn best_cut(&self, feature: usize, all: Sums) -> Option<Split> {
        let mut left = Sums::default();
        let mut best: Option<Split> = None;
        for (bin, here) in self.histogram.iter().enumerate().filter(|(_, here)| here.rows > 0) {
            left = left.and(*here);
            let found = self.split(feature, bin as u64, left, all);
            if let Some(found) = found.filter(|found| best.is_none_or(|best| found.gain > best.gain)) {
                best = Some(found);
            }
        }
        best
    }

    fn random_cut(&self, feature: usize, all: Sums, chance: &mut StdRng) -> Option<Split> {
        let low = self.histogram.iter().position(|here| here.rows > 0)?;
        let high = self.histogram.iter().rposition(|here| here.rows > 0)?;
        if low == high {
            return None;
        }
        let cut = chance.random_range(low..high);
        let left = self.histogram[..=cut].iter().copied().fold(Sums::default(), Sums::and);
        self.split(feature, cut as u64, left, all)
    }

    /// Words in the order of their values: the best set is then one of the beginnings of the row.
    fn best_set(&self, feature: usize, all: Sums) -> Option<Split> {
        let value = |here: &Sums| here.slope / (here.curve + WORD_SUPPORT);
        let mut words: Vec<(usize, Sums)> =
            self.histogram.iter().copied().enumerate().take(64).filter(|(_, here)| here.rows as f64 >= WORD_SUPPORT).collect();
        words.sort_by(|a, b| value(&a.1).total_cmp(&value(&b.1)));
        let mut best: Option<Split> = None;
        for is_backwards in [false, true] {
            let (mut left, mut code) = (Sums::default(), 0_u64);
            let count = words.len();
            for at in 0..count {
                let (word, here) = words[if is_backwards { count - 1 - at } else { at }];
                left = left.and(here);
                code |= 1 << word;
                let found = self.split(feature, code, left, all);
                if let Some(found) = found.filter(|found| best.is_none_or(|best| found.gain > best.gain)) {
                    best = Some(found);
                }
            }
        }
        best
    }
}

impl Tree {
    /// The places of the nodes that a row comes through, root first.
    pub fn path(&self, data: &Binned, row: usize) -> impl Iterator<Item = usize> {
        std::iter::successors((!self.nodes.is_empty()).then_some(0), move |at| {
            let node = self.nodes.get(*at).filter(|node| node.feature != LEAF)?;
            let feature = usize::from(node.feature);
            let is_left = goes_left(node.code, data.are_words[feature], data.bins[feature][row]);
            Some(node.left as usize + usize::from(!is_left))
        })
    }

    /// What a row is worth.
    pub fn value(&self, data: &Binned, row: usize) -> f32 {
        self.path(data, row).last().map_or(0.0, |at| self.nodes[at].value)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    const GROWTH: Growth = Growth { leaves_max: 8, rows_min: 10, features_share: 1.0, ridge: 0.0, is_random: false };

    /// Rows with two features; the label is 1 for bin 2 of the first in the words of `yes`.
    fn data(are_words: bool) -> (Binned, Vec<(f32, f32)>) {
        let bins = vec![(0..200).map(|row| (row % 5) as u8).collect(), (0..200).map(|row| (row * 7 % 3) as u8).collect()];
        let loss = (0..200).map(|row| (if [1, 3].contains(&(row % 5)) { -1.0 } else { 0.0 }, 1.0)).collect();
        (Binned { bins, are_words: vec![are_words; 2] }, loss)
    }

    #[test]
    fn a_set_of_words_is_found_in_one_split_and_an_order_needs_more() {
        for (are_words, leaves) in [(true, 2), (false, 5)] {
            let (data, loss) = data(are_words);
            let tree = grow(&data, (0..200).collect(), &loss, &GROWTH, &mut StdRng::seed_from_u64(1));
            assert_eq!(tree.nodes.iter().filter(|node| node.feature == LEAF).count(), leaves);
            for (row, (slope, _)) in loss.iter().enumerate() {
                assert_eq!(tree.value(&data, row), -slope, "{row}");
            }
        }
    }

    #[test]
    fn no_leaf_is_smaller_than_allowed_and_nothing_is_split_without_gain() {
        let (data, loss) = data(false);
        let growth = Growth { rows_min: 90, ..GROWTH };
        let tree = grow(&data, (0..200).collect(), &loss, &growth, &mut StdRng::seed_from_u64(1));
        assert!(tree.nodes.len() <= 3);
        let flat = vec![(-0.5, 1.0); 200];
        assert_eq!(grow(&data, (0..200).collect(), &flat, &GROWTH, &mut StdRng::seed_from_u64(1)).nodes.len(), 1);
    }
}
