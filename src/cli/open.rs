//! What most commands begin with: the settings, a desk, an async runtime.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use super::{Failure, Place, progress};
use crate::config::{Config, ENCODER_FILES, open_desk};
use crate::language::Encoder;
use crate::speech::Transcriber;
use crate::turn::{Desk, SystemClock};
use crate::weights::Manifest;

/// The settings, with what the command line overrides.
pub(super) fn config(place: &Place) -> Result<Config, Failure> {
    let path = match &place.config {
        Some(path) => path.clone(),
        None => Config::find()?,
    };
    let mut config = Config::read(&path)?;
    if let Some(folder) = &place.data_dir {
        config.paths.data = folder.clone();
    }
    Ok(config)
}

/// A desk with all models.
pub(super) fn desk(config: &Config) -> Result<Desk, Failure> {
    let bar = progress::Learning::new();
    Ok(open_desk(config, Arc::new(SystemClock), &|done, all| bar.show(done, all))?)
}

/// The list of models.
pub(super) fn manifest(config: &Config) -> Result<Manifest, Failure> {
    Manifest::read(&config.paths.models).map_err(|e| Failure::Job(e.to_string()))
}

/// The sentence encoder.
pub(super) fn encoder(config: &Config) -> Result<Encoder, Failure> {
    let manifest = manifest(config)?;
    let [weights, vocabulary, adapter] = ENCODER_FILES.map(|name| manifest.verify(name).map_err(|e| Failure::Job(e.to_string())));
    Encoder::load(&weights?, &vocabulary?, &adapter?).map_err(|e| Failure::Job(e.to_string()))
}

/// How many threads work at once here.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The texts of the recogniser's tokens, where it is there: some things can be said more precisely with them, and all can be said without.
pub(super) fn token_texts(place: &Place) -> Option<Vec<Vec<u8>>> {
    let config = config(place).ok()?;
    let manifest = manifest(&config).ok()?;
    let entry = manifest.entry(&config.speech.model).ok()?;
    let file = manifest.verify(&config.speech.model).ok()?;
    let transcriber = Transcriber::load(&file, entry.short_window, config.speech.clone()).ok()?;
    Some(transcriber.vocabulary().texts().to_vec())
}

/// Runs async code. Two threads carry it: nothing computes there.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(16)
        .thread_name("kioskd")
        .enable_all()
        .build()
        .map_err(|e| Failure::Job(format!("the machine gave no threads: {e}")))?;
    runtime.block_on(work)
}

/// A file that was named is read up to here: a little more than the largest the settings may allow, so that a device or a pipe without
/// end is refused by its size and does not fill the memory.
const FILE_BYTES_MAX: u64 = 300 << 20;

/// The content of a file that was named.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut content = Vec::new();
    let file = std::fs::File::open(path).map_err(|e| Failure::unreadable(path, &e))?;
    file.take(FILE_BYTES_MAX).read_to_end(&mut content).map_err(|e| Failure::unreadable(path, &e))?;
    Ok(content)
}

/// One line on stdout. A reader that has gone ends the command without complaint.
pub(super) fn print_line(line: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        outcome => outcome.map_err(|e| Failure::of_output(&e)),
    }
}

/// One JSON object on a line of stdout.
pub(super) fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let line = serde_json::to_string(value).map_err(|e| Failure::Job(e.to_string()))?;
    print_line(&line)
}
