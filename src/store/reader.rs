use std::path::{Path, PathBuf};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use serde_json::{Map, Value, json};

use super::{EndedSession, FILE, LoggedTurn, StoreError, Visit, feedback, logged, offers, state, visits};
use crate::domain::{DialogueState, Feedback, OfferedTurn, SessionFeatures, SessionId};

/// Columns that hold JSON; they are shown as what they are.
const JSON_COLUMNS: [&str; 12] = [
    "sighting",
    "understanding",
    "prediction",
    "recommendations",
    "state",
    "timings_ms",
    "spoken_order",
    "faq",
    "handoff",
    "moment",
    "features",
    "passed_over",
];

/// A session in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSummary {
    /// Which.
    pub id: String,
    /// When it began, in milliseconds since 1970 (UTC).
    pub started_unix_ms: u64,
    /// Where the person spoke from.
    pub channel: String,
    /// Turns taken.
    pub turns: u32,
    /// The first thing said or typed.
    pub first_words: Option<String>,
}

/// A question that the shop's data could not answer.
#[derive(Debug, Clone, PartialEq)]
pub struct UnansweredTurn {
    /// The conversation.
    pub session: String,
    /// The turn in it.
    pub turn: u32,
    /// When, in milliseconds since 1970 (UTC).
    pub at_unix_ms: u64,
    /// What was typed or said, masked; none where only a photo came in.
    pub words: Option<String>,
    /// The intent it was taken for.
    pub intent: Option<String>,
    /// What was said back.
    pub answer: String,
    /// `[384]`, what the words mean; none where they were masked, or only a photo came in.
    pub embedding: Option<Vec<f32>>,
}

/// Reads the log beside its writer, also from another process. Each call sees what is committed by then.
#[derive(Debug, Clone)]
pub struct Reader {
    path: PathBuf,
}

impl Reader {
    /// A reader of the log in this folder; the file is opened with each call.
    pub fn new(folder: &Path) -> Self {
        Self { path: folder.join(FILE) }
    }

    /// The newest sessions, newest first.
    pub fn sessions(&self, limit: u32) -> Result<Vec<SessionSummary>, StoreError> {
        self.with(|connection| {
            let mut statement = connection.prepare(
                "SELECT s.id, s.started_unix_ms, s.channel, count(t.turn),
                        (SELECT coalesce(f.transcript, f.typed) FROM turns f WHERE f.session = s.id ORDER BY f.turn LIMIT 1)
                 FROM sessions s LEFT JOIN turns t ON t.session = s.id
                 GROUP BY s.id ORDER BY s.started_unix_ms DESC, s.id DESC LIMIT ?1",
            )?;
            let rows = statement.query_map([limit], |row| {
                Ok(SessionSummary {
                    id: row.get(0)?,
                    started_unix_ms: row.get::<_, i64>(1)? as u64,
                    channel: row.get(2)?,
                    turns: row.get(3)?,
                    first_words: row.get(4)?,
                })
            })?;
            rows.collect()
        })
    }

    /// All turns of a session as they stand in the log, a JSON object each; `None` where there is no such session.
    pub fn turns(&self, session: &SessionId) -> Result<Option<Vec<Value>>, StoreError> {
        self.with(|connection| {
            let known: Option<i64> =
                connection.query_row("SELECT 1 FROM sessions WHERE id = ?1", [session.as_str()], |row| row.get(0)).optional()?;
            if known.is_none() {
                return Ok(None);
            }
            let mut statement = connection.prepare("SELECT * FROM turns WHERE session = ?1 ORDER BY turn")?;
            let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
            let rows = statement.query_map([session.as_str()], |row| {
                names
                    .iter()
                    .enumerate()
                    .map(|(at, name)| Ok((name.clone(), value(name, row.get_ref(at)?))))
                    .collect::<rusqlite::Result<Map<_, _>>>()
            })?;
            Ok(Some(rows.map(|row| row.map(Value::Object)).collect::<rusqlite::Result<Vec<_>>>()?))
        })
    }

    /// All turns of a session, to be answered again; `None` where there is no such session.
    pub fn logged(&self, session: &SessionId) -> Result<Option<Vec<LoggedTurn>>, StoreError> {
        self.with(|connection| {
            let known: Option<i64> =
                connection.query_row("SELECT 1 FROM sessions WHERE id = ?1", [session.as_str()], |row| row.get(0)).optional()?;
            known.map(|_| logged::turns(connection, session.as_str())).transpose()
        })
    }

    /// What could not be answered, the newest first. Rows of version 1 tell it by the kind of their answer.
    pub fn unanswered(&self, limit: u32) -> Result<Vec<UnansweredTurn>, StoreError> {
        self.with(|connection| {
            let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            let is_unanswered = if version >= 2 {
                "(is_answered = 0 OR (is_answered IS NULL AND answer_kind = 'unknown'))"
            } else {
                "answer_kind = 'unknown'"
            };
            let mut statement = connection.prepare(&format!(
                "SELECT session, turn, at_unix_ms, coalesce(typed, transcript), intent, answer, text_embedding FROM turns WHERE {is_unanswered}
                 ORDER BY at_unix_ms DESC, session, turn DESC LIMIT ?1"
            ))?;
            let rows = statement.query_map([limit], |row| {
                Ok(UnansweredTurn {
                    session: row.get(0)?,
                    turn: row.get(1)?,
                    at_unix_ms: row.get::<_, i64>(2)? as u64,
                    words: row.get(3)?,
                    intent: row.get(4)?,
                    answer: row.get(5)?,
                    embedding: row.get::<_, Option<Vec<u8>>>(6)?.map(|bytes| feedback::numbers(&bytes)),
                })
            })?;
            rows.collect()
        })
    }

    /// The newest feedback of all sessions, the oldest of it first.
    pub fn feedback(&self, limit: u32) -> Result<Vec<Feedback>, StoreError> {
        self.with_feedback(|connection| feedback::newest(connection, limit))
    }

    /// What was told of a session, in the order in which it came.
    pub fn feedback_of(&self, session: &SessionId) -> Result<Vec<Feedback>, StoreError> {
        self.with_feedback(|connection| feedback::of_session(connection, session.as_str()))
    }

    /// How many sessions ended in a known way: bought, left, or given to a member of staff.
    pub fn count_ended(&self) -> Result<u32, StoreError> {
        self.with(|connection| if has_feedback(connection)? { feedback::count_ended(connection) } else { Ok(0) })
    }

    /// The newest sessions that ended in a known way, the oldest of them first.
    pub fn ended_sessions(&self, limit: u32) -> Result<Vec<EndedSession>, StoreError> {
        self.with(|connection| if has_feedback(connection)? { feedback::ended(connection, limit) } else { Ok(Vec::new()) })
    }

    /// A session as it was when it was last predicted, ended or not; `None` where there is no such turn.
    pub fn last_predicted(&self, session: &SessionId) -> Result<Option<EndedSession>, StoreError> {
        self.with(|connection| if has_feedback(connection)? { feedback::last_predicted(connection, session.as_str()) } else { Ok(None) })
    }

    /// The newest turns with offers, a confirmed order or a question about an allergen, the oldest of them first.
    pub fn offered_turns(&self, limit: u32) -> Result<Vec<OfferedTurn>, StoreError> {
        self.with(|connection| offers::newest(connection, limit))
    }

    /// The number of the last turn of a session, 0 before its first; `None` where there is no such session.
    pub fn last_turn(&self, session: &SessionId) -> Result<Option<u32>, StoreError> {
        self.with(|connection| {
            let sql = "SELECT (SELECT coalesce(max(turn), 0) FROM turns t WHERE t.session = s.id) FROM sessions s WHERE s.id = ?1";
            connection.query_row(sql, [session.as_str()], |row| row.get(0)).optional()
        })
    }

    /// The conversations that began last, at most so many, with what is counted of their turns.
    pub fn visits(&self, limit: u32) -> Result<Vec<Visit>, StoreError> {
        self.with(|connection| visits::newest(connection, limit))
    }

    /// What was known of sessions when their turns were predicted, the newest turns first. Turns of before version 3 are passed over.
    pub fn session_features(&self, limit: u32) -> Result<Vec<SessionFeatures>, StoreError> {
        self.with(|connection| if has_feedback(connection)? { feedback::features(connection, limit) } else { Ok(Vec::new()) })
    }

    /// What a conversation has come to; `None` where there is no such session.
    pub fn state(&self, session: &SessionId) -> Result<Option<DialogueState>, StoreError> {
        self.with(|connection| {
            let started: Option<i64> = connection
                .query_row("SELECT started_unix_ms FROM sessions WHERE id = ?1", [session.as_str()], |row| row.get(0))
                .optional()?;
            let Some(started) = started else { return Ok(None) };
            let last: Option<String> = connection
                .query_row("SELECT state FROM turns WHERE session = ?1 ORDER BY turn DESC LIMIT 1", [session.as_str()], |row| row.get(0))
                .optional()?;
            let fresh = DialogueState { started_unix_ms: started as u64, ..DialogueState::default() };
            Ok(Some(last.and_then(|text| state::state_of(&text)).unwrap_or(fresh)))
        })
    }

    fn with_feedback(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<Vec<Feedback>>) -> Result<Vec<Feedback>, StoreError> {
        self.with(|connection| if has_feedback(connection)? { read(connection) } else { Ok(Vec::new()) })
    }

    fn with<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        if !self.path.exists() {
            return Err(StoreError::Missing { path: self.path.clone() });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags);
        connection.and_then(|connection| read(&connection)).map_err(|e| StoreError::of(&self.path, &e))
    }
}

/// A log that only an older kioskd has written to has no such table.
fn has_feedback(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))? >= 3)
}

fn value(column: &str, field: ValueRef<'_>) -> Value {
    match field {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(n) if column == "in_scope" || column == "is_answered" => json!(n != 0),
        ValueRef::Integer(n) => json!(n),
        ValueRef::Real(x) => json!(x),
        ValueRef::Text(bytes) => {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let is_json = JSON_COLUMNS.contains(&column);
            is_json.then(|| serde_json::from_str(&text).ok()).flatten().unwrap_or(Value::String(text))
        }
        // Vectors are for the models; people and exports are told their length.
        ValueRef::Blob(bytes) => json!(format!("{} numbers", bytes.len() / 4)),
    }
}
