use super::open_questions::generated;
use super::{Fusion, Grammars};
use crate::dialogue::{Dialogue, DialogueInput, TemplateError, Turn};
use crate::domain::{AnswerKind, DialogueState};
use crate::store::LoggedTurn;

/// A turn of the log, answered again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// Its number.
    pub turn: u32,
    /// What was typed or said, masked.
    pub text: Option<String>,
    /// Kind and words of the answer then.
    pub was: (String, String),
    /// And now; `None` for a row that an older kioskd wrote, which lacks what an answer depends on.
    pub is: Option<(String, String)>,
}

impl Replayed {
    /// Whether the answer is another one now.
    pub fn differs(&self) -> bool {
        self.is.as_ref().is_some_and(|is| *is != self.was)
    }
}

/// Answers the turns of a session again, from the first: with what was understood, seen and found then, and the shop's words and the
/// dialogue of now. No model is asked.
pub fn replay(dialogue: &Dialogue, grammars: &Grammars, fusion: &Fusion, turns: &[LoggedTurn]) -> Result<Vec<Replayed>, TemplateError> {
    let started_unix_ms = turns.first().map_or(0, |first| first.at_unix_ms);
    let mut state = DialogueState { started_unix_ms, ..DialogueState::default() };
    let replies = &dialogue.orders.menu().replies;
    let mut replayed = Vec::with_capacity(turns.len());
    for logged in turns {
        let mut again =
            Replayed { turn: logged.turn, text: logged.text.clone(), was: (logged.answer_kind.clone(), logged.answer.clone()), is: None };
        if let Some(moment) = logged.moment {
            let text = logged.text.as_deref();
            let fused = fusion.of_turn(logged.sighting.as_ref(), text, logged.understanding.as_ref());
            let input = DialogueInput {
                text,
                understanding: logged.understanding.as_ref(),
                sighting: fused.as_ref(),
                order: logged.order.as_ref(),
                reply: text.and_then(|text| grammars.reply(text, replies)),
                faq: logged.faq.as_ref(),
            };
            state = dialogue.awake(state, logged.at_unix_ms);
            let decision = dialogue.decide(&input, &state);
            let prediction = logged.prediction.as_ref();
            let now_unix_ms = logged.at_unix_ms;
            let turn = Turn { input, state: &state, decision: &decision, prediction, offered: &logged.offered, now_unix_ms, moment };
            let response = dialogue.respond(&turn)?;
            // What a language model wrote then, none is asked to write again.
            let is_generated = logged.answer_kind == AnswerKind::Generated.name();
            let response = if is_generated { generated(response, &state, logged.answer.clone()) } else { response };
            again.is = Some((response.answer.kind.name().to_owned(), response.answer.text));
            state = response.state;
        }
        replayed.push(again);
    }
    Ok(replayed)
}
