use std::collections::HashMap;

use rand::Rng;
use rand_distr::StandardNormal;

use super::solve::Triangle;
use crate::domain::{EvidenceKind, ProductId};

/// What one point of the hand-set score is taken to be worth before anything was seen: this much acceptance. It only sets how fast
/// feedback moves the order; the level that is common to all offers is learned and does not touch the order.
pub(super) const ACCEPTANCE_OF_A_POINT: f64 = 0.3;

/// Kinds of evidence, then what all offers have in common, then being second and third of the list: who reads from the top takes the
/// first more often, and no product shall be blamed for its place.
const SIZE: usize = EvidenceKind::ALL.len() + 3;
const COMMON: usize = EvidenceKind::ALL.len();

/// Variance of "taken or not" around what is expected; at most 0.25, and 0.2 at an acceptance of 0.28.
const NOISE: f64 = 0.2;
/// Standard deviation, before feedback, of what a kind of evidence is worth: as large as the worth itself, so it may prove worthless.
const KIND_SPREAD: f64 = ACCEPTANCE_OF_A_POINT;
/// The same for what all offers have in common, and for the places.
const COMMON_SPREAD: f64 = 0.3;
/// The same for what is particular to one product: half a point of score.
const PRODUCT_SPREAD: f64 = 0.15;

/// What speaks for one product, as numbers.
pub(super) type Strengths = [f64; EvidenceKind::ALL.len()];

/// The numbers of evidence.
pub(super) fn strengths(evidence: &[(EvidenceKind, f32)]) -> Strengths {
    let mut strengths = [0.0; EvidenceKind::ALL.len()];
    evidence.iter().for_each(|(kind, strength)| strengths[*kind as usize] += f64::from(*strength));
    strengths
}

/// An offer that was judged.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judged {
    /// Which.
    pub product: ProductId,
    /// What spoke for it.
    pub strengths: Strengths,
    /// Its place in the list, from 0.
    pub place: usize,
    /// 1 taken, 0 not.
    pub reward: f64,
    /// How much this counts; 1 is a whole observation.
    pub weight: f64,
}

impl Judged {
    fn features(&self) -> [f64; SIZE] {
        let mut features = [0.0; SIZE];
        features[..COMMON].copy_from_slice(&self.strengths);
        features[COMMON] = 1.0;
        if let Some(place) = self.place.checked_sub(1) {
            features[COMMON + 1 + place.min(1)] = 1.0;
        }
        features
    }
}

/// Sums over the judged offers of one product.
#[derive(Debug, Clone, Default, PartialEq)]
struct Product {
    weight: f64,
    features: [f64; SIZE],
    surprise: f64,
}

/// What was learned of which offers are taken: a Bayesian linear model of acceptance over the evidence, with an offset for each product.
///
/// It learns how far acceptance is from what the hand-set weights expect, so that without feedback it changes nothing. Only sums are
/// kept, so an observation can be taken back exactly, and the model after any feedback is what all feedback together gives.
///
/// # Source
/// Agrawal & Goyal 2013, "Thompson Sampling for Contextual Bandits with Linear Payoffs"; the shared and the product's own part as in
/// Li et al. 2010, "A Contextual-Bandit Approach to Personalized News Article Recommendation" (hybrid model).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bandit {
    /// `[SIZE, SIZE]`.
    squares: Vec<f64>,
    surprise: [f64; SIZE],
    products: HashMap<ProductId, Product>,
    judged: f64,
    belief: Belief,
}

/// What is believed now, worked out anew after each observation.
#[derive(Debug, Clone, PartialEq)]
struct Belief {
    mean: [f64; SIZE],
    precision: Option<Triangle>,
}

/// One set of weights: the mean of the belief, or a draw from it.
pub(super) struct Weights<'a> {
    bandit: &'a Bandit,
    shared: [f64; SIZE],
}

/// What was learned of one product alone, looked up once for many draws.
#[derive(Clone, Copy)]
pub(super) struct Own<'a>(Option<&'a Product>);

impl Default for Bandit {
    fn default() -> Self {
        let belief = Belief { mean: [0.0; SIZE], precision: None };
        let nothing = Self { squares: vec![0.0; SIZE * SIZE], surprise: [0.0; SIZE], products: HashMap::new(), judged: 0.0, belief };
        Self { belief: nothing.believe(), ..nothing }
    }
}

impl Bandit {
    /// How many offers were judged, each counted by its weight.
    pub(super) fn judged(&self) -> f64 {
        self.judged
    }

    /// What was learned of a product.
    pub(super) fn own(&self, product: &ProductId) -> Own<'_> {
        Own(self.products.get(product))
    }

    /// Learns from one offer, at once.
    pub(super) fn learn(&mut self, offer: &Judged) {
        self.add(offer, offer.weight);
    }

    /// Unlearns what [`Self::learn`] learned of the same offer.
    pub(super) fn unlearn(&mut self, offer: &Judged) {
        self.add(offer, -offer.weight);
    }

    fn add(&mut self, offer: &Judged, weight: f64) {
        let features = offer.features();
        let surprise = offer.reward - ACCEPTANCE_OF_A_POINT * offer.strengths.iter().sum::<f64>();
        for (row, x) in features.iter().enumerate() {
            self.surprise[row] += weight * x * surprise;
            for (column, y) in features.iter().enumerate() {
                self.squares[row * SIZE + column] += weight * x * y;
            }
        }
        let product = self.products.entry(offer.product.clone()).or_default();
        product.weight += weight;
        product.surprise += weight * surprise;
        product.features.iter_mut().zip(features).for_each(|(sum, x)| *sum += weight * x);
        // Sums that went up and down again are not quite nothing.
        if product.weight < 1e-9 {
            self.products.remove(&offer.product);
        }
        self.judged = (self.judged + weight).max(0.0);
        self.belief = self.believe();
    }

    /// The posterior of the shared part, the products' own parts integrated out.
    fn believe(&self) -> Belief {
        let (mut precision, mut pull) = (self.squares.clone(), self.surprise);
        for (at, spread) in spreads().into_iter().enumerate() {
            precision[at * SIZE + at] += NOISE / (spread * spread);
        }
        for product in self.products.values() {
            let share = 1.0 / (product.weight + NOISE / (PRODUCT_SPREAD * PRODUCT_SPREAD));
            for (row, x) in product.features.iter().enumerate() {
                pull[row] -= share * x * product.surprise;
                for (column, y) in product.features.iter().enumerate() {
                    precision[row * SIZE + column] -= share * x * y;
                }
            }
        }
        let precision = Triangle::of(&precision, SIZE);
        let mut mean = [0.0; SIZE];
        if let Some(triangle) = &precision {
            mean.copy_from_slice(&triangle.solve(&pull));
        }
        Belief { mean, precision }
    }

    /// What is most likely now.
    pub(super) fn mean(&self) -> Weights<'_> {
        Weights { bandit: self, shared: self.belief.mean }
    }

    /// Weights drawn by chance from what is believed; `explore` scales their spread, 0 gives [`Self::mean`].
    pub(super) fn draw(&self, explore: f64, chance: &mut impl Rng) -> Weights<'_> {
        let mut shared = self.belief.mean;
        if let Some(precision) = &self.belief.precision {
            let normal: Vec<f64> = (0..SIZE).map(|_| chance.sample(StandardNormal)).collect();
            let scale = explore * NOISE.sqrt();
            shared.iter_mut().zip(precision.solve_transposed(&normal)).for_each(|(mean, x)| *mean += scale * x);
        }
        Weights { bandit: self, shared }
    }
}

fn spreads() -> [f64; SIZE] {
    let mut spreads = [COMMON_SPREAD; SIZE];
    spreads[..COMMON].fill(KIND_SPREAD);
    spreads
}

impl Weights<'_> {
    /// How much more, in points of score, is to be said for an offer than the hand-set weights say.
    pub(super) fn advantage(&self, product: &ProductId, strengths: &Strengths) -> f64 {
        (self.of_evidence(strengths) + self.of_product(product).0) / ACCEPTANCE_OF_A_POINT
    }

    /// The same with the product's own part drawn as well.
    pub(super) fn advantage_drawn(&self, own: Own<'_>, strengths: &Strengths, explore: f64, chance: &mut impl Rng) -> f64 {
        let (mean, spread) = self.of_own(own);
        let normal: f64 = chance.sample(StandardNormal);
        (self.of_evidence(strengths) + mean + explore * spread * normal) / ACCEPTANCE_OF_A_POINT
    }

    /// How likely the offer is taken in the first place of the list, as far as a linear model can say: it may leave 0 to 1 a little.
    pub(super) fn acceptance(&self, product: &ProductId, strengths: &Strengths) -> f64 {
        let expected: f64 = ACCEPTANCE_OF_A_POINT * strengths.iter().sum::<f64>();
        expected + self.shared[COMMON] + self.of_evidence(strengths) + self.of_product(product).0
    }

    fn of_evidence(&self, strengths: &Strengths) -> f64 {
        strengths.iter().zip(&self.shared).map(|(x, weight)| x * weight).sum()
    }

    /// Mean and standard deviation of the product's own part, given the shared one.
    fn of_product(&self, product: &ProductId) -> (f64, f64) {
        self.of_own(self.bandit.own(product))
    }

    fn of_own(&self, own: Own<'_>) -> (f64, f64) {
        let Some(product) = own.0 else { return (0.0, PRODUCT_SPREAD) };
        let weight = product.weight + NOISE / (PRODUCT_SPREAD * PRODUCT_SPREAD);
        let explained: f64 = product.features.iter().zip(&self.shared).map(|(x, shared)| x * shared).sum();
        ((product.surprise - explained) / weight, (NOISE / weight).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn id(name: &str) -> ProductId {
        ProductId(name.to_owned())
    }

    fn judged(product: &str, evidence: &[(EvidenceKind, f32)], place: usize, reward: f64) -> Judged {
        Judged { product: id(product), strengths: strengths(evidence), place, reward, weight: 1.0 }
    }

    #[test]
    fn without_feedback_nothing_is_added_to_the_hand_set_score() {
        let bandit = Bandit::default();
        assert_eq!(bandit.mean().advantage(&id("pear"), &strengths(&[(EvidenceKind::Cheaper, 0.5)])), 0.0);
        assert_eq!(bandit.judged(), 0.0);
    }

    #[test]
    fn what_is_taken_rises_and_what_is_refused_falls_at_once_and_taking_it_back_leaves_no_trace() {
        let mut bandit = Bandit::default();
        let evidence = [(EvidenceKind::Cheaper, 0.5)];
        let taken = judged("pear", &evidence, 0, 1.0);
        bandit.learn(&taken);
        let (own, alike) =
            (bandit.mean().advantage(&id("pear"), &strengths(&evidence)), bandit.mean().advantage(&id("plum"), &strengths(&evidence)));
        assert!(own > alike && alike > 0.0, "{own} {alike}");
        bandit.unlearn(&taken);
        assert!(bandit.mean().advantage(&id("pear"), &strengths(&evidence)).abs() < 1e-9);
        bandit.learn(&judged("pear", &evidence, 0, 0.0));
        assert!(bandit.mean().advantage(&id("pear"), &strengths(&evidence)) < 0.0);
    }

    #[test]
    fn the_shared_part_is_the_exact_posterior_of_all_observations() {
        // The same by the full system over shared weights and both products' offsets, solved in one piece.
        let observed = [
            judged("a", &[(EvidenceKind::GoesWith, 1.0)], 0, 1.0),
            judged("b", &[(EvidenceKind::Cheaper, 0.4), (EvidenceKind::Offer, 0.3)], 1, 0.0),
            judged("a", &[(EvidenceKind::Cheaper, 0.5)], 2, 1.0),
        ];
        let mut bandit = Bandit::default();
        observed.iter().for_each(|offer| bandit.learn(offer));
        let size = SIZE + 2;
        let (mut precision, mut pull) = (vec![0.0; size * size], vec![0.0; size]);
        for (at, spread) in spreads().into_iter().chain([PRODUCT_SPREAD; 2]).enumerate() {
            precision[at * size + at] = NOISE / (spread * spread);
        }
        for offer in &observed {
            let mut features = offer.features().to_vec();
            features.extend(if offer.product == id("a") { [1.0, 0.0] } else { [0.0, 1.0] });
            let surprise = offer.reward - ACCEPTANCE_OF_A_POINT * offer.strengths.iter().sum::<f64>();
            for row in 0..size {
                pull[row] += features[row] * surprise;
                (0..size).for_each(|column| precision[row * size + column] += features[row] * features[column]);
            }
        }
        let all = Triangle::of(&precision, size).expect("positive definite").solve(&pull);
        for (at, weight) in bandit.belief.mean.iter().enumerate() {
            assert!((weight - all[at]).abs() < 1e-9, "weight {at}: {weight} is not {}", all[at]);
        }
        let weights = bandit.mean();
        assert!((weights.of_product(&id("a")).0 - all[SIZE]).abs() < 1e-9 && (weights.of_product(&id("b")).0 - all[SIZE + 1]).abs() < 1e-9);
    }

    #[test]
    fn the_place_in_the_list_is_not_blamed_on_the_product() {
        // What stands third is never taken, what stands first always; the products take turns.
        let mut bandit = Bandit::default();
        for round in 0..60 {
            let (first, third) = if round % 2 == 0 { ("a", "b") } else { ("b", "a") };
            bandit.learn(&judged(first, &[], 0, 1.0));
            bandit.learn(&judged(third, &[], 2, 0.0));
        }
        let (a, b) = (bandit.mean().advantage(&id("a"), &strengths(&[])), bandit.mean().advantage(&id("b"), &strengths(&[])));
        assert!((a - b).abs() < 1e-6, "{a} {b}");
        assert!(bandit.belief.mean[COMMON + 2] < -0.4, "{:?}", bandit.belief.mean);
    }

    #[test]
    fn draws_spread_around_the_mean_and_narrow_with_what_was_seen() {
        let mut bandit = Bandit::default();
        let (pear, evidence) = (id("pear"), strengths(&[(EvidenceKind::Cheaper, 1.0)]));
        let spread = |bandit: &Bandit| {
            let mut chance = StdRng::seed_from_u64(1);
            let drawn: Vec<f64> =
                (0..400).map(|_| bandit.draw(1.0, &mut chance).advantage_drawn(bandit.own(&pear), &evidence, 1.0, &mut chance)).collect();
            let mean = drawn.iter().sum::<f64>() / 400.0;
            (mean, (drawn.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 400.0).sqrt())
        };
        let (mean, before) = spread(&bandit);
        // Before feedback: the kind's 0.3 and the product's 0.15, in points of 0.3.
        assert!(mean.abs() < 0.2 && (before - (0.3_f64 * 0.3 + 0.15 * 0.15).sqrt() / 0.3).abs() < 0.12, "{mean} {before}");
        (0..50).for_each(|_| bandit.learn(&judged("pear", &[(EvidenceKind::Cheaper, 1.0)], 0, 1.0)));
        let (_, after) = spread(&bandit);
        assert!(after < before && bandit.mean().acceptance(&pear, &evidence) > 0.85, "{after}");
        let (drawn, mean) = (bandit.draw(0.0, &mut StdRng::seed_from_u64(2)), bandit.mean());
        assert_eq!(drawn.advantage(&pear, &evidence), mean.advantage(&pear, &evidence));
    }
}
