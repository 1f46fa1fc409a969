//! Records to rows. The JSON in the columns is the log's own and has nothing to do with the wire's.

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::domain::{DialogueState, IntentDecision, Prediction, ProductId, Sighting, TurnRecord, Understanding, Verdict};

pub(super) fn insert(connection: &Connection, record: &TurnRecord) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO sessions (id, started_unix_ms, channel) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING")?
        .execute(params![record.session.as_str(), record.at_unix_ms as i64, record.channel.name()])?;
    let understanding = record.understanding.as_ref();
    let sighting = record.sighting.as_ref();
    connection
        .prepare_cached(
            "INSERT INTO turns (session, turn, at_unix_ms, channel, transcript, confidence, typed, product_seen, sighting, intent, in_scope,
             sentiment, understanding, prediction, answer_kind, answer, product, recommendations, state, timings_ms, text_embedding,
             photo_embedding) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)",
        )?
        .execute(params![
            record.session.as_str(),
            record.turn,
            record.at_unix_ms as i64,
            record.channel.name(),
            record.transcript.as_ref().map(|t| &t.text),
            record.transcript.as_ref().map(|t| t.confidence.get()),
            record.typed,
            sighting.and_then(|s| s.product()).map(ProductId::as_str),
            sighting.map(|s| sighting_json(s).to_string()),
            understanding.map(|u| &u.best().intent),
            understanding.map(Understanding::in_scope),
            understanding.and_then(|u| u.sentiment),
            understanding.map(|u| understanding_json(u).to_string()),
            record.prediction.as_ref().map(|p| prediction_json(p).to_string()),
            record.answer.kind.name(),
            record.answer.text,
            record.answer.product.as_ref().map(ProductId::as_str),
            recommendations_json(record).to_string(),
            state_json(&record.state).to_string(),
            timings_json(record).to_string(),
            understanding.filter(|u| !u.embedding.is_empty()).map(|u| bytes(&u.embedding)),
            sighting.map(|s| bytes(&s.embedding)),
        ])?;
    Ok(())
}

fn bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn sighting_json(sighting: &Sighting) -> Value {
    let top = sighting.top.iter().map(|c| {
        json!({ "product": c.product.as_ref().map(ProductId::as_str), "label": c.label, "class_id": c.class_id, "probability": c.probability.get() })
    });
    json!({ "known": sighting.verdict == Verdict::Known, "similarity": sighting.similarity, "advice": sighting.advice.map(|a| a.sentence()), "top": top.collect::<Vec<_>>() })
}

fn understanding_json(understanding: &Understanding) -> Value {
    let decision = match understanding.decision {
        IntentDecision::Clear => "clear",
        IntentDecision::Ambiguous => "ambiguous",
        IntentDecision::OutOfScope => "out_of_scope",
    };
    let intents = understanding.intents.iter().map(|i| json!({ "intent": i.intent, "probability": i.probability.get() }));
    let entities = understanding
        .entities
        .iter()
        .map(|e| json!({ "kind": e.kind.name(), "text": e.text, "value": e.value, "start": e.start, "end": e.end }));
    json!({ "decision": decision, "intents": intents.collect::<Vec<_>>(), "entities": entities.collect::<Vec<_>>() })
}

fn prediction_json(prediction: &Prediction) -> Value {
    json!({
        "purchase": prediction.purchase.get(),
        "accept_recommendation": prediction.accept_recommendation.get(),
        "handoff_needed": prediction.handoff_needed.get(),
        "abandon": prediction.abandon.get(),
        "shares": { "text": prediction.shares.text, "photo": prediction.shares.photo, "session": prediction.shares.session },
        "because": prediction.because.iter().map(|push| json!({ "feature": push.feature, "effect": push.effect })).collect::<Vec<_>>(),
    })
}

fn recommendations_json(record: &TurnRecord) -> Value {
    record.recommendations.iter().map(|r| json!({ "product": r.product.as_str(), "score": r.score, "reason": r.reason })).collect()
}

fn timings_json(record: &TurnRecord) -> Value {
    record.timings.iter().map(|(stage, ms)| (stage.to_owned(), json!(ms))).collect::<serde_json::Map<_, _>>().into()
}

fn state_json(state: &DialogueState) -> Value {
    json!({
        "turns": state.turns,
        "started_unix_ms": state.started_unix_ms,
        "language": state.language,
        "product": state.product.as_ref().map(ProductId::as_str),
        "pending_intent": state.pending_intent,
        "last_answer": state.last_answer,
        "failures": state.failures,
        "unanswered": state.unanswered,
        "product_questions": state.product_questions,
        "sentiment_min": state.sentiment_min,
        "basket": state.basket,
        "basket_products": state.basket_products.iter().map(ProductId::as_str).collect::<Vec<_>>(),
    })
}

/// Reads what [`state_json`] wrote; what is missing in an older row is as at the beginning.
pub(super) fn state_of(text: &str) -> Option<DialogueState> {
    let value: Value = serde_json::from_str(text).ok()?;
    let words = |key: &str| value[key].as_str().map(str::to_owned);
    let count = |key: &str| value[key].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    let list = |key: &str| value[key].as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect::<Vec<_>>();
    Some(DialogueState {
        turns: count("turns"),
        started_unix_ms: value["started_unix_ms"].as_u64().unwrap_or(0),
        language: words("language"),
        product: words("product").map(ProductId),
        pending_intent: words("pending_intent"),
        last_answer: words("last_answer"),
        failures: count("failures"),
        unanswered: count("unanswered"),
        product_questions: count("product_questions"),
        sentiment_min: value["sentiment_min"].as_f64().map(|x| x as f32),
        basket: list("basket"),
        basket_products: list("basket_products").into_iter().map(ProductId).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_the_same_after_it_was_written_and_read() {
        let state = DialogueState {
            turns: 3,
            started_unix_ms: 1_800_000_000_000,
            language: Some("en".to_owned()),
            product: Some(ProductId("oatly".to_owned())),
            pending_intent: Some("price".to_owned()),
            last_answer: Some("It costs \"2 euros\".".to_owned()),
            failures: 1,
            unanswered: 2,
            product_questions: 1,
            sentiment_min: Some(-0.25),
            basket: vec!["2 large latte".to_owned()],
            basket_products: vec![ProductId("latte".to_owned())],
        };
        assert_eq!(state_of(&state_json(&state).to_string()), Some(state));
        assert_eq!(state_of("{}"), Some(DialogueState::default()));
        assert_eq!(state_of("not JSON"), None);
    }
}
