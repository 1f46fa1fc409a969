//! Records to rows. The JSON in the columns is the log's own and has nothing to do with the wire's.

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::feedback::features_json;
use super::offers::{offer_json, passed_over_json};
use super::state::state_json;
use crate::domain::{IntentDecision, Prediction, Probability, ProductId, Sighting, SpokenOrder, TurnRecord, Understanding, Verdict};

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
             photo_embedding, details, is_answered, spoken_order, faq, handoff, moment, features, passed_over) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
             ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30)",
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
            record.answer.details,
            record.answer.is_answered,
            record.order.as_ref().map(|o| order_json(o).to_string()),
            record.faq.as_ref().map(|hit| json!({ "question": hit.question, "score": hit.score }).to_string()),
            record.handoff.as_ref().map(|h| json!({ "reason": h.reason.name(), "summary": h.summary }).to_string()),
            json!({ "weekday": record.moment.weekday, "minutes": record.moment.minutes }).to_string(),
            features_json(&record.features).to_string(),
            record.passed_over.iter().map(passed_over_json).collect::<Value>().to_string(),
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
        "anomaly": prediction.anomaly.map(Probability::get),
        "shares": { "text": prediction.shares.text, "photo": prediction.shares.photo, "session": prediction.shares.session },
        "because": prediction.because.iter().map(|push| json!({ "feature": push.feature, "effect": push.effect })).collect::<Vec<_>>(),
    })
}

fn order_json(order: &SpokenOrder) -> Value {
    json!({ "text": order.text, "intent": order.intent, "slots": order.slots, "confidence": order.confidence.get() })
}

fn recommendations_json(record: &TurnRecord) -> Value {
    record.recommendations.iter().map(offer_json).collect()
}

fn timings_json(record: &TurnRecord) -> Value {
    record.timings.iter().map(|(stage, ms)| (stage.to_owned(), json!(ms))).collect::<serde_json::Map<_, _>>().into()
}
