//! What a conversation has come to after a turn.

use super::order::Edit;
use super::respond::intent_of;
use super::{Decision, Dialogue, Turn, handoff};
use crate::dialogue::Subject;
use crate::domain::{Act, Answer, AnswerKind, DialogueState, IntentKind, ProductId, Waiting};

/// Topics that staff is told of; a long conversation is told by its end.
const TOPICS_MAX: usize = 12;
/// Products that can be pointed at: more are not kept in mind.
const SHOWN_MAX: usize = 8;

impl Dialogue {
    /// What the conversation has come to after the turn.
    pub(super) fn next(&self, turn: &Turn<'_>, answer: &Answer, edit: Option<Edit>) -> DialogueState {
        let before = turn.state;
        if *turn.decision == Decision::StartOver {
            let turns = before.turns + 1;
            return DialogueState { turns, last_unix_ms: turn.now_unix_ms, ..fresh(before, turn.now_unix_ms) };
        }
        let mut next = before.clone();
        next.turns += 1;
        next.last_unix_ms = turn.now_unix_ms;
        let failed = matches!(answer.kind, AnswerKind::Unknown | AnswerKind::NotHeard);
        next.failures = if failed { before.failures + 1 } else { 0 };
        next.unanswered += u32::from(!answer.is_answered);
        if let Some(mood) = turn.input.understanding.and_then(|u| u.sentiment) {
            next.sentiment_min = Some(before.sentiment_min.map_or(mood, |low| low.min(mood)));
            if handoff::counts_for_mood(turn.decision) {
                next.moods.push(mood);
                let surplus = next.moods.len().saturating_sub(handoff::MOODS_MAX);
                next.moods.drain(..surplus);
            }
        }
        next.waiting = self.waiting(turn, answer, edit.as_ref());
        next.is_ordering = edit.is_some() || (before.is_ordering && is_aside(answer));
        self.remember(turn, answer, &mut next);
        if let Some(edit) = edit {
            next.basket = edit.basket;
        }
        next
    }

    fn waiting(&self, turn: &Turn<'_>, answer: &Answer, edit: Option<&Edit>) -> Waiting {
        if let Some(edit) = edit {
            return edit.waiting.clone();
        }
        match turn.decision {
            Decision::AskWhich { intent, .. } | Decision::Several { intent, .. } => Waiting::Product { intent: intent.clone() },
            // "With what shall I compare it?"
            Decision::Answer { intent, others, .. }
                if others.is_empty() && self.phrasebook.manner(intent).is_some_and(|m| m.act == Some(Act::Compare)) =>
            {
                Waiting::Product { intent: intent.clone() }
            }
            Decision::AskWhat { first, second, product } => {
                Waiting::Intent { first: first.clone(), second: second.clone(), product: product.clone() }
            }
            Decision::OutOfScope { .. } | Decision::NotFound { .. } if answer.kind == AnswerKind::Unknown => Waiting::Person,
            // A question between an order and its "yes" does not undo it.
            _ if turn.state.waiting == Waiting::Confirm && (is_aside(answer) || answer.kind == AnswerKind::Fact) => Waiting::Confirm,
            _ if is_aside(answer) => turn.state.waiting.clone(),
            _ => Waiting::Nothing,
        }
    }

    /// Products and topics, for "and the other one?" and for staff.
    fn remember(&self, turn: &Turn<'_>, answer: &Answer, next: &mut DialogueState) {
        let mut shown: Vec<ProductId> = Vec::new();
        match turn.decision {
            Decision::Answer { intent, product, others, .. } => {
                let tells_offers = self.phrasebook.definition(intent).is_some_and(|d| d.kind == IntentKind::Recommend);
                if let Some(product) = product {
                    next.product_questions += u32::from(answer.kind == AnswerKind::Fact);
                    next.product = Some(product.clone());
                    shown.push(product.clone());
                }
                shown.extend(others.iter().cloned());
                if tells_offers {
                    // What was recommended is talked about now.
                    shown = turn.offered.iter().map(|r| r.product.clone()).chain(shown).collect();
                    if turn.decision.is_remembered() && !turn.offered.is_empty() {
                        next.product = shown.first().cloned();
                    }
                } else if !shown.is_empty() {
                    shown.extend(turn.offered.iter().map(|r| r.product.clone()));
                }
            }
            Decision::Several { products, .. } => shown.extend(products.iter().cloned()),
            Decision::AskWhich { options, .. } => shown.extend(options.iter().cloned()),
            Decision::AskWhat { product: Some(product), .. } => next.product = Some(product.clone()),
            Decision::Order(_) => next.product = answer.product.clone().or(next.product.take()),
            _ => {}
        }
        let mut once: Vec<ProductId> = Vec::new();
        shown.into_iter().for_each(|id| {
            if !once.contains(&id) {
                once.push(id);
            }
        });
        once.truncate(SHOWN_MAX);
        // Of some that were told one was picked: the others can still be pointed at.
        let is_picked = once.first().is_some_and(|id| turn.state.shown.len() > 1 && turn.state.shown.contains(id));
        let is_about_one = matches!(turn.decision, Decision::Answer { others, .. } if others.is_empty());
        if !(once.is_empty() || is_picked && is_about_one) {
            next.shown = once;
        }
        if let Some(intent) = intent_of(turn.decision)
            && !is_aside(answer)
        {
            next.last_intent = Some(intent.to_owned());
        }
        if let Some(topic) = self.topic(turn, answer) {
            next.topics.push(topic);
            let surplus = next.topics.len().saturating_sub(TOPICS_MAX);
            next.topics.drain(..surplus);
        }
    }

    /// What was asked, in a few words; courtesies are not told.
    fn topic(&self, turn: &Turn<'_>, answer: &Answer) -> Option<String> {
        let about = match turn.decision {
            Decision::Answer { intent, .. } if is_aside(answer) && !self.phrasebook.is_handoff(intent) => return None,
            Decision::Answer { intent, .. } | Decision::Several { intent, .. } | Decision::AskWhich { intent, .. } => {
                self.phrasebook.title(intent)
            }
            Decision::NotFound { intent } => self.phrasebook.title(intent),
            Decision::Faq { entry } => self.phrasebook.shop().faq.get(*entry)?.question.clone(),
            Decision::Rule(at) => self.talk.rules.get(*at)?.name.clone(),
            Decision::Order(_) => self.phrasebook.title(&self.orders.menu().intent),
            Decision::OutOfScope { .. } => "something else".to_owned(),
            _ => return None,
        };
        let product = answer.product.as_ref().and_then(|id| self.catalog.get(id)).map(|p| format!(" ({})", p.name));
        let unknown = if answer.is_answered { "" } else { ", not answered" };
        Some(format!("{about}{}{unknown}", product.unwrap_or_default()))
    }
}

/// Said between, without changing what the conversation is about.
fn is_aside(answer: &Answer) -> bool {
    matches!(answer.kind, AnswerKind::Smalltalk | AnswerKind::NotHeard)
}

/// A conversation anew. The count of turns goes on, as the log numbers them by it; so does the language.
pub(super) fn fresh(before: &DialogueState, now_unix_ms: u64) -> DialogueState {
    DialogueState { turns: before.turns, started_unix_ms: now_unix_ms, language: before.language.clone(), ..DialogueState::default() }
}

impl Decision {
    /// Whether the product was not named in this turn.
    fn is_remembered(&self) -> bool {
        matches!(self, Decision::Answer { subject: None | Some(Subject::Remembered), .. })
    }
}
