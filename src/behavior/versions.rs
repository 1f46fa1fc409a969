use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use super::error::BehaviorError;
use super::replay::RoundReport;
use crate::weights::write_atomically;

/// Versions kept beside the shipped model; the oldest goes first, and the one in use never.
const KEPT_MAX: usize = 5;
/// Name of the file that says which version is in use.
const STATE: &str = "versions.json";

/// The models that were learnt from a shop's own sessions, in a folder of their own: `1.safetensors`, `2.safetensors`, and
/// `versions.json`, which says which is in use.
///
/// That one file is replaced as a whole, so a version is in use or it is not, whenever the power goes. Version 0 is the model that ships.
#[derive(Debug, Clone)]
pub struct Versions {
    folder: PathBuf,
}

/// What `versions.json` says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct VersionState {
    /// The version in use; 0 is the model that ships.
    pub current: u32,
    /// Those that were learnt, oldest first.
    pub versions: Vec<Version>,
    /// Sessions with a known outcome when the last round was run: the next waits for new ones.
    pub sessions_seen: u32,
}

/// One learnt model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// Its number, from 1.
    pub number: u32,
    /// The version that it was learnt from, to which is gone back.
    pub parent: u32,
    /// When, in milliseconds since 1970 (UTC).
    pub at_unix_ms: u64,
    /// What the round came to.
    pub report: RoundReport,
}

impl Versions {
    /// Those in this folder; it need not exist.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Which there are and which is in use. Where there is no file, the model that ships is.
    /// # Errors
    /// Where the file cannot be read or is not ours.
    pub fn state(&self) -> Result<VersionState, BehaviorError> {
        let path = self.folder.join(STATE);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(VersionState::default()),
            Err(source) => return Err(BehaviorError::Io { doing: "read", path, source }),
        };
        let other = |e: serde_json::Error| BehaviorError::OtherModel { origin: path.display().to_string(), reason: e.to_string() };
        serde_json::from_slice(&text).map_err(other)
    }

    /// The learnt model in use; `None` where it is the one that ships.
    pub fn current(&self) -> Result<Option<Checkpoint>, BehaviorError> {
        match self.state()?.current {
            0 => Ok(None),
            number => Checkpoint::read(&self.path(number)).map(Some),
        }
    }

    /// Keeps a model that was learnt from the one in use, and puts it to use. The model is on the disk before it is in use.
    pub fn add(&self, checkpoint: &Checkpoint, report: RoundReport, sessions_seen: u32, at_unix_ms: u64) -> Result<u32, BehaviorError> {
        let mut state = self.state()?;
        let number = state.versions.iter().map(|version| version.number).max().unwrap_or(0) + 1;
        std::fs::create_dir_all(&self.folder).map_err(|source| BehaviorError::Io { doing: "write", path: self.folder.clone(), source })?;
        checkpoint.write(&self.path(number))?;
        state.versions.push(Version { number, parent: state.current, at_unix_ms, report });
        state.current = number;
        state.sessions_seen = sessions_seen;
        let surplus = state.versions.len().saturating_sub(KEPT_MAX);
        let gone: Vec<u32> = state.versions.drain(..surplus).map(|version| version.number).collect();
        self.write(&state)?;
        for number in gone {
            // What cannot be removed is only not pretty.
            let _ = std::fs::remove_file(self.path(number));
        }
        Ok(number)
    }

    /// Notes that a round was run and changed nothing.
    pub fn seen(&self, sessions_seen: u32) -> Result<(), BehaviorError> {
        let state = VersionState { sessions_seen, ..self.state()? };
        std::fs::create_dir_all(&self.folder).map_err(|source| BehaviorError::Io { doing: "write", path: self.folder.clone(), source })?;
        self.write(&state)
    }

    /// Goes back to the version that the one in use was learnt from; returns its number, 0 for the model that ships.
    /// # Errors
    /// [`BehaviorError::NoEarlierVersion`] where the model that ships is in use.
    pub fn roll_back(&self) -> Result<u32, BehaviorError> {
        let mut state = self.state()?;
        let is_there = |number: u32| number == 0 || state.versions.iter().any(|version| version.number == number);
        let in_use = state.versions.iter().find(|version| version.number == state.current).ok_or(BehaviorError::NoEarlierVersion)?;
        // A parent that was removed for its age is followed by the model that ships.
        state.current = if is_there(in_use.parent) { in_use.parent } else { 0 };
        self.write(&state)?;
        Ok(state.current)
    }

    fn path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("{number}.safetensors"))
    }

    fn write(&self, state: &VersionState) -> Result<(), BehaviorError> {
        let path = self.folder.join(STATE);
        let bytes = serde_json::to_vec_pretty(state)
            .map_err(|e| BehaviorError::OtherModel { origin: path.display().to_string(), reason: e.to_string() })?;
        write_atomically(&path, &bytes).map_err(|source| BehaviorError::Io { doing: "write", path, source })
    }
}

#[cfg(test)]
mod tests {
    use super::super::checkpoint::tests::untrained;
    use super::*;

    fn report() -> RoundReport {
        RoundReport { sessions: [60, 20, 20], log_loss_before: 0.6, log_loss_after: 0.5, is_better: true }
    }

    fn bytes(checkpoint: Option<Checkpoint>) -> Option<Vec<u8>> {
        checkpoint.map(|checkpoint| checkpoint.to_bytes().unwrap())
    }

    #[test]
    fn a_learnt_version_is_in_use_until_it_is_rolled_back_to_the_one_before() {
        let room = tempfile::tempdir().unwrap();
        let versions = Versions::new(&room.path().join("behavior"));
        assert_eq!(bytes(versions.current().unwrap()), None);
        assert_eq!(versions.add(&untrained(1), report(), 100, 5).unwrap(), 1);
        assert_eq!(versions.add(&untrained(2), report(), 150, 6).unwrap(), 2);
        assert_eq!(bytes(versions.current().unwrap()), bytes(Some(untrained(2))));
        assert_eq!((versions.roll_back().unwrap(), bytes(versions.current().unwrap())), (1, bytes(Some(untrained(1)))));
        assert_eq!((versions.roll_back().unwrap(), bytes(versions.current().unwrap())), (0, None));
        assert!(matches!(versions.roll_back(), Err(BehaviorError::NoEarlierVersion)));
        assert_eq!(versions.state().unwrap().sessions_seen, 150);
        // What is learnt after that has a number of its own.
        assert_eq!(versions.add(&untrained(3), report(), 200, 7).unwrap(), 3);
    }

    #[test]
    fn old_versions_go_and_the_folder_does_not_grow() {
        let room = tempfile::tempdir().unwrap();
        let versions = Versions::new(room.path());
        for n in 0..8 {
            versions.add(&untrained(n), report(), 100, n).unwrap();
        }
        let files = std::fs::read_dir(room.path()).unwrap().count();
        assert_eq!((files, versions.state().unwrap().versions.len()), (KEPT_MAX + 1, KEPT_MAX));
        assert_eq!(versions.state().unwrap().current, 8);
    }

    #[test]
    fn a_state_that_is_not_ours_is_refused_and_not_overwritten() {
        let room = tempfile::tempdir().unwrap();
        std::fs::write(room.path().join(STATE), "not JSON").unwrap();
        let versions = Versions::new(room.path());
        assert!(versions.state().is_err() && versions.add(&untrained(1), report(), 1, 1).is_err());
        assert_eq!(std::fs::read(room.path().join(STATE)).unwrap(), b"not JSON");
    }
}
