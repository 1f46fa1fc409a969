use std::collections::{HashMap, VecDeque};

use crate::domain::ProductId;

/// Baskets that are counted; older ones are forgotten, and their counts with them.
pub(super) const BASKETS_MAX: usize = 50_000;
/// Products of one basket that are counted: pairs grow with its square.
const ITEMS_MAX: usize = 100;
/// With fewer baskets nothing is said.
const BASKETS_MIN: usize = 30;
/// Pairs that were seen less often say nothing.
const PAIR_MIN: u32 = 5;
/// Pairs by chance that are added to what was seen and to what was expected, so that little data says little.
const PAIRS_BY_CHANCE: f64 = 5.0;

/// A basket of [`Together`], to add to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BasketNumber(usize);

/// That two products were taken together more often than chance would have it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Companion {
    /// Natural logarithm of the lift, drawn towards 0 where little was seen; above 0.
    pub log_lift: f64,
    /// Baskets with both.
    pub both: u32,
    /// Baskets with the product talked about.
    pub of: u32,
}

/// What was taken with what: counts over the newest baskets, each product of a basket once. A new product counts at once.
#[derive(Debug, Clone, Default)]
pub(super) struct Together {
    numbers: HashMap<ProductId, u32>,
    products: Vec<ProductId>,
    counts: Vec<u32>,
    /// By the smaller and the larger number.
    pairs: HashMap<(u32, u32), u32>,
    baskets: VecDeque<Vec<u32>>,
    forgotten: usize,
}

impl Together {
    /// Baskets that are counted now.
    pub(super) fn baskets(&self) -> usize {
        self.baskets.len()
    }

    /// Baskets that were ever begun.
    pub(super) fn ever(&self) -> usize {
        self.forgotten + self.baskets.len()
    }

    /// The products of each basket.
    pub(super) fn iter(&self) -> impl Iterator<Item = Vec<&ProductId>> {
        self.baskets.iter().map(|basket| basket.iter().map(|number| &self.products[*number as usize]).collect())
    }

    /// Baskets that hold a product.
    pub(super) fn count(&self, product: &ProductId) -> u32 {
        self.numbers.get(product).map_or(0, |number| self.counts[*number as usize])
    }

    /// Share of the baskets that hold a product.
    pub(super) fn share(&self, product: &ProductId) -> f64 {
        f64::from(self.count(product)) / self.baskets().max(1) as f64
    }

    /// The sum of all products' shares: products in a basket, on the average.
    pub(super) fn shares(&self) -> f64 {
        f64::from(self.counts.iter().sum::<u32>()) / self.baskets().max(1) as f64
    }

    /// Begins a basket; where there are too many, the oldest is forgotten.
    pub(super) fn begin(&mut self) -> BasketNumber {
        if self.baskets.len() >= BASKETS_MAX
            && let Some(oldest) = self.baskets.pop_front()
        {
            self.forgotten += 1;
            for (at, item) in oldest.iter().enumerate() {
                self.counts[*item as usize] -= 1;
                for other in &oldest[..at] {
                    let pair = (*item.min(other), *item.max(other));
                    if let Some(count) = self.pairs.get_mut(&pair) {
                        *count -= 1;
                        if *count == 0 {
                            self.pairs.remove(&pair);
                        }
                    }
                }
            }
        }
        self.baskets.push_back(Vec::new());
        BasketNumber(self.ever() - 1)
    }

    /// Adds a product to a basket; nothing happens where it is in it already, where the basket is full, or was forgotten.
    pub(super) fn add(&mut self, to: BasketNumber, product: &ProductId) {
        let number = match self.numbers.get(product) {
            Some(number) => *number,
            None => {
                let number = self.products.len() as u32;
                self.numbers.insert(product.clone(), number);
                self.products.push(product.clone());
                self.counts.push(0);
                number
            }
        };
        let Some(basket) = to.0.checked_sub(self.forgotten).and_then(|at| self.baskets.get_mut(at)) else { return };
        if basket.contains(&number) || basket.len() >= ITEMS_MAX {
            return;
        }
        self.counts[number as usize] += 1;
        for other in basket.iter() {
            *self.pairs.entry((number.min(*other), number.max(*other))).or_default() += 1;
        }
        basket.push(number);
    }

    /// What is known of who took `anchor` taking `product` too; `None` where it is little, or no more than chance.
    pub(super) fn companion(&self, anchor: &ProductId, product: &ProductId) -> Option<Companion> {
        let (a, b) = (*self.numbers.get(anchor)?, *self.numbers.get(product)?);
        let both = *self.pairs.get(&(a.min(b), a.max(b)))?;
        let log_lift = self.log_lift(a, b);
        let is_known = self.baskets() >= BASKETS_MIN && both >= PAIR_MIN && log_lift > 0.0;
        is_known.then(|| Companion { log_lift, both, of: self.counts[a as usize] })
    }

    /// How the baskets with all of `anchors` differ from all baskets in how often they hold `product`, each anchor by itself, as
    /// logarithms. Pairs that were never seen count as less than chance.
    pub(super) fn affinity(&self, anchors: &[&ProductId], product: &ProductId) -> f64 {
        let Some(b) = self.numbers.get(product) else { return 0.0 };
        anchors.iter().filter_map(|anchor| self.numbers.get(*anchor)).filter(|a| *a != b).map(|a| self.log_lift(*a, *b)).sum()
    }

    fn log_lift(&self, a: u32, b: u32) -> f64 {
        let both = self.pairs.get(&(a.min(b), a.max(b))).copied().unwrap_or(0);
        let by_chance = f64::from(self.counts[a as usize]) * f64::from(self.counts[b as usize]) / (self.baskets.len().max(1) as f64);
        ((f64::from(both) + PAIRS_BY_CHANCE) / (by_chance + PAIRS_BY_CHANCE)).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> ProductId {
        ProductId(name.to_owned())
    }

    fn take(together: &mut Together, basket: &[&str]) -> BasketNumber {
        let number = together.begin();
        basket.iter().for_each(|product| together.add(number, &id(product)));
        number
    }

    #[test]
    fn what_is_taken_together_is_known_once_it_was_seen_often_enough() {
        let mut together = Together::default();
        (0..25).for_each(|_| {
            take(&mut together, &["milk"]);
        });
        (0..4).for_each(|_| {
            take(&mut together, &["bread", "butter", "bread"]);
        });
        assert_eq!(together.companion(&id("bread"), &id("butter")), None, "four times are chance");
        take(&mut together, &["butter", "bread"]);
        let found = together.companion(&id("bread"), &id("butter")).expect("known");
        assert_eq!((found.both, found.of), (5, 5));
        // Seen 5 and by chance 5 * 5 / 30; five pairs by chance are added to both.
        assert!((found.log_lift - (10.0_f64 / (25.0 / 30.0 + 5.0)).ln()).abs() < 1e-12, "{found:?}");
        assert_eq!(together.companion(&id("milk"), &id("butter")), None);
        assert_eq!(together.companion(&id("milk"), &id("no such")), None);
    }

    #[test]
    fn a_product_that_is_added_later_counts_with_all_that_is_in_the_basket() {
        let mut together = Together::default();
        let basket = take(&mut together, &["bread"]);
        take(&mut together, &["milk"]);
        together.add(basket, &id("butter"));
        assert_eq!((together.count(&id("butter")), together.pairs.len(), together.baskets()), (1, 1, 2));
    }

    #[test]
    fn the_oldest_basket_is_forgotten_with_its_counts() {
        let mut together = Together::default();
        let first = take(&mut together, &["bread", "butter"]);
        (1..BASKETS_MAX).for_each(|_| {
            take(&mut together, &["milk"]);
        });
        assert_eq!(together.count(&id("bread")), 1);
        take(&mut together, &["milk"]);
        assert_eq!((together.count(&id("bread")), together.pairs.len(), together.baskets()), (0, 0, BASKETS_MAX));
        together.add(first, &id("eggs"));
        assert_eq!(together.count(&id("eggs")), 0);
    }
}
