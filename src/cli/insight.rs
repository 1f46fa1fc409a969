use std::path::PathBuf;

use serde_json::json;

use super::{Failure, open};
use crate::insight::{Baskets, RuleLimits, rules};

/// What many visits say together.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// What goes with what: association rules over baskets
    #[command(after_help = "Example:
  kioskd insight rules --data baskets.csv --min-support 0.001 --min-confidence 0.5 --json")]
    Rules {
        /// A basket a line, its items by comma
        #[arg(long, value_name = "FILE")]
        data: PathBuf,
        /// Share of all baskets that must hold all items of a rule, more than 0 up to 1
        #[arg(long, value_name = "SHARE", default_value_t = 0.01)]
        min_support: f64,
        /// Share of the baskets with the left side that must hold the right side too, 0 to 1
        #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
        min_confidence: f64,
        /// Several items on the right as well
        #[arg(long)]
        any_consequent: bool,
        /// Print one JSON object a rule
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    let Command::Rules { data, min_support, min_confidence, any_consequent, json } = command;
    if !(*min_support > 0.0 && *min_support <= 1.0) {
        return Err(Failure::Input(format!("--min-support is {min_support}; expected more than 0, up to 1")));
    }
    if !(0.0..=1.0).contains(min_confidence) {
        return Err(Failure::Input(format!("--min-confidence is {min_confidence}; expected 0 to 1")));
    }
    let text = String::from_utf8(open::read(data)?).map_err(|_| Failure::Input(format!("{} is not text in UTF-8", data.display())))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let baskets = Baskets::new(lines.map(|line| line.split(',').map(str::trim).filter(|item| !item.is_empty())));
    if baskets.count() == 0 {
        return Err(Failure::Input(format!("{} holds no basket; expected one a line, its items by comma", data.display())));
    }
    let limits = RuleLimits { support_min: *min_support, confidence_min: *min_confidence, any_consequent: *any_consequent };
    let found = rules(&baskets, &limits).map_err(|e| Failure::Input(e.to_string()))?;
    let names = |items: &[usize]| -> Vec<&str> { items.iter().map(|item| baskets.names()[*item].as_str()).collect() };
    for rule in &found {
        let (left, right) = (names(&rule.antecedent), names(&rule.consequent));
        if *json {
            open::print_json(
                &json!({ "if": left, "then": right, "support": rule.support, "confidence": rule.confidence, "lift": rule.lift }),
            )?;
        } else {
            let (left, right) = (left.join(" + "), right.join(" + "));
            let (support, confidence) = (100.0 * rule.support, 100.0 * rule.confidence);
            open::print_line(&format!(
                "{left} -> {right}: {confidence:.0} % of them, {support:.2} % of all, {:.1} times as often",
                rule.lift
            ))?;
        }
    }
    if found.is_empty() && !json {
        open::print_line("no rule is within these limits; lower --min-support or --min-confidence")?;
    }
    Ok(())
}
