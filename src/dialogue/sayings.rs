//! What the desk must be able to say beside the answers of intents. The words stand in the shop's `answers/*.toml`.

use super::order::EditKind;

/// Nothing was heard.
pub(super) const NOT_HEARD: &str = "desk.not_heard";
/// What was typed holds no word.
pub(super) const UNREADABLE: &str = "desk.unreadable";
/// A photo of something unknown.
pub(super) const UNKNOWN_PHOTO: &str = "desk.unknown_photo";
/// Which of several products is meant.
pub(super) const WHICH_OF: &str = "desk.which_of";
/// Which of two intents is meant.
pub(super) const WHICH_INTENT: &str = "desk.which_intent";
/// What was named is not sold here.
pub(super) const NOT_FOUND: &str = "desk.not_found";
/// "Yes" or "no" to nothing that was asked.
pub(super) const COURTESY: &str = "desk.courtesy";
/// The conversation begins anew.
pub(super) const STARTED_OVER: &str = "desk.started_over";
/// Added to the second refusal in a row.
pub(super) const OFFER_PERSON: &str = "desk.offer_person";
/// No intent is for what lies out of scope.
pub(super) const OUT_OF_SCOPE: &str = "desk.out_of_scope";
/// A person was offered and is wanted.
pub(super) const PERSON: &str = "handoff.wanted";
/// One line of the order.
pub(super) const LINE: &str = "order.line";
/// What staff is told.
pub(super) const SUMMARY: &str = "handoff.summary";

/// What is added to an answer where staff should come, by the reason; reasons that are absent here add nothing.
pub(super) fn handoff(reason: &str) -> String {
    format!("handoff.{reason}")
}

/// What is said of the order.
pub(super) fn order(kind: EditKind) -> String {
    format!("order.{}", kind.name())
}

/// All that must be there.
pub(super) fn needed() -> impl Iterator<Item = String> {
    let fixed = [
        NOT_HEARD,
        UNREADABLE,
        UNKNOWN_PHOTO,
        WHICH_OF,
        WHICH_INTENT,
        NOT_FOUND,
        COURTESY,
        STARTED_OVER,
        OFFER_PERSON,
        OUT_OF_SCOPE,
        PERSON,
        LINE,
        SUMMARY,
    ];
    let reasons = ["failures", "mood", "predicted"].map(handoff);
    fixed.into_iter().map(str::to_owned).chain(reasons).chain(EditKind::ALL.map(|(kind, _)| order(kind)))
}
