use minijinja::{Value, context};

use super::facts::{self, About};
use super::order::{self, Edit, OrderAct};
use super::progress::fresh;
use super::{Decision, Dialogue, DialogueInput, TemplateError, handoff, sayings};
use crate::domain::{Act, Answer, AnswerKind, DialogueState, Handoff, IntentKind, Moment, Prediction, ProductId, Recommendation};

/// A decision with all that its words need.
#[derive(Debug, Clone, Copy)]
pub struct Turn<'a> {
    /// What came in.
    pub input: DialogueInput<'a>,
    /// The conversation before.
    pub state: &'a DialogueState,
    /// What to say.
    pub decision: &'a Decision,
    /// What the person is about to do.
    pub prediction: Option<&'a Prediction>,
    /// What is offered beside.
    pub offered: &'a [Recommendation],
    /// Now, in milliseconds since 1970 (UTC).
    pub now_unix_ms: u64,
    /// Now, as the shop's clock shows it.
    pub moment: Moment,
}

/// What a turn comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// The words.
    pub answer: Answer,
    /// The conversation after.
    pub state: DialogueState,
    /// Whether a member of staff should come.
    pub handoff: Option<Handoff>,
}

impl Dialogue {
    /// The conversation as a turn at this moment finds it: one that was left alone for long begins afresh.
    pub fn awake(&self, state: DialogueState, now_unix_ms: u64) -> DialogueState {
        let idle_ms = now_unix_ms.saturating_sub(state.last_unix_ms);
        let is_left = state.last_unix_ms > 0 && idle_ms > u64::from(self.config.idle_seconds_max) * 1_000;
        if is_left { fresh(&state, now_unix_ms) } else { state }
    }

    /// Puts a decision into words, and says what the conversation has come to.
    pub fn respond(&self, turn: &Turn<'_>) -> Result<Response, TemplateError> {
        let edit = match turn.decision {
            Decision::Order(act) => Some(Edit::of(act, &turn.state.basket, self.orders.menu(), &self.catalog)),
            _ => None,
        };
        let mut answer = self.words(turn, edit.as_ref())?;
        let mut state = self.next(turn, &answer, edit);
        let intent = intent_of(turn.decision);
        let is_asked = intent.is_some_and(|intent| self.phrasebook.is_handoff(intent));
        let rule = match turn.decision {
            Decision::Rule(at) => self.talk.rules.get(*at).filter(|rule| rule.fetches_staff).map(|rule| rule.name.as_str()),
            _ => None,
        };
        let reason = handoff::reason(turn.decision, is_asked, rule, &state, turn.prediction, &self.config);
        let handoff = match reason {
            Some(reason) => {
                let facts = self.facts(turn, None, &[], &[], "");
                let added = self.phrasebook.say(&sayings::handoff(reason.name()), answer.kind, turn.state.turns, &facts)?.text;
                if !added.is_empty() {
                    answer.text = format!("{} {added}", answer.text);
                }
                if !state.handed_over.iter().any(|name| name == reason.name()) {
                    state.handed_over.push(reason.name().to_owned());
                }
                let summary = self.summary(reason.name(), turn, &state)?;
                Some(Handoff { reason, summary })
            }
            None => None,
        };
        // "Say that again" repeats what was said before it, also the second time.
        if answer.kind != AnswerKind::Smalltalk || matches!(turn.decision, Decision::StartOver) {
            state.last_answer = Some(answer.text.clone());
        }
        Ok(Response { answer, state, handoff })
    }

    fn words(&self, turn: &Turn<'_>, edit: Option<&Edit>) -> Result<Answer, TemplateError> {
        let turns = turn.state.turns;
        let say = |name: &str, kind| self.phrasebook.say(name, kind, turns, &self.facts(turn, None, &[], &[], ""));
        let say_with = |name: &str, kind, more: Value| {
            let facts = self.facts(turn, None, &[], &[], "");
            self.phrasebook.say(name, kind, turns, &context! { ..more, ..facts })
        };
        match turn.decision {
            Decision::NothingHeard => say(sayings::NOT_HEARD, AnswerKind::NotHeard),
            Decision::Unreadable => say(sayings::UNREADABLE, AnswerKind::NotHeard),
            Decision::UnknownPhoto(advice) => {
                say_with(sayings::UNKNOWN_PHOTO, AnswerKind::Unknown, context! { advice => advice.map(|a| a.sentence()) })
            }
            Decision::Rule(at) => match self.talk.rules.get(*at) {
                Some(rule) => {
                    let kind = if rule.fetches_staff { AnswerKind::Handoff } else { AnswerKind::Smalltalk };
                    say(&format!("rules.{}", rule.name), kind)
                }
                None => say(sayings::OUT_OF_SCOPE, AnswerKind::Unknown),
            },
            Decision::AskWhich { intent, advice, options } if options.len() > 1 => {
                let facts = self.facts(turn, None, &[], options, "");
                let more = context! { advice => advice.map(|a| a.sentence()), title => self.phrasebook.title(intent) };
                self.phrasebook.say(sayings::WHICH_OF, AnswerKind::Clarify, turns, &context! { ..more, ..facts })
            }
            Decision::AskWhich { intent, advice, .. } => {
                let facts = self.facts(turn, None, &[], &[], "");
                let asked = self.phrasebook.answer(intent, "missing", turns, &facts)?;
                let text = advice.map_or(asked.text.clone(), |a| format!("{} {}", a.sentence(), asked.text));
                Ok(Answer::new(AnswerKind::Clarify, text))
            }
            Decision::AskWhat { first, second, .. } => {
                let (first, second) = (self.phrasebook.title(first), self.phrasebook.title(second));
                say_with(sayings::WHICH_INTENT, AnswerKind::Clarify, context! { first, second })
            }
            Decision::NotFound { intent } => {
                say_with(sayings::NOT_FOUND, AnswerKind::Unknown, context! { title => self.phrasebook.title(intent) })
            }
            Decision::Faq { entry } => {
                let answer = self.phrasebook.shop().faq.get(*entry).map_or_else(String::new, |faq| faq.answer.clone());
                Ok(Answer::new(AnswerKind::Faq, answer))
            }
            Decision::Person => say(sayings::PERSON, AnswerKind::Handoff),
            Decision::Courtesy => say(sayings::COURTESY, AnswerKind::Smalltalk),
            Decision::StartOver => say(sayings::STARTED_OVER, AnswerKind::Smalltalk),
            Decision::OutOfScope { offer_person } => self.out_of_scope(turn, *offer_person),
            Decision::Several { intent, named, products } => {
                self.phrasebook.answer(intent, "several", turns, &self.facts(turn, None, &[], products, named))
            }
            Decision::Answer { intent, product, .. } => {
                let others = self.others(turn);
                let answer = self.phrasebook.answer(intent, "answers", turns, &self.facts(turn, product.as_ref(), &others, &[], ""))?;
                Ok(Answer { product: product.clone().filter(|id| self.catalog.get(id).is_some()), ..answer })
            }
            Decision::Order(act) => match edit {
                Some(edit) => self.order_words(turn, act, edit),
                None => say(sayings::OUT_OF_SCOPE, AnswerKind::Unknown),
            },
        }
    }

    fn order_words(&self, turn: &Turn<'_>, act: &OrderAct, edit: &Edit) -> Result<Answer, TemplateError> {
        let product = match act {
            OrderAct::NotOnMenu(product) => Some(product.clone()),
            OrderAct::Add(wishes) | OrderAct::Change(wishes) => wishes.iter().filter(|w| !w.is_old).find_map(|w| w.product.clone()),
            _ => None,
        };
        let currency = &self.phrasebook.shop().currency_word;
        let order = order::facts(edit, self.orders.menu(), &self.catalog, currency, |line| self.phrasebook.line(line))?;
        let facts = self.facts(turn, product.as_ref(), &[], &[], "");
        let name = sayings::order(edit.kind);
        let answer = self.phrasebook.say(&name, AnswerKind::Order, turn.state.turns, &context! { order, ..facts })?;
        Ok(Answer { product, ..answer })
    }

    fn out_of_scope(&self, turn: &Turn<'_>, offer_person: bool) -> Result<Answer, TemplateError> {
        let facts = self.facts(turn, None, &[], &[], "");
        let definition = self.phrasebook.intents().iter().find(|d| d.kind == IntentKind::OutOfScope);
        let mut answer = match definition {
            Some(d) => self.phrasebook.answer(&d.name, "answers", turn.state.turns, &facts)?,
            None => self.phrasebook.say(sayings::OUT_OF_SCOPE, AnswerKind::Unknown, turn.state.turns, &facts)?,
        };
        let will_say_so =
            turn.state.failures + 1 >= self.config.failures_before_handoff && !turn.state.handed_over.iter().any(|r| r == "failures");
        if offer_person && !will_say_so {
            let offer = self.phrasebook.say(sayings::OFFER_PERSON, AnswerKind::Unknown, turn.state.turns, &facts)?.text;
            answer.text = format!("{} {offer}", answer.text);
        }
        Ok(answer)
    }

    fn facts(&self, turn: &Turn<'_>, product: Option<&ProductId>, others: &[ProductId], products: &[ProductId], named: &str) -> Value {
        let about = About { product, others, products, named, text: turn.input.text, understanding: turn.input.understanding };
        facts::of(&about, self.phrasebook.shop(), &self.catalog, turn.state, turn.moment)
    }

    /// Further products for the words of the answer: those named beside the first, then those recommended.
    fn others(&self, turn: &Turn<'_>) -> Vec<ProductId> {
        let Decision::Answer { intent, others, .. } = turn.decision else { return Vec::new() };
        let offered = turn.offered.iter().map(|r| r.product.clone());
        match self.phrasebook.manner(intent).and_then(|manner| manner.act) {
            // A comparison is between what was named; what is recommended is no party to it.
            Some(Act::Compare) => others.clone(),
            // Nobody has said that what was named goes with the first.
            Some(Act::GoWith) => offered.collect(),
            _ => others.iter().cloned().chain(offered).collect(),
        }
    }

    /// What staff is told, in one paragraph.
    fn summary(&self, reason: &str, turn: &Turn<'_>, state: &DialogueState) -> Result<String, TemplateError> {
        let name = |id: &ProductId| self.catalog.get(id).map(|p| p.name.clone());
        let edit = Edit::of(&OrderAct::Review, &state.basket, self.orders.menu(), &self.catalog);
        let currency = &self.phrasebook.shop().currency_word;
        let order = order::facts(&edit, self.orders.menu(), &self.catalog, currency, |line| self.phrasebook.line(line))?;
        let mut topics: Vec<String> = Vec::new();
        for topic in &state.topics {
            if topics.last() != Some(topic) {
                topics.push(topic.clone());
            }
        }
        let facts = context! {
            reason,
            topics,
            product => state.product.as_ref().and_then(name),
            order,
            mood => state.moods.last(),
            mood_before => state.moods.iter().rev().nth(1),
            turns => state.turns,
            unanswered => state.unanswered,
            said => turn.input.text,
            ..self.facts(turn, None, &[], &[], "")
        };
        Ok(self.phrasebook.say(sayings::SUMMARY, AnswerKind::Handoff, 0, &facts)?.text)
    }
}

/// The intent that is answered or asked about.
pub(super) fn intent_of(decision: &Decision) -> Option<&str> {
    match decision {
        Decision::Answer { intent, .. }
        | Decision::Several { intent, .. }
        | Decision::AskWhich { intent, .. }
        | Decision::NotFound { intent } => Some(intent),
        _ => None,
    }
}
