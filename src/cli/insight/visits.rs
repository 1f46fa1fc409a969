//! Conversations of the log, as the commands of this folder want them.

use super::super::{Failure, Place, open};
use crate::domain::{Feedback, FeedbackOutcome};
use crate::insight::{Cells, Column, Sheet};
use crate::store::{Reader, StoreError, Visit, VisitTurn};

/// Conversations looked at, the newest ones: a busy shop's year.
const VISITS_MAX: u32 = 50_000;

/// Conversations of the log, at most 50,000. None where there is no log yet.
pub(super) fn read(place: &Place) -> Result<Vec<Visit>, Failure> {
    match Reader::new(&open::config(place)?.paths.data).visits(VISITS_MAX) {
        Ok(visits) => Ok(visits),
        Err(StoreError::Missing { .. }) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// The purchases that were told of, the newest of them. None where there is no log yet.
pub(super) fn purchases(place: &Place) -> Result<Vec<Feedback>, Failure> {
    let told = match Reader::new(&open::config(place)?.paths.data).feedback(VISITS_MAX * 4) {
        Err(StoreError::Missing { .. }) => Vec::new(),
        told => told?,
    };
    Ok(told.into_iter().filter(|feedback| feedback.outcome == FeedbackOutcome::Purchase).collect())
}

/// There is nothing to tell of yet, which is no mistake.
pub(super) fn nothing_yet(what: &str) -> Result<(), Failure> {
    eprintln!("kioskd: nothing yet: the session log holds no {what}; they come with the first customers, or name a file with --data");
    Ok(())
}

/// One row a conversation.
pub(super) fn sheet(visits: &[Visit]) -> Sheet {
    let number =
        |name: &str, of: &dyn Fn(&Visit) -> f64| Column { name: name.to_owned(), cells: Cells::Numbers(visits.iter().map(of).collect()) };
    let share = |of: fn(&VisitTurn) -> bool| move |visit: &Visit| count(visit, of) / visit.turns.len().max(1) as f64;
    let last = |of: fn(&VisitTurn) -> u32| move |visit: &Visit| visit.turns.last().map_or(0.0, |turn| f64::from(of(turn)));
    let channels: Vec<&str> = visits.iter().map(|visit| visit.channel.as_str()).collect();
    let columns = vec![
        number("turns", &|visit| visit.turns.len() as f64),
        number("seconds", &seconds),
        number("hour", &|visit| {
            visit.turns.first().and_then(|turn| turn.moment).map_or(f64::NAN, |moment| f64::from(moment.minutes) / 60.0)
        }),
        Column { name: "channel".to_owned(), cells: Cells::words(&channels) },
        number("mood", &|visit| mean(visit.turns.iter().filter_map(|turn| turn.sentiment))),
        number("lowest mood", &|visit| visit.turns.iter().filter_map(|turn| turn.sentiment).reduce(f32::min).map_or(f64::NAN, f64::from)),
        number("clarity of requests", &|visit| mean(visit.turns.iter().filter_map(|turn| turn.intent_probability))),
        number("product questions", &last(|turn| turn.product_questions)),
        number("unanswered turns", &last(|turn| turn.unanswered)),
        number("share out of scope", &share(|turn| turn.in_scope == Some(false))),
        number("share spoken", &share(|turn| turn.is_spoken)),
        number("photos", &|visit| count(visit, |turn| turn.is_shown)),
        number("things offered", &|visit| visit.turns.iter().map(|turn| f64::from(turn.offered)).sum()),
        number("to staff", &|visit| count(visit, |turn| turn.is_handed_over)),
        number("items in the basket", &|visit| visit.lines.iter().map(|line| f64::from(line.quantity)).sum()),
        number("value of the basket in cents", &|visit| {
            visit.lines.iter().map(|line| f64::from(line.quantity) * f64::from(line.each.0)).sum()
        }),
    ];
    Sheet { rows: visits.len(), columns }
}

fn count(visit: &Visit, of: fn(&VisitTurn) -> bool) -> f64 {
    visit.turns.iter().filter(|turn| of(turn)).count() as f64
}

fn seconds(visit: &Visit) -> f64 {
    let at = |turn: Option<&VisitTurn>| turn.map_or(0, |turn| turn.at_unix_ms);
    at(visit.turns.last()).saturating_sub(at(visit.turns.first())) as f64 / 1_000.0
}

fn mean(values: impl Iterator<Item = f32>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), x| (sum + f64::from(x), count + 1));
    if count == 0 { f64::NAN } else { sum / f64::from(count) }
}
