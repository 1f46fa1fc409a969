use std::path::{Path, PathBuf};

use super::super::{Failure, Place, open};
use super::{check_share, visits};
use crate::insight::{Baskets, Rule, RuleLimits, rules};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kioskd insight rules
  kioskd insight rules --data baskets.csv --min-support 0.001 --min-confidence 0.5 --json")]
pub(in crate::cli) struct Arguments {
    /// A basket a line, its items by comma (default: the baskets of the session log)
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Share of all baskets that must hold all items of a rule, more than 0 up to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.01)]
    min_support: f64,
    /// Share of the baskets with the left side that must hold the right side too, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
    min_confidence: f64,
    /// Several items on the right as well
    #[arg(long)]
    any_consequent: bool,
    /// Rules of fewer baskets than this are not shown: they would tell of single customers
    #[arg(long, value_name = "BASKETS", default_value_t = 2)]
    at_least: usize,
    /// Print one JSON object a rule
    #[arg(long)]
    json: bool,
}

pub(super) fn run(place: &Place, arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { data, min_support, min_confidence, any_consequent, at_least, json } = arguments;
    check_share("--min-support", *min_support)?;
    if !(0.0..=1.0).contains(min_confidence) {
        return Err(Failure::Input(format!("--min-confidence is {min_confidence}; expected 0 to 1")));
    }
    let baskets = match data {
        Some(path) => of_file(path)?,
        None => of_log(place)?,
    };
    if baskets.count() == 0 {
        return visits::nothing_yet("baskets");
    }
    let limits = RuleLimits { support_min: *min_support, confidence_min: *min_confidence, any_consequent: *any_consequent };
    let mut found = rules(&baskets, &limits).map_err(|e| Failure::Input(e.to_string()))?;
    // A file is the operator's own; the log is of customers.
    if data.is_none() {
        found.retain(|rule| (rule.support * baskets.count() as f64).round() as usize >= *at_least);
    }
    // Thousands of rules are written at once: a system call for each would take longer than to find them.
    let lines = found.iter().map(|rule| told(rule, &baskets, *json)).collect::<Result<Vec<String>, Failure>>()?;
    if !lines.is_empty() {
        open::print_line(&lines.join("\n"))?;
    }
    if found.is_empty() && !json {
        open::print_line("no rule is within these limits; lower --min-support or --min-confidence")?;
    }
    Ok(())
}

/// A rule in JSON. A `json!` value of each of thousands of rules would take as long as finding them.
#[derive(serde::Serialize)]
struct Line<'a> {
    confidence: f64,
    r#if: Vec<&'a str>,
    lift: f64,
    support: f64,
    then: Vec<&'a str>,
}

fn told(rule: &Rule, baskets: &Baskets, is_json: bool) -> Result<String, Failure> {
    let names = |items: &[usize]| -> Vec<&str> { items.iter().map(|item| baskets.names()[*item].as_str()).collect() };
    let (left, right) = (names(&rule.antecedent), names(&rule.consequent));
    if is_json {
        let line = Line { confidence: rule.confidence, r#if: left, lift: rule.lift, support: rule.support, then: right };
        return serde_json::to_string(&line).map_err(|e| Failure::Job(e.to_string()));
    }
    let (support, confidence) = (100.0 * rule.support, 100.0 * rule.confidence);
    let (left, right) = (left.join(" + "), right.join(" + "));
    Ok(format!("{left} -> {right}: {confidence:.0} % of them, {support:.2} % of all, {:.1} times as often", rule.lift))
}

fn of_file(path: &Path) -> Result<Baskets, Failure> {
    let text = String::from_utf8(open::read(path)?).map_err(|_| Failure::Input(format!("{} is not text in UTF-8", path.display())))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let baskets = Baskets::new(lines.map(|line| line.split(',').map(str::trim).filter(|item| !item.is_empty())));
    if baskets.count() == 0 {
        return Err(Failure::Input(format!("{} holds no basket; expected one a line, its items by comma", path.display())));
    }
    Ok(baskets)
}

/// What was in the basket at the end of each conversation that had one.
fn of_log(place: &Place) -> Result<Baskets, Failure> {
    let visits = visits::read(place)?;
    let with_basket = visits.iter().filter(|visit| !visit.lines.is_empty());
    Ok(Baskets::new(with_basket.map(|visit| visit.lines.iter().map(|line| line.product.as_str()))))
}
