use std::sync::Arc;
use std::time::Instant;

use super::Desk;
use crate::bridge::{Bridge, fitting};
use crate::dialogue::Decision;
use crate::domain::{Answer, AnswerKind, Catalog, EntityKind, IntentKind, Product, Shop, Understanding};
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

impl Desk {
    /// The answer of the model, where the desk has none of its own and the model has one that may be said; else the desk's.
    pub(super) async fn open_question(
        &self,
        answer: Answer,
        decision: &Decision,
        said: Option<&str>,
        understanding: Option<&Understanding>,
        deadline: Instant,
    ) -> Answer {
        let (Some(open), Some(said), Some(understanding)) = (&self.parts.open_questions, said, understanding) else { return answer };
        let is_of_faq = |intent: &str| self.parts.phrasebook.definition(intent).is_some_and(|d| d.kind == IntentKind::Faq);
        let is_open = match decision {
            Decision::OutOfScope { .. } => true,
            Decision::Answer { intent, .. } => is_of_faq(intent),
            _ => false,
        };
        let is_of_health = understanding.entities.iter().any(|e| matches!(e.kind, EntityKind::Allergen | EntityKind::Diet));
        if !is_open || is_of_health || deadline.saturating_duration_since(Instant::now()) < open.bridge.answer_max() {
            return answer;
        }
        let (open, question) = (Arc::clone(open), masked(said));
        let asked = tokio::task::spawn_blocking(move || {
            let facts = fitting(&question, &open.facts, FACTS_MAX);
            open.bridge.ask(&open.shop, &question, &facts)
        });
        match asked.await {
            Ok(Ok(text)) => Answer { kind: AnswerKind::Generated, text, product: None },
            Ok(Err(error)) => {
                tracing::info!(%error, "open question stayed unanswered");
                answer
            }
            Err(_) => answer,
        }
    }
}
