use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{FILE, StoreError, feedback, rows, schema};
use crate::domain::{Feedback, SessionId, TurnRecord};

/// Turns that may wait for the disk. A commit takes some 4 ms; more waiting than this means that the disk hangs.
const QUEUE: usize = 64;

enum Job {
    Open(SessionId, u64, &'static str),
    Append(Box<TurnRecord>),
    Feedback(Feedback),
}

struct Ticket {
    job: Job,
    done: oneshot::Sender<Result<bool, StoreError>>,
}

/// The one thread that writes. Clones share it; it ends when the last is dropped.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Ticket>,
    path: PathBuf,
    // Held so that the lock is given back only when nobody can write any more.
    _thread: std::sync::Arc<Thread>,
}

struct Thread {
    handle: Option<JoinHandle<()>>,
    _lock: File,
}

impl Writer {
    /// Opens or makes the log in this folder, brings it to the newest version and starts the thread.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while another process writes to it, [`StoreError::NotWritable`] on a read-only or missing disk.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        let not_writable = |e: std::io::Error| StoreError::NotWritable { path: path.clone(), reason: e.to_string() };
        std::fs::create_dir_all(folder).map_err(not_writable)?;
        private(&path).map_err(not_writable)?;
        let lock_path = path.with_added_extension("lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&lock_path).map_err(not_writable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { path }),
            Err(TryLockError::Error(e)) => return Err(not_writable(e)),
        }
        let connection = open_for_writing(&path)?;
        let (queue, inbox) = mpsc::channel(QUEUE);
        let file = path.clone();
        let handle = std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || write(connection, inbox, &file));
        let handle = handle.map_err(not_writable)?;
        Ok(Self { queue, path, _thread: std::sync::Arc::new(Thread { handle: Some(handle), _lock: lock }) })
    }

    /// Writes a turn; when this returns `Ok`, it survives a power cut.
    pub async fn append(&self, record: TurnRecord) -> Result<(), StoreError> {
        self.send(Job::Append(Box::new(record))).await.map(|_| ())
    }

    /// Writes that a session has begun, before its first turn.
    pub async fn open_session(&self, session: SessionId, at_unix_ms: u64, channel: &'static str) -> Result<(), StoreError> {
        self.send(Job::Open(session, at_unix_ms, channel)).await.map(|_| ())
    }

    /// Writes what became of a turn or a session; returns whether it was new. The session must be in the log.
    pub async fn tell(&self, feedback: Feedback) -> Result<bool, StoreError> {
        self.send(Job::Feedback(feedback)).await
    }

    /// The log.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether something changed.
    async fn send(&self, job: Job) -> Result<bool, StoreError> {
        let (done, outcome) = oneshot::channel();
        self.queue.try_send(Ticket { job, done }).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Stopped,
        })?;
        outcome.await.map_err(|_| StoreError::Stopped)?
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // The queue is closed by now (it is declared before this field), so the thread writes what waits and ends.
        if let Some(handle) = self.handle.take() {
            let _ = handle.join();
        }
    }
}

/// The log is for the user that runs the desk alone. SQLite gives its other files (WAL, shared memory) the rights of this one.
#[cfg(unix)]
fn private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let file = File::options().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn private(_: &Path) -> std::io::Result<()> {
    Ok(())
}

fn open_for_writing(path: &Path) -> Result<Connection, StoreError> {
    let fail = |e: rusqlite::Error| StoreError::of(path, &e);
    let mut connection = Connection::open(path).map_err(fail)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(fail)?;
    if mode != "wal" {
        return Err(StoreError::NotWritable { path: path.to_owned(), reason: format!("journal mode {mode} instead of wal") });
    }
    // In WAL mode NORMAL may lose the last commits to a power cut.
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;").map_err(fail)?;
    schema::migrate(&mut connection, path)?;
    Ok(connection)
}

fn write(mut connection: Connection, mut inbox: mpsc::Receiver<Ticket>, path: &Path) {
    while let Some(Ticket { job, done }) = inbox.blocking_recv() {
        let outcome = commit(&mut connection, &job).map_err(|e| StoreError::of(path, &e));
        if let Err(error) = &outcome {
            tracing::error!(%error, "nothing was written");
        }
        // Nobody waits any more: the turn is written all the same.
        let _ = done.send(outcome);
    }
}

/// One transaction a job. A disk that is full makes SQLite roll back by itself; dropping the transaction does it in the other cases.
fn commit(connection: &mut Connection, job: &Job) -> rusqlite::Result<bool> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let is_new = match job {
        Job::Open(session, at_unix_ms, channel) => {
            let rows = transaction.execute(
                "INSERT INTO sessions (id, started_unix_ms, channel) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING",
                rusqlite::params![session.as_str(), *at_unix_ms as i64, channel],
            )?;
            rows > 0
        }
        Job::Append(record) => {
            rows::insert(&transaction, record)?;
            true
        }
        Job::Feedback(told) => feedback::insert(&transaction, told)?,
    };
    transaction.commit()?;
    Ok(is_new)
}

#[cfg(test)]
mod tests {
    use super::super::Reader;
    use super::super::feedback::tests::features;
    use super::*;
    use crate::domain::{Answer, AnswerKind, Channel, DialogueState, FeedbackOutcome, Moment, ProductId, Timings};

    fn record(session: &SessionId, turn: u32, text: &str) -> TurnRecord {
        TurnRecord {
            session: session.clone(),
            turn,
            at_unix_ms: 1_800_000_000_000,
            moment: Moment { weekday: 2, minutes: 615 },
            channel: Channel::Typed,
            transcript: None,
            typed: Some(text.to_owned()),
            sighting: None,
            understanding: None,
            order: None,
            faq: None,
            features: features(),
            prediction: None,
            answer: Answer::new(AnswerKind::Fact, "It costs 79 cents."),
            handoff: None,
            recommendations: Vec::new(),
            passed_over: Vec::new(),
            state: DialogueState { turns: turn, ..DialogueState::default() },
            timings: Timings::default(),
        }
    }

    fn count(connection: &Connection) -> u32 {
        connection.query_row("SELECT count(*) FROM turns", [], |row| row.get(0)).expect("counts")
    }

    #[test]
    fn a_full_disk_is_told_nothing_is_half_written_and_with_room_it_goes_on() {
        let room = tempfile::tempdir().expect("a folder");
        let path = room.path().join(FILE);
        let mut connection = open_for_writing(&path).expect("opens");
        let session = SessionId::parse("s").expect("an identifier");
        commit(&mut connection, &Job::Append(Box::new(record(&session, 1, "first")))).expect("has room");
        // SQLite then says "full" exactly as it does when the disk is.
        let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("counts pages");
        connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).expect("sets the limit");
        let long = Job::Append(Box::new(record(&session, 2, &"x".repeat(100_000))));
        let error = StoreError::of(&path, &commit(&mut connection, &long).expect_err("there is no room"));
        assert!(matches!(error, StoreError::Full { .. }), "{error}");
        assert_eq!(count(&connection), 1);
        connection.query_row("PRAGMA max_page_count = 1000000", [], |_| Ok(())).expect("sets the limit");
        commit(&mut connection, &long).expect("has room again");
        assert_eq!(count(&connection), 2);
    }

    #[test]
    fn a_log_of_a_newer_kioskd_is_left_alone() {
        let room = tempfile::tempdir().expect("a folder");
        let path = room.path().join(FILE);
        Connection::open(&path).and_then(|c| c.pragma_update(None, "user_version", 99)).expect("a log from the future");
        let error = open_for_writing(&path).expect_err("opened").to_string();
        assert!(error.contains("has version 99"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_database_is_refused_and_not_overwritten() {
        let room = tempfile::tempdir().expect("a folder");
        let path = room.path().join(FILE);
        std::fs::write(&path, "not a database, but somebody's letter ".repeat(50)).expect("writes");
        let error = open_for_writing(&path).expect_err("opened").to_string();
        assert!(error.contains("cannot be used as the session log"), "{error}");
        assert!(std::fs::read_to_string(&path).expect("still there").starts_with("not a database"));
    }

    fn told(session: &SessionId, turn: Option<u32>, outcome: FeedbackOutcome) -> Job {
        let product = Some(ProductId("oat-milk".to_owned()));
        Job::Feedback(Feedback { session: session.clone(), turn, at_unix_ms: 1, outcome, product })
    }

    #[test]
    fn the_same_feedback_twice_counts_once_and_a_change_of_mind_replaces_it() {
        let room = tempfile::tempdir().expect("a folder");
        let mut connection = open_for_writing(&room.path().join(FILE)).expect("opens");
        let session = SessionId::parse("s").expect("an identifier");
        let mut write = |job: Job| commit(&mut connection, &job).expect("is written");
        write(Job::Append(Box::new(record(&session, 1, "oat milk"))));
        assert!(write(told(&session, Some(1), FeedbackOutcome::Rejected)));
        assert!(!write(told(&session, Some(1), FeedbackOutcome::Rejected)));
        assert!(write(told(&session, Some(1), FeedbackOutcome::Accepted)));
        assert!(write(told(&session, None, FeedbackOutcome::Rated(2))));
        assert!(write(told(&session, None, FeedbackOutcome::Rated(5))));
        assert!(!write(told(&session, None, FeedbackOutcome::Rated(5))));
        let kept: Vec<_> =
            Reader::new(room.path()).feedback_of(&session).expect("reads").into_iter().map(|f| (f.turn, f.outcome)).collect();
        assert_eq!(kept, [(Some(1), FeedbackOutcome::Accepted), (None, FeedbackOutcome::Rated(5))]);
    }

    #[test]
    fn a_session_that_ended_is_read_back_with_what_was_known_and_what_happened() {
        let room = tempfile::tempdir().expect("a folder");
        let mut connection = open_for_writing(&room.path().join(FILE)).expect("opens");
        let (bought, open) = (SessionId::parse("bought").expect("an identifier"), SessionId::parse("open").expect("an identifier"));
        let mut write = |job: Job| commit(&mut connection, &job).expect("is written");
        for session in [&bought, &open] {
            write(Job::Append(Box::new(record(session, 1, "oat milk"))));
        }
        write(told(&bought, Some(1), FeedbackOutcome::Accepted));
        write(Job::Feedback(Feedback {
            session: bought.clone(),
            turn: None,
            at_unix_ms: 1,
            outcome: FeedbackOutcome::Left,
            product: None,
        }));
        write(told(&bought, None, FeedbackOutcome::Purchase));
        write(told(&open, Some(1), FeedbackOutcome::ThumbsUp));
        let reader = Reader::new(room.path());
        let ended = reader.ended_sessions(10).expect("reads");
        assert_eq!((ended.len(), reader.count_ended().expect("counts")), (1, 1));
        assert_eq!((ended[0].session.as_str(), &ended[0].features), ("bought", &features()));
        // Who bought after all has not left.
        assert_eq!(ended[0].outcomes, [FeedbackOutcome::Accepted, FeedbackOutcome::Purchase]);
        assert_eq!(reader.last_turn(&open).expect("reads"), Some(1));
    }
}
