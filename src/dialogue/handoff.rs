//! Whether a member of staff should come, and what to tell them.

use super::{Decision, DialogueConfig};
use crate::domain::{DialogueState, HandoffReason, Prediction};

/// Turns of which the mood is kept.
pub(super) const MOODS_MAX: usize = 6;

/// Why a member of staff should come now; `None` where nothing calls for one, or staff was told already. `state` is the conversation as
/// it is after the turn; `is_asked` says that the turn itself asks for a person.
pub(super) fn reason(
    decision: &Decision,
    is_asked: bool,
    rule: Option<&str>,
    state: &DialogueState,
    prediction: Option<&Prediction>,
    config: &DialogueConfig,
) -> Option<HandoffReason> {
    // Who asks again, or is in danger, is never told to wait.
    if let Some(rule) = rule {
        return Some(HandoffReason::Rule(rule.to_owned()));
    }
    if is_asked || *decision == Decision::Person {
        return Some(HandoffReason::Asked);
    }
    let needed = |p: &Prediction| p.handoff_needed.get() >= config.handoff_probability_min;
    let reasons = [
        (state.failures >= config.failures_before_handoff, HandoffReason::Failures),
        (counts_for_mood(decision) && is_falling(&state.moods, config), HandoffReason::Mood),
        (prediction.is_some_and(needed), HandoffReason::Predicted),
    ];
    let told = |reason: &HandoffReason| state.handed_over.iter().any(|name| name == reason.name());
    reasons.into_iter().find(|(holds, reason)| *holds && !told(reason)).map(|(_, reason)| reason)
}

/// "No, without sugar" sounds cross to a model of reviews, and is none: an order or a rule says nothing of the mood.
pub(super) fn counts_for_mood(decision: &Decision) -> bool {
    !matches!(decision, Decision::Order(_) | Decision::Rule(_) | Decision::Courtesy)
}

/// The mood is low for the second turn in a row, or has fallen far to where it is low.
fn is_falling(moods: &[f32], config: &DialogueConfig) -> bool {
    let Some((now, before)) = moods.split_last() else { return false };
    let best = before.iter().copied().fold(f32::MIN, f32::max);
    let is_still_low = before.last().is_some_and(|last| *last <= config.mood_low);
    *now <= config.mood_low && (is_still_low || best - now >= config.mood_fall)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ModalityShares, Probability};

    fn state(moods: &[f32], failures: u32, handed_over: &[&str]) -> DialogueState {
        let handed_over = handed_over.iter().map(|name| (*name).to_owned()).collect();
        DialogueState { moods: moods.to_vec(), failures, handed_over, ..DialogueState::default() }
    }

    fn prediction(handoff_needed: f32) -> Prediction {
        let p = Probability::clamped;
        let shares = ModalityShares { text: 1.0, photo: 0.0, session: 0.0 };
        let (purchase, abandon) = (p(0.5), p(0.1));
        Prediction {
            purchase,
            accept_recommendation: p(0.1),
            handoff_needed: p(handoff_needed),
            abandon,
            anomaly: None,
            shares,
            because: Vec::new(),
        }
    }

    #[test]
    fn staff_is_told_once_for_each_reason_and_always_when_asked_or_in_danger() {
        let config = DialogueConfig::default();
        let call = |is_asked, rule, state: &DialogueState, needed: f32| {
            reason(&Decision::NothingHeard, is_asked, rule, state, Some(&prediction(needed)), &config)
        };
        assert_eq!(call(false, None, &state(&[], 0, &[]), 0.1), None);
        assert_eq!(call(true, None, &state(&[], 0, &["asked"]), 0.1), Some(HandoffReason::Asked));
        assert_eq!(call(false, Some("emergency"), &state(&[], 2, &["emergency"]), 0.1), Some(HandoffReason::Rule("emergency".to_owned())));
        assert_eq!(call(false, None, &state(&[], 2, &[]), 0.1), Some(HandoffReason::Failures));
        assert_eq!(call(false, None, &state(&[], 3, &["failures"]), 0.1), None);
        assert_eq!(call(false, None, &state(&[0.7, -0.9], 0, &[]), 0.1), Some(HandoffReason::Mood));
        assert_eq!(call(false, None, &state(&[-0.8, -0.85], 0, &[]), 0.1), Some(HandoffReason::Mood));
        assert_eq!(call(false, None, &state(&[-0.8], 0, &[]), 0.1), None, "one sentence is no fall");
        assert_eq!(call(false, None, &state(&[0.9, 0.1], 0, &[]), 0.1), None, "less happy is not unhappy");
        assert_eq!(call(false, None, &state(&[], 0, &[]), 0.95), Some(HandoffReason::Predicted));
    }
}
