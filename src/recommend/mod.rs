//! What to offer beside the answer: at most three products of the shop's own catalog, each with its reason.
//!
//! [`Recommender::recommend`] is content-based and needs no history: it works on the first turn of the first day, from what was
//! said and shown. `candidates` throws out what must never be offered (sold out, in the basket, talked about, with an allergen that
//! was asked about, against a diet) and scores the rest; every point of a score is an [`Evidence`], and `explain` makes the
//! strongest one a sentence, so a reason is what was counted and never a story told afterwards.
//!
//! Invariants: what was thrown out cannot come back by any score; unknown allergens count as contained; the same request gives the
//! same list. How likely the person takes a recommendation only decides how many are offered, never which.

mod candidates;
mod explain;

pub use candidates::{OFFERS_MAX, PriceWish, RecommendRequest, Recommender};
pub use explain::Evidence;
