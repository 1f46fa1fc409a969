use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

use super::{Clock, Worker, WorkerError};
use crate::behavior::{
    BehaviorConfig, BehaviorError, BehaviorModel, Checkpoint, Example, HELD_OUT_MIN, Head, Outcomes, RoundReport, UnusualSessions,
    Versions, learn_from_sessions, sliced,
};
use crate::domain::FeedbackOutcome;
use crate::store::{EndedSession, Reader, StoreError};

/// How often is looked whether somebody went back to an earlier version, with nothing else to wake the thread.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Added to the thread's niceness: turns go before learning.
const NICENESS: i32 = 15;

/// Why a round could not be run. The model in use is not touched.
#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    /// The log.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The sessions or the model.
    #[error(transparent)]
    Behavior(#[from] BehaviorError),
}

/// What a round works with.
#[derive(Clone)]
pub struct Lessons {
    /// The log.
    pub reader: Reader,
    /// What was learnt before.
    pub versions: Versions,
    /// The model that ships.
    pub shipped: Checkpoint,
    /// What is usual here, whichever version predicts.
    pub usual: Option<Arc<UnusualSessions>>,
    /// How much is learnt, and when.
    pub config: BehaviorConfig,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// How a round ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// What was found.
    pub report: RoundReport,
    /// The new version, where it was better and is in use now.
    pub version: Option<u32>,
}

impl Lessons {
    /// The model in use.
    pub fn current(&self) -> Result<Checkpoint, BehaviorError> {
        Ok(self.versions.current()?.unwrap_or_else(|| self.shipped.clone()))
    }

    /// The same, ready to be asked.
    pub fn model(&self) -> Result<BehaviorModel, BehaviorError> {
        Ok(BehaviorModel::from_checkpoint(self.current()?)?.with_usual(self.usual.clone()))
    }

    /// Runs a round on the sessions in the log; a better model is in use on the disk afterwards.
    pub fn run(&self) -> Result<Lesson, LearnError> {
        let seen = self.reader.count_ended()?;
        let ended = self.reader.ended_sessions(self.config.learn_sessions_max)?;
        let round = learn_from_sessions(&self.current()?, &sliced(ended.into_iter().map(lesson)))?;
        let version = match &round.checkpoint {
            Some(checkpoint) => Some(self.versions.add(checkpoint, round.report.clone(), seen, self.clock.unix_ms())?),
            None => {
                self.versions.seen(seen)?;
                None
            }
        };
        Ok(Lesson { report: round.report, version })
    }

    /// Whether enough sessions have ended since the last round.
    fn is_due(&self) -> Result<bool, LearnError> {
        if self.config.learn_after_sessions == 0 {
            return Ok(false);
        }
        let ended = self.reader.count_ended()?;
        // A fifth of the sessions is held out, and with fewer of them no round is run at all.
        let enough = ended as usize >= 8 * HELD_OUT_MIN;
        Ok(enough && ended.saturating_sub(self.versions.state()?.sessions_seen) >= self.config.learn_after_sessions)
    }
}

/// A session of the log as an example, with its identifier.
pub fn lesson(ended: EndedSession) -> (String, Example) {
    let EndedSession { session, features, text, photo, outcomes } = ended;
    (session, Example { text: text.map(Arc::from), photo, session: features, outcomes: heads(&outcomes) })
}

/// What was told of a session, head by head.
fn heads(told: &[FeedbackOutcome]) -> Outcomes {
    Head::ALL.map(|head| {
        told.contains(&match head {
            Head::Purchase => FeedbackOutcome::Purchase,
            Head::AcceptRecommendation => FeedbackOutcome::Accepted,
            Head::HandoffNeeded => FeedbackOutcome::HandedOver,
            Head::Abandon => FeedbackOutcome::Left,
        })
    })
}

/// Learns in the background, on a thread of its own and behind everything else. No turn waits for it: a better model takes its place
/// between two predictions, and so does an earlier one that somebody went back to.
pub struct Learner {
    wake: Option<SyncSender<()>>,
    in_use: watch::Receiver<u32>,
    thread: Option<JoinHandle<()>>,
}

impl Learner {
    /// Starts the thread. `worker` is the one whose model is replaced.
    pub fn start(lessons: Lessons, worker: Arc<Worker<BehaviorModel>>) -> std::io::Result<Self> {
        let (wake, woken) = sync_channel(1);
        let (tell, in_use) = watch::channel(lessons.versions.state().map(|state| state.current).unwrap_or(0));
        let thread = std::thread::Builder::new().name("learner".to_owned()).spawn(move || learn(&lessons, &worker, &woken, &tell))?;
        Ok(Self { wake: Some(wake), in_use, thread: Some(thread) })
    }

    /// The version of the model that predicts, and its changes; 0 is the model that ships.
    pub fn in_use(&self) -> watch::Receiver<u32> {
        self.in_use.clone()
    }

    /// A session has ended: there may be enough to learn from now.
    pub fn wake(&self) {
        if let Some(wake) = &self.wake {
            // A full channel means that it will look anyway.
            let _ = wake.try_send(());
        }
    }
}

impl Drop for Learner {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn learn(lessons: &Lessons, worker: &Worker<BehaviorModel>, woken: &Receiver<()>, tell: &watch::Sender<u32>) {
    // On Linux this is the niceness of this thread alone.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(%error, "learning competes with turns");
    }
    let mut refused: BTreeSet<u32> = BTreeSet::new();
    loop {
        match woken.recv_timeout(LOOK_EVERY) {
            Ok(()) => match lessons.is_due() {
                Ok(true) => match lessons.run() {
                    Ok(Lesson { report, version }) => tracing::info!(
                        ?version,
                        sessions = report.sessions.iter().sum::<usize>(),
                        before = report.log_loss_before,
                        after = report.log_loss_after,
                        "behaviour was learnt from sessions"
                    ),
                    Err(error) => tracing::warn!(%error, "nothing was learnt from sessions"),
                },
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "it is not known whether there is something to learn"),
            },
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let Ok(current) = lessons.versions.state().map(|state| state.current) else { continue };
        let was = *tell.borrow();
        if current == was || refused.contains(&current) {
            continue;
        }
        match lessons.model() {
            Ok(model) => match worker.replace(model) {
                Ok(()) => {
                    tracing::info!(version = current, was, "the behaviour model was replaced");
                    // The queue is in order: what is predicted from now on is predicted by the new one.
                    tell.send_replace(current);
                }
                // The next look tries again.
                Err(WorkerError::Busy { .. }) => {}
                Err(_) => return,
            },
            Err(error) => {
                tracing::error!(%error, version = current, "the behaviour model was not replaced");
                refused.insert(current);
            }
        }
    }
}
