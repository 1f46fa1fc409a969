/// Sentences grouped at once at most: their distances need memory by the square.
pub const SENTENCES_MAX: usize = 4_000;

/// Sentences that mean much the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeaningGroup {
    /// The sentences, by place, in order.
    pub members: Vec<usize>,
    /// The one that is nearest to all others.
    pub typical: usize,
}

/// Groups vectors by average linkage: two groups are joined while the mean cosine between their sentences is at least `similarity_min`.
///
/// `vectors` are `[sentences][dimensions]`, of any length above 0; a vector of zeros is like no other. At most [`SENTENCES_MAX`] are
/// looked at. The largest groups first; every sentence is in one group, many alone in theirs.
/// # Source
/// The chain of nearest neighbours, Murtagh, "A Survey of Recent Advances in Hierarchical Clustering Algorithms" (1983); average linkage
/// does not chain strangers together by a row of near ones, as DBSCAN does.
pub fn meaning_groups(vectors: &[Vec<f32>], similarity_min: f64) -> Vec<MeaningGroup> {
    let rows = vectors.len().min(SENTENCES_MAX);
    let near = similarities(&vectors[..rows]);
    let mut groups = Roots::new(rows);
    for (a, b, similarity) in joins(rows, near.clone()) {
        if f64::from(similarity) >= similarity_min {
            groups.join(a, b);
        }
    }
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); rows];
    (0..rows).for_each(|row| members[groups.root(row)].push(row));
    let mut found: Vec<MeaningGroup> = members
        .into_iter()
        .filter(|members| !members.is_empty())
        .map(|members| MeaningGroup { typical: typical(&members, rows, &near), members })
        .collect();
    found.sort_by_key(|group| (std::cmp::Reverse(group.members.len()), group.members[0]));
    found
}

/// Cosines of all pairs, `[rows, rows]`.
fn similarities(vectors: &[Vec<f32>]) -> Vec<f32> {
    let rows = vectors.len();
    let unit: Vec<Vec<f32>> = vectors
        .iter()
        .map(|vector| {
            let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            vector.iter().map(|x| if norm > 0.0 && norm.is_finite() { x / norm } else { 0.0 }).collect()
        })
        .collect();
    let mut near = vec![0.0_f32; rows * rows];
    for a in 0..rows {
        for b in a + 1..rows {
            let cosine: f32 = unit[a].iter().zip(&unit[b]).map(|(x, y)| x * y).sum();
            near[a * rows + b] = cosine;
            near[b * rows + a] = cosine;
        }
    }
    near
}

/// All joins of average linkage, each with the mean similarity of what it joins; not in order.
fn joins(rows: usize, mut near: Vec<f32>) -> Vec<(usize, usize, f32)> {
    let mut sizes = vec![1.0_f32; rows];
    let mut alive = vec![true; rows];
    let mut chain: Vec<usize> = Vec::new();
    let mut joined = Vec::with_capacity(rows.saturating_sub(1));
    while joined.len() + 1 < rows {
        if chain.is_empty() {
            let Some(first) = alive.iter().position(|alive| *alive) else { break };
            chain.push(first);
        }
        let last = chain[chain.len() - 1];
        let before = chain.len().checked_sub(2).map(|at| chain[at]);
        let row = &near[last * rows..(last + 1) * rows];
        let others = (0..rows).filter(|other| alive[*other] && *other != last);
        let Some(mut nearest) = others.reduce(|a, b| if row[b] > row[a] { b } else { a }) else { break };
        // Of equally near ones the one before, or the chain would never end.
        if let Some(before) = before.filter(|before| row[*before] >= row[nearest]) {
            nearest = before;
        }
        if before != Some(nearest) {
            chain.push(nearest);
            continue;
        }
        joined.push((nearest, last, row[nearest]));
        let (kept, gone) = (nearest, last);
        let all = sizes[kept] + sizes[gone];
        for other in (0..rows).filter(|other| alive[*other] && *other != kept && *other != gone) {
            let mean = (sizes[kept] * near[kept * rows + other] + sizes[gone] * near[gone * rows + other]) / all;
            near[kept * rows + other] = mean;
            near[other * rows + kept] = mean;
        }
        (sizes[kept], alive[gone]) = (all, false);
        chain.truncate(chain.len() - 2);
    }
    joined
}

fn typical(members: &[usize], rows: usize, near: &[f32]) -> usize {
    let nearness = |member: usize| members.iter().map(|other| near[member * rows + other]).sum::<f32>();
    let best = members.iter().copied().reduce(|a, b| if nearness(b) > nearness(a) { b } else { a });
    best.unwrap_or(0)
}

/// Which rows have been joined.
struct Roots(Vec<usize>);

impl Roots {
    fn new(rows: usize) -> Self {
        Self((0..rows).collect())
    }

    fn root(&mut self, row: usize) -> usize {
        let mut at = row;
        while self.0[at] != at {
            // Halving the way for the next one who asks.
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[b] = a;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(degrees: f32) -> Vec<f32> {
        vec![2.0 * degrees.to_radians().cos(), 2.0 * degrees.to_radians().sin()]
    }

    #[test]
    fn near_directions_are_one_group_and_the_one_in_the_middle_is_typical() {
        let vectors = [at(0.0), at(90.0), at(12.0), at(20.0), at(95.0), at(200.0)].to_vec();
        let groups = meaning_groups(&vectors, 0.9);
        let members: Vec<_> = groups.iter().map(|group| group.members.clone()).collect();
        assert_eq!(members, [vec![0, 2, 3], vec![1, 4], vec![5]]);
        assert_eq!(groups[0].typical, 2);
    }

    #[test]
    fn a_row_of_near_neighbours_does_not_make_strangers_one_group() {
        let vectors: Vec<_> = (0..10).map(|i| at(i as f32 * 15.0)).collect();
        assert!(meaning_groups(&vectors, 0.9).iter().all(|group| group.members.len() < 5));
    }

    #[test]
    fn joins_are_those_of_average_linkage_by_the_book() {
        // The definition, in cubic time: join the two groups of the largest mean similarity until none is large enough.
        let vectors: Vec<_> = (0..40).map(|i| vec![(i as f32 * 0.7).sin(), (i as f32 * 1.3).cos(), (i as f32 * 0.11).sin()]).collect();
        let near = similarities(&vectors);
        let mut groups: Vec<Vec<usize>> = (0..40).map(|row| vec![row]).collect();
        loop {
            let mean = |a: &[usize], b: &[usize]| {
                let of_one = |x: &usize| b.iter().map(|y| near[*x * 40 + *y]).sum::<f32>();
                a.iter().map(of_one).sum::<f32>() / (a.len() * b.len()) as f32
            };
            let pairs = (0..groups.len()).flat_map(|a| (a + 1..groups.len()).map(move |b| (a, b)));
            let Some((a, b)) = pairs.max_by(|x, y| mean(&groups[x.0], &groups[x.1]).total_cmp(&mean(&groups[y.0], &groups[y.1]))) else {
                break;
            };
            if mean(&groups[a], &groups[b]) < 0.8 {
                break;
            }
            let gone = groups.remove(b);
            groups[a].extend(gone);
        }
        groups.iter_mut().for_each(|group| group.sort_unstable());
        groups.sort();
        let mut found: Vec<_> = meaning_groups(&vectors, 0.8).into_iter().map(|group| group.members).collect();
        found.sort();
        assert_eq!(found, groups);
    }

    #[test]
    fn nothing_one_sentence_zeros_and_equal_sentences_are_no_trouble() {
        assert_eq!(meaning_groups(&[], 0.7), []);
        assert_eq!(meaning_groups(&[at(3.0)], 0.7).len(), 1);
        assert_eq!(meaning_groups(&vec![vec![0.0; 3]; 4], 0.7).len(), 4);
        assert_eq!(meaning_groups(&vec![at(1.0); 5], 0.7).len(), 1);
    }
}
