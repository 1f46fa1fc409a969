use super::Baskets;
use super::itemsets::ItemSets;

/// Sets found at most: a support that is set too low would fill the memory.
const SETS_MAX: usize = 2_000_000;

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
/// Agrawal & Srikant 1994.
pub fn rules(baskets: &Baskets, limits: &RuleLimits) -> Result<Vec<Rule>, TooMany> {
    // Half a basket less than what rounding could take away.
    let count_min = ((limits.support_min * baskets.count() as f64) - 1e-9).ceil().max(1.0) as usize;
    let sets = ItemSets::find(baskets, count_min, SETS_MAX).ok_or(TooMany)?;
    let mut rules = Vec::new();
    for (set, count) in sets.iter() {
        // Each mask marks the items of a right side: one item each, or all that leave something for the left.
        let next = |mask: &u32| Some(if limits.any_consequent { mask + 1 } else { mask << 1 });
        let masks = std::iter::successors(Some(1), next).take_while(|mask| *mask < (1 << set.len()) - 1);
        rules.extend(masks.filter_map(|mask| rule(&set, count, mask, &sets, baskets.count(), limits)));
    }
    rules.sort_by(|a, b| b.lift.total_cmp(&a.lift).then_with(|| (&a.antecedent, &a.consequent).cmp(&(&b.antecedent, &b.consequent))));
    Ok(rules)
}

/// The rule whose right side are the items of `set` that `mask` marks, if it is sure enough.
fn rule(set: &[usize], count: usize, mask: u32, sets: &ItemSets, all: usize, limits: &RuleLimits) -> Option<Rule> {
    let side = |marked: bool| set.iter().enumerate().filter(move |(at, _)| (mask >> at & 1 == 1) == marked).map(|(_, item)| *item);
    // Every part of a frequent set is frequent.
    let confidence = count as f64 / sets.count(side(false))? as f64;
    if confidence + 1e-12 < limits.confidence_min {
        return None;
    }
    let right = sets.count(side(true))?;
    Some(Rule {
        antecedent: side(false).collect(),
        consequent: side(true).collect(),
        support: count as f64 / all as f64,
        confidence,
        lift: confidence * all as f64 / right as f64,
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
        fn the_rules_are_those_that_counting_finds(baskets in prop::collection::vec(prop::collection::btree_set(0_u8..6, 0..5), 1..30)) {
            let names: Vec<Vec<String>> = baskets.iter().map(|basket| basket.iter().map(u8::to_string).collect()).collect();
            let held = Baskets::new(names.iter().map(|basket| basket.iter().map(String::as_str)));
            let limits = RuleLimits { support_min: 0.1, confidence_min: 0.3, any_consequent: true };
            let found = rules(&held, &limits).expect("few");
            for rule in &found {
                let holds = |basket: &Vec<String>, items: &[usize]| items.iter().all(|item| basket.contains(&held.names()[*item]));
                let count = |items: &[usize]| names.iter().filter(|basket| holds(basket, items)).count() as f64;
                let both = count(&[&rule.antecedent[..], &rule.consequent[..]].concat());
                prop_assert!((rule.support - both / names.len() as f64).abs() < 1e-9 && rule.support >= 0.1 - 1e-9);
                prop_assert!((rule.confidence - both / count(&rule.antecedent)).abs() < 1e-9 && rule.confidence >= 0.3 - 1e-9);
                prop_assert!((rule.lift - rule.confidence * names.len() as f64 / count(&rule.consequent)).abs() < 1e-9);
            }
            // None is missing: of each item a digit tells whether it is on no side (0), the left (1) or the right (2).
            let side = |sides: u32, wanted: u32| (0..6_u8).filter(|item| sides / 3_u32.pow(u32::from(*item)) % 3 == wanted).collect::<Vec<_>>();
            let is_rule = |sides: &u32| {
                let (left, right) = (side(*sides, 1), side(*sides, 2));
                let count = |items: &[u8]| baskets.iter().filter(|basket| items.iter().all(|item| basket.contains(item))).count() as f64;
                let (both, alone) = (count(&[&left[..], &right[..]].concat()), count(&left));
                !left.is_empty() && !right.is_empty() && both >= (0.1 * baskets.len() as f64 - 1e-9).max(1.0) && both / alone >= 0.3 - 1e-9
            };
            prop_assert_eq!(found.len(), (0..3_u32.pow(6)).filter(is_rule).count());
        }
    }
}
