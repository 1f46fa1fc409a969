//! Rows in parts with the same share of positives each.

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

/// For each row its part, 0 to `parts` - 1: positives and negatives are dealt out in turn after shuffling.
pub(super) fn deal(labels: &[bool], parts: usize, seed: u64) -> Vec<usize> {
    let mut chance = StdRng::seed_from_u64(seed ^ 0xf01d);
    let mut part_of = vec![0; labels.len()];
    for kind in [true, false] {
        let mut rows: Vec<usize> = (0..labels.len()).filter(|row| labels[*row] == kind).collect();
        rows.shuffle(&mut chance);
        for (at, row) in rows.into_iter().enumerate() {
            part_of[row] = at % parts.max(1);
        }
    }
    part_of
}

/// The rows outside a part, and those inside.
pub(super) fn without(part_of: &[usize], part: usize) -> (Vec<u32>, Vec<u32>) {
    (0..part_of.len() as u32).partition(|row| part_of[*row as usize] != part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_its_share_of_positives_and_every_row_is_in_one_part() {
        let labels: Vec<bool> = (0..100).map(|row| row % 5 == 0).collect();
        let part_of = deal(&labels, 5, 7);
        for part in 0..5 {
            let (outside, inside) = without(&part_of, part);
            assert_eq!((outside.len(), inside.len()), (80, 20));
            assert_eq!(inside.iter().filter(|row| labels[**row as usize]).count(), 4);
        }
        assert_ne!(part_of, deal(&labels, 5, 8));
    }
}
