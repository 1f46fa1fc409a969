//! What became of turns and sessions: rows of the table `feedback`, and what a model can learn of them.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};

use crate::domain::{Channel, Feedback, FeedbackOutcome, ProductId, SessionFeatures, SessionId};

/// A session that ended in a known way: what was known when it mattered, and what happened then.
#[derive(Debug, Clone, PartialEq)]
pub struct EndedSession {
    /// Which.
    pub session: String,
    /// Its last turn that was predicted: the session as it was then.
    pub features: SessionFeatures,
    /// Vector of the last sentence, `[384]`; `None` where nothing was said or it held a number that was masked.
    pub text: Option<Vec<f32>>,
    /// Vector of the last photo, `[1280]`.
    pub photo: Option<Vec<f32>>,
    /// All that was told of it.
    pub outcomes: Vec<FeedbackOutcome>,
}

/// Writes a feedback. Saying the same again changes nothing, and who changes their mind replaces what they said before; returns whether
/// it was new.
pub(super) fn insert(connection: &Connection, feedback: &Feedback) -> rusqlite::Result<bool> {
    let turn = feedback.turn.map_or(0, i64::from);
    let product = feedback.product.as_ref().map_or("", ProductId::as_str);
    let session = feedback.session.as_str();
    if feedback.outcome == FeedbackOutcome::Purchase {
        // Who came back and bought after all has not left, whatever they bought.
        connection.execute("DELETE FROM feedback WHERE session = ?1 AND outcome = ?2", params![session, FeedbackOutcome::Left.name()])?;
    }
    for opposite in feedback.outcome.replaces() {
        connection.execute(
            "DELETE FROM feedback WHERE session = ?1 AND turn = ?2 AND product = ?3 AND outcome = ?4",
            params![session, turn, product, opposite],
        )?;
    }
    let stars: Option<u8> = connection
        .query_row(
            "SELECT coalesce(stars, 0) FROM feedback WHERE session = ?1 AND turn = ?2 AND product = ?3 AND outcome = ?4",
            params![session, turn, product, feedback.outcome.name()],
            |row| row.get(0),
        )
        .optional()?;
    if stars == Some(feedback.outcome.stars().unwrap_or(0)) {
        return Ok(false);
    }
    connection.execute(
        "INSERT INTO feedback (session, turn, at_unix_ms, outcome, product, stars) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (session, turn, outcome, product) DO UPDATE SET stars = excluded.stars, at_unix_ms = excluded.at_unix_ms",
        params![session, turn, feedback.at_unix_ms as i64, feedback.outcome.name(), product, feedback.outcome.stars()],
    )?;
    Ok(true)
}

/// The newest feedback of all sessions, oldest of them first.
pub(super) fn newest(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<Feedback>> {
    let mut statement = connection.prepare(
        "SELECT * FROM (SELECT id, session, turn, at_unix_ms, outcome, product, stars FROM feedback ORDER BY id DESC LIMIT ?1) ORDER BY id",
    )?;
    let rows = statement.query_map([limit], read)?;
    rows.filter_map(Result::transpose).collect()
}

/// What was told of a session, in the order in which it came.
pub(super) fn of_session(connection: &Connection, session: &str) -> rusqlite::Result<Vec<Feedback>> {
    let mut statement =
        connection.prepare("SELECT id, session, turn, at_unix_ms, outcome, product, stars FROM feedback WHERE session = ?1 ORDER BY id")?;
    let rows = statement.query_map([session], read)?;
    rows.filter_map(Result::transpose).collect()
}

/// `None` for a row that a newer kioskd wrote.
fn read(row: &Row<'_>) -> rusqlite::Result<Option<Feedback>> {
    let (session, outcome): (String, String) = (row.get("session")?, row.get("outcome")?);
    let (turn, product): (u32, String) = (row.get("turn")?, row.get("product")?);
    let session = SessionId::parse(&session);
    let outcome = FeedbackOutcome::of_name(&outcome, row.get("stars")?);
    let at_unix_ms = row.get::<_, i64>("at_unix_ms")? as u64;
    Ok(session.zip(outcome).map(|(session, outcome)| Feedback {
        session,
        turn: (turn > 0).then_some(turn),
        at_unix_ms,
        outcome,
        product: (!product.is_empty()).then_some(ProductId(product)),
    }))
}

/// How many sessions have ended in a known way: bought, left, or given to a member of staff.
pub(super) fn count_ended(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("SELECT count(DISTINCT session) FROM feedback WHERE outcome IN ('purchase', 'left', 'handed_over')", [], |row| {
        row.get(0)
    })
}

/// What is read of a session for a model: its last turn with features (as `t`), the newest vectors, what was told.
const COLUMNS: &str = "t.session, t.features,
    (SELECT v.text_embedding FROM turns v WHERE v.session = t.session AND v.text_embedding IS NOT NULL ORDER BY v.turn DESC LIMIT 1),
    (SELECT v.photo_embedding FROM turns v WHERE v.session = t.session AND v.photo_embedding IS NOT NULL ORDER BY v.turn DESC LIMIT 1),
    (SELECT group_concat(f.outcome) FROM (SELECT outcome FROM feedback f WHERE f.session = t.session ORDER BY f.id) f)";

/// The newest sessions that ended in a known way, oldest of them first. Turns of before version 3 have no features and are passed over.
pub(super) fn ended(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<EndedSession>> {
    let mut statement = connection.prepare(&format!(
        "SELECT {COLUMNS} FROM turns t
         JOIN (SELECT session, max(turn) AS turn, max(at_unix_ms) AS at FROM turns WHERE features IS NOT NULL
               AND session IN (SELECT session FROM feedback WHERE outcome IN ('purchase', 'left', 'handed_over'))
               GROUP BY session ORDER BY at DESC LIMIT ?1) last
         ON last.session = t.session AND last.turn = t.turn
         ORDER BY t.at_unix_ms, t.session"
    ))?;
    let rows = statement.query_map([limit], read_session)?;
    rows.filter_map(Result::transpose).collect()
}

/// A session as it was when it was last predicted, ended or not.
pub(super) fn last_predicted(connection: &Connection, session: &str) -> rusqlite::Result<Option<EndedSession>> {
    let sql = format!("SELECT {COLUMNS} FROM turns t WHERE t.session = ?1 AND t.features IS NOT NULL ORDER BY t.turn DESC LIMIT 1");
    Ok(connection.query_row(&sql, [session], read_session).optional()?.flatten())
}

/// `None` where the features cannot be read.
fn read_session(row: &Row<'_>) -> rusqlite::Result<Option<EndedSession>> {
    let (session, features): (String, String) = (row.get(0)?, row.get(1)?);
    let (text, photo): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.get(2)?, row.get(3)?);
    let outcomes: Option<String> = row.get(4)?;
    Ok(features_of(&features).map(|features| EndedSession {
        session,
        features,
        text: text.map(|bytes| numbers(&bytes)),
        photo: photo.map(|bytes| numbers(&bytes)),
        // Stars are not among what is learnt of here.
        outcomes: outcomes.iter().flat_map(|names| names.split(',')).filter_map(|name| FeedbackOutcome::of_name(name, None)).collect(),
    }))
}

/// What was known of sessions when their turns were predicted, the newest turns first.
pub(super) fn features(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<SessionFeatures>> {
    let mut statement =
        connection.prepare("SELECT features FROM turns WHERE features IS NOT NULL ORDER BY at_unix_ms DESC, session, turn LIMIT ?1")?;
    let rows = statement.query_map([limit], |row| Ok(features_of(&row.get::<_, String>(0)?)))?;
    rows.filter_map(Result::transpose).collect()
}

pub(super) fn numbers(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

/// The features as the column keeps them.
pub(super) fn features_json(features: &SessionFeatures) -> Value {
    json!({
        "turns": features.turns, "seconds": features.seconds, "hour": features.hour, "channel": features.channel.name(),
        "sentiment": features.sentiment, "sentiment_min": features.sentiment_min, "unanswered": features.unanswered,
        "product_questions": features.product_questions, "asks_for_person": features.asks_for_person,
        "intent_confidence": features.intent_confidence, "price_cents": features.price_cents, "on_offer": features.on_offer,
        "in_stock": features.in_stock, "basket": features.basket,
    })
}

/// Reads what [`features_json`] wrote; `None` for anything else.
fn features_of(text: &str) -> Option<SessionFeatures> {
    let value: Value = serde_json::from_str(text).ok()?;
    let count = |key: &str| value[key].as_u64().and_then(|n| u32::try_from(n).ok());
    let number = |key: &str| value[key].as_f64().map(|x| x as f32);
    let flag = |key: &str| value[key].as_bool();
    let channel = match value["channel"].as_str()? {
        "kiosk" => Channel::Kiosk,
        "phone" => Channel::Phone,
        _ => Channel::Typed,
    };
    Some(SessionFeatures {
        turns: count("turns")?,
        seconds: number("seconds")?,
        hour: number("hour")?,
        channel,
        sentiment: number("sentiment"),
        sentiment_min: number("sentiment_min"),
        unanswered: count("unanswered")?,
        product_questions: count("product_questions")?,
        asks_for_person: flag("asks_for_person")?,
        intent_confidence: number("intent_confidence"),
        price_cents: count("price_cents"),
        on_offer: flag("on_offer")?,
        in_stock: flag("in_stock"),
        basket: count("basket")?,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A calm first turn at the kiosk at noon.
    pub fn features() -> SessionFeatures {
        SessionFeatures {
            turns: 1,
            seconds: 20.0,
            hour: 12.0,
            channel: Channel::Kiosk,
            sentiment: None,
            sentiment_min: Some(-0.25),
            unanswered: 0,
            product_questions: 1,
            asks_for_person: false,
            intent_confidence: Some(0.75),
            price_cents: Some(199),
            on_offer: false,
            in_stock: Some(true),
            basket: 2,
        }
    }

    #[test]
    fn features_come_back_as_they_were_kept() {
        assert_eq!(features_of(&features_json(&features()).to_string()), Some(features()));
        assert_eq!(features_of("{}"), None);
    }
}
