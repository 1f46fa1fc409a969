use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::sessions::Sessions;
use super::{Clock, Fusion, Grammars, Hearing, Learner, OpenQuestions, Pool, Worker};
use crate::audio::FileLimits;
use crate::behavior::BehaviorModel;
use crate::dialogue::{Dialogue, FaqIndex};
use crate::domain::{Catalog, Channel, SessionId, Shop};
use crate::language::Language;
use crate::recommend::Recommender;
use crate::store::{Reader, StoreError, Writer};
use crate::vision::{Classifier, Gallery, VisionConfig};

/// How turns are run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeskConfig {
    /// A turn that takes longer is given up, in milliseconds. Ten minutes of sound need some 40 s on one core.
    pub deadline_ms: u64,
    /// Jobs that may wait for one model. More makes callers wait, fewer refuses them sooner.
    pub queue: usize,
}

impl Default for DeskConfig {
    fn default() -> Self {
        Self { deadline_ms: 60_000, queue: 16 }
    }
}

impl DeskConfig {
    /// All that is wrong with the values.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !(100..=600_000).contains(&self.deadline_ms) {
            problems.push(format!("turn.deadline_ms is {}; expected 100 to 600000", self.deadline_ms));
        }
        if !(1..=1_024).contains(&self.queue) {
            problems.push(format!("turn.queue is {}; expected 1 to 1024", self.queue));
        }
        problems
    }
}

/// All that a turn needs, loaded and ready.
pub struct Parts {
    /// Sound to words.
    pub hearing: Pool<Hearing>,
    /// Photo to sighting.
    pub seeing: Worker<(Classifier, Gallery)>,
    /// Words to meaning.
    pub language: Worker<Language>,
    /// What the person will do; `None` where no model was trained.
    pub behavior: Option<Arc<Worker<BehaviorModel>>>,
    /// Learns from what becomes of sessions, in the background.
    pub learner: Option<Learner>,
    /// A session as unusual as this is told of in the program's log.
    pub anomaly_threshold: f32,
    /// What to offer.
    pub recommender: Recommender,
    /// What the shop sells.
    pub catalog: Arc<Catalog>,
    /// Words and photo together.
    pub fusion: Fusion,
    /// A language model for open questions, where one is wanted.
    pub open_questions: Option<Arc<OpenQuestions>>,
    /// How conversations are led, and in which words.
    pub dialogue: Dialogue,
    /// What written words can be read by.
    pub grammars: Grammars,
    /// What is asked often.
    pub faq: FaqIndex,
    /// The log, to write.
    pub writer: Writer,
    /// The log, to read.
    pub reader: Reader,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Limits of sound files.
    pub sound_limits: FileLimits,
    /// Limits of photos.
    pub vision: VisionConfig,
    /// How turns are run.
    pub config: DeskConfig,
}

/// The service desk: takes turns of many conversations at once.
pub struct Desk {
    pub(super) parts: Parts,
    pub(super) sessions: Sessions,
}

/// Why a conversation could not be begun.
pub type DeskError = StoreError;

impl Desk {
    /// A desk with these parts.
    pub fn new(parts: Parts) -> Self {
        Self { parts, sessions: Sessions::default() }
    }

    /// Begins a conversation; when this returns, it is in the log.
    pub async fn open_session(&self, channel: Channel) -> Result<SessionId, DeskError> {
        let id = SessionId::parse(&uuid::Uuid::now_v7().to_string()).ok_or(StoreError::Stopped)?;
        self.open_session_as(&id, channel).await?;
        Ok(id)
    }

    /// Begins a conversation under an identifier of the caller's, or goes on with it.
    pub async fn open_session_as(&self, id: &SessionId, channel: Channel) -> Result<(), DeskError> {
        self.parts.writer.open_session(id.clone(), self.parts.clock.unix_ms(), channel.name()).await
    }

    /// The log, to read.
    pub fn reader(&self) -> &Reader {
        &self.parts.reader
    }

    /// What the shop sells.
    pub fn catalog(&self) -> &Catalog {
        &self.parts.catalog
    }

    /// The shop.
    pub fn shop(&self) -> &Shop {
        self.parts.dialogue.phrasebook.shop()
    }

    /// The words and limits that faces show.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    pub(super) fn deadline(&self) -> Duration {
        Duration::from_millis(self.parts.config.deadline_ms)
    }
}
