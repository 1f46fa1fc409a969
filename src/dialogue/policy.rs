use super::{DialogueConfig, FaqIndex};
use crate::domain::{
    AnswerKind, Catalog, DialogueState, EntityKind, IntentDecision, IntentDefinition, IntentKind, Needs, PhotoAdvice, ProductId, Sighting,
    Understanding, Verdict,
};

/// A sentence that names a product and has few words beside answers the question "which product?".
const SHORT_ANSWER_WORDS: usize = 6;
/// A photo's candidate counts for a category that was named when it has at least this probability, known or not.
const CANDIDATE_MIN: f32 = 0.05;

/// What one turn brings to the dialogue.
pub struct DialogueInput<'a> {
    /// The sentence as it was said or typed.
    pub text: Option<&'a str>,
    /// What it means.
    pub understanding: Option<&'a Understanding>,
    /// What was held up.
    pub sighting: Option<&'a Sighting>,
}

/// How the product that a turn is about was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// It was named.
    Named,
    /// It was held up.
    Seen,
    /// A category was named, and the photo says which of it.
    NamedAndSeen,
    /// It was talked about before.
    Remembered,
}

/// What to say.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Nothing came in.
    NothingHeard,
    /// Only a photo came in, of something unknown.
    UnknownPhoto(Option<PhotoAdvice>),
    /// An intent is answered from the shop's data.
    Answer {
        /// Its name.
        intent: String,
        /// The product it is about.
        product: Option<ProductId>,
        /// How that was found.
        subject: Option<Subject>,
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
    },
    /// Two intents are equally likely.
    AskWhat {
        /// One.
        first: String,
        /// The other.
        second: String,
    },
    /// Nothing this desk is for.
    OutOfScope {
        /// Whether a person is offered, as it is not the first time.
        offer_person: bool,
    },
}

/// Decides what to say, from what was said, what was seen and what came before.
pub fn decide(
    input: &DialogueInput<'_>,
    state: &DialogueState,
    intents: &[IntentDefinition],
    catalog: &Catalog,
    faq: &FaqIndex,
    config: &DialogueConfig,
) -> Decision {
    let Some(understanding) = input.understanding else {
        return without_words(input.sighting, intents);
    };
    let subject = subject(input, state, catalog);
    if let Some(intent) = pending(input, state, understanding) {
        return answer(intent, subject, input, intents);
    }
    let near = faq.nearest(&understanding.embedding).filter(|(_, cosine)| *cosine >= config.faq_similarity_min);
    match understanding.decision {
        IntentDecision::OutOfScope => match near {
            Some((entry, _)) => Decision::Faq { entry },
            None => Decision::OutOfScope { offer_person: state.failures + 1 >= config.failures_before_handoff },
        },
        IntentDecision::Ambiguous => {
            let [first, second, ..] = &understanding.intents[..] else {
                return answer(&understanding.best().intent, subject, input, intents);
            };
            Decision::AskWhat { first: first.intent.clone(), second: second.intent.clone() }
        }
        IntentDecision::Clear => {
            let intent = &understanding.best().intent;
            let kind = definition(intents, intent).map(|d| d.kind);
            match (kind, near) {
                (Some(IntentKind::Faq), Some((entry, _))) => Decision::Faq { entry },
                _ => answer(intent, subject, input, intents),
            }
        }
    }
}

/// What the conversation has come to after the turn.
pub fn apply(state: &DialogueState, decision: &Decision, understanding: Option<&Understanding>, kind: AnswerKind) -> DialogueState {
    let mut next = state.clone();
    next.turns += 1;
    next.pending_intent = None;
    let failed = matches!(kind, AnswerKind::Unknown | AnswerKind::NotHeard);
    next.failures = if failed { state.failures + 1 } else { 0 };
    next.unanswered += u32::from(kind == AnswerKind::Unknown);
    if let Some(sentiment) = understanding.and_then(|u| u.sentiment) {
        next.sentiment_min = Some(state.sentiment_min.map_or(sentiment, |low| low.min(sentiment)));
    }
    match decision {
        Decision::Answer { product: Some(product), .. } => {
            next.product_questions += u32::from(kind == AnswerKind::Fact);
            next.product = Some(product.clone());
        }
        Decision::AskWhich { intent, .. } => next.pending_intent = Some(intent.clone()),
        _ => {}
    }
    next
}

fn without_words(sighting: Option<&Sighting>, intents: &[IntentDefinition]) -> Decision {
    match sighting {
        None => Decision::NothingHeard,
        Some(seen) => match (seen.product(), definition(intents, IDENTIFY)) {
            (Some(product), Some(identify)) => {
                Decision::Answer { intent: identify.name.clone(), product: Some(product.clone()), subject: Some(Subject::Seen) }
            }
            _ => Decision::UnknownPhoto(seen.advice),
        },
    }
}

/// The intent that a photo without words stands for.
const IDENTIFY: &str = "identify";

/// The intent that waited for a product, if this turn names one and says little else.
fn pending<'a>(input: &DialogueInput<'_>, state: &'a DialogueState, understanding: &Understanding) -> Option<&'a str> {
    let short = input.text.is_some_and(|text| text.split_whitespace().count() <= SHORT_ANSWER_WORDS);
    let names_one = understanding.product().is_some() || input.sighting.is_some_and(|s| s.product().is_some());
    state.pending_intent.as_deref().filter(|_| short && names_one)
}

fn answer(intent: &str, subject: Option<(ProductId, Subject)>, input: &DialogueInput<'_>, intents: &[IntentDefinition]) -> Decision {
    let needs_product = definition(intents, intent).is_some_and(|d| d.needs == Needs::Product);
    match subject {
        None if needs_product => Decision::AskWhich { intent: intent.to_owned(), advice: input.sighting.and_then(|s| s.advice) },
        Some((product, how)) => Decision::Answer { intent: intent.to_owned(), product: Some(product), subject: Some(how) },
        None => Decision::Answer { intent: intent.to_owned(), product: None, subject: None },
    }
}

/// The product that the turn is about. What was said goes before what was seen, and both before what was talked about earlier; where
/// the words name a category only ("this juice"), the photo picks the product of it, even when alone it would not be sure enough. The
/// candidates of a known photo come in the order of words and photo together.
fn subject(input: &DialogueInput<'_>, state: &DialogueState, catalog: &Catalog) -> Option<(ProductId, Subject)> {
    let understanding = input.understanding?;
    if let Some(product) = understanding.product() {
        return Some((product, Subject::Named));
    }
    let category = understanding.values(EntityKind::Category).next();
    let brand = understanding.values(EntityKind::Brand).next();
    if let Some(seen) = input.sighting {
        let fits = |id: &ProductId| {
            let product = catalog.get(id);
            let right_brand = brand.is_none_or(|b| product.is_some_and(|p| p.brand.as_deref() == Some(b)));
            product.is_some() && right_brand && category.is_none_or(|c| product.is_some_and(|p| p.category == c))
        };
        // A known photo was weighed with the words already, and its first candidate is what both together say.
        let considered = if seen.verdict == Verdict::Known { 1 } else { seen.top.len() };
        let candidates =
            seen.top.iter().take(considered).filter(|c| c.probability.get() >= CANDIDATE_MIN).filter_map(|c| c.product.as_ref());
        let narrowed = (category.is_some() || brand.is_some()).then(|| candidates.clone().find(|id| fits(id)).cloned()).flatten();
        if let Some(product) = narrowed {
            return Some((product, Subject::NamedAndSeen));
        }
        if seen.verdict == Verdict::Known {
            return seen.product().map(|id| (id.clone(), Subject::Seen));
        }
        // Something else is held up now; the product of an earlier turn is not what is meant.
        return None;
    }
    let remembered = state.product.as_ref().filter(|_| category.is_none() && brand.is_none());
    remembered.map(|id| (id.clone(), Subject::Remembered))
}

fn definition<'a>(intents: &'a [IntentDefinition], name: &str) -> Option<&'a IntentDefinition> {
    intents.iter().find(|d| d.name == name)
}
