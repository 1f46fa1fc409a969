use std::collections::HashMap;

use super::Baskets;

/// Sets found at most: a support that is set too low would fill the memory.
const SETS_MAX: usize = 2_000_000;
/// Items in one set at most.
const ITEMS_MAX: usize = 16;

/// Which rules are of interest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RuleLimits {
    /// Share of all baskets that must hold all items of a rule.
    pub support_min: f64,
    /// Share of the baskets with the left side that must hold the right side too.
    pub confidence_min: f64,
    /// Several items on the right as well, not just one.
    pub any_consequent: bool,
}

/// Who takes all of `antecedent` takes `consequent` too.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The left side, by place in [`Baskets::names`], in order.
    pub antecedent: Vec<usize>,
    /// The right side.
    pub consequent: Vec<usize>,
    /// Share of all baskets that hold both sides.
    pub support: f64,
    /// Share of the baskets with the left side that hold the right side too.
    pub confidence: f64,
    /// How many times more often that is than among all baskets.
    pub lift: f64,
}

/// More sets are frequent than can be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {SETS_MAX} sets of items have this support; set a higher one with --min-support")]
pub struct TooMany;

/// All rules within the limits, those of the highest lift first.
///
/// # Source
/// Agrawal & Srikant 1994 for support and confidence. The frequent sets are grown item by item over the baskets that hold them, Uno et al.,
/// "LCM ver. 2" (2004), section 3, which finds the same sets as FP-growth.
pub fn rules(baskets: &Baskets, limits: &RuleLimits) -> Result<Vec<Rule>, TooMany> {
    let counts = frequent(baskets, limits.support_min)?;
    let mut rules = Vec::new();
    for (set, &count) in counts.iter().filter(|(set, _)| set.len() > 1) {
        let consequents = 1..(1_u32 << set.len()) - 1;
        let wanted = |mask: &u32| limits.any_consequent || mask.count_ones() == 1;
        rules.extend(consequents.filter(wanted).filter_map(|mask| rule(set, count, mask, &counts, baskets.count(), limits)));
    }
    rules.sort_by(|a, b| b.lift.total_cmp(&a.lift).then_with(|| (&a.antecedent, &a.consequent).cmp(&(&b.antecedent, &b.consequent))));
    Ok(rules)
}

/// How many baskets hold each frequent set; the items of a set are in order.
fn frequent(baskets: &Baskets, support_min: f64) -> Result<HashMap<Vec<usize>, usize>, TooMany> {
    // Half a basket less than what rounding could take away.
    let count_min = ((support_min * baskets.count() as f64) - 1e-9).ceil().max(1.0) as usize;
    let mut search = Search { baskets, count_min, counts: HashMap::new(), seen: vec![0; baskets.names().len()] };
    search.extend(&mut Vec::new(), &(0..baskets.count()).collect::<Vec<_>>())?;
    Ok(search.counts)
}

/// The search for frequent sets.
struct Search<'a> {
    baskets: &'a Baskets,
    count_min: usize,
    /// What was found.
    counts: HashMap<Vec<usize>, usize>,
    /// How often each item was seen; all 0 between two looks.
    seen: Vec<usize>,
}

impl Search<'_> {
    /// Adds the sets that begin with `prefix` and go on; `holding` are the baskets that hold all of it.
    fn extend(&mut self, prefix: &mut Vec<usize>, holding: &[usize]) -> Result<(), TooMany> {
        for (item, count) in self.following(prefix.last().copied(), holding) {
            if self.counts.len() >= SETS_MAX {
                return Err(TooMany);
            }
            prefix.push(item);
            self.counts.insert(prefix.clone(), count);
            if prefix.len() < ITEMS_MAX {
                let with_item = |basket: &usize| self.baskets.items(*basket).binary_search(&item).is_ok();
                let holding: Vec<usize> = holding.iter().copied().filter(with_item).collect();
                self.extend(prefix, &holding)?;
            }
            prefix.pop();
        }
        Ok(())
    }

    /// The items behind `last` that are frequent among some baskets, with how often, in order.
    fn following(&mut self, last: Option<usize>, holding: &[usize]) -> Vec<(usize, usize)> {
        let mut met = Vec::new();
        for basket in holding {
            // The items are in order: those behind the last one stand at the end.
            for item in self.baskets.items(*basket).iter().rev().copied().take_while(|item| last.is_none_or(|last| *item > last)) {
                if self.seen[item] == 0 {
                    met.push(item);
                }
                self.seen[item] += 1;
            }
        }
        met.sort_unstable();
        let mut frequent = Vec::new();
        for item in met {
            let count = std::mem::take(&mut self.seen[item]);
            if count >= self.count_min {
                frequent.push((item, count));
            }
        }
        frequent
    }
}

/// The rule whose right side are the items of `set` that `mask` marks, if it is sure enough.
fn rule(set: &[usize], count: usize, mask: u32, counts: &HashMap<Vec<usize>, usize>, all: usize, limits: &RuleLimits) -> Option<Rule> {
    let side = |marked: bool| -> Vec<usize> {
        set.iter().enumerate().filter(|(at, _)| (mask >> at & 1 == 1) == marked).map(|(_, item)| *item).collect()
    };
    let (antecedent, consequent) = (side(false), side(true));
    // Every part of a frequent set is frequent.
    let (left, right) = (*counts.get(&antecedent)?, *counts.get(&consequent)?);
    let confidence = count as f64 / left as f64;
    (confidence + 1e-12 >= limits.confidence_min).then(|| Rule {
        support: count as f64 / all as f64,
        confidence,
        lift: confidence * all as f64 / right as f64,
        antecedent,
        consequent,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(baskets: &[&[&str]], limits: RuleLimits) -> Vec<(String, String, f64, f64, f64)> {
        let baskets = Baskets::new(baskets.iter().map(|basket| basket.iter().copied()));
        let names = |items: &[usize]| items.iter().map(|item| baskets.names()[*item].as_str()).collect::<Vec<_>>().join("+");
        let rules = rules(&baskets, &limits).expect("few");
        rules.iter().map(|r| (names(&r.antecedent), names(&r.consequent), r.support, r.confidence, r.lift)).collect()
    }

    #[test]
    fn bread_goes_with_butter() {
        let limits = RuleLimits { support_min: 0.5, confidence_min: 0.9, any_consequent: false };
        let baskets: [&[&str]; 4] = [&["bread", "butter", "milk"], &["bread", "butter"], &["bread", "milk", "bread"], &["milk"]];
        assert_eq!(found(&baskets, limits), [("butter".to_owned(), "bread".to_owned(), 0.5, 1.0, 4.0 / 3.0)]);
    }

    #[test]
    fn several_items_on_the_right_are_found_when_asked_for() {
        let baskets: [&[&str]; 2] = [&["a", "b", "c"], &["a", "b", "c"]];
        let one = found(&baskets, RuleLimits { support_min: 1.0, confidence_min: 1.0, any_consequent: false });
        let any = found(&baskets, RuleLimits { support_min: 1.0, confidence_min: 1.0, any_consequent: true });
        // Six pairs and three of two to one; one to two as well.
        assert_eq!((one.len(), any.len()), (9, 12));
    }

    #[test]
    fn nothing_comes_of_nothing() {
        let limits = RuleLimits { support_min: 0.0, confidence_min: 0.0, any_consequent: true };
        assert_eq!(found(&[], limits), []);
        assert_eq!(found(&[&[], &["a"]], limits), []);
    }

    proptest! {
        #[test]
        fn every_rule_is_what_counting_says(baskets in prop::collection::vec(prop::collection::btree_set(0_u8..6, 0..5), 1..30)) {
            let names: Vec<Vec<String>> = baskets.iter().map(|basket| basket.iter().map(u8::to_string).collect()).collect();
            let held = Baskets::new(names.iter().map(|basket| basket.iter().map(String::as_str)));
            let limits = RuleLimits { support_min: 0.1, confidence_min: 0.3, any_consequent: true };
            for rule in rules(&held, &limits).expect("few") {
                let holds = |basket: &Vec<String>, items: &[usize]| items.iter().all(|item| basket.contains(&held.names()[*item]));
                let count = |items: &[usize]| names.iter().filter(|basket| holds(basket, items)).count() as f64;
                let both = count(&[&rule.antecedent[..], &rule.consequent[..]].concat());
                prop_assert!((rule.support - both / names.len() as f64).abs() < 1e-9 && rule.support >= 0.1 - 1e-9);
                prop_assert!((rule.confidence - both / count(&rule.antecedent)).abs() < 1e-9 && rule.confidence >= 0.3 - 1e-9);
                prop_assert!((rule.lift - rule.confidence * names.len() as f64 / count(&rule.consequent)).abs() < 1e-9);
            }
        }
    }
}
