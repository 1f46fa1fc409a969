use serde::Deserialize;

use super::unusual::SESSIONS_MIN;

/// What the model learns from a shop's own sessions, and what is done about unusual ones.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BehaviorConfig {
    /// Sessions with a known outcome after which the model learns again, in the background; 0 never does. Fewer follow the shop sooner
    /// and compute more.
    pub learn_after_sessions: u32,
    /// The newest sessions that are learnt from, at most. More take longer, and what customers did long ago may no longer hold.
    pub learn_sessions_max: u32,
    /// A session as unlike the others as this is told of in the program's log, 0 to 1; one half is a session among many.
    pub anomaly_threshold: f32,
    /// From so many turns of its own on, a shop's past sessions say what is usual, and simulated ones no longer do.
    pub anomaly_turns_min: u32,
}

impl Default for BehaviorConfig {
    fn default() -> Self {
        Self { learn_after_sessions: 50, learn_sessions_max: 5_000, anomaly_threshold: 0.65, anomaly_turns_min: 1_000 }
    }
}

impl BehaviorConfig {
    /// All that is wrong with the values.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.learn_after_sessions > 100_000 {
            problems.push(format!("behavior.learn_after_sessions is {}; expected 0 to 100000", self.learn_after_sessions));
        }
        if !(100..=100_000).contains(&self.learn_sessions_max) {
            problems.push(format!("behavior.learn_sessions_max is {}; expected 100 to 100000", self.learn_sessions_max));
        }
        if !(0.0..=1.0).contains(&self.anomaly_threshold) {
            problems.push(format!("behavior.anomaly_threshold is {}; expected 0 to 1", self.anomaly_threshold));
        }
        if !(SESSIONS_MIN as u32..=1_000_000).contains(&self.anomaly_turns_min) {
            problems.push(format!("behavior.anomaly_turns_min is {}; expected {SESSIONS_MIN} to 1000000", self.anomaly_turns_min));
        }
        problems
    }
}
