use std::collections::BTreeMap;

/// How many rows each pair of groups shares, by group of `a` and group of `b`.
fn together(a: &[usize], b: &[usize]) -> BTreeMap<(usize, usize), f64> {
    let mut counts = BTreeMap::new();
    a.iter().zip(b).for_each(|pair| *counts.entry((*pair.0, *pair.1)).or_insert(0.0) += 1.0);
    counts
}

fn sizes(groups: &[usize]) -> BTreeMap<usize, f64> {
    let mut counts = BTreeMap::new();
    groups.iter().for_each(|group| *counts.entry(*group).or_insert(0.0) += 1.0);
    counts
}

/// Adjusted Rand index of two groupings of the same rows: 1 where they are the same but for names, 0 on average for groupings by chance.
/// # Source
/// Hubert & Arabie, "Comparing partitions" (1985), equation 5.
pub fn adjusted_rand(a: &[usize], b: &[usize]) -> f64 {
    let pairs = |n: f64| n * (n - 1.0) / 2.0;
    let index: f64 = together(a, b).values().map(|n| pairs(*n)).sum();
    let of = |groups: &[usize]| sizes(groups).values().map(|n| pairs(*n)).sum::<f64>();
    let (of_a, of_b, all) = (of(a), of(b), pairs(a.len().min(b.len()) as f64));
    let expected = if all > 0.0 { of_a * of_b / all } else { 0.0 };
    let most = (of_a + of_b) / 2.0;
    // Both all in one group, or both each row alone: the same grouping.
    if (most - expected).abs() < 1e-12 { 1.0 } else { (index - expected) / (most - expected) }
}

/// V-measure of groups against labels, 0 to 1: the harmonic mean of how pure the groups are (homogeneity) and how whole the labels stay
/// (completeness).
/// # Source
/// Rosenberg & Hirschberg, "V-Measure: A Conditional Entropy-Based External Cluster Evaluation Measure" (2007), with beta 1.
pub fn v_measure(groups: &[usize], labels: &[usize]) -> f64 {
    let all = groups.len().min(labels.len()) as f64;
    let entropy = |counts: &BTreeMap<usize, f64>| counts.values().map(|n| -(n / all) * (n / all).ln()).sum::<f64>();
    let (of_groups, of_labels, shared) = (sizes(groups), sizes(labels), together(groups, labels));
    let given = |of: &BTreeMap<usize, f64>, key: fn(&(usize, usize)) -> usize| {
        shared.iter().map(|(pair, n)| -(n / all) * (n / of[&key(pair)]).ln()).sum::<f64>()
    };
    let part = |conditional: f64, entropy: f64| if entropy > 0.0 { 1.0 - conditional / entropy } else { 1.0 };
    let homogeneity = part(given(&of_groups, |pair| pair.0), entropy(&of_labels));
    let completeness = part(given(&of_labels, |pair| pair.1), entropy(&of_groups));
    if homogeneity + completeness > 0.0 { 2.0 * homogeneity * completeness / (homogeneity + completeness) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adjusted_rand_index_is_that_of_scikit_learn() {
        // adjusted_rand_score([0, 0, 1, 1], [0, 0, 1, 2]) and ([0, 0, 1, 2], [0, 0, 1, 1]): 0.5714...
        assert!((adjusted_rand(&[0, 0, 1, 1], &[0, 0, 1, 2]) - 4.0 / 7.0).abs() < 1e-9);
        assert_eq!(adjusted_rand(&[0, 0, 1, 1], &[5, 5, 3, 3]), 1.0);
        assert_eq!(adjusted_rand(&[], &[]), 1.0);
        // Worse than by chance.
        assert!(adjusted_rand(&[0, 0, 1, 1], &[0, 1, 0, 1]) < 0.0);
    }

    #[test]
    fn the_v_measure_is_that_of_scikit_learn() {
        // v_measure_score(labels [0, 0, 1, 1], groups [0, 0, 1, 2]): 0.8; all in one group: 0.
        assert!((v_measure(&[0, 0, 1, 2], &[0, 0, 1, 1]) - 0.8).abs() < 1e-9);
        assert_eq!(v_measure(&[0, 0, 0, 0], &[0, 0, 1, 1]), 0.0);
        assert!((v_measure(&[2, 2, 0, 0], &[0, 0, 1, 1]) - 1.0).abs() < 1e-9);
    }
}
