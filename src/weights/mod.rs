//! Which model files there are, and the promise that native code never sees one that was not checked.
//!
//! [`Manifest`] reads `models/manifest.toml`: name, file, size, SHA-256, licence and source of every model. [`Manifest::verify`]
//! compares a file with its line and returns a [`VerifiedFile`], the only thing that whisper.cpp, ONNX Runtime and candle are ever
//! given here: a cut or altered weights file makes whisper.cpp load nonsense, hang or abort the process, and none of that can be
//! caught. [`pull`] fetches the public sizes of Whisper from their home, resumably and atomically.

mod manifest;
mod pull;
mod verify;
mod write;

pub use manifest::{Hub, Manifest, ModelEntry, ModelKind};
pub use pull::{PullProgress, pull, pull_from};
pub use verify::{VerifiedFile, sha256_of_file};
pub use write::write_atomically;

/// What can be wrong with a model file. Each sentence says what to do.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The list itself cannot be read.
    #[error("{path} could not be read: {reason}; restore it from the repository")]
    Manifest {
        /// The list.
        path: std::path::PathBuf,
        /// Why.
        reason: String,
    },
    /// No such line.
    #[error("there is no model named {name:?} in models/manifest.toml; `kioskd models list` shows the names")]
    Unlisted {
        /// What was asked for.
        name: String,
    },
    /// The line is there, the file is not.
    #[error("{path} is missing; `{remedy}` provides it")]
    Missing {
        /// The file.
        path: std::path::PathBuf,
        /// What provides it.
        remedy: String,
    },
    /// Another length than listed.
    #[error(
        "{path} has {found} bytes, but models/manifest.toml lists {listed}: it is cut short or another file; `{remedy}` provides it again"
    )]
    WrongSize {
        /// The file.
        path: std::path::PathBuf,
        /// Its length.
        found: u64,
        /// The length listed.
        listed: u64,
        /// What provides it.
        remedy: String,
    },
    /// Another checksum than listed.
    #[error("{path} has sha256 {found}, but models/manifest.toml lists {listed}; `{remedy}` provides it again")]
    WrongChecksum {
        /// The file.
        path: std::path::PathBuf,
        /// Its checksum.
        found: String,
        /// The checksum listed.
        listed: String,
        /// What provides it.
        remedy: String,
    },
    /// The disk said no.
    #[error("{path}: {source}; check that the disk is there and that this user may use it")]
    Io {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The model is not one that can be fetched.
    #[error("{name:?} cannot be pulled: {instead}")]
    NotPullable {
        /// The model.
        name: String,
        /// How it is provided.
        instead: String,
    },
    /// Nobody answered.
    #[error(
        "{name:?} could not be fetched, there seems to be no internet ({reason}); what has arrived is kept, run the same command again to go on"
    )]
    Offline {
        /// The model.
        name: String,
        /// What the network said.
        reason: String,
    },
    /// Somebody answered, but not with the file.
    #[error("{name:?} could not be fetched: {reason}")]
    Refused {
        /// The model.
        name: String,
        /// What was answered.
        reason: String,
    },
}
