use std::sync::Arc;
use std::time::Instant;

use super::Desk;
use crate::bridge::{Bridge, fitting};
use crate::dialogue::{Decision, Response};
use crate::domain::{Answer, AnswerKind, Catalog, DialogueState, EntityKind, IntentKind, Product, Shop, Understanding};
use crate::language::masked;

/// Facts that the model is told, at most: it answers from few better than from many, and sooner.
const FACTS_MAX: usize = 6;

/// Open questions, for a language model on this machine: the model, and all that the shop says of itself, a fact a line.
#[derive(Debug)]
pub struct OpenQuestions {
    bridge: Bridge,
    shop: String,
    facts: Vec<String>,
}

impl OpenQuestions {
    /// Gathers the facts. Allergens and diets are not among them: what concerns a person's health is answered from the data or not at all.
    pub fn new(bridge: Bridge, shop: &Shop, catalog: &Catalog) -> Self {
        let of_house = shop.facts.values().cloned();
        let of_faq = shop.faq.iter().map(|entry| format!("{} {}", entry.question, entry.answer));
        let of_products = catalog.products().iter().map(|product| fact(product, &shop.currency_word));
        Self { bridge, shop: shop.name.clone(), facts: of_house.chain(of_faq).chain(of_products).collect() }
    }
}

fn fact(product: &Product, currency_word: &str) -> String {
    let price = product.price.map_or(String::new(), |price| format!(", {} per {}", price.spoken(currency_word), product.unit));
    let origin = product.origin.as_ref().map_or(String::new(), |origin| format!(", from {origin}"));
    format!("{} ({}){price}{origin}. {}", product.name, product.category, product.description.as_deref().unwrap_or_default())
}

/// A turn whose answer a language model gave: it counts as answered, and nobody need be fetched for it.
pub(super) fn generated(response: Response, before: &DialogueState, text: String) -> Response {
    let mut state = response.state;
    (state.failures, state.unanswered, state.last_answer) = (0, before.unanswered, Some(text.clone()));
    state.handed_over.clone_from(&before.handed_over);
    Response { answer: Answer::new(AnswerKind::Generated, text), state, handoff: None }
}

impl Desk {
    /// The response with the answer of the model, where the desk has none of its own and the model has one that may be said.
    pub(super) async fn open_question(
        &self,
        response: Response,
        decision: &Decision,
        said: Option<&str>,
        understanding: Option<&Understanding>,
        before: &DialogueState,
        deadline: Instant,
    ) -> Response {
        let (Some(open), Some(said), Some(understanding)) = (&self.parts.open_questions, said, understanding) else { return response };
        let phrasebook = &self.parts.dialogue.phrasebook;
        let is_of_faq = |intent: &str| phrasebook.definition(intent).is_some_and(|d| d.kind == IntentKind::Faq);
        let is_open = match decision {
            Decision::OutOfScope { .. } => true,
            Decision::Answer { intent, .. } => is_of_faq(intent),
            _ => false,
        };
        let is_of_health = understanding.entities.iter().any(|e| matches!(e.kind, EntityKind::Allergen | EntityKind::Diet));
        if !is_open || is_of_health || deadline.saturating_duration_since(Instant::now()) < open.bridge.answer_max() {
            return response;
        }
        let (open, question) = (Arc::clone(open), masked(said));
        let asked = tokio::task::spawn_blocking(move || {
            let facts = fitting(&question, &open.facts, FACTS_MAX);
            open.bridge.ask(&open.shop, &question, &facts)
        });
        match asked.await {
            Ok(Ok(text)) => generated(response, before, text),
            Ok(Err(error)) => {
                tracing::info!(%error, "open question stayed unanswered");
                response
            }
            Err(_) => response,
        }
    }
}
