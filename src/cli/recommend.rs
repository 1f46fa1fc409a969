use std::path::Path;

use super::{Failure, Place, open};
use crate::measure::Estimate;
use crate::recommend::{BasketReport, OffPolicyReport, SimulationReport, evaluate_baskets, evaluate_log, simulate};
use crate::store::Reader;

/// Most turns and worlds of a simulation: a turn takes about half a millisecond.
const TURNS_MAX: usize = 100_000;
const WORLDS_MAX: usize = 1_000;

/// How good recommending is.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// By baskets with one product left out (--data), or by the log: what other ways to choose would have come to
    #[command(after_help = "Examples:
  kioskd recommend evaluate --data baskets.csv --json
  kioskd recommend evaluate

With --data: how often the product left out is among the first 1, 3 and 10, by popularity, association, tastes and a blend of them.
Without: the share of offers that would have been taken, by inverse propensity scoring. The older half of the sessions is learned from,
the newer half judged on.")]
    Evaluate {
        /// A basket a line, its items by comma
        #[arg(long, value_name = "FILE")]
        data: Option<std::path::PathBuf>,
        /// Makes the parts and the draws
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// In made-up shops whose people are known: how soon the bandit learns what they take
    #[command(after_help = "Example:
  kioskd recommend simulate --worlds 20 --turns 2000")]
    Simulate {
        /// Made-up shops
        #[arg(long, default_value_t = 10)]
        worlds: usize,
        /// Turns in each
        #[arg(long, default_value_t = 1_000)]
        turns: usize,
        /// The first shop; the others follow
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(place: &Place, command: &Command) -> Result<(), Failure> {
    match command {
        Command::Evaluate { data: Some(data), seed, json } => {
            let report = evaluate_baskets(&baskets(data)?, *seed).map_err(|e| Failure::Input(format!("{}: {e}", data.display())))?;
            if *json { open::print_json(&report) } else { show_baskets(&report) }
        }
        Command::Evaluate { data: None, seed, json } => {
            let config = open::config(place)?;
            let reader = Reader::new(&config.paths.data);
            let limit = config.recommend.history_turns_max;
            let (turns, outcomes) = (reader.offered_turns(limit)?, reader.feedback(limit)?);
            let report = evaluate_log(&turns, &outcomes, config.recommend.explore, *seed).ok_or_else(too_little)?;
            if *json { open::print_json(&report) } else { show_log(&report) }
        }
        Command::Simulate { worlds, turns, seed, json } => {
            if !(1..=WORLDS_MAX).contains(worlds) || !(1..=TURNS_MAX).contains(turns) {
                return Err(Failure::Input(format!(
                    "--worlds is {worlds} and --turns {turns}; expected 1 to {WORLDS_MAX} and 1 to {TURNS_MAX}"
                )));
            }
            let report = simulate(*worlds, *turns, &[0.0, 0.1, 0.3, 1.0], *seed);
            if *json { open::print_json(&report) } else { show_simulation(&report) }
        }
    }
}

fn too_little() -> Failure {
    Failure::Job(
        "the log holds fewer than two sessions with offers of which it is known what became of them; \
         tell outcomes with POST /v1/sessions/{id}/feedback, or give baskets with --data"
            .to_owned(),
    )
}

fn baskets(path: &Path) -> Result<Vec<Vec<String>>, Failure> {
    let text = String::from_utf8(open::read(path)?).map_err(|_| Failure::Input(format!("{} is not text in UTF-8", path.display())))?;
    let items = |line: &str| line.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect();
    Ok(text.lines().filter(|line| !line.trim().is_empty()).map(items).collect())
}

/// A value with its interval of 95 %.
fn with_interval(estimate: &Estimate) -> String {
    format!("{:.3} ({:.3} to {:.3})", estimate.value, estimate.low, estimate.high)
}

fn show_baskets(report: &BasketReport) -> Result<(), Failure> {
    open::print_line(&format!(
        "{} baskets learned from, {} weighed on, {} judged on, {} products",
        report.learned_from, report.weighed_on, report.judged_on, report.products
    ))?;
    for figures in &report.figures {
        let [first, third, tenth] = figures.recall.each_ref().map(with_interval);
        open::print_line(&format!("{}: recall@1 {first}, @3 {third}, @10 {tenth}", figures.ranks_by))?;
        open::print_line(&format!(
            "    MRR {}, over popularity {}, coverage {:.3}",
            with_interval(&figures.mrr),
            with_interval(&figures.mrr_over_popularity),
            figures.coverage
        ))?;
    }
    Ok(())
}

fn show_log(report: &OffPolicyReport) -> Result<(), Failure> {
    open::print_line(&format!(
        "{} sessions learned from, {} judged on: {} turns with {} offers. Share of offers taken:",
        report.learned_from, report.judged_on, report.turns, report.offers
    ))?;
    for policy in &report.policies {
        open::print_line(&format!(
            "{}: IPS {}, clipped {}, self-normalised {}, doubly robust {}",
            policy.policy,
            with_interval(&policy.ips),
            with_interval(&policy.clipped_ips),
            with_interval(&policy.snips),
            with_interval(&policy.doubly_robust)
        ))?;
        let missing = 100.0 * policy.unsupported;
        open::print_line(&format!(
            "    worth {:.0} offers; {missing:.1} % of what it would offer is not in the log",
            policy.effective_offers
        ))?;
    }
    Ok(())
}

fn show_simulation(report: &SimulationReport) -> Result<(), Failure> {
    open::print_line(&format!("{} made-up shops, {} turns each", report.worlds, report.turns))?;
    for policy in &report.policies {
        open::print_line(&format!(
            "{}: taken {}, in the last quarter {}, over hand-set {}, regret in 100 turns {}",
            policy.policy,
            with_interval(&policy.acceptance),
            with_interval(&policy.acceptance_at_the_end),
            with_interval(&policy.over_hand_set),
            with_interval(&policy.regret_per_100_turns)
        ))?;
    }
    Ok(())
}
