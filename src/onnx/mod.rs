//! The one ONNX Runtime of the process.
//!
//! ONNX Runtime comes as a shared library that is loaded at run time, and it allows one environment per process, ever: a second is
//! refused even after the first was dropped. Everything that runs an ONNX model therefore starts here. This folder promises one thing,
//! [`OnnxRuntime::load`] may be called as often as needed, and leaves the models' contracts (shapes, names) to the areas that own them.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::session::Session;

use crate::weights::VerifiedFile;

/// Why a model could not be made ready.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// The shared library is missing, is something else, or is too old.
    #[error("{} could not be loaded as ONNX Runtime 1.17 or newer ({reason}); run `make setup`, which fetches it", path.display())]
    Library {
        /// The file asked for.
        path: PathBuf,
        /// What the loader said.
        reason: String,
    },
    /// Another library was loaded before.
    #[error(
        "ONNX Runtime is loaded from {} already and cannot be loaded from {} too; use one path in this process",
        loaded.display(),
        asked.display()
    )]
    SecondLibrary {
        /// The file in use.
        loaded: PathBuf,
        /// The file asked for.
        asked: PathBuf,
    },
    /// The library works, but not with this model.
    #[error("ONNX Runtime cannot use {} ({reason}); run `make setup`, which fetches it again", path.display())]
    Model {
        /// The model's file.
        path: PathBuf,
        /// What ONNX Runtime said.
        reason: String,
    },
}

/// A handle to the process's ONNX Runtime; clones share it.
#[derive(Debug, Clone)]
pub struct OnnxRuntime {
    environment: Environment,
}

/// The library in use and its environment. The environment stays here for good, as there can be no second one.
static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

impl OnnxRuntime {
    /// Loads the shared library, or hands out the environment that an earlier call made from the same file.
    ///
    /// # Errors
    /// [`OnnxError::Library`] where the file cannot be loaded (a later call may try again), [`OnnxError::SecondLibrary`] where another
    /// file is in use.
    pub fn load(library: &Path) -> Result<Self, OnnxError> {
        let refused = |reason: String| OnnxError::Library { path: library.to_owned(), reason };
        // An absolute path, because `ort` looks for a relative one beside the executable first.
        let path = library.canonicalize().map_err(|error| refused(error.to_string()))?;
        // A thread that panicked here left either nothing or a whole entry behind; both are good.
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        match &*loaded {
            Some((in_use, environment)) if *in_use == path => return Ok(Self { environment: environment.clone() }),
            Some((in_use, _)) => return Err(OnnxError::SecondLibrary { loaded: in_use.clone(), asked: path }),
            None => {}
        }
        let builder = ort::init_from(&path).map_err(|error| refused(error.to_string()))?;
        let environment = builder.with_name("kioskd").with_telemetry(false).build().map_err(|error| refused(error.to_string()))?;
        *loaded = Some((path, environment.clone()));
        Ok(Self { environment })
    }

    /// Reads a model and makes it ready to run.
    ///
    /// `intra_threads` work inside one operator, the caller's thread included; the sum over all engines should not exceed the cores.
    /// `Session::run` takes `&mut self`: one session per worker.
    ///
    /// # Errors
    /// [`OnnxError::Model`] where ONNX Runtime refuses the file.
    pub fn session(&self, model: &VerifiedFile, intra_threads: usize) -> Result<Session, OnnxError> {
        self.open(model.path(), intra_threads)
            .map_err(|error| OnnxError::Model { path: model.path().to_owned(), reason: error.to_string() })
    }

    fn open(&self, path: &Path, intra_threads: usize) -> ort::Result<Session> {
        Session::builder(&self.environment)?
            .with_intra_threads(intra_threads)?
            .with_inter_threads(1)?
            // Idle helper threads would otherwise spin, and take the cores from whisper.cpp.
            .with_intra_op_spinning(false)?
            .commit_from_file(path)
    }
}
