use std::sync::Arc;

use super::super::{Config, ShopFiles};
use super::language::ENCODER;
use super::{AssembleError, optional};
use crate::behavior::{BehaviorModel, Checkpoint, UnusualSessions, Versions};
use crate::store::Reader;
use crate::turn::{Clock, Lessons};
use crate::weights::Manifest;

/// Its name in the manifest; it is not a choice of the config.
pub(super) const BEHAVIOR: &str = "behavior-fusion";
/// Turns of the shop's own past that say what is usual, the newest ones.
const USUAL_TURNS_MAX: u32 = 20_000;

/// What the behaviour model that ships and a shop's own sessions are for one another; `None` where no model ships.
pub fn open_lessons(
    config: &Config,
    manifest: &Manifest,
    files: &ShopFiles,
    clock: Arc<dyn Clock>,
) -> Result<Option<Lessons>, AssembleError> {
    let Some(file) = optional(manifest, BEHAVIOR)? else { return Ok(None) };
    Ok(Some(Lessons {
        reader: Reader::new(&config.paths.data),
        versions: Versions::new(&config.paths.data.join("learned").join("behavior")),
        shipped: Checkpoint::read(file.path())?,
        config: config.behavior.clone(),
        usual: usual_sessions(config, files)?.map(Arc::new),
        clock,
    }))
}

/// The behaviour model in use, if it was trained on the vectors that this config's encoders make.
pub(super) fn current_behavior(lessons: &Lessons, config: &Config, manifest: &Manifest) -> Result<BehaviorModel, AssembleError> {
    let model = lessons.model()?;
    model.check_encoders(&manifest.entry(ENCODER)?.sha256, &manifest.entry(&config.vision.model)?.sha256)?;
    Ok(model)
}

/// What is usual here: the shop's past sessions, or simulated ones while there are too few. It takes a fraction of a second.
fn usual_sessions(config: &Config, files: &ShopFiles) -> Result<Option<UnusualSessions>, AssembleError> {
    let past = Reader::new(&config.paths.data).session_features(USUAL_TURNS_MAX)?;
    let has_enough = past.len() >= config.behavior.anomaly_turns_min as usize;
    let sessions = if has_enough { past } else { UnusualSessions::simulated(&files.catalog, &files.intents)? };
    Ok(UnusualSessions::learn(&sessions))
}
