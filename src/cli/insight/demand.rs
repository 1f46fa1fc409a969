use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::super::{Failure, Place, open};
use super::{sheets, short, visits};
use crate::behavior::tabular::Table;
use crate::domain::{Feedback, Moment};
use crate::insight::{DAYS_MIN, Demand, Event, Place as Where, Usual, demand};
use crate::store::Visit;

/// Bars of the largest value are this long.
const BAR: f64 = 40.0;
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const DAY_MS: i64 = 86_400_000;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kioskd insight demand
  kioskd insight demand --data sales.csv --json

The file has a first line with timestamp, product and, if need be, quantity:
  timestamp,product,quantity
  2026-11-25 09:30,lemon,2
  2026-11-25T17:05:00+01:00,oat drink,1")]
pub(in crate::cli) struct Arguments {
    /// A table with the columns timestamp, product and perhaps quantity (default: the session log)
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Tell of so many products, and of so many unusual sums, at most
    #[arg(long, default_value_t = 10)]
    limit: usize,
    /// Products that were wanted less often than this are not shown
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    at_least: u32,
    /// Print JSON objects, one an hour, a weekday, a product and an unusual sum
    #[arg(long)]
    json: bool,
}

pub(super) fn run(place: &Place, arguments: &Arguments) -> Result<(), Failure> {
    let kinds = match &arguments.data {
        Some(path) => vec![("sales", of_file(path)?)],
        None => {
            let visits = visits::read(place)?;
            let bought = purchases(&visits, &visits::purchases(place)?);
            vec![("questions", questions(&visits)), ("orders", orders(&visits)), ("purchases", bought)]
        }
    };
    let mut is_empty = true;
    for (kind, events) in kinds {
        let Some(demand) = demand(&events) else { continue };
        is_empty = false;
        if arguments.json { print_json(kind, &demand, arguments)? } else { print(kind, &demand, arguments)? }
    }
    match &arguments.data {
        Some(path) if is_empty => {
            Err(Failure::Input(format!("{} holds nothing that was wanted; expected rows of timestamp and product", path.display())))
        }
        None if is_empty => visits::nothing_yet("questions and orders"),
        _ => Ok(()),
    }
}

/// Every turn in which something was said to the desk's purpose.
fn questions(visits: &[Visit]) -> Vec<Event> {
    let turns = visits.iter().flat_map(|visit| &visit.turns).filter(|turn| turn.intent.is_some() && turn.in_scope != Some(false));
    let event = |turn: &crate::store::VisitTurn| {
        let moment = turn.moment?;
        Some(Event {
            day: local_day(turn.at_unix_ms, moment),
            hour: usize::from(moment.minutes / 60),
            product: turn.product.clone(),
            quantity: 1.0,
        })
    };
    turns.filter_map(event).collect()
}

/// What was in the baskets that were confirmed, when the conversation ended.
fn orders(visits: &[Visit]) -> Vec<Event> {
    let confirmed = visits.iter().filter(|visit| visit.is_confirmed);
    let ordered = confirmed.filter_map(|visit| visit.turns.last().and_then(|turn| Some((visit, turn.at_unix_ms, turn.moment?))));
    ordered
        .flat_map(|(visit, at_unix_ms, moment)| {
            visit.lines.iter().map(move |line| Event {
                day: local_day(at_unix_ms, moment),
                hour: usize::from(moment.minutes / 60),
                product: Some(line.product.as_str().to_owned()),
                quantity: f64::from(line.quantity),
            })
        })
        .collect()
}

/// What a till or a page told of. The clock of the shop is known from the turns of the session.
fn purchases(visits: &[Visit], told: &[Feedback]) -> Vec<Event> {
    let clocks: HashMap<&str, i64> = visits.iter().filter_map(|visit| Some((visit.session.as_str(), clock(visit)?))).collect();
    let event = |feedback: &Feedback| {
        let local = i64::try_from(feedback.at_unix_ms).ok()?.checked_add(*clocks.get(feedback.session.as_str())?)?;
        let hour = usize::try_from(local.rem_euclid(DAY_MS) / 3_600_000).ok()?;
        let product = feedback.product.as_ref().map(|product| product.as_str().to_owned());
        Some(Event { day: local.div_euclid(DAY_MS), hour, product, quantity: 1.0 })
    };
    told.iter().filter_map(event).collect()
}

/// How far the shop's clock is ahead of UTC, in milliseconds.
fn clock(visit: &Visit) -> Option<i64> {
    let turn = visit.turns.iter().find(|turn| turn.moment.is_some())?;
    let (moment, at) = (turn.moment?, i64::try_from(turn.at_unix_ms).ok()?);
    let minutes = local_day(turn.at_unix_ms, moment) * 24 * 60 + i64::from(moment.minutes);
    Some((minutes - at.div_euclid(60_000)) * 60_000)
}

/// The day by the shop's clock: of the days around the UTC one the one that has this weekday.
fn local_day(at_unix_ms: u64, moment: Moment) -> i64 {
    let day = i64::try_from(at_unix_ms).unwrap_or(i64::MAX).div_euclid(DAY_MS);
    [day, day - 1, day + 1].into_iter().find(|day| crate::insight::weekday(*day) == moment.weekday).unwrap_or(day)
}

fn of_file(path: &Path) -> Result<Vec<Event>, Failure> {
    let table = Table::parse(&path.display().to_string(), &open::read(path)?).map_err(sheets::failure)?;
    let (at, product) = (table.column("timestamp").map_err(sheets::failure)?, table.column("product").map_err(sheets::failure)?);
    let quantity = table.column("quantity").ok();
    if let Some(row) = table.bad.first() {
        eprintln!("kioskd: {}: {} rows are not used, the first at line {}: {}", table.path, table.bad.len(), row.line, row.reason);
    }
    let mut events = Vec::new();
    for row in &table.rows {
        let wrong = |problem: String| Failure::Input(format!("{} line {}: {problem}", table.path, row.line));
        let when = local(&row.cells[at]).ok_or_else(|| {
            wrong(format!("{:?} is no time; expected one such as 2026-11-25 09:30 or 2026-11-25T09:30:00+01:00", &row.cells[at]))
        })?;
        let text = quantity.map_or("1", |quantity| &row.cells[quantity]);
        let quantity = text.parse::<f64>().ok().filter(|x| x.is_finite() && (0.0..=1e12).contains(x));
        let quantity = quantity.ok_or_else(|| wrong(format!("the quantity is {text:?}; expected a number from 0 to 1000000000000")))?;
        let name = &row.cells[product];
        let day = i64::from(when.date().since(jiff::civil::date(1970, 1, 1)).map_err(|e| wrong(e.to_string()))?.get_days());
        let hour = usize::try_from(when.hour()).unwrap_or(0);
        events.push(Event { day, hour, product: (!name.is_empty()).then(|| name.to_owned()), quantity });
    }
    Ok(events)
}

/// A time with its zone, in the zone of this machine, or one by the clock on the wall.
fn local(text: &str) -> Option<jiff::civil::DateTime> {
    let zoned = text.parse::<jiff::Timestamp>().ok().map(|at| at.to_zoned(jiff::tz::TimeZone::system()).datetime());
    zoned.or_else(|| text.parse().ok())
}

fn bar(value: f64, most: f64) -> String {
    "#".repeat(if most > 0.0 { (BAR * value / most).round() as usize } else { 0 })
}

fn print(kind: &str, demand: &Demand, arguments: &Arguments) -> Result<(), Failure> {
    open::print_line(&format!("{kind}: {} over {} days", short(demand.sum), demand.days))?;
    let usual = |name: &str, of: &Usual, most: f64| {
        let bar = bar(of.mean, most);
        open::print_line(&format!("  {name:<9} {:>8} a day ({} to {})  {bar}", short(of.mean), short(of.low), short(of.high)))
    };
    let most = demand.hours.iter().map(|of| of.mean).fold(0.0, f64::max);
    for (hour, of) in demand.hours.iter().enumerate().filter(|(_, of)| of.sum > 0.0) {
        usual(&format!("{hour:02}:00"), of, most)?;
    }
    let most = demand.weekdays.iter().map(|of| of.mean).fold(0.0, f64::max);
    for (name, of) in WEEKDAYS.iter().zip(&demand.weekdays).filter(|(_, of)| of.sum > 0.0) {
        usual(name, of, most)?;
    }
    let shown = demand.products.iter().filter(|product| product.sum >= f64::from(arguments.at_least)).take(arguments.limit);
    for product in shown {
        let bar = bar(product.share, demand.products.first().map_or(1.0, |first| first.share));
        open::print_line(&format!("  {:<24} {:>6}, most at {:02}:00  {bar}", product.product, short(product.sum), product.peak_hour))?;
    }
    for unusual in demand.unusual.iter().take(arguments.limit) {
        let (place, side) = (place_name(&unusual.place), if unusual.sum > unusual.high { "more" } else { "less" });
        open::print_line(&format!(
            "  unusual: {place}: {}, {side} than {} (usual: {} to {})",
            short(unusual.sum),
            short(unusual.expected),
            short(unusual.low),
            short(unusual.high)
        ))?;
    }
    if demand.days < DAYS_MIN {
        open::print_line(&format!("  what is unusual is told from {DAYS_MIN} days on"))?;
    }
    Ok(())
}

fn place_name(place: &Where) -> String {
    match place {
        Where::Day(day) => date(*day),
        Where::Slot { weekday, hour } => format!("{} at {hour:02}:00", WEEKDAYS[*weekday]),
        Where::Product { product, hour } => format!("{product} at {hour:02}:00"),
    }
}

fn date(day: i64) -> String {
    jiff::Timestamp::from_second(day.saturating_mul(86_400)).map_or_else(|_| day.to_string(), |at| at.to_string()[..10].to_owned())
}

fn print_json(kind: &str, demand: &Demand, arguments: &Arguments) -> Result<(), Failure> {
    open::print_json(&json!({ "kind": kind, "by": "all", "days": demand.days, "sum": demand.sum }))?;
    for (hour, of) in demand.hours.iter().enumerate() {
        open::print_json(
            &json!({ "kind": kind, "by": "hour", "hour": hour, "sum": of.sum, "days": of.days, "mean": of.mean, "low": of.low, "high": of.high }),
        )?;
    }
    for (at, of) in demand.weekdays.iter().enumerate() {
        let weekday = WEEKDAYS[at];
        open::print_json(
            &json!({ "kind": kind, "by": "weekday", "weekday": weekday, "sum": of.sum, "days": of.days, "mean": of.mean, "low": of.low, "high": of.high }),
        )?;
    }
    let shown = demand.products.iter().filter(|product| product.sum >= f64::from(arguments.at_least)).take(arguments.limit);
    for of in shown {
        open::print_json(
            &json!({ "kind": kind, "by": "product", "product": of.product, "sum": of.sum, "share": of.share, "peak_hour": of.peak_hour }),
        )?;
    }
    for unusual in demand.unusual.iter().take(arguments.limit) {
        let (date, weekday, hour, product) = match &unusual.place {
            Where::Day(day) => (Some(date(*day)), None, None, None),
            Where::Slot { weekday, hour } => (None, Some(WEEKDAYS[*weekday]), Some(*hour), None),
            Where::Product { product, hour } => (None, None, Some(*hour), Some(product)),
        };
        open::print_json(&json!({
            "kind": kind, "by": "unusual", "date": date, "weekday": weekday, "hour": hour, "product": product, "sum": unusual.sum,
            "expected": unusual.expected, "low": unusual.low, "high": unusual.high,
        }))?;
    }
    Ok(())
}
