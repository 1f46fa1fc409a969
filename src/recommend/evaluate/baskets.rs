use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use super::super::association::Together;
use super::super::collaborative::{FactorSettings, Tastes};
use crate::domain::ProductId;
use crate::measure::{Estimate, bootstrap};

/// Lengths of lists at which it is counted how often the product left out is in them.
pub const LISTS: [usize; 3] = [1, 3, 10];
/// Shares of the baskets that are learned from, and that the blend's weights are fitted to; the rest is judged on.
const SHARES: (f64, f64) = (0.7, 0.1);
/// Draws of the bootstrap.
const DRAWS: usize = 1_000;
/// Steps of the blend's fit; it has stood still long before.
const STEPS: usize = 400;
/// What the blend weighs: how often a product is taken, what it was taken with (the sum over the basket, and its mean), and tastes.
const FEATURES: usize = 4;

/// Baskets that cannot be evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{found} baskets hold two products or more, which is too few to learn from and judge; expected at least {expected}, one a line, \
     its items by comma"
)]
pub struct BasketError {
    found: usize,
    expected: usize,
}

/// Figures of one way to rank.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct BasketFigures {
    /// Its name.
    pub ranks_by: &'static str,
    /// How often the product left out is among the first 1, 3 and 10.
    pub recall: [Estimate; 3],
    /// Mean of one divided by the place of the product left out.
    pub mrr: Estimate,
    /// How much more that is than by popularity, on the same draws.
    pub mrr_over_popularity: Estimate,
    /// How much more often than by popularity it is among the first 10, on the same draws.
    pub recall_10_over_popularity: Estimate,
    /// Share of all products that are among the first 10 of at least one list.
    pub coverage: f64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct BasketReport {
    /// Baskets that were learned from.
    pub learned_from: usize,
    /// Baskets that the blend's weights were fitted to.
    pub weighed_on: usize,
    /// Baskets of two products or more that were judged on, one product left out of each.
    pub judged_on: usize,
    /// Products there are.
    pub products: usize,
    /// Popularity, association, collaborative, blend.
    pub figures: Vec<BasketFigures>,
}

/// Leaves one product out of each basket of the judged part, and ranks all products that are not among the rest of it.
///
/// The parts are made by `seed` before anything is learned; what is judged on is neither learned from nor weighed on.
pub fn evaluate_baskets(baskets: &[Vec<String>], seed: u64) -> Result<BasketReport, BasketError> {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut baskets: Vec<Vec<ProductId>> = baskets.iter().map(|basket| distinct(basket)).filter(|basket| !basket.is_empty()).collect();
    let (found, expected) = (baskets.iter().filter(|basket| basket.len() > 1).count(), 200);
    if found < expected {
        return Err(BasketError { found, expected });
    }
    baskets.shuffle(&mut chance);
    let at = |share: f64| (share * baskets.len() as f64) as usize;
    let (learn, rest) = baskets.split_at(at(SHARES.0));
    let (weigh, judge) = rest.split_at(at(SHARES.1));
    let (weigh, judge) = (left_out(weigh, &mut chance), left_out(judge, &mut chance));
    Ok(compare(learn, &weigh, &judge, FactorSettings::default(), seed))
}

fn distinct(basket: &[String]) -> Vec<ProductId> {
    basket.iter().cloned().collect::<BTreeSet<String>>().into_iter().map(ProductId).collect()
}

/// A basket without one product, and that product.
struct LeftOut {
    rest: Vec<ProductId>,
    product: ProductId,
}

fn left_out(baskets: &[Vec<ProductId>], chance: &mut StdRng) -> Vec<LeftOut> {
    let leave = |basket: &Vec<ProductId>| {
        let mut rest = basket.clone();
        let product = rest.remove(chance.random_range(0..rest.len()));
        LeftOut { rest, product }
    };
    baskets.iter().filter(|basket| basket.len() > 1).map(leave).collect()
}

/// What was learned, as numbers for a product beside a basket.
struct Model {
    together: Together,
    tastes: Option<Tastes>,
    /// In the order of their names.
    products: Vec<ProductId>,
}

impl Model {
    fn learn(baskets: &[Vec<ProductId>], settings: FactorSettings) -> Self {
        let mut together = Together::default();
        for basket in baskets {
            let number = together.begin();
            basket.iter().for_each(|product| together.add(number, product));
        }
        let products = baskets.iter().flatten().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        Self { together, tastes: Tastes::fit(baskets, settings), products }
    }

    /// The products that are not in the basket, each with its features.
    fn candidates(&self, rest: &[ProductId]) -> Vec<(usize, [f64; FEATURES])> {
        let rest: Vec<&ProductId> = rest.iter().collect();
        let person = self.tastes.as_ref().and_then(|tastes| Some((tastes, tastes.person(&rest)?)));
        let features = |product: &ProductId| {
            let affinity = self.together.affinity(&rest, product);
            let taste = person.as_ref().map_or(0.0, |(tastes, person)| tastes.tendency(person, product));
            let popularity = f64::from(self.together.count(product).max(1)).ln();
            [popularity, affinity, affinity / rest.len().max(1) as f64, taste]
        };
        let others = self.products.iter().enumerate().filter(|(_, product)| !rest.contains(product));
        others.map(|(at, product)| (at, features(product))).collect()
    }
}

fn score(features: &[f64; FEATURES], weights: &[f64; FEATURES]) -> f64 {
    features.iter().zip(weights).map(|(x, weight)| x * weight).sum()
}

/// Weights under which the products left out are likeliest, one chosen among all that could be (conditional logit), by gradient with
/// steps of a size of their own (Adagrad).
fn fit_blend(model: &Model, rows: &[LeftOut]) -> [f64; FEATURES] {
    let known = |row: &LeftOut| {
        let chosen = model.products.binary_search(&row.product).ok()?;
        let candidates = model.candidates(&row.rest);
        let at = candidates.iter().position(|(product, _)| *product == chosen)?;
        Some((at, candidates.into_iter().map(|(_, features)| features).collect::<Vec<_>>()))
    };
    let rows: Vec<(usize, Vec<[f64; FEATURES]>)> = rows.iter().filter_map(known).collect();
    let (mut weights, mut squares) = ([1.0, 0.0, 0.0, 0.0], [1e-12; FEATURES]);
    for _ in 0..STEPS {
        let mut gradient = [0.0; FEATURES];
        for (chosen, candidates) in &rows {
            let scores: Vec<f64> = candidates.iter().map(|features| score(features, &weights)).collect();
            let top = scores.iter().copied().fold(f64::MIN, f64::max);
            let shares: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
            let all: f64 = shares.iter().sum();
            for (at, sum) in gradient.iter_mut().enumerate() {
                let expected: f64 = candidates.iter().zip(&shares).map(|(features, share)| features[at] * share / all).sum();
                *sum += candidates[*chosen][at] - expected;
            }
        }
        for at in 0..FEATURES {
            squares[at] += gradient[at] * gradient[at];
            weights[at] += 0.3 * gradient[at] / squares[at].sqrt();
        }
    }
    weights
}

fn compare(learn: &[Vec<ProductId>], weigh: &[LeftOut], judge: &[LeftOut], settings: FactorSettings, seed: u64) -> BasketReport {
    let model = Model::learn(learn, settings);
    let blend = fit_blend(&model, weigh);
    // Popularity breaks the ties of tastes only: products that nobody has taken with one another are not told apart by them.
    let ways: [(&str, [f64; FEATURES]); 4] = [
        ("popularity", [1.0, 0.0, 0.0, 0.0]),
        ("association", [1.0, 0.0, 1.0, 0.0]),
        ("collaborative", [1e-9, 0.0, 0.0, 1.0]),
        ("blend", blend),
    ];
    let mut places: [Vec<Option<usize>>; 4] = Default::default();
    let mut covered: [BTreeSet<usize>; 4] = Default::default();
    for row in judge {
        let candidates = model.candidates(&row.rest);
        let chosen = model.products.binary_search(&row.product).ok();
        for (way, (_, weights)) in ways.iter().enumerate() {
            let mut ranked: Vec<(usize, f64)> = candidates.iter().map(|(at, features)| (*at, score(features, weights))).collect();
            ranked.sort_by(|(a, one), (b, other)| other.total_cmp(one).then(a.cmp(b)));
            places[way].push(ranked.iter().position(|(at, _)| Some(*at) == chosen));
            covered[way].extend(ranked.iter().take(LISTS[2]).map(|(at, _)| *at));
        }
    }
    let figures = ways.iter().enumerate().map(|(way, (name, _))| figures(name, &places[way], &places[0], &covered[way], &model, seed));
    BasketReport {
        learned_from: learn.len(),
        weighed_on: weigh.len(),
        judged_on: judge.len(),
        products: model.products.len(),
        figures: figures.collect(),
    }
}

fn figures(
    ranks_by: &'static str,
    places: &[Option<usize>],
    of_popularity: &[Option<usize>],
    covered: &BTreeSet<usize>,
    model: &Model,
    seed: u64,
) -> BasketFigures {
    let mean = |value: &dyn Fn(usize) -> f64| {
        let over = |rows: &[usize]| (!rows.is_empty()).then(|| rows.iter().map(|row| value(*row)).sum::<f64>() / rows.len() as f64);
        bootstrap(places.len(), DRAWS, seed, over).unwrap_or(Estimate { value: 0.0, low: 0.0, high: 0.0 })
    };
    let within = |place: Option<usize>, list: usize| f64::from(u8::from(place.is_some_and(|place| place < list)));
    let inverse = |place: Option<usize>| place.map_or(0.0, |place| 1.0 / (place + 1) as f64);
    BasketFigures {
        ranks_by,
        recall: LISTS.map(|list| mean(&|row| within(places[row], list))),
        mrr: mean(&|row| inverse(places[row])),
        mrr_over_popularity: mean(&|row| inverse(places[row]) - inverse(of_popularity[row])),
        recall_10_over_popularity: mean(&|row| within(places[row], LISTS[2]) - within(of_popularity[row], LISTS[2])),
        coverage: covered.len() as f64 / model.products.len().max(1) as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight kinds of people, each with five products of their own, and one product that half of all take.
    fn world(count: usize) -> Vec<Vec<String>> {
        let mut chance = StdRng::seed_from_u64(5);
        let basket = |n: usize, chance: &mut StdRng| {
            let mut basket: Vec<String> = (0..5).filter(|_| chance.random_bool(0.6)).map(|own| format!("kind {} {own}", n % 8)).collect();
            if chance.random_bool(0.5) {
                basket.push("bread".to_owned());
            }
            basket
        };
        (0..count).map(|n| basket(n, &mut chance)).collect()
    }

    #[test]
    fn what_is_taken_together_is_found_far_better_than_by_popularity() {
        let report = evaluate_baskets(&world(2_000), 1).expect("enough");
        let of = |name: &str| report.figures.iter().find(|figures| figures.ranks_by == name).expect("a way").clone();
        assert_eq!(report.products, 41);
        for name in ["association", "collaborative", "blend"] {
            let figures = of(name);
            assert!(figures.mrr_over_popularity.low > 0.05 && figures.coverage > of("popularity").coverage, "{name}: {figures:?}");
            assert!(figures.recall[0].value <= figures.recall[1].value && figures.recall[1].value <= figures.recall[2].value);
        }
        assert_eq!(of("popularity").mrr_over_popularity.value, 0.0);
        assert_eq!(evaluate_baskets(&world(2_000), 1).expect("enough"), report, "the same seed gives the same");
    }

    #[test]
    fn too_few_baskets_are_refused_in_a_sentence() {
        let error = evaluate_baskets(&world(100), 1).expect_err("accepted").to_string();
        assert!(error.contains("too few"), "{error}");
    }
}
