use rand::SeedableRng;
use rand::rngs::StdRng;

use super::bandit::{Bandit, Strengths};
use crate::domain::ProductId;

/// Candidates among which is chosen by chance: the best by what is believed. More are never tried out.
pub(super) const CANDIDATES_MAX: usize = 16;
/// Draws by which it is measured how likely each candidate was to be offered, the one that is offered among them.
const DRAWS: usize = 256;

/// What can be offered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate<'a> {
    pub product: &'a ProductId,
    pub strengths: Strengths,
    /// By the hand-set weights.
    pub score: f32,
}

/// What is chosen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice {
    /// Places in the list of candidates, best first.
    pub order: Vec<usize>,
    /// How likely each of [`Self::order`] was to be among the offered.
    pub propensities: Vec<f32>,
    /// Scores of each of [`Self::order`], by the draw that decided.
    pub scores: Vec<f32>,
}

/// Puts candidates in order: those that `offered` will show first, then the rest of those that could have been shown.
///
/// `candidates` must come in the order that holds among equals. With `explore` 0 the order is that of what is believed, every propensity
/// is 1 or 0, and without feedback it is the order of the hand-set scores. Else the weights are drawn ([`Bandit::draw`]); the propensity
/// of an offer is the share of draws, the deciding one included, in which it is among the first `offered`. The inverse of such a share is
/// nearly right on the average: its mean is (1 - (1 - p)^256) / p.
pub(super) fn choose(bandit: &Bandit, candidates: &[Candidate<'_>], offered: usize, explore: f64, seed: u64) -> Choice {
    let believed = bandit.mean();
    let score = |candidate: &Candidate<'_>| candidate.score + believed.advantage(candidate.product, &candidate.strengths) as f32;
    let mut order: Vec<(usize, f32)> = candidates.iter().map(score).enumerate().collect();
    // A stable sort, so that equals stay in the order in which they came.
    order.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    order.truncate(CANDIDATES_MAX);
    if explore <= 0.0 || order.len() <= offered {
        let propensities = (0..order.len()).map(|place| if place < offered { 1.0 } else { 0.0 }).collect();
        let (order, scores) = order.into_iter().unzip();
        return Choice { order, propensities, scores };
    }
    let mut chance = StdRng::seed_from_u64(seed);
    let mut times_offered = vec![0_usize; candidates.len()];
    let mut decided = Vec::new();
    let owns: Vec<_> = order.iter().map(|(at, _)| (*at, bandit.own(candidates[*at].product))).collect();
    for draw in 0..DRAWS {
        let weights = bandit.draw(explore, &mut chance);
        let drawn = |(at, own): &(usize, _)| {
            let advantage = weights.advantage_drawn(*own, &candidates[*at].strengths, explore, &mut chance);
            (*at, candidates[*at].score + advantage as f32)
        };
        let mut drawn: Vec<(usize, f32)> = owns.iter().map(drawn).collect();
        drawn.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        drawn.iter().take(offered).for_each(|(at, _)| times_offered[*at] += 1);
        if draw == 0 {
            decided = drawn;
        }
    }
    let propensities = decided.iter().map(|(at, _)| times_offered[*at] as f32 / DRAWS as f32).collect();
    let (order, scores) = decided.into_iter().unzip();
    Choice { order, propensities, scores }
}

/// A seed that is the same for the same turn of the same conversation (FNV-1a, 64 bits).
pub(super) fn seed(session: &str, turn: u32) -> u64 {
    let bytes = session.bytes().chain(turn.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::super::bandit::{Judged, strengths};
    use super::*;
    use crate::domain::EvidenceKind;

    fn ids(count: usize) -> Vec<ProductId> {
        (0..count).map(|n| ProductId(format!("p{n:02}"))).collect()
    }

    fn candidates(ids: &[ProductId]) -> Vec<Candidate<'_>> {
        let of = |(n, product)| {
            let score = 1.0 - 0.05 * n as f32;
            Candidate { product, strengths: strengths(&[(EvidenceKind::Category, score)]), score }
        };
        ids.iter().enumerate().map(of).collect()
    }

    #[test]
    fn without_exploring_the_best_are_sure_to_be_offered_and_the_others_are_not() {
        let ids = ids(4);
        let choice = choose(&Bandit::default(), &candidates(&ids), 2, 0.0, 7);
        assert_eq!((choice.order, choice.propensities), (vec![0, 1, 2, 3], vec![1.0, 1.0, 0.0, 0.0]));
    }

    #[test]
    fn the_propensity_is_the_share_of_turns_in_which_a_product_is_offered() {
        let ids = ids(6);
        let candidates = candidates(&ids);
        let (mut told, mut came) = ([0.0_f64; 6], [0.0_f64; 6]);
        for turn in 0..300 {
            let choice = choose(&Bandit::default(), &candidates, 2, 0.5, seed("s", turn));
            assert!((choice.propensities.iter().sum::<f32>() - 2.0).abs() < 1e-4, "two are offered");
            for (place, at) in choice.order.iter().enumerate() {
                told[*at] += f64::from(choice.propensities[place]) / 300.0;
                came[*at] += if place < 2 { 1.0 / 300.0 } else { 0.0 };
            }
        }
        for at in 0..6 {
            assert!((told[at] - came[at]).abs() < 0.09, "{told:?} {came:?}");
        }
        assert!(came[5] > 0.0 && came[0] > came[5], "{came:?}");
    }

    #[test]
    fn the_same_turn_draws_the_same_and_another_one_another() {
        let ids = ids(8);
        let candidates = candidates(&ids);
        let of = |turn| choose(&Bandit::default(), &candidates, 3, 1.0, seed("s", turn));
        assert_eq!(of(1), of(1));
        assert!((2..20).any(|turn| of(turn).order != of(1).order));
    }

    #[test]
    fn only_the_best_few_are_ever_tried_out_and_what_was_learned_decides_which() {
        let ids = ids(CANDIDATES_MAX + 4);
        let mut bandit = Bandit::default();
        let last = ids.last().expect("some").clone();
        for n in 0..40 {
            let (product, reward) = if n % 2 == 0 { (last.clone(), 1.0) } else { (ids[n % 16].clone(), 0.0) };
            bandit.learn(&Judged { product, strengths: strengths(&[]), place: 0, reward, weight: 1.0 });
        }
        let choice = choose(&bandit, &candidates(&ids), 3, 0.0, 1);
        assert_eq!((choice.order.len(), choice.order[0]), (CANDIDATES_MAX, ids.len() - 1));
    }
}
