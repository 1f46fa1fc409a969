//! What to offer beside the answer: at most three products of the shop's own catalog, each with its reason.
//!
//! [`Recommender::recommend`] works on the first turn of the first day, from what was said and shown: `candidates` throws out what must
//! never be offered (sold out, in the basket, talked about, refused in this conversation, with an allergen that was asked about, against a
//! diet) and weighs what speaks for the rest by hand-set weights; every point of a score is an [`Evidence`], and `explain` makes the
//! strongest one a sentence, so a reason is what was counted and never a story told afterwards.
//!
//! It learns from what people take. `association` counts what is taken with what, `collaborative` finds tastes, and both become evidence
//! once there is enough of it. `bandit` learns which evidence and which products are accepted, and moves the order by it at once; `choose`
//! draws from what is not known surely and tells how likely each offer was, so that another way to choose can be judged from the log
//! (`evaluate`). `learned` keeps who was offered what, so that an outcome finds the offer it is about.
//!
//! Invariants: what was thrown out cannot come back by any score or draw; unknown allergens count as contained; without feedback the order
//! is that of the hand-set weights; the same request of the same turn gives the same list as long as nothing is learned. How likely the
//! person takes a recommendation only decides how many are offered, never which.

mod association;
mod bandit;
mod candidates;
mod choose;
mod collaborative;
mod evaluate;
mod explain;
mod learned;
mod settings;
mod solve;

pub use candidates::{OFFERS_MAX, Offers, PriceWish, RecommendRequest, Recommender};
pub use evaluate::{
    BasketError, BasketFigures, BasketReport, Estimates, OffPolicyReport, SimulatedPolicy, SimulationReport, evaluate_baskets,
    evaluate_log, simulate,
};
pub use explain::Evidence;
pub use settings::RecommendConfig;
