//! How good recommending is: by baskets with one product left out, by the log of another way to choose, and in a made-up world whose
//! truth is known.

mod baskets;
mod off_policy;
mod simulate;

pub use baskets::{BasketError, BasketFigures, BasketReport, evaluate_baskets};
pub use off_policy::{Estimates, OffPolicyReport, evaluate_log};
pub use simulate::{SimulatedPolicy, SimulationReport, simulate};
