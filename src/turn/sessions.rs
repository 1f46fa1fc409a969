use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::{DialogueState, SessionId};

/// Conversations held in memory; an older one is read from the log again when it goes on.
const LIVE_MAX: usize = 512;

/// One conversation: its turns are taken one after the other.
pub(super) type Live = Arc<tokio::sync::Mutex<Option<DialogueState>>>;

/// The conversations of the moment. Each is a lock of its own, so that two people never wait for each other here.
#[derive(Default)]
pub(super) struct Sessions {
    live: Mutex<HashMap<SessionId, Live>>,
}

impl Sessions {
    /// The lock of a conversation; what it holds is `None` until it was read from the log.
    pub(super) fn get(&self, id: &SessionId) -> Live {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if live.len() >= LIVE_MAX && !live.contains_key(id) {
            // All is in the log, so forgetting those that nobody uses right now loses nothing.
            live.retain(|_, session| Arc::strong_count(session) > 1);
        }
        live.entry(id.clone()).or_default().clone()
    }

    /// The language of a conversation, as far as it is known in memory.
    pub(super) fn language(&self, id: &SessionId) -> Option<String> {
        let live = self.get(id);
        // While a turn is taken the language is found anew rather than waited for.
        let held = live.try_lock().ok()?;
        held.as_ref().and_then(|state| state.language.clone())
    }
}
