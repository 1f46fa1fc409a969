//! Turns read back from the log, to be answered again.

use rusqlite::{Connection, Row};
use serde_json::Value;

use super::offers;
use crate::domain::{
    Candidate, Entity, EntityKind, FaqHit, IntentDecision, IntentScore, ModalityShares, Moment, PhotoAdvice, Prediction, Probability,
    ProductId, Recommendation, Sighting, SpokenOrder, Understanding, Verdict,
};

/// What the log holds of a turn, as far as an answer depends on it. Vectors are not among it: what was found with them is.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedTurn {
    /// Its number.
    pub turn: u32,
    /// When it was taken, in milliseconds since 1970 (UTC).
    pub at_unix_ms: u64,
    /// The same by the shop's clock; `None` in rows of version 1, which cannot be answered again.
    pub moment: Option<Moment>,
    /// What was typed or said, masked.
    pub text: Option<String>,
    /// What it means; the vector is left out.
    pub understanding: Option<Understanding>,
    /// What was seen; the vector is left out.
    pub sighting: Option<Sighting>,
    /// The sentence as the grammar of orders read it.
    pub order: Option<SpokenOrder>,
    /// The nearest question of the FAQ.
    pub faq: Option<FaqHit>,
    /// What the person was about to do.
    pub prediction: Option<Prediction>,
    /// What was offered; without names and prices, which the catalog has.
    pub offered: Vec<Recommendation>,
    /// The kind of the answer.
    pub answer_kind: String,
    /// The answer.
    pub answer: String,
}

/// All turns of a session, first to last.
pub(super) fn turns(connection: &Connection, session: &str) -> rusqlite::Result<Vec<LoggedTurn>> {
    let mut statement = connection.prepare("SELECT * FROM turns WHERE session = ?1 ORDER BY turn")?;
    let rows = statement.query_map([session], read)?;
    rows.collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<LoggedTurn> {
    // Columns that a log of an older version lacks, and JSON that cannot be read, count as absent.
    let json = |column: &str| -> Value {
        let text: Option<String> = row.get(column).ok().flatten();
        text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(Value::Null)
    };
    let text: Option<String> = row.get("typed")?;
    Ok(LoggedTurn {
        turn: row.get("turn")?,
        at_unix_ms: row.get::<_, i64>("at_unix_ms")? as u64,
        moment: moment(&json("moment")),
        text: text.or(row.get("transcript")?),
        understanding: understanding(&json("understanding"), row.get("sentiment")?),
        sighting: sighting(&json("sighting")),
        order: order(&json("spoken_order")),
        faq: faq(&json("faq")),
        prediction: prediction(&json("prediction")),
        offered: json("recommendations").as_array().into_iter().flatten().filter_map(offers::offer_of).collect(),
        answer_kind: row.get("answer_kind")?,
        answer: row.get("answer")?,
    })
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn number(value: &Value) -> Option<f32> {
    value.as_f64().map(|x| x as f32)
}

fn probability(value: &Value) -> Option<Probability> {
    number(value).map(Probability::clamped)
}

fn moment(value: &Value) -> Option<Moment> {
    let minutes = value["minutes"].as_u64().and_then(|n| u16::try_from(n).ok())?;
    Some(Moment { weekday: value["weekday"].as_u64()? as usize, minutes })
}

fn understanding(value: &Value, sentiment: Option<f32>) -> Option<Understanding> {
    let decision = match value["decision"].as_str()? {
        "clear" => IntentDecision::Clear,
        "ambiguous" => IntentDecision::Ambiguous,
        _ => IntentDecision::OutOfScope,
    };
    let intent = |value: &Value| Some(IntentScore { intent: text(&value["intent"])?, probability: probability(&value["probability"])? });
    let intents: Vec<IntentScore> = value["intents"].as_array()?.iter().filter_map(intent).collect();
    let entities = value["entities"].as_array()?.iter().filter_map(entity).collect();
    (!intents.is_empty()).then_some(Understanding { decision, intents, entities, sentiment, embedding: Vec::new() })
}

fn entity(value: &Value) -> Option<Entity> {
    let place = |key: &str| value[key].as_u64().and_then(|n| usize::try_from(n).ok());
    Some(Entity {
        kind: EntityKind::of_name(value["kind"].as_str()?)?,
        text: text(&value["text"])?,
        value: text(&value["value"])?,
        start: place("start")?,
        end: place("end")?,
    })
}

fn sighting(value: &Value) -> Option<Sighting> {
    let candidate = |value: &Value| {
        Some(Candidate {
            product: text(&value["product"]).map(ProductId),
            label: text(&value["label"])?,
            class_id: value["class_id"].as_u64()? as usize,
            probability: probability(&value["probability"])?,
        })
    };
    let advices = [PhotoAdvice::TooDark, PhotoAdvice::TooBright, PhotoAdvice::Blurred];
    Some(Sighting {
        verdict: if value["known"].as_bool()? { Verdict::Known } else { Verdict::Unknown },
        top: value["top"].as_array()?.iter().filter_map(candidate).collect(),
        similarity: number(&value["similarity"])?,
        advice: advices.into_iter().find(|advice| value["advice"].as_str() == Some(advice.sentence())),
        embedding: Vec::new(),
    })
}

fn order(value: &Value) -> Option<SpokenOrder> {
    let slots = value["slots"].as_object()?.iter().filter_map(|(slot, value)| Some((slot.clone(), text(value)?)));
    let confidence = probability(&value["confidence"])?;
    Some(SpokenOrder { text: text(&value["text"])?, intent: text(&value["intent"])?, slots: slots.collect(), confidence })
}

fn faq(value: &Value) -> Option<FaqHit> {
    Some(FaqHit { question: text(&value["question"])?, score: number(&value["score"])? })
}

fn prediction(value: &Value) -> Option<Prediction> {
    let shares = &value["shares"];
    Some(Prediction {
        purchase: probability(&value["purchase"])?,
        accept_recommendation: probability(&value["accept_recommendation"])?,
        handoff_needed: probability(&value["handoff_needed"])?,
        abandon: probability(&value["abandon"])?,
        anomaly: probability(&value["anomaly"]),
        shares: ModalityShares { text: number(&shares["text"])?, photo: number(&shares["photo"])?, session: number(&shares["session"])? },
        because: Vec::new(),
    })
}
