use std::collections::{HashMap, HashSet, VecDeque};

use super::association::{BasketNumber, Together};
use super::bandit::{Bandit, Judged, strengths};
use super::collaborative::{self, FactorSettings, Tastes};
use crate::domain::{Feedback, FeedbackOutcome, OfferedTurn, ProductId, Recommendation, SessionId};

/// Conversations whose offers can still be judged; beyond this the oldest are forgotten.
const SESSIONS_MAX: usize = 4_096;
/// Offers of one conversation that can be judged, and products it can refuse.
const OFFERS_MAX: usize = 256;
/// Offers that must be judged before the desk tries out what it is not sure of: one thumb must not shuffle a new desk's offers.
pub(super) const EXPLORE_FROM: f64 = 20.0;
/// A thumb for a whole turn is about the answer first, so it counts this much for each of its offers.
const WHOLE_TURN: f64 = 0.25;
/// Stars from which a rating is good, and up to which it is bad.
const STARS: (u8, u8) = (4, 2);

/// An offer that was shown.
#[derive(Debug, Clone)]
struct Shown {
    turn: u32,
    offer: Judged,
    /// Whether `offer` holds a judgement that the bandit has learned, and whether that was of this very product.
    judged: Option<About>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    /// Nothing was said of it when the person left.
    Nothing,
    /// The whole turn.
    Turn,
    /// The product.
    Product,
}

#[derive(Debug, Clone, Default)]
struct Memory {
    shown: Vec<Shown>,
    refused: Vec<ProductId>,
    /// Allergens asked about.
    avoided: Vec<String>,
    taken: HashSet<ProductId>,
    basket: Option<BasketNumber>,
}

/// All that was learned from what people took and refused. It is worked out from the log at the start, and goes on with each outcome.
#[derive(Debug, Clone, Default)]
pub(super) struct Learned {
    pub(super) bandit: Bandit,
    pub(super) together: Together,
    pub(super) tastes: Option<Tastes>,
    sessions: HashMap<SessionId, Memory>,
    /// Oldest first.
    order: VecDeque<SessionId>,
    /// Baskets there were when tastes were fitted last.
    fitted_at: usize,
}

impl Learned {
    /// Learns from the log, in the order in which things happened.
    pub(super) fn replay(&mut self, turns: &[OfferedTurn], outcomes: &[Feedback]) {
        let mut turns: Vec<&OfferedTurn> = turns.iter().collect();
        turns.sort_by_key(|turn| turn.at_unix_ms);
        let mut outcomes: Vec<&Feedback> = outcomes.iter().collect();
        outcomes.sort_by_key(|feedback| feedback.at_unix_ms);
        let mut outcomes = outcomes.into_iter().peekable();
        for turn in turns {
            // An outcome follows the turn of the same millisecond.
            while let Some(feedback) = outcomes.next_if(|feedback| feedback.at_unix_ms < turn.at_unix_ms) {
                self.feedback(feedback);
            }
            self.shown(&turn.session, turn.turn, &turn.offered);
            self.taken(&turn.session, &turn.taken);
            self.avoid(&turn.session, &turn.allergens);
        }
        outcomes.for_each(|feedback| self.feedback(feedback));
    }

    /// Notes what was offered in a turn, so that it can be judged.
    pub(super) fn shown(&mut self, session: &SessionId, turn: u32, offers: &[Recommendation]) {
        if offers.is_empty() {
            return;
        }
        let memory = self.memory(session);
        for (place, offer) in offers.iter().enumerate() {
            let offer = Judged { product: offer.product.clone(), strengths: strengths(&offer.evidence), place, reward: 0.0, weight: 0.0 };
            memory.shown.push(Shown { turn, offer, judged: None });
        }
        let too_many = memory.shown.len().saturating_sub(OFFERS_MAX);
        memory.shown.drain(..too_many);
    }

    /// Notes what a person has surely taken (an order that was confirmed, a purchase): what goes with what is counted at once.
    pub(super) fn taken(&mut self, session: &SessionId, products: &[ProductId]) {
        if products.is_empty() {
            return;
        }
        let known = self.memory(session).basket;
        let basket = known.unwrap_or_else(|| self.together.begin());
        self.memory(session).basket = Some(basket);
        for product in products {
            if self.memory(session).taken.insert(product.clone()) {
                self.together.add(basket, product);
            }
        }
    }

    /// Notes allergens that were asked about: who asked once shall not be offered them a minute later.
    pub(super) fn avoid(&mut self, session: &SessionId, allergens: &[String]) {
        if allergens.is_empty() {
            return;
        }
        let avoided = &mut self.memory(session).avoided;
        for allergen in allergens {
            if !avoided.contains(allergen) && avoided.len() < OFFERS_MAX {
                avoided.push(allergen.clone());
            }
        }
    }

    /// Allergens that this person has asked about in this conversation.
    pub(super) fn avoided(&self, session: &SessionId) -> &[String] {
        self.sessions.get(session).map_or(&[], |memory| &memory.avoided)
    }

    /// What this person refused in this conversation.
    pub(super) fn refused(&self, session: &SessionId) -> &[ProductId] {
        self.sessions.get(session).map_or(&[], |memory| &memory.refused)
    }

    /// Learns from an outcome, at once.
    ///
    /// An offer is judged once: what was said of the product itself goes before what was said of the turn, and that before silence; among
    /// equals the later one holds.
    pub(super) fn feedback(&mut self, feedback: &Feedback) {
        use FeedbackOutcome as Outcome;
        let (session, turn) = (&feedback.session, feedback.turn);
        match (feedback.outcome, &feedback.product) {
            (Outcome::Purchase | Outcome::Accepted, Some(product)) => {
                self.judge_product(session, product, 1.0);
                self.memory(session).refused.retain(|refused| refused != product);
                if feedback.outcome == Outcome::Purchase {
                    self.taken(session, std::slice::from_ref(product));
                }
            }
            (Outcome::ThumbsUp, Some(product)) => self.judge_product(session, product, 1.0),
            (Outcome::Rejected | Outcome::ThumbsDown, Some(product)) => {
                self.judge_product(session, product, 0.0);
                self.refuse(session, std::slice::from_ref(product));
            }
            // One of the turn's offers was taken, and it is not said which.
            (Outcome::Accepted, None) => self.judge_turn(session, turn, 1.0, |offers| 1.0 / offers as f64),
            (Outcome::Rejected, None) => {
                self.judge_turn(session, turn, 0.0, |_| 1.0);
                let all = self.of_turn(session, turn);
                self.refuse(session, &all);
            }
            (Outcome::ThumbsUp, None) => self.judge_turn(session, turn, 1.0, |_| WHOLE_TURN),
            (Outcome::ThumbsDown, None) => self.judge_turn(session, turn, 0.0, |_| WHOLE_TURN),
            (Outcome::Rated(stars), _) if stars >= STARS.0 => self.judge_turn(session, turn, 1.0, |_| WHOLE_TURN),
            (Outcome::Rated(stars), _) if stars <= STARS.1 => self.judge_turn(session, turn, 0.0, |_| WHOLE_TURN),
            // The person is gone: what was not taken by now was not taken.
            (Outcome::Left, _) | (Outcome::Purchase, None) => self.close(session),
            // Who is handed over has not looked at the offers.
            (Outcome::HandedOver | Outcome::Rated(_), _) => {}
        }
    }

    /// Baskets to fit tastes to, where enough came since the last time.
    pub(super) fn due(&self) -> Option<(usize, Vec<Vec<ProductId>>)> {
        let ever = self.together.ever();
        let is_due = ever >= self.fitted_at + collaborative::BASKETS_MIN.max(self.fitted_at / 10);
        is_due.then(|| (ever, self.together.iter().map(|basket| basket.into_iter().cloned().collect()).collect()))
    }

    /// Fits tastes to baskets that [`Self::due`] gave; takes up to seconds.
    pub(super) fn fit(baskets: &[Vec<ProductId>]) -> Option<Tastes> {
        Tastes::fit(baskets, FactorSettings::default())
    }

    /// Takes tastes on.
    pub(super) fn fitted(&mut self, at: usize, tastes: Option<Tastes>) {
        (self.fitted_at, self.tastes) = (at, tastes);
    }

    fn memory(&mut self, session: &SessionId) -> &mut Memory {
        if !self.sessions.contains_key(session) {
            if self.order.len() >= SESSIONS_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.sessions.remove(&oldest);
            }
            self.order.push_back(session.clone());
        }
        self.sessions.entry(session.clone()).or_default()
    }

    /// Judges the newest offer of a product; a product that was not offered teaches nothing about offers.
    fn judge_product(&mut self, session: &SessionId, product: &ProductId, reward: f64) {
        let Some(memory) = self.sessions.get_mut(session) else { return };
        if let Some(shown) = memory.shown.iter_mut().rev().find(|shown| shown.offer.product == *product) {
            judge(&mut self.bandit, shown, About::Product, reward, 1.0);
        }
    }

    fn judge_turn(&mut self, session: &SessionId, turn: Option<u32>, reward: f64, weight: impl Fn(usize) -> f64) {
        let Some(memory) = self.sessions.get_mut(session) else { return };
        let Some(turn) = turn.or(memory.shown.last().map(|shown| shown.turn)) else { return };
        let offers = memory.shown.iter().filter(|shown| shown.turn == turn).count();
        for shown in memory.shown.iter_mut().filter(|shown| shown.turn == turn) {
            judge(&mut self.bandit, shown, About::Turn, reward, weight(offers));
        }
    }

    fn close(&mut self, session: &SessionId) {
        let Some(memory) = self.sessions.get_mut(session) else { return };
        for shown in &mut memory.shown {
            let reward = if memory.taken.contains(&shown.offer.product) { 1.0 } else { 0.0 };
            judge(&mut self.bandit, shown, About::Nothing, reward, 1.0);
        }
    }

    fn of_turn(&self, session: &SessionId, turn: Option<u32>) -> Vec<ProductId> {
        let Some(memory) = self.sessions.get(session) else { return Vec::new() };
        let turn = turn.or(memory.shown.last().map(|shown| shown.turn));
        memory.shown.iter().filter(|shown| Some(shown.turn) == turn).map(|shown| shown.offer.product.clone()).collect()
    }

    fn refuse(&mut self, session: &SessionId, products: &[ProductId]) {
        let refused = &mut self.memory(session).refused;
        for product in products {
            if !refused.contains(product) && refused.len() < OFFERS_MAX {
                refused.push(product.clone());
            }
        }
    }
}

fn judge(bandit: &mut Bandit, shown: &mut Shown, about: About, reward: f64, weight: f64) {
    match shown.judged {
        Some(before) if about < before => return,
        Some(_) => bandit.unlearn(&shown.offer),
        None => {}
    }
    (shown.offer.reward, shown.offer.weight, shown.judged) = (reward, weight, Some(about));
    bandit.learn(&shown.offer);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{EvidenceKind, Probability};

    fn id(name: &str) -> ProductId {
        ProductId(name.to_owned())
    }

    fn session(name: &str) -> SessionId {
        SessionId::parse(name).expect("an identifier")
    }

    fn offer(product: &str) -> Recommendation {
        Recommendation {
            product: id(product),
            name: product.to_owned(),
            price: None,
            score: 0.5,
            reason: String::new(),
            evidence: vec![(EvidenceKind::Cheaper, 0.5)],
            propensity: Probability::clamped(1.0),
        }
    }

    fn said(of: &str, outcome: FeedbackOutcome, product: Option<&str>) -> Feedback {
        Feedback { session: session(of), turn: Some(1), at_unix_ms: 0, outcome, product: product.map(id) }
    }

    fn after(outcomes: &[Feedback]) -> Learned {
        let mut learned = Learned::default();
        learned.shown(&session("s"), 1, &[offer("pear"), offer("plum")]);
        outcomes.iter().for_each(|feedback| learned.feedback(feedback));
        learned
    }

    fn advantage(learned: &Learned, product: &str) -> f64 {
        learned.bandit.mean().advantage(&id(product), &strengths(&[(EvidenceKind::Cheaper, 0.5)]))
    }

    #[test]
    fn what_is_accepted_rises_at_once_and_what_is_rejected_is_refused_in_this_conversation_only() {
        let learned = after(&[said("s", FeedbackOutcome::Accepted, Some("pear")), said("s", FeedbackOutcome::Rejected, Some("plum"))]);
        assert!(advantage(&learned, "pear") > 0.0 && advantage(&learned, "plum") < advantage(&learned, "pear"));
        assert_eq!(learned.refused(&session("s")), [id("plum")]);
        assert!(learned.refused(&session("other")).is_empty());
    }

    #[test]
    fn a_later_word_replaces_an_earlier_one_and_is_not_counted_twice() {
        let changed = after(&[said("s", FeedbackOutcome::Rejected, Some("pear")), said("s", FeedbackOutcome::Purchase, Some("pear"))]);
        let bought = after(&[said("s", FeedbackOutcome::Purchase, Some("pear"))]);
        assert!((advantage(&changed, "pear") - advantage(&bought, "pear")).abs() < 1e-9);
        assert!(changed.refused(&session("s")).is_empty(), "who buys it refuses it no longer");
        let twice = after(&[said("s", FeedbackOutcome::Accepted, Some("pear")), said("s", FeedbackOutcome::Purchase, Some("pear"))]);
        assert!((twice.bandit.judged() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn who_leaves_has_not_taken_what_nothing_was_said_of() {
        let learned = after(&[said("s", FeedbackOutcome::Accepted, Some("pear")), said("s", FeedbackOutcome::Left, None)]);
        assert!((learned.bandit.judged() - 2.0).abs() < 1e-9);
        assert!(advantage(&learned, "plum") < advantage(&learned, "pear"));
        let back = after(&[
            said("s", FeedbackOutcome::Left, None),
            said("s", FeedbackOutcome::Purchase, Some("pear")),
            said("s", FeedbackOutcome::Purchase, None),
        ]);
        assert!((back.bandit.judged() - 2.0).abs() < 1e-9 && (advantage(&back, "pear") - advantage(&learned, "pear")).abs() < 1e-9);
        let handed_over = after(&[said("s", FeedbackOutcome::HandedOver, None)]);
        assert_eq!(handed_over.bandit.judged(), 0.0);
    }

    #[test]
    fn a_thumb_for_the_turn_counts_less_than_a_word_on_the_product_and_never_replaces_it() {
        let thumb = after(&[said("s", FeedbackOutcome::ThumbsUp, None)]);
        let word = after(&[said("s", FeedbackOutcome::ThumbsUp, Some("pear"))]);
        assert!(0.0 < advantage(&thumb, "pear") && advantage(&thumb, "pear") < advantage(&word, "pear"));
        let both = after(&[said("s", FeedbackOutcome::Rejected, Some("pear")), said("s", FeedbackOutcome::Rated(5), None)]);
        assert!(advantage(&both, "pear") < advantage(&both, "plum"));
    }

    #[test]
    fn feedback_on_what_was_never_offered_or_a_stranger_changes_no_order() {
        let learned = after(&[
            said("s", FeedbackOutcome::Accepted, Some("no such")),
            said("stranger", FeedbackOutcome::ThumbsDown, None),
            said("stranger", FeedbackOutcome::Left, None),
        ]);
        assert_eq!(learned.bandit.judged(), 0.0);
    }

    #[test]
    fn purchases_of_one_conversation_are_one_basket() {
        let learned = after(&[
            said("s", FeedbackOutcome::Purchase, Some("pear")),
            said("s", FeedbackOutcome::Purchase, Some("plum")),
            said("s", FeedbackOutcome::Purchase, Some("plum")),
            said("t", FeedbackOutcome::Purchase, Some("plum")),
        ]);
        assert_eq!((learned.together.baskets(), learned.together.count(&id("plum"))), (2, 2));
    }

    #[test]
    fn the_oldest_conversations_are_forgotten() {
        let mut learned = Learned::default();
        for n in 0..SESSIONS_MAX + 10 {
            learned.shown(&session(&format!("s{n}")), 1, &[offer("pear")]);
        }
        assert_eq!((learned.sessions.len(), learned.order.len()), (SESSIONS_MAX, SESSIONS_MAX));
    }
}
