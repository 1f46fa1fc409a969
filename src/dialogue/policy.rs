use super::order::{OrderAct, OrderInput};
use super::subject::{self, About, Bare, Subject};
use super::{Dialogue, rules, wording};
use crate::domain::{
    Act, DialogueState, EntityKind, FaqHit, IntentDecision, IntentKind, IntentScore, Needs, PhotoAdvice, ProductId, Reply, Sighting,
    SpokenOrder, Understanding, Waiting,
};

/// Probability from which an intent is meant for sure.
const SURE: f32 = 0.7;
/// Probability from which a further intent is worth a thought.
const PERHAPS: f32 = 0.1;
/// Of the nearness that a question of the FAQ needs, the part that is enough for intents whose answer it is.
const FAQ_FIRST: f32 = 0.8;
/// How far on the way from that nearness to 1 a question must be to go before an intent with an answer of its own.
const FAQ_SURE: f32 = 0.4;

/// What one turn brings to the dialogue.
#[derive(Debug, Clone, Copy, Default)]
pub struct DialogueInput<'a> {
    /// The sentence as it was said or typed, personal numbers masked.
    pub text: Option<&'a str>,
    /// What it means.
    pub understanding: Option<&'a Understanding>,
    /// What was held up.
    pub sighting: Option<&'a Sighting>,
    /// What the grammar of orders makes of it.
    pub order: Option<&'a SpokenOrder>,
    /// What the grammar of replies makes of it.
    pub reply: Option<Reply>,
    /// The nearest question of the FAQ.
    pub faq: Option<&'a FaqHit>,
}

/// What to say.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Nothing came in.
    NothingHeard,
    /// What was typed holds no word.
    Unreadable,
    /// Only a photo came in, of something unknown.
    UnknownPhoto(Option<PhotoAdvice>),
    /// A rule of the shop, by its place.
    Rule(usize),
    /// An intent is answered from the shop's data.
    Answer {
        /// Its name.
        intent: String,
        /// The product it is about.
        product: Option<ProductId>,
        /// How that was found.
        subject: Option<Subject>,
        /// Further products that were named or shown.
        others: Vec<ProductId>,
    },
    /// An intent is answered for all products of a name.
    Several {
        /// Its name.
        intent: String,
        /// What was named, as it was said.
        named: String,
        /// The products.
        products: Vec<ProductId>,
    },
    /// An entry of the FAQ is read out.
    Faq {
        /// Its place in the list.
        entry: usize,
    },
    /// The product must be known first.
    AskWhich {
        /// The intent that waits.
        intent: String,
        /// What is wrong with the photo, if one was held up.
        advice: Option<PhotoAdvice>,
        /// Those it may be.
        options: Vec<ProductId>,
    },
    /// What was named is not in the catalog.
    NotFound {
        /// The intent that it was named for.
        intent: String,
    },
    /// Two intents are equally likely.
    AskWhat {
        /// One.
        first: String,
        /// The other.
        second: String,
        /// The product it is about.
        product: Option<ProductId>,
    },
    /// The order is begun, changed or told.
    Order(OrderAct),
    /// A person was offered and is wanted.
    Person,
    /// "Yes" or "no" to nothing that was asked.
    Courtesy,
    /// The conversation begins anew.
    StartOver,
    /// Nothing this desk is for.
    OutOfScope {
        /// Whether a person is offered, as it is not the first time.
        offer_person: bool,
    },
}

impl Dialogue {
    /// Decides what to say, from what was said, what was seen and what came before.
    pub fn decide(&self, input: &DialogueInput<'_>, state: &DialogueState) -> Decision {
        let question = input.faq.and_then(|hit| {
            let entry = self.phrasebook.shop().faq.iter().position(|faq| faq.question == hit.question)?;
            Some((entry, hit.score))
        });
        let nearer_than = |least: f32| question.filter(|(_, score)| *score >= least).map(|(entry, _)| entry);
        let entry = nearer_than(self.config.faq_similarity_min);
        if let Some((at, _)) = input.text.and_then(|text| rules::rule_of(text, &self.talk.rules, entry.is_some())) {
            return Decision::Rule(at);
        }
        let Some(understanding) = input.understanding else { return self.without_words(input) };
        let about = subject::about(input, state, &self.talk.pointing, &self.catalog);
        if let Some(decision) = input.reply.and_then(|reply| self.reply(reply, input, state)) {
            return decision;
        }
        let bare = subject::bare(input, &self.talk.pointing, &self.catalog, &about);
        if let Waiting::Product { intent } = &state.waiting
            && about.is_said()
            && (bare == Bare::Yes || (subject::is_short(input) && !asks_itself(understanding, intent)))
        {
            return self.answer(intent, &about, input, state);
        }
        let is_bare = match bare {
            Bare::No => false,
            Bare::Perhaps => !asks_itself(understanding, state.last_intent.as_deref().unwrap_or_default()),
            Bare::Yes => true,
        };
        let last = state.last_intent.as_deref().filter(|intent| self.needs_product(intent));
        if let Some(last) = last.filter(|_| is_bare && !state.is_ordering && self.asks_again(input)) {
            return self.answer(last, &about, input, state);
        }
        if let Some(act) = self.order_act(input, state, understanding, &about) {
            return Decision::Order(act);
        }
        if let Waiting::Intent { first, second, product } = &state.waiting
            && let Some(intent) = self.chosen(input, understanding, first, second)
        {
            let about = match product {
                Some(product) if !about.is_said() => About { product: Some((product.clone(), Subject::Remembered)), ..about },
                _ => about,
            };
            return self.answer(intent, &about, input, state);
        }
        if let Some(intent) = last.or(self.talk.bare_intent.as_deref()).filter(|_| is_bare) {
            return self.answer(intent, &about, input, state);
        }
        match understanding.decision {
            IntentDecision::OutOfScope => match entry {
                Some(entry) => Decision::Faq { entry },
                None => Decision::OutOfScope { offer_person: state.failures + 1 >= self.config.failures_before_handoff },
            },
            IntentDecision::Ambiguous => match &understanding.intents[..] {
                // Who asks what the house has written down need not be asked which of two things was meant.
                [first, second, ..] => match nearer_than(self.faq_least(&first.intent)) {
                    Some(entry) => Decision::Faq { entry },
                    None => {
                        let product = about.product.map(|(id, _)| id);
                        Decision::AskWhat { first: first.intent.clone(), second: second.intent.clone(), product }
                    }
                },
                _ => self.answer(&understanding.best().intent, &about, input, state),
            },
            IntentDecision::Clear => {
                let intent = self.meant(understanding, &about);
                match nearer_than(self.faq_least(intent)) {
                    Some(entry) => Decision::Faq { entry },
                    None => self.answer(intent, &about, input, state),
                }
            }
        }
    }

    fn without_words(&self, input: &DialogueInput<'_>) -> Decision {
        match (input.sighting, &self.talk.shown_intent) {
            (None, _) if input.text.is_some() => Decision::Unreadable,
            (None, _) => Decision::NothingHeard,
            (Some(seen), Some(intent)) if seen.product().is_some() => Decision::Answer {
                intent: intent.clone(),
                product: seen.product().cloned(),
                subject: Some(Subject::Seen),
                others: Vec::new(),
            },
            (Some(seen), _) => Decision::UnknownPhoto(seen.advice),
        }
    }

    /// What a few fixed words mean here; `None` where they are a sentence as any other.
    fn reply(&self, reply: Reply, input: &DialogueInput<'_>, state: &DialogueState) -> Option<Decision> {
        if input.sighting.is_some() {
            return None;
        }
        if let Some(act) = self.orders.reply(reply, state) {
            return Some(Decision::Order(act));
        }
        match (reply, &state.waiting) {
            (Reply::Yes, Waiting::Person) => Some(Decision::Person),
            (Reply::Yes, Waiting::Intent { first, product, .. }) => {
                let about = product
                    .clone()
                    .map_or_else(About::default, |id| About { product: Some((id, Subject::Remembered)), ..About::default() });
                Some(self.answer(first, &about, input, state))
            }
            (Reply::Yes | Reply::No, _) => Some(Decision::Courtesy),
            (Reply::Repeat, _) => {
                let intent = self.phrasebook.intent_that(Act::Repeat)?;
                Some(Decision::Answer { intent: intent.to_owned(), product: None, subject: None, others: Vec::new() })
            }
            _ => None,
        }
    }

    fn order_act(
        &self,
        input: &DialogueInput<'_>,
        state: &DialogueState,
        understanding: &Understanding,
        about: &About,
    ) -> Option<OrderAct> {
        let clear = (understanding.decision == IntentDecision::Clear).then(|| understanding.best().intent.as_str());
        let is_named = about.is_said() || input.sighting.is_some();
        let meant = clear.map(|intent| match self.phrasebook.manner(intent).and_then(|m| m.after_order.as_deref()) {
            Some(other) if state.is_ordering && !is_named && about.options.is_empty() => other,
            _ => intent,
        });
        let menu_intent = self.orders.menu().intent.as_str();
        let among_first = understanding.intents.iter().take(2).any(|i| i.intent == menu_intent);
        let is_order = meant == Some(menu_intent) || (understanding.decision == IntentDecision::Ambiguous && among_first);
        let order = OrderInput {
            text: input.text?,
            spoken: input.order.filter(|_| clear.is_none() || among_first),
            is_order,
            is_unclear: clear.is_none(),
            act: meant.and_then(|intent| self.phrasebook.manner(intent)).and_then(|manner| manner.act),
            product: about.product.as_ref().filter(|_| about.is_said()).map(|(id, _)| id),
        };
        self.orders.act(&order, state, &self.catalog)
    }

    /// Which of the two intents that were asked about is meant now.
    fn chosen<'a>(&self, input: &DialogueInput<'_>, understanding: &Understanding, first: &'a str, second: &'a str) -> Option<&'a str> {
        let words = wording::words(input.text.unwrap_or_default());
        let place =
            |at: usize| self.talk.pointing.places.get(at).is_some_and(|p| p.iter().any(|phrase| wording::stands_in(&words, phrase)));
        match (place(0), place(1)) {
            (true, false) => return Some(first),
            (false, true) => return Some(second),
            _ => {}
        }
        let best = &understanding.best().intent;
        // A short answer names one of the two; a longer sentence is a question of its own.
        let is_one = subject::is_short(input) || understanding.decision == IntentDecision::Ambiguous;
        [first, second].into_iter().find(|intent| is_one && best == intent)
    }

    fn answer(&self, intent: &str, about: &About, input: &DialogueInput<'_>, state: &DialogueState) -> Decision {
        let manner = self.phrasebook.manner(intent);
        if manner.is_some_and(|m| m.act == Some(Act::StartOver)) {
            return Decision::StartOver;
        }
        let name = intent.to_owned();
        if manner.is_some_and(|m| m.act == Some(Act::Compare)) {
            let sides = self.sides(about, input, state);
            if let [product, others @ ..] = &sides[..] {
                let subject = about.product.as_ref().filter(|(id, _)| id == product).map(|(_, how)| *how);
                return Decision::Answer { intent: name, product: Some(product.clone()), subject, others: others.to_vec() };
            }
        }
        let needs_product = self.needs_product(intent);
        let is_known = about.is_said() || !about.options.is_empty();
        if needs_product && !is_known && input.sighting.is_none() && self.names_something_else(input) {
            return Decision::NotFound { intent: name };
        }
        match &about.product {
            Some((product, how)) => {
                Decision::Answer { intent: name, product: Some(product.clone()), subject: Some(*how), others: about.others.clone() }
            }
            None if about.options.len() > 1 && !named_text(input).is_empty() && manner.is_some_and(|m| !m.several.is_empty()) => {
                Decision::Several { intent: name, named: named_text(input), products: about.options.clone() }
            }
            None if needs_product => {
                let advice = input.sighting.and_then(|s| s.advice);
                Decision::AskWhich { intent: name, advice, options: about.options.clone() }
            }
            None => Decision::Answer { intent: name, product: None, subject: None, others: Vec::new() },
        }
    }

    /// The intent of a clear sentence. "Where is the cheaper one", of two that were told, wishes for nothing cheaper: where something is
    /// pointed at, the first intent that asks about a product is meant.
    fn meant<'a>(&self, understanding: &'a Understanding, about: &About) -> &'a str {
        let best = &understanding.best().intent;
        let is_pointed = about.product.as_ref().is_some_and(|(_, how)| *how == Subject::Pointed);
        let is_recommendation =
            self.phrasebook.definition(best).is_some_and(|d| d.kind == IntentKind::Recommend && d.needs == Needs::Nothing);
        let is_compare = |intent: &str| self.phrasebook.manner(intent).is_some_and(|m| m.act == Some(Act::Compare));
        let asks = |intent: &&IntentScore| {
            intent.probability.get() >= PERHAPS && self.needs_product(&intent.intent) && !is_compare(&intent.intent)
        };
        let other = understanding.intents.iter().filter(|_| is_pointed && is_recommendation).find(asks);
        other.map_or(best, |intent| &intent.intent)
    }

    /// How near a question of the FAQ must be to go before an intent's own answer: hardly where the intent is answered by the FAQ; much where
    /// it has an answer of its own; and never where a product is asked about.
    fn faq_least(&self, intent: &str) -> f32 {
        let min = self.config.faq_similarity_min;
        let Some(definition) = self.phrasebook.definition(intent) else { return min };
        let is_first = self.phrasebook.manner(intent).is_some_and(|m| m.faq_first);
        match definition.kind {
            IntentKind::Faq if is_first => min * FAQ_FIRST,
            IntentKind::Order | IntentKind::Recommend => f32::INFINITY,
            _ if definition.needs == Needs::Product => f32::INFINITY,
            _ => min + FAQ_SURE * (1.0 - min),
        }
    }

    /// Whether a sentence begins as one that asks the same again of another product.
    fn asks_again(&self, input: &DialogueInput<'_>) -> bool {
        let words = wording::words(input.text.unwrap_or_default());
        let begins = |phrase: &String| {
            let phrase = wording::words(phrase);
            words.len() > phrase.len() && words.iter().zip(&phrase).all(|(a, b)| a.text == b.text)
        };
        self.talk.pointing.again.iter().any(begins)
    }

    fn needs_product(&self, intent: &str) -> bool {
        self.phrasebook.definition(intent).is_some_and(|d| d.needs == Needs::Product)
    }

    /// Whether the sentence holds a word that is neither of the catalog nor of any example: it names something that is not sold here.
    fn names_something_else(&self, input: &DialogueInput<'_>) -> bool {
        let words = wording::words(input.text.unwrap_or_default());
        let points_back = self.talk.pointing.same.iter().any(|same| wording::stands_in(&words, same));
        !points_back && words.iter().any(|word| !word.text.bytes().all(|b| b.is_ascii_digit()) && !self.vocabulary.contains(&word.text))
    }
}

/// Whether a sentence surely has another intent than the one that waits for its product.
fn asks_itself(understanding: &Understanding, waiting: &str) -> bool {
    let best = understanding.best();
    understanding.decision == IntentDecision::Clear && best.intent != waiting && best.probability.get() >= SURE
}

/// The category or the brand as it was said.
fn named_text(input: &DialogueInput<'_>) -> String {
    let entities = input.understanding.into_iter().flat_map(|u| &u.entities);
    let named = entities.filter(|e| matches!(e.kind, EntityKind::Category | EntityKind::Brand));
    let mut texts: Vec<String> = named.map(|e| if e.kind == EntityKind::Brand { e.value.clone() } else { e.text.to_lowercase() }).collect();
    texts.dedup();
    texts.join(" ")
}
