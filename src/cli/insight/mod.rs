//! What many visits say together: a file per question. Each reads the session log, or a file with `--data`.

mod anomalies;
mod demand;
mod rules;
mod segments;
mod sheets;
mod unanswered;
mod visits;

use super::{Failure, Place};

/// What many visits say together.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Kinds of visits: segments by clustering, and what sets them apart
    Segments(segments::Arguments),
    /// What goes with what: association rules over baskets
    Rules(rules::Arguments),
    /// Visits that are unlike the others, and what is unusual about them
    Anomalies(anomalies::Arguments),
    /// What is wanted when: by hour, weekday and product, and what was unusual
    Demand(demand::Arguments),
    /// Questions without an answer, grouped by meaning
    Unanswered(unanswered::Arguments),
}

pub(super) fn run(place: &Place, command: &Command) -> Result<(), Failure> {
    match command {
        Command::Segments(arguments) => segments::run(place, arguments),
        Command::Rules(arguments) => rules::run(place, arguments),
        Command::Anomalies(arguments) => anomalies::run(place, arguments),
        Command::Demand(arguments) => demand::run(place, arguments),
        Command::Unanswered(arguments) => unanswered::run(place, arguments),
    }
}

/// A share that was typed.
fn check_share(name: &str, share: f64) -> Result<(), Failure> {
    if share > 0.0 && share <= 1.0 { Ok(()) } else { Err(Failure::Input(format!("{name} is {share}; expected more than 0, up to 1"))) }
}

/// A number for people: as many digits as say something.
fn short(x: f64) -> String {
    match x.abs() {
        size if size >= 100.0 => format!("{x:.0}"),
        size if size >= 1.0 || size == 0.0 => format!("{x:.1}"),
        _ => format!("{x:.3}"),
    }
}
