//! What many visits say together: functions over records, without models and without the log.
//!
//! [`Baskets`] holds who bought what with what; [`rules`] finds what goes with what. Nothing here reads a file or knows a shop.

mod baskets;
mod rules;

pub use baskets::Baskets;
pub use rules::{Rule, RuleLimits, TooMany, rules};
