use std::path::Path;

use rusqlite::Connection;

use super::StoreError;

/// Each entry brings the log from the version before to its own (1, 2, ...). Entries are never changed, only added.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE sessions (
        id               TEXT PRIMARY KEY,
        started_unix_ms  INTEGER NOT NULL,
        channel          TEXT NOT NULL
    ) STRICT;
    CREATE TABLE turns (
        session          TEXT NOT NULL REFERENCES sessions (id),
        turn             INTEGER NOT NULL,
        at_unix_ms       INTEGER NOT NULL,
        channel          TEXT NOT NULL,
        transcript       TEXT,  -- what was heard, masked
        confidence       REAL,
        typed            TEXT,  -- what was typed, masked
        product_seen     TEXT,
        sighting         TEXT,  -- JSON
        intent           TEXT,
        in_scope         INTEGER,
        sentiment        REAL,
        understanding    TEXT,  -- JSON
        prediction       TEXT,  -- JSON
        answer_kind      TEXT NOT NULL,
        answer           TEXT NOT NULL,
        product          TEXT,  -- the product the answer is about
        recommendations  TEXT NOT NULL,  -- JSON
        state            TEXT NOT NULL,  -- JSON: what the conversation has come to
        timings_ms       TEXT NOT NULL,  -- JSON
        text_embedding   BLOB,  -- 384 float32, little endian
        photo_embedding  BLOB,  -- 1280 float32, little endian
        PRIMARY KEY (session, turn)
    ) STRICT;
    CREATE INDEX turns_by_time ON turns (at_unix_ms);
",
    "
    ALTER TABLE turns ADD COLUMN details TEXT;  -- what a screen shows beside the answer
    ALTER TABLE turns ADD COLUMN is_answered INTEGER;  -- 0 where the shop's data did not have what was asked for
    ALTER TABLE turns ADD COLUMN spoken_order TEXT;  -- JSON: the sentence as the grammar of orders reads it
    ALTER TABLE turns ADD COLUMN faq TEXT;  -- JSON: the nearest question, and how near
    ALTER TABLE turns ADD COLUMN handoff TEXT;  -- JSON: why staff should come, and what they should know
    ALTER TABLE turns ADD COLUMN moment TEXT;  -- JSON: weekday and minutes of the shop's clock
    CREATE INDEX turns_unanswered ON turns (at_unix_ms) WHERE is_answered = 0;
",
    "
    ALTER TABLE turns ADD COLUMN features TEXT;  -- JSON: what was known of the session when the turn was predicted
    CREATE TABLE feedback (
        id               INTEGER PRIMARY KEY,
        session          TEXT NOT NULL REFERENCES sessions (id),
        turn             INTEGER NOT NULL,  -- 0 where it is about the session as a whole
        at_unix_ms       INTEGER NOT NULL,
        outcome          TEXT NOT NULL,
        product          TEXT NOT NULL,  -- empty where it is about none
        stars            INTEGER,
        UNIQUE (session, turn, outcome, product)
    ) STRICT;
    CREATE INDEX feedback_by_outcome ON feedback (outcome, session);
",
    "
    ALTER TABLE turns ADD COLUMN passed_over TEXT;  -- JSON: what could have been offered and was not
",
];

/// Brings the log to the newest version, one transaction a step.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let fail = |e: rusqlite::Error| StoreError::of(path, &e);
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(fail)?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(StoreError::TooNew { path: path.to_owned(), found, known });
    }
    for version in found..known {
        let step = connection.transaction().map_err(fail)?;
        step.execute_batch(MIGRATIONS[version as usize]).map_err(fail)?;
        step.pragma_update(None, "user_version", version + 1).map_err(fail)?;
        step.commit().map_err(fail)?;
    }
    Ok(())
}
