//! What many conversations came to, for the shop: a value each conversation and turn, without its words.

use rusqlite::{Connection, Row};
use serde_json::Value;

use super::state;
use crate::domain::{BasketLine, Moment};

/// A conversation of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// Which.
    pub session: String,
    /// Where the person spoke from.
    pub channel: String,
    /// The turns, in order; at least one.
    pub turns: Vec<VisitTurn>,
    /// What was noted for the person at the end.
    pub lines: Vec<BasketLine>,
    /// Whether the person said yes to it.
    pub is_confirmed: bool,
}

/// What is counted of a turn.
#[derive(Debug, Clone, PartialEq)]
pub struct VisitTurn {
    /// When it was taken, in milliseconds since 1970 (UTC).
    pub at_unix_ms: u64,
    /// The same by the shop's clock; `None` in rows of version 1.
    pub moment: Option<Moment>,
    /// The intent, where something was said.
    pub intent: Option<String>,
    /// Probability of that intent.
    pub intent_probability: Option<f32>,
    /// Whether it belongs to this desk.
    pub in_scope: Option<bool>,
    /// The mood, -1..=1.
    pub sentiment: Option<f32>,
    /// The product the answer was about.
    pub product: Option<String>,
    /// Whether the shop's data had an answer.
    pub is_answered: bool,
    /// Whether it was spoken.
    pub is_spoken: bool,
    /// Whether a photo was shown.
    pub is_shown: bool,
    /// Whether staff should come.
    pub is_handed_over: bool,
    /// Things offered beside.
    pub offered: u32,
    /// Questions for facts of products, this turn included.
    pub product_questions: u32,
    /// Unanswered turns, this one included.
    pub unanswered: u32,
    /// Lines in the basket after it.
    pub basket: u32,
}

/// The conversations that began last, at most so many, in the order of their identifiers.
pub(super) fn newest(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<Visit>> {
    let mut statement = connection.prepare(
        "SELECT t.*, s.channel AS began_at FROM turns t JOIN sessions s ON s.id = t.session
         WHERE t.session IN (SELECT id FROM sessions ORDER BY started_unix_ms DESC, id DESC LIMIT ?1) ORDER BY t.session, t.turn",
    )?;
    let mut rows = statement.query([limit])?;
    let mut visits: Vec<Visit> = Vec::new();
    while let Some(row) = rows.next()? {
        let session: String = row.get("session")?;
        let state: Option<String> = row.get("state")?;
        let state = state.and_then(|text| state::state_of(&text)).unwrap_or_default();
        let mut turn = turn(row)?;
        (turn.product_questions, turn.unanswered) = (state.product_questions, state.unanswered);
        turn.basket = u32::try_from(state.basket.lines.len()).unwrap_or(u32::MAX);
        if visits.last().is_none_or(|visit| visit.session != session) {
            let channel = row.get("began_at")?;
            visits.push(Visit { session, channel, turns: Vec::new(), lines: Vec::new(), is_confirmed: false });
        }
        if let Some(visit) = visits.last_mut() {
            visit.turns.push(turn);
            (visit.lines, visit.is_confirmed) = (state.basket.lines, state.basket.is_confirmed);
        }
    }
    Ok(visits)
}

fn turn(row: &Row<'_>) -> rusqlite::Result<VisitTurn> {
    // Columns that a log of an older version lacks, and JSON that cannot be read, count as absent.
    let json = |column: &str| -> Value {
        let text: Option<String> = row.get(column).ok().flatten();
        text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(Value::Null)
    };
    let kind: String = row.get("answer_kind")?;
    let is_answered: Option<bool> = row.get("is_answered").ok().flatten();
    let transcript: Option<String> = row.get("transcript")?;
    let sighting: Option<String> = row.get("sighting")?;
    let offered = json("recommendations").as_array().map_or(0, Vec::len);
    Ok(VisitTurn {
        at_unix_ms: row.get::<_, i64>("at_unix_ms")? as u64,
        moment: moment(&json("moment")),
        intent: row.get("intent")?,
        intent_probability: json("understanding")["intents"][0]["probability"].as_f64().map(|x| x as f32),
        in_scope: row.get("in_scope")?,
        sentiment: row.get("sentiment")?,
        product: row.get("product")?,
        is_answered: is_answered.unwrap_or(kind != "unknown"),
        is_spoken: transcript.is_some(),
        is_shown: sighting.is_some(),
        is_handed_over: !json("handoff").is_null(),
        offered: u32::try_from(offered).unwrap_or(u32::MAX),
        product_questions: 0,
        unanswered: 0,
        basket: 0,
    })
}

fn moment(value: &Value) -> Option<Moment> {
    let minutes = value["minutes"].as_u64().and_then(|n| u16::try_from(n).ok()).filter(|n| *n < 24 * 60)?;
    let weekday = value["weekday"].as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| *n < 7)?;
    Some(Moment { weekday, minutes })
}
