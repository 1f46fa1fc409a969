use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::bandit::{Bandit, Strengths, strengths};
use super::super::choose::{Candidate, choose};
use super::super::learned::Learned;
use crate::domain::{Feedback, FeedbackOutcome, OfferedTurn, ProductId, SessionId};
use crate::measure::{Estimate, bootstrap};

/// Weights above this are cut in the clipped estimate.
const WEIGHT_MAX: f64 = 10.0;
/// Draws of the bootstrap.
const DRAWS: usize = 1_000;

/// How often offers would be taken by one way to choose, estimated from the log of another; each a share of the offers.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Estimates {
    /// The way to choose.
    pub policy: &'static str,
    /// Inverse propensity scoring: right on the average, and wide.
    pub ips: Estimate,
    /// The same with weights cut at 10: narrower, and low where they are cut.
    pub clipped_ips: Estimate,
    /// Self-normalised: divided by the sum of the weights, not by the number of offers.
    pub snips: Estimate,
    /// Doubly robust: a model of acceptance, corrected by weighted errors. The model is learned from the half that is not judged on.
    pub doubly_robust: Estimate,
    /// Offers that the weighted ones are worth: (sum of weights)² / sum of squares.
    pub effective_offers: f64,
    /// Share of what this way would offer that the log could not have held. Where it is much above 0, no estimate is to be trusted.
    pub unsupported: f64,
}

/// What the log says.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct OffPolicyReport {
    /// Sessions that were learned from: the older half of those with a known outcome.
    pub learned_from: usize,
    /// Sessions that were judged on: the newer half.
    pub judged_on: usize,
    /// Turns with offers in these.
    pub turns: usize,
    /// Offers in these.
    pub offers: usize,
    /// What was logged; the hand-set weights; the bandit's best guess; the bandit with its draws.
    pub policies: Vec<Estimates>,
}

/// One product that could be offered.
struct Eligible {
    product: ProductId,
    strengths: Strengths,
    propensity: f64,
    /// What came of it, where it was offered.
    reward: Option<f64>,
}

struct Decision {
    session: usize,
    offered: usize,
    options: Vec<Eligible>,
}

/// Judges ways to choose by the log; `None` where fewer than two sessions have offers and a known outcome.
///
/// An offer was taken where the product was accepted, bought or liked in its session, and was not where it was not by the time something
/// else is known of how the session ended. A product counts by itself, wherever it stands in the list.
///
/// # Source
/// Horvitz & Thompson 1952 for the weights; Swaminathan & Joachims 2015, "The Self-Normalized Estimator for Counterfactual Learning";
/// Dudík, Langford & Li 2011, "Doubly Robust Policy Evaluation and Learning".
pub fn evaluate_log(turns: &[OfferedTurn], outcomes: &[Feedback], explore: f64, seed: u64) -> Option<OffPolicyReport> {
    let known = known_sessions(outcomes);
    let mut began: BTreeMap<&SessionId, u64> = BTreeMap::new();
    for turn in turns.iter().filter(|turn| known.contains(&turn.session) && !turn.offered.is_empty()) {
        let first = began.entry(&turn.session).or_insert(turn.at_unix_ms);
        *first = (*first).min(turn.at_unix_ms);
    }
    let mut sessions: Vec<&SessionId> = began.keys().copied().collect();
    sessions.sort_by_key(|session| (began[session], *session));
    if sessions.len() < 2 {
        return None;
    }
    let (older, newer) = sessions.split_at(sessions.len() / 2);
    let older_set: HashSet<&SessionId> = older.iter().copied().collect();
    let mut learned = Learned::default();
    let of_older: Vec<OfferedTurn> = turns.iter().filter(|turn| older_set.contains(&turn.session)).cloned().collect();
    let said_of_older: Vec<Feedback> = outcomes.iter().filter(|said| older_set.contains(&said.session)).cloned().collect();
    learned.replay(&of_older, &said_of_older);
    let decisions = decisions(turns, outcomes, newer);
    let policies = policies(&learned.bandit, &decisions, newer.len(), explore, seed);
    Some(OffPolicyReport {
        learned_from: older.len(),
        judged_on: newer.len(),
        turns: decisions.len(),
        offers: decisions.iter().map(|decision| decision.offered).sum(),
        policies,
    })
}

/// Sessions of which it is known what became of the offers.
fn known_sessions(outcomes: &[Feedback]) -> HashSet<SessionId> {
    let tells = |said: &&Feedback| match said.outcome {
        FeedbackOutcome::Purchase | FeedbackOutcome::Accepted | FeedbackOutcome::Rejected | FeedbackOutcome::Left => true,
        FeedbackOutcome::ThumbsUp | FeedbackOutcome::ThumbsDown => said.product.is_some(),
        FeedbackOutcome::HandedOver | FeedbackOutcome::Rated(_) => false,
    };
    outcomes.iter().filter(tells).map(|said| said.session.clone()).collect()
}

fn decisions(turns: &[OfferedTurn], outcomes: &[Feedback], sessions: &[&SessionId]) -> Vec<Decision> {
    let numbers: HashMap<&SessionId, usize> = sessions.iter().enumerate().map(|(at, session)| (*session, at)).collect();
    // What was said last of a product holds.
    let mut said: HashMap<(&SessionId, &ProductId), (u64, f64)> = HashMap::new();
    for feedback in outcomes {
        let reward = match feedback.outcome {
            FeedbackOutcome::Purchase | FeedbackOutcome::Accepted | FeedbackOutcome::ThumbsUp => 1.0,
            FeedbackOutcome::Rejected | FeedbackOutcome::ThumbsDown => 0.0,
            FeedbackOutcome::HandedOver | FeedbackOutcome::Left | FeedbackOutcome::Rated(_) => continue,
        };
        let Some(product) = &feedback.product else { continue };
        let entry = said.entry((&feedback.session, product)).or_insert((feedback.at_unix_ms, reward));
        if feedback.at_unix_ms >= entry.0 {
            *entry = (feedback.at_unix_ms, reward);
        }
    }
    // A product that is offered again in a session is taken by its last offer.
    let mut last: HashMap<(&SessionId, &ProductId), u32> = HashMap::new();
    for turn in turns {
        for offer in &turn.offered {
            let newest = last.entry((&turn.session, &offer.product)).or_insert(turn.turn);
            *newest = (*newest).max(turn.turn);
        }
    }
    let decide = |turn: &OfferedTurn| {
        let session = *numbers.get(&turn.session)?;
        let offered = turn.offered.iter().map(|offer| {
            let key = (&turn.session, &offer.product);
            let is_last = last.get(&key) == Some(&turn.turn);
            let reward = said.get(&key).filter(|_| is_last).map_or(0.0, |(_, reward)| *reward);
            let propensity = f64::from(offer.propensity.get());
            Eligible { product: offer.product.clone(), strengths: strengths(&offer.evidence), propensity, reward: Some(reward) }
        });
        let passed_over = turn.passed_over.iter().map(|option| Eligible {
            product: option.product.clone(),
            strengths: strengths(&option.evidence),
            propensity: f64::from(option.propensity.get()),
            reward: None,
        });
        let mut options: Vec<Eligible> = offered.chain(passed_over).collect();
        options.sort_by(|a, b| points(b).total_cmp(&points(a)).then_with(|| a.product.cmp(&b.product)));
        (!turn.offered.is_empty()).then_some(Decision { session, offered: turn.offered.len(), options })
    };
    turns.iter().filter_map(decide).collect()
}

fn points(option: &Eligible) -> f64 {
    option.strengths.iter().sum()
}

fn policies(bandit: &Bandit, decisions: &[Decision], sessions: usize, explore: f64, seed: u64) -> Vec<Estimates> {
    let hand_set = Bandit::default();
    let by = |bandit: &Bandit, explore: f64| -> Vec<Vec<f64>> {
        decisions.iter().enumerate().map(|(at, decision)| shares(bandit, decision, explore, seed.wrapping_add(at as u64))).collect()
    };
    let logged: Vec<Vec<f64>> =
        decisions.iter().map(|decision| decision.options.iter().map(|option| option.propensity).collect()).collect();
    let ways: [(&'static str, Vec<Vec<f64>>); 4] =
        [("logged", logged), ("hand_set", by(&hand_set, 0.0)), ("bandit", by(bandit, 0.0)), ("bandit_exploring", by(bandit, explore))];
    ways.iter().map(|(name, shares)| estimates(name, bandit, decisions, shares, sessions, seed)).collect()
}

/// How likely each option of a decision is to be offered.
fn shares(bandit: &Bandit, decision: &Decision, explore: f64, seed: u64) -> Vec<f64> {
    let candidate = |option: &Eligible| (points(option) as f32, option.strengths);
    let candidates: Vec<Candidate<'_>> = decision
        .options
        .iter()
        .map(|option| {
            let (score, strengths) = candidate(option);
            Candidate { product: &option.product, strengths, score }
        })
        .collect();
    let choice = choose(bandit, &candidates, decision.offered, explore, seed);
    let mut shares = vec![0.0; candidates.len()];
    for (place, at) in choice.order.iter().enumerate() {
        shares[*at] = f64::from(choice.propensities[place]);
    }
    shares
}

/// Sums of one session, from which every estimate is made.
#[derive(Clone, Copy, Default)]
struct Sums {
    offers: f64,
    weights: f64,
    weighted: f64,
    clipped: f64,
    robust: f64,
}

fn estimates(policy: &'static str, bandit: &Bandit, decisions: &[Decision], shares: &[Vec<f64>], sessions: usize, seed: u64) -> Estimates {
    let model = bandit.mean();
    let mut sums = vec![Sums::default(); sessions];
    let (mut weights, mut squares, mut unsupported, mut wanted) = (0.0, 0.0, 0.0, 0.0);
    for (decision, shares) in decisions.iter().zip(shares) {
        let sum = &mut sums[decision.session];
        sum.offers += decision.offered as f64;
        for (option, share) in decision.options.iter().zip(shares) {
            let expected = model.acceptance(&option.product, &option.strengths).clamp(0.0, 1.0);
            sum.robust += share * expected;
            wanted += share;
            unsupported += if option.propensity > 0.0 { 0.0 } else { *share };
            let Some(reward) = option.reward.filter(|_| option.propensity > 0.0) else { continue };
            let weight = share / option.propensity;
            (weights, squares) = (weights + weight, squares + weight * weight);
            sum.weights += weight;
            sum.weighted += weight * reward;
            sum.clipped += weight.min(WEIGHT_MAX) * reward;
            sum.robust += weight * (reward - expected);
        }
    }
    let of = |part: &dyn Fn(&Sums) -> f64, all: &dyn Fn(&Sums) -> f64| {
        let ratio = |rows: &[usize]| {
            let below: f64 = rows.iter().map(|row| all(&sums[*row])).sum();
            (below > 0.0).then(|| rows.iter().map(|row| part(&sums[*row])).sum::<f64>() / below)
        };
        bootstrap(sessions, DRAWS, seed, ratio).unwrap_or(Estimate { value: 0.0, low: 0.0, high: 0.0 })
    };
    Estimates {
        policy,
        ips: of(&|sum| sum.weighted, &|sum| sum.offers),
        clipped_ips: of(&|sum| sum.clipped, &|sum| sum.offers),
        snips: of(&|sum| sum.weighted, &|sum| sum.weights),
        doubly_robust: of(&|sum| sum.robust, &|sum| sum.offers),
        effective_offers: if squares > 0.0 { weights * weights / squares } else { 0.0 },
        unsupported: if wanted > 0.0 { unsupported / wanted } else { 0.0 },
    }
}

#[cfg(test)]
mod tests {
    use super::super::simulate::World;
    use super::*;

    #[test]
    fn another_policy_is_worth_what_the_log_says_it_is() {
        // Logged under full exploring, in several worlds; the truth of each policy is known. An interval of 95 % may miss now and then.
        let (mut within, mut all) = (0, 0);
        for seed in 0..4 {
            let world = World::new(seed);
            let (turns, outcomes) = world.log(800, 1.0, seed);
            let report = evaluate_log(&turns, &outcomes, 1.0, seed).expect("a report");
            let hand_set = &report.policies[1];
            assert!(hand_set.unsupported < 0.02, "{hand_set:?}");
            let truth = world.worth_of_hand_set(&turns[turns.len() / 2..]);
            for estimate in [hand_set.ips, hand_set.snips, hand_set.doubly_robust] {
                all += 1;
                within += usize::from(estimate.low <= truth && truth <= estimate.high);
                assert!((estimate.value - truth).abs() < 0.12, "{estimate:?} is not {truth}");
            }
            // The logged policy judged by its own log is a plain mean.
            let logged = &report.policies[0];
            assert!((logged.ips.value - logged.snips.value).abs() < 1e-6 && logged.unsupported == 0.0);
            assert!((logged.effective_offers - report.offers as f64).abs() < 1e-3);
        }
        assert!(within * 10 >= all * 8, "{within} of {all} intervals hold the truth");
    }

    #[test]
    fn a_log_that_always_did_the_same_cannot_judge_another_way() {
        let world = World::new(3);
        let (turns, outcomes) = world.log(400, 0.0, 3);
        let report = evaluate_log(&turns, &outcomes, 1.0, 3).expect("a report");
        let exploring = report.policies.last().expect("policies");
        assert!(exploring.unsupported > 0.1, "{exploring:?}");
        assert_eq!(evaluate_log(&turns, &[], 0.0, 1), None);
    }
}
