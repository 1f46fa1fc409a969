//! What happened, never lost: every turn, and what became of it, in one SQLite file.
//!
//! One [`Writer`] thread owns the only writing connection; [`Writer::append`] returns when the turn is on the disk (WAL with
//! `synchronous=FULL`), and only then may its answer be shown as final. [`Reader`] opens read-only connections beside it and sees what
//! was committed. A lock file keeps a second process from writing to the same log. What is stored was masked before: no telephone
//! or card number reaches this folder.

mod feedback;
mod logged;
mod offers;
mod reader;
mod rows;
mod schema;
mod state;
mod visits;
mod writer;

pub use feedback::EndedSession;
pub use logged::LoggedTurn;
pub use reader::{Reader, SessionSummary, UnansweredTurn};
pub use visits::{Visit, VisitTurn};
pub use writer::Writer;

use std::path::PathBuf;

/// Name of the log below the data folder.
pub const FILE: &str = "sessions.sqlite";

/// What can go wrong with the log.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Another process writes to it.
    #[error("{} is in use by another kioskd; stop that one, or give this one a folder of its own with --data-dir", path.display())]
    InUse {
        /// The log.
        path: PathBuf,
    },
    /// The folder or file cannot be written.
    #[error("{} cannot be written ({reason}); check that the disk is there, has room and is not read-only, or choose another with --data-dir", path.display())]
    NotWritable {
        /// The log or its folder.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The disk is full.
    #[error("the disk that holds {} is full; the turn was not saved: make room and ask again", path.display())]
    Full {
        /// The log.
        path: PathBuf,
    },
    /// Made by a newer kioskd.
    #[error("{} has version {found}, this kioskd knows versions up to {known}; install the newer kioskd again or choose another data folder", path.display())]
    TooNew {
        /// The log.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version known.
        known: i64,
    },
    /// There is none yet.
    #[error("{} does not exist yet; it is made with the first turn (`kioskd ask`, `kioskd serve`)", path.display())]
    Missing {
        /// The log.
        path: PathBuf,
    },
    /// SQLite said no.
    #[error("{} cannot be used as the session log ({reason}); move it away or restore a backup, a new one is made at the next start", path.display())]
    Sqlite {
        /// The log.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// The queue of turns to be written is full.
    #[error("the session log is busy; try again in a moment")]
    Busy,
    /// The writer is gone.
    #[error("the session log has stopped; restart kioskd, its log says why")]
    Stopped,
}

impl StoreError {
    fn of(path: &std::path::Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => StoreError::Full { path },
            Some(rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::SystemIoFailure) => {
                StoreError::NotWritable { path, reason: error.to_string() }
            }
            _ => StoreError::Sqlite { path, reason: error.to_string() },
        }
    }
}
