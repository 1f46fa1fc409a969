use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rand_distr::StandardNormal;

use super::super::bandit::{Strengths, strengths};
use super::super::candidates::{RecommendRequest, Recommender};
use super::super::settings::RecommendConfig;
use crate::domain::{Catalog, EvidenceKind, Feedback, FeedbackOutcome, OfferedTurn, PriceCents, Product, ProductId, SessionId};
use crate::measure::{Estimate, bootstrap};

/// Products of a made-up shop, and categories of it.
const PRODUCTS: usize = 40;
const CATEGORIES: usize = 5;
/// Draws of the bootstrap over worlds.
const DRAWS: usize = 1_000;

/// One way to choose, over all worlds.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SimulatedPolicy {
    /// Its name.
    pub policy: String,
    /// Share of the offers that were taken.
    pub acceptance: Estimate,
    /// The same in the last quarter of the turns.
    pub acceptance_at_the_end: Estimate,
    /// How many more of 100 turns' offers would have been taken, had the truth been known.
    pub regret_per_100_turns: Estimate,
    /// How much more is taken than by the hand-set weights in the same worlds, as a share of the offers.
    pub over_hand_set: Estimate,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SimulationReport {
    /// Made-up shops.
    pub worlds: usize,
    /// Turns in each.
    pub turns: usize,
    /// The hand-set weights first, then the bandit, exploring more and more.
    pub policies: Vec<SimulatedPolicy>,
}

/// A made-up shop whose people's taste is known: products, and how likely each offer is taken.
///
/// How much each kind of evidence is worth differs from the hand-set weights, and each product has an appeal of its own; both are drawn
/// by the seed of the world. An offer is taken or not wherever it stands in the list.
pub(super) struct World {
    catalog: Arc<Catalog>,
    ids: Vec<ProductId>,
    worth: Strengths,
    appeal: Vec<f64>,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut chance = StdRng::seed_from_u64(seed);
        let ids: Vec<ProductId> = (0..PRODUCTS).map(|n| ProductId(format!("product-{n:02}"))).collect();
        let product = |n: usize, chance: &mut StdRng| Product {
            id: ids[n].clone(),
            name: format!("product {n}"),
            plural: format!("products {n}"),
            photo_class: None,
            category: format!("category {}", n % CATEGORIES),
            brand: None,
            price: Some(PriceCents(chance.random_range(50..600))),
            unit: "piece".to_owned(),
            size: None,
            aisle: "1".to_owned(),
            shelf: "a".to_owned(),
            in_stock: chance.random_bool(0.9),
            stock_count: None,
            origin: None,
            ingredients: None,
            allergens: Some(Vec::new()),
            diet: Vec::new(),
            kcal_per_100g: None,
            synonyms: Vec::new(),
            goes_with: (0..2).map(|_| ids[chance.random_range(0..PRODUCTS)].clone()).collect(),
            offer: chance.random_bool(0.2).then(|| "3 for 2".to_owned()),
            description: None,
            facts: Default::default(),
        };
        let products = (0..PRODUCTS).map(|n| product(n, &mut chance)).collect();
        let catalog = Arc::new(Catalog::new(products).unwrap_or_default());
        let worth = std::array::from_fn(|_| chance.random_range(0.0..0.6));
        let appeal = (0..PRODUCTS).map(|_| 0.1 * chance.sample::<f64, _>(StandardNormal)).collect();
        Self { catalog, ids, worth, appeal }
    }

    /// How likely an offer is taken.
    fn truth(&self, product: &ProductId, evidence: &[(EvidenceKind, f32)]) -> f64 {
        let of_evidence: f64 = strengths(evidence).iter().zip(&self.worth).map(|(x, worth)| x * worth).sum();
        let appeal = self.ids.binary_search(product).map_or(0.0, |at| self.appeal[at]);
        (0.05 + of_evidence + appeal).clamp(0.01, 0.95)
    }

    fn recommender(&self, explore: f64) -> Recommender {
        Recommender::new(Arc::clone(&self.catalog), "euros").with_settings(&RecommendConfig { explore, ..RecommendConfig::default() })
    }

    /// What one turn is about, the same for every policy.
    fn about(&self, turn: usize, seed: u64) -> [ProductId; 1] {
        let mut chance = StdRng::seed_from_u64(seed.wrapping_mul(1_000_003).wrapping_add(turn as u64));
        [self.ids[chance.random_range(0..PRODUCTS)].clone()]
    }

    /// Takes turns with a recommender that learns at once from the first `learns` of them, each a conversation of its own;
    /// `each` is told what was offered and taken.
    fn run(&self, recommender: &Recommender, learns: usize, turns: usize, seed: u64, mut each: impl FnMut(OfferedTurn, Vec<Feedback>)) {
        for turn in 0..turns {
            let about = self.about(turn, seed);
            let Some(session) = SessionId::parse(&format!("world-{seed}-{turn}")) else { continue };
            let request = RecommendRequest { talked_about: &about, asked: true, turn: Some((&session, 1)), ..Default::default() };
            let offers = recommender.recommend(&request);
            let at_unix_ms = 1_000 * turn as u64;
            let mut outcomes = Vec::new();
            for offer in &offers.offered {
                // Whether a person takes a product does not depend on who offers it: the same draw for every policy.
                let number = self.ids.binary_search(&offer.product).unwrap_or(0) as u64;
                let mut taste = StdRng::seed_from_u64(seed ^ (turn as u64) << 20 ^ number);
                if taste.random_bool(self.truth(&offer.product, &offer.evidence)) {
                    let (outcome, product) = (FeedbackOutcome::Accepted, Some(offer.product.clone()));
                    outcomes.push(Feedback { session: session.clone(), turn: Some(1), at_unix_ms: at_unix_ms + 1, outcome, product });
                }
            }
            let gone = Feedback {
                session: session.clone(),
                turn: None,
                at_unix_ms: at_unix_ms + 2,
                outcome: FeedbackOutcome::Left,
                product: None,
            };
            outcomes.push(gone);
            if turn < learns {
                recommender.shown(&session, 1, &offers.offered);
                outcomes.iter().for_each(|outcome| recommender.feedback(outcome));
            }
            let turn = OfferedTurn {
                session,
                turn: 1,
                at_unix_ms,
                offered: offers.offered,
                passed_over: offers.passed_over,
                taken: Vec::new(),
                allergens: Vec::new(),
            };
            each(turn, outcomes);
        }
    }

    /// A log of turns with offers and what became of them, by a desk that learned from the first 30 turns and then no more.
    #[cfg(test)]
    pub(super) fn log(&self, turns: usize, explore: f64, seed: u64) -> (Vec<OfferedTurn>, Vec<Feedback>) {
        let (mut offered, mut outcomes) = (Vec::new(), Vec::new());
        self.run(&self.recommender(explore), 30, turns, seed, |turn, said| {
            if !turn.offered.is_empty() {
                offered.push(turn);
            }
            outcomes.extend(said);
        });
        (offered, outcomes)
    }

    /// The true share of offers taken, had these turns been offered what the hand-set weights say.
    #[cfg(test)]
    pub(super) fn worth_of_hand_set(&self, turns: &[OfferedTurn]) -> f64 {
        let (mut taken, mut offers) = (0.0, 0);
        for turn in turns {
            let mut options: Vec<(f32, f64, &ProductId)> = options(turn)
                .map(|(product, evidence)| (evidence.iter().map(|(_, x)| x).sum(), self.truth(product, evidence), product))
                .collect();
            options.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.2.cmp(b.2)));
            taken += options.iter().take(turn.offered.len()).map(|(_, truth, _)| truth).sum::<f64>();
            offers += turn.offered.len();
        }
        taken / f64::from(offers as u32)
    }
}

fn options(turn: &OfferedTurn) -> impl Iterator<Item = (&ProductId, &Vec<(EvidenceKind, f32)>)> {
    let offered = turn.offered.iter().map(|offer| (&offer.product, &offer.evidence));
    offered.chain(turn.passed_over.iter().map(|option| (&option.product, &option.evidence)))
}

/// Shares and regret of one policy in one world.
#[derive(Clone, Copy, Default)]
struct Outcome {
    acceptance: f64,
    at_the_end: f64,
    regret: f64,
}

/// Lets the hand-set weights and the bandit serve the same people in `worlds` made-up shops, `turns` in each.
pub fn simulate(worlds: usize, turns: usize, explores: &[f64], seed: u64) -> SimulationReport {
    let ways: Vec<(String, f64, bool)> = std::iter::once(("hand_set".to_owned(), 0.0, false))
        .chain(explores.iter().map(|explore| (format!("bandit, explore {explore}"), *explore, true)))
        .collect();
    let mut outcomes = vec![Vec::with_capacity(worlds); ways.len()];
    for number in 0..worlds {
        let seed = seed.wrapping_add(number as u64);
        let world = World::new(seed);
        for (way, (_, explore, learns)) in ways.iter().enumerate() {
            outcomes[way].push(serve(&world, *explore, *learns, turns, seed));
        }
    }
    let mean = |value: &dyn Fn(usize) -> f64| {
        let over = |rows: &[usize]| (!rows.is_empty()).then(|| rows.iter().map(|row| value(*row)).sum::<f64>() / rows.len() as f64);
        bootstrap(worlds, DRAWS, seed, over).unwrap_or(Estimate { value: 0.0, low: 0.0, high: 0.0 })
    };
    let policies = ways.iter().enumerate().map(|(way, (name, ..))| {
        let of: &[Outcome] = &outcomes[way];
        SimulatedPolicy {
            policy: name.clone(),
            acceptance: mean(&|world| of[world].acceptance),
            acceptance_at_the_end: mean(&|world| of[world].at_the_end),
            regret_per_100_turns: mean(&|world| of[world].regret),
            over_hand_set: mean(&|world| of[world].acceptance - outcomes[0][world].acceptance),
        }
    });
    SimulationReport { worlds, turns, policies: policies.collect() }
}

fn serve(world: &World, explore: f64, learns: bool, turns: usize, seed: u64) -> Outcome {
    let (mut offers, mut taken, mut last_offers, mut last_taken, mut regret) = (0_usize, 0_usize, 0_usize, 0_usize, 0.0);
    world.run(&world.recommender(explore), if learns { turns } else { 0 }, turns, seed, |turn, outcomes| {
        let accepted = outcomes.iter().filter(|said| said.outcome == FeedbackOutcome::Accepted).count();
        (offers, taken) = (offers + turn.offered.len(), taken + accepted);
        if turn.at_unix_ms >= 750 * turns as u64 {
            (last_offers, last_taken) = (last_offers + turn.offered.len(), last_taken + accepted);
        }
        let mut truths: Vec<f64> = options(&turn).map(|(product, evidence)| world.truth(product, evidence)).collect();
        regret -= truths.iter().take(turn.offered.len()).sum::<f64>();
        truths.sort_by(|a, b| b.total_cmp(a));
        regret += truths.iter().take(turn.offered.len()).sum::<f64>();
    });
    let share = |part: usize, all: usize| part as f64 / all.max(1) as f64;
    Outcome { acceptance: share(taken, offers), at_the_end: share(last_taken, last_offers), regret: 100.0 * regret / turns.max(1) as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_learns_is_accepted_more_often_than_the_hand_set_weights() {
        let report = simulate(4, 600, &[0.3], 1);
        let [hand_set, bandit] = &report.policies[..] else { panic!("{report:?}") };
        assert!(bandit.over_hand_set.low > 0.0, "{report:?}");
        assert!(bandit.regret_per_100_turns.value < hand_set.regret_per_100_turns.value, "{report:?}");
        assert!(bandit.acceptance_at_the_end.value > hand_set.acceptance_at_the_end.value + 0.02, "{report:?}");
        assert_eq!(simulate(4, 600, &[0.3], 1), report, "the same seed gives the same");
    }
}
