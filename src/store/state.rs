//! What a conversation has come to, as the log keeps it. What is missing in an older row is as at the beginning.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::domain::{Basket, BasketLine, DialogueState, PartChoice, PriceCents, ProductId, Voice, Waiting};

pub(super) fn state_json(state: &DialogueState) -> Value {
    let ids = |products: &[ProductId]| products.iter().map(|id| json!(id.as_str())).collect::<Vec<_>>();
    json!({
        "turns": state.turns,
        "started_unix_ms": state.started_unix_ms,
        "last_unix_ms": state.last_unix_ms,
        "language": state.language,
        "product": state.product.as_ref().map(ProductId::as_str),
        "shown": ids(&state.shown),
        "last_intent": state.last_intent,
        "waiting": waiting_json(&state.waiting),
        "last_answer": state.last_answer,
        "failures": state.failures,
        "unanswered": state.unanswered,
        "product_questions": state.product_questions,
        "sentiment_min": state.sentiment_min,
        "moods": state.moods,
        "voice": state.voice.map(|v| json!({ "level_dbfs": v.level_dbfs, "pitch_hz": v.pitch_hz, "words_per_s": v.words_per_s })),
        "lines": state.basket.lines.iter().map(line_json).collect::<Vec<_>>(),
        "is_confirmed": state.basket.is_confirmed,
        "is_ordering": state.is_ordering,
        "topics": state.topics,
        "handed_over": state.handed_over,
    })
}

/// Reads what [`state_json`] wrote; `None` for what is no JSON. The basket of logs before version 2 was words without prices, and is not
/// taken on.
pub(super) fn state_of(text: &str) -> Option<DialogueState> {
    let value: Value = serde_json::from_str(text).ok()?;
    let words = |key: &str| value[key].as_str().map(str::to_owned);
    let count = |key: &str| value[key].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    let list = |key: &str| value[key].as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect::<Vec<_>>();
    Some(DialogueState {
        turns: count("turns"),
        started_unix_ms: value["started_unix_ms"].as_u64().unwrap_or(0),
        last_unix_ms: value["last_unix_ms"].as_u64().unwrap_or(0),
        language: words("language"),
        product: words("product").map(ProductId),
        shown: list("shown").into_iter().map(ProductId).collect(),
        last_intent: words("last_intent"),
        // Before version 2 only a product was waited for.
        waiting: words("pending_intent").map_or_else(|| waiting_of(&value["waiting"]), |intent| Waiting::Product { intent }),
        last_answer: words("last_answer"),
        failures: count("failures"),
        unanswered: count("unanswered"),
        product_questions: count("product_questions"),
        sentiment_min: value["sentiment_min"].as_f64().map(|x| x as f32),
        voice: voice(&value["voice"]),
        moods: value["moods"].as_array().into_iter().flatten().filter_map(Value::as_f64).map(|x| x as f32).collect(),
        basket: Basket {
            lines: value["lines"].as_array().into_iter().flatten().filter_map(line_of).collect(),
            is_confirmed: value["is_confirmed"].as_bool().unwrap_or(false),
        },
        is_ordering: value["is_ordering"].as_bool().unwrap_or(false),
        topics: list("topics"),
        handed_over: list("handed_over"),
    })
}

fn line_json(line: &BasketLine) -> Value {
    json!({ "product": line.product.as_str(), "quantity": line.quantity, "parts": parts_json(&line.parts), "each_cents": line.each.0 })
}

fn line_of(value: &Value) -> Option<BasketLine> {
    let number = |key: &str| value[key].as_u64().and_then(|n| u32::try_from(n).ok());
    Some(BasketLine {
        product: ProductId(value["product"].as_str()?.to_owned()),
        quantity: number("quantity").filter(|n| *n > 0)?,
        parts: parts_of(&value["parts"]),
        each: PriceCents(number("each_cents")?),
    })
}

fn parts_json(parts: &BTreeMap<String, PartChoice>) -> Value {
    parts
        .iter()
        .map(|(name, choice)| (name.clone(), json!({ "value": choice.value, "amount": choice.amount })))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn parts_of(value: &Value) -> BTreeMap<String, PartChoice> {
    let choice = |value: &Value| {
        Some(PartChoice { value: value["value"].as_str()?.to_owned(), amount: value["amount"].as_str().map(str::to_owned) })
    };
    value.as_object().into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), choice(value)?))).collect()
}

fn waiting_json(waiting: &Waiting) -> Value {
    match waiting {
        Waiting::Nothing => Value::Null,
        Waiting::Product { intent } => json!({ "for": "product", "intent": intent }),
        Waiting::Intent { first, second, product } => {
            json!({ "for": "intent", "first": first, "second": second, "product": product.as_ref().map(ProductId::as_str) })
        }
        Waiting::Item { parts } => json!({ "for": "item", "parts": parts_json(parts) }),
        Waiting::Confirm => json!({ "for": "confirm" }),
        Waiting::Person => json!({ "for": "person" }),
    }
}

fn waiting_of(value: &Value) -> Waiting {
    let words = |key: &str| value[key].as_str().map(str::to_owned);
    let read = || {
        Some(match value["for"].as_str()? {
            "product" => Waiting::Product { intent: words("intent")? },
            "intent" => Waiting::Intent { first: words("first")?, second: words("second")?, product: words("product").map(ProductId) },
            "item" => Waiting::Item { parts: parts_of(&value["parts"]) },
            "confirm" => Waiting::Confirm,
            "person" => Waiting::Person,
            _ => return None,
        })
    };
    read().unwrap_or_default()
}

fn voice(value: &Value) -> Option<Voice> {
    let number = |name: &str| value[name].as_f64().map(|x| x as f32);
    Some(Voice { level_dbfs: number("level_dbfs")?, pitch_hz: number("pitch_hz")?, words_per_s: number("words_per_s") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_the_same_after_it_was_written_and_read() {
        let id = |name: &str| ProductId(name.to_owned());
        let milk = PartChoice { value: "oat milk".to_owned(), amount: Some("a lot of".to_owned()) };
        let parts = BTreeMap::from([("milk".to_owned(), milk)]);
        let waits = [
            Waiting::Nothing,
            Waiting::Product { intent: "price".to_owned() },
            Waiting::Intent { first: "price".to_owned(), second: "place".to_owned(), product: Some(id("lemon")) },
            Waiting::Item { parts: parts.clone() },
            Waiting::Confirm,
            Waiting::Person,
        ];
        for waiting in waits {
            let state = DialogueState {
                turns: 3,
                started_unix_ms: 1_800_000_000_000,
                last_unix_ms: 1_800_000_060_000,
                language: Some("en".to_owned()),
                product: Some(id("oatly")),
                shown: vec![id("oatly"), id("alpro")],
                last_intent: Some("price".to_owned()),
                waiting,
                last_answer: Some("It costs \"2 euros\".".to_owned()),
                failures: 1,
                unanswered: 2,
                product_questions: 1,
                sentiment_min: Some(-0.25),
                moods: vec![0.5, -0.25],
                voice: Some(Voice { level_dbfs: -24.5, pitch_hz: 180.0, words_per_s: None }),
                basket: Basket {
                    lines: vec![BasketLine { product: id("latte"), quantity: 2, parts: parts.clone(), each: PriceCents(430) }],
                    is_confirmed: true,
                },
                is_ordering: true,
                topics: vec!["the price of a product (oat drink)".to_owned()],
                handed_over: vec!["mood".to_owned()],
            };
            assert_eq!(state_of(&state_json(&state).to_string()), Some(state));
        }
        assert_eq!(state_of("{}"), Some(DialogueState::default()));
        assert_eq!(state_of("not JSON"), None);
    }

    #[test]
    fn a_row_of_an_older_log_is_read_as_far_as_it_goes() {
        let old =
            r#"{"turns":2,"product":"lemon","pending_intent":"price","basket":["2 large latte"],"basket_products":["latte"],"failures":1}"#;
        let state = state_of(old).expect("a state");
        assert_eq!((state.turns, state.failures, state.product), (2, 1, Some(ProductId("lemon".to_owned()))));
        assert_eq!(state.waiting, Waiting::Product { intent: "price".to_owned() });
        assert!(state.basket.lines.is_empty() && state.moods.is_empty());
    }
}
