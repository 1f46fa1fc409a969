use std::collections::HashMap;

use discorec::RecommenderBuilder;

use super::solve::Triangle;
use crate::domain::ProductId;

/// With fewer baskets of two or more products nothing is learned: factors of a few visits are chance.
pub(super) const BASKETS_MIN: usize = 100;

/// How factors are fitted; chosen on baskets that are not judged on in the published comparison (`docs/results/recommend.md`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct FactorSettings {
    /// Numbers of one product.
    pub factors: u32,
    /// Passes over the data.
    pub passes: u32,
    /// How much surer a product taken is than one not taken.
    pub confidence: f32,
    /// Pull of all numbers to 0, for each basket; at least [`SHRINK_MIN`] in all.
    pub shrink: f32,
}

/// Few baskets are pulled this much all the same.
const SHRINK_MIN: f32 = 5.0;

impl Default for FactorSettings {
    fn default() -> Self {
        Self { factors: 16, passes: 12, confidence: 1.0, shrink: 1.0 / 180.0 }
    }
}

/// Factors of products, learned from who took what: implicit feedback, alternating least squares.
///
/// # Source
/// Hu, Koren & Volinsky 2008, "Collaborative Filtering for Implicit Feedback Datasets", by the crate `discorec`; a person who was not in
/// the data is folded in by the same least squares over the fixed factors of the products.
#[derive(Debug, Clone)]
pub(super) struct Tastes {
    factors: HashMap<ProductId, Vec<f64>>,
    /// `[factors]`: the sum of all products' factors.
    total: Vec<f64>,
    /// `[factors, factors]`: the sum over all products of the products of their factors.
    gram: Vec<f64>,
    /// With the whole pull in place of that for each basket.
    settings: FactorSettings,
}

impl Tastes {
    /// Of baskets; `None` where they are too few, or the factors came out as what is no number.
    pub(super) fn fit(baskets: &[Vec<ProductId>], settings: FactorSettings) -> Option<Self> {
        let telling = || baskets.iter().enumerate().filter(|(_, basket)| basket.len() > 1);
        let count = telling().count();
        if count < BASKETS_MIN {
            return None;
        }
        let settings = FactorSettings { shrink: (settings.shrink * count as f32).max(SHRINK_MIN), ..settings };
        let taken = telling().flat_map(|(person, basket)| basket.iter().map(move |product| (person, product.clone(), 1.0_f32)));
        let fitted = RecommenderBuilder::new()
            .factors(settings.factors)
            .iterations(settings.passes)
            .alpha(settings.confidence)
            .regularization(settings.shrink)
            .seed(1)
            .fit_implicit(taken);
        let mut ids = fitted.item_ids().to_vec();
        ids.sort();
        let of = |id: &ProductId| Some((id.clone(), fitted.item_factors(id)?.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>()));
        let factors: Vec<(ProductId, Vec<f64>)> = ids.iter().filter_map(of).collect();
        if factors.iter().flat_map(|(_, row)| row).any(|x| !x.is_finite()) {
            return None;
        }
        let size = settings.factors as usize;
        let (mut gram, mut total) = (vec![0.0; size * size], vec![0.0; size]);
        for (_, row) in &factors {
            total.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            for (a, x) in row.iter().enumerate() {
                row.iter().enumerate().for_each(|(b, y)| gram[a * size + b] += x * y);
            }
        }
        Some(Self { factors: factors.into_iter().collect(), total, gram, settings })
    }

    /// The factors of a person who takes these products; `None` where none of them is known.
    pub(super) fn person(&self, takes: &[&ProductId]) -> Option<Vec<f64>> {
        let known: Vec<&Vec<f64>> = takes.iter().filter_map(|product| self.factors.get(*product)).collect();
        if known.is_empty() {
            return None;
        }
        let (size, confidence) = (self.settings.factors as usize, f64::from(self.settings.confidence));
        let (mut system, mut pull) = (self.gram.clone(), vec![0.0; size]);
        for row in known {
            for (a, x) in row.iter().enumerate() {
                pull[a] += (1.0 + confidence) * x;
                row.iter().enumerate().for_each(|(b, y)| system[a * size + b] += confidence * x * y);
            }
        }
        (0..size).for_each(|at| system[at * size + at] += f64::from(self.settings.shrink));
        Some(Triangle::of(&system, size)?.solve(&pull))
    }

    /// How much such a person tends to all products together.
    pub(super) fn tendency_to_all(&self, person: &[f64]) -> f64 {
        self.total.iter().zip(person).map(|(x, y)| x * y).sum()
    }

    /// How much such a person tends to a product: about 0 not at all, about 1 as if it were taken. 0 for an unknown product.
    pub(super) fn tendency(&self, person: &[f64], product: &ProductId) -> f64 {
        self.factors.get(product).map_or(0.0, |row| row.iter().zip(person).map(|(x, y)| x * y).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> ProductId {
        ProductId(name.to_owned())
    }

    /// Half of the people breakfast, the others bake; each takes two of their three things.
    fn two_kinds(count: usize) -> Vec<Vec<ProductId>> {
        let kinds = [["milk", "muesli", "banana"], ["flour", "sugar", "yeast"]];
        let basket = |n: usize| {
            let kind = kinds[n % 2];
            let left_out = (n / 2) % 3;
            (0..3).filter(|at| *at != left_out).map(|at| id(kind[at])).collect()
        };
        (0..count).map(basket).collect()
    }

    #[test]
    fn a_person_who_was_never_seen_is_recommended_what_such_people_take() {
        let tastes = Tastes::fit(&two_kinds(200), FactorSettings { factors: 4, ..Default::default() }).expect("enough");
        let person = tastes.person(&[&id("muesli"), &id("no such")]).expect("one is known");
        let (milk, flour) = (tastes.tendency(&person, &id("milk")), tastes.tendency(&person, &id("flour")));
        assert!(milk > flour + 0.3, "{milk} {flour}");
        assert_eq!(tastes.tendency(&person, &id("no such")), 0.0);
        assert_eq!(tastes.person(&[&id("no such")]), None);
    }

    #[test]
    fn a_few_visits_say_nothing() {
        assert!(Tastes::fit(&two_kinds(BASKETS_MIN - 1), FactorSettings::default()).is_none());
        let alone: Vec<Vec<ProductId>> = (0..500).map(|_| vec![id("milk")]).collect();
        assert!(Tastes::fit(&alone, FactorSettings::default()).is_none());
    }
}
