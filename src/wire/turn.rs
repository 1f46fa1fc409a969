use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::domain::{
    Basket, BasketLine, Candidate, Catalog, Heard, PartChoice, Prediction, ProductId, Recommendation, Segment, Sighting, Transcript,
    TurnRecord, Understanding, Verdict, Word,
};

/// One turn.
#[derive(Debug, Clone, Serialize)]
pub struct TurnJson {
    session: String,
    turn: u32,
    transcript: Option<TranscriptJson>,
    sighting: Option<SightingJson>,
    understanding: Option<UnderstandingJson>,
    prediction: Option<Value>,
    answer: Value,
    order: Option<Value>,
    basket: Value,
    handoff: Option<Value>,
    recommendations: Vec<Value>,
    timings_ms: Map<String, Value>,
}

impl TurnJson {
    /// `currency_word` is the plural of the currency, for prices as they are spoken.
    pub fn new(record: &TurnRecord, catalog: &Catalog, currency_word: &str) -> Self {
        let price = |id: &ProductId| catalog.get(id).and_then(|product| product.price).map(|price| price.spoken(currency_word));
        let offer = |r: &Recommendation| {
            json!({
                "product": r.product.as_str(), "name": r.name, "price": r.price.map(|price| price.spoken(currency_word)), "price_cents": r.price.map(|price| price.0),
                "score": rounded(r.score), "reason": r.reason,
            })
        };
        Self {
            session: record.session.to_string(),
            turn: record.turn,
            transcript: record.transcript.as_ref().map(TranscriptJson::of),
            sighting: record.sighting.as_ref().map(|s| SightingJson { price: s.product().and_then(price), ..SightingJson::of(s) }),
            understanding: record.understanding.as_ref().map(UnderstandingJson::of),
            prediction: record.prediction.as_ref().map(prediction),
            answer: json!({
                "kind": record.answer.kind.name(), "text": record.answer.text, "details": record.answer.details,
                "answered": record.answer.is_answered,
                "product": record.answer.product.as_ref().map(ProductId::as_str),
            }),
            order: record.order.as_ref().map(|order| {
                json!({ "text": order.text, "intent": order.intent, "slots": order.slots, "confidence": rounded(order.confidence.get()) })
            }),
            basket: basket(&record.state.basket, catalog, currency_word),
            handoff: record.handoff.as_ref().map(|h| json!({ "reason": h.reason.name(), "summary": h.summary })),
            recommendations: record.recommendations.iter().map(offer).collect(),
            timings_ms: record.timings.iter().map(|(stage, ms)| (stage.to_owned(), json!(tenths(ms)))).collect(),
        }
    }
}

/// What was heard.
#[derive(Debug, Clone, Serialize)]
pub struct TranscriptJson {
    text: String,
    confidence: f64,
    segments: Vec<Value>,
    words: Vec<Value>,
    language: Option<String>,
    audio_ctx: u32,
}

impl TranscriptJson {
    /// Of words.
    pub fn of(transcript: &Transcript) -> Self {
        let seconds = |ms: u32| f64::from(ms) / 1_000.0;
        let segment = |s: &Segment| json!({ "start": seconds(s.start_ms), "end": seconds(s.end_ms), "text": s.text });
        let word = |w: &Word| {
            let confidence = rounded(w.confidence.get());
            json!({ "start": seconds(w.start_ms), "end": seconds(w.end_ms), "word": w.text, "confidence": confidence })
        };
        Self {
            text: transcript.text.clone(),
            confidence: rounded(transcript.confidence.get()),
            segments: transcript.segments.iter().map(segment).collect(),
            words: transcript.words.iter().map(word).collect(),
            language: Some(transcript.language.clone()),
            audio_ctx: transcript.audio_ctx,
        }
    }

    /// Of words or silence; silence has an empty text.
    pub fn of_heard(heard: &Heard) -> Self {
        match heard {
            Heard::Words(transcript) => Self::of(transcript),
            Heard::Silence => {
                Self { text: String::new(), confidence: 0.0, segments: Vec::new(), words: Vec::new(), language: None, audio_ctx: 0 }
            }
        }
    }
}

fn basket(basket: &Basket, catalog: &Catalog, currency_word: &str) -> Value {
    let part = |(name, choice): (&String, &PartChoice)| (name.clone(), json!({ "value": choice.value, "amount": choice.amount }));
    let line = |line: &BasketLine| {
        json!({
            "product": line.product.as_str(), "name": catalog.get(&line.product).map(|p| &p.name), "quantity": line.quantity,
            "parts": line.parts.iter().map(part).collect::<Map<_, _>>(), "price_cents": line.each.0, "price": line.each.spoken(currency_word),
        })
    };
    let total = basket.total();
    json!({
        "lines": basket.lines.iter().map(line).collect::<Vec<_>>(), "total_cents": total.0, "total": total.spoken(currency_word),
        "confirmed": basket.is_confirmed,
    })
}

/// What was seen.
#[derive(Debug, Clone, Serialize)]
pub struct SightingJson {
    product: Option<String>,
    price: Option<String>,
    label: String,
    probability: f64,
    known: bool,
    similarity: f64,
    advice: Option<&'static str>,
    top: Vec<Value>,
}

impl SightingJson {
    /// Of a photo. `label` and `probability` are the nearest class's also where the product is unknown; `product` is null then.
    pub fn of(sighting: &Sighting) -> Self {
        let candidate = |c: &Candidate| json!({ "product": c.product.as_ref().map(ProductId::as_str), "label": c.label, "class_id": c.class_id, "probability": rounded(c.probability.get()) });
        Self {
            product: sighting.product().map(|id| id.as_str().to_owned()),
            price: None,
            label: sighting.top.first().map(|c| c.label.clone()).unwrap_or_default(),
            probability: sighting.top.first().map_or(0.0, |c| rounded(c.probability.get())),
            known: sighting.verdict == Verdict::Known,
            similarity: rounded(sighting.similarity),
            advice: sighting.advice.map(|a| a.sentence()),
            top: sighting.top.iter().map(candidate).collect(),
        }
    }
}

/// What was meant.
#[derive(Debug, Clone, Serialize)]
pub struct UnderstandingJson {
    intent: String,
    confidence: f64,
    in_scope: bool,
    intents: Vec<Value>,
    entities: Vec<Value>,
    sentiment: Option<f64>,
}

impl UnderstandingJson {
    /// Of a sentence.
    pub fn of(understanding: &Understanding) -> Self {
        let entity =
            |e: &crate::domain::Entity| json!({ "kind": e.kind.name(), "text": e.text, "value": e.value, "start": e.start, "end": e.end });
        let intent = |i: &crate::domain::IntentScore| json!({ "intent": i.intent, "probability": rounded(i.probability.get()) });
        Self {
            intent: understanding.best().intent.clone(),
            confidence: rounded(understanding.best().probability.get()),
            in_scope: understanding.in_scope(),
            intents: understanding.intents.iter().map(intent).collect(),
            entities: understanding.entities.iter().map(entity).collect(),
            sentiment: understanding.sentiment.map(rounded),
        }
    }
}

fn prediction(prediction: &Prediction) -> Value {
    let because = prediction.because.iter().map(|push| json!({ "feature": push.feature, "effect": rounded(push.effect) }));
    let shares = prediction.shares;
    json!({
        "purchase": rounded(prediction.purchase.get()),
        "accept_recommendation": rounded(prediction.accept_recommendation.get()),
        "handoff_needed": rounded(prediction.handoff_needed.get()),
        "abandon": rounded(prediction.abandon.get()),
        "anomaly": prediction.anomaly.map(|anomaly| rounded(anomaly.get())),
        "shares": { "text": rounded(shares.text), "photo": rounded(shares.photo), "session": rounded(shares.session) },
        "because": because.collect::<Vec<_>>(),
    })
}

/// Four places are what the models are good for, and what people can read.
fn rounded(value: f32) -> f64 {
    (f64::from(value) * 10_000.0).round() / 10_000.0
}

fn tenths(ms: f32) -> f64 {
    (f64::from(ms) * 10.0).round() / 10.0
}
