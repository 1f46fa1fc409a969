//! What was offered, read back from the log to learn from it.

use rusqlite::{Connection, Row};
use serde_json::{Value, json};

use super::state::state_of;
use crate::domain::{
    EntityKind, EvidenceKind, EvidenceStrengths, OfferedTurn, PassedOver, Probability, ProductId, Recommendation, SessionId,
};

/// The newest turns with offers, a confirmed order or a question about an allergen, the oldest of them first. Offers of before version 4
/// lack what spoke for them, and are passed over.
pub(super) fn newest(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<OfferedTurn>> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let passed_over = if version >= 4 { "passed_over" } else { "NULL AS passed_over" };
    let mut statement = connection.prepare(&format!(
        "SELECT session, turn, at_unix_ms, recommendations, {passed_over}, state, understanding FROM turns
         WHERE recommendations <> '[]' OR state LIKE '%\"is_confirmed\":true%' OR understanding LIKE '%\"kind\":\"allergen\"%'
         ORDER BY at_unix_ms DESC, session DESC, turn DESC LIMIT ?1"
    ))?;
    let rows = statement.query_map([limit], read)?;
    let mut turns: Vec<OfferedTurn> = rows.filter_map(Result::transpose).collect::<rusqlite::Result<_>>()?;
    turns.reverse();
    Ok(turns)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Option<OfferedTurn>> {
    let array = |column: &str| -> rusqlite::Result<Vec<Value>> {
        let text: Option<String> = row.get(column)?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    };
    let (session, state): (String, String) = (row.get("session")?, row.get("state")?);
    let basket = state_of(&state).map(|state| state.basket).filter(|basket| basket.is_confirmed);
    let offered: Option<Vec<Recommendation>> = array("recommendations")?.iter().map(offer_of).collect();
    let Some(session) = SessionId::parse(&session) else { return Ok(None) };
    Ok(Some(OfferedTurn {
        session,
        turn: row.get("turn")?,
        at_unix_ms: row.get::<_, i64>("at_unix_ms")? as u64,
        // Without what spoke for it and how likely it was, an offer teaches nothing.
        offered: offered.filter(|offers| offers.iter().all(|offer| !offer.evidence.is_empty())).unwrap_or_default(),
        passed_over: array("passed_over")?.iter().filter_map(passed_over_of).collect(),
        allergens: allergens_of(row.get("understanding")?),
        taken: basket.iter().flat_map(|basket| basket.products().cloned()).collect(),
    }))
}

fn allergens_of(understanding: Option<String>) -> Vec<String> {
    let value: Value = understanding.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let entities = value["entities"].as_array().into_iter().flatten().filter(|entity| entity["kind"] == EntityKind::Allergen.name());
    entities.filter_map(|entity| entity["value"].as_str().map(str::to_owned)).collect()
}

pub(super) fn offer_json(offer: &Recommendation) -> Value {
    json!({
        "product": offer.product.as_str(), "score": offer.score, "reason": offer.reason, "evidence": evidence_json(&offer.evidence),
        "propensity": offer.propensity.get(),
    })
}

/// Reads what [`offer_json`] wrote, but for name and price, which the catalog has; older rows lack the evidence.
pub(super) fn offer_of(value: &Value) -> Option<Recommendation> {
    Some(Recommendation {
        product: ProductId(value["product"].as_str()?.to_owned()),
        name: String::new(),
        price: None,
        score: value["score"].as_f64().unwrap_or(0.0) as f32,
        reason: value["reason"].as_str().unwrap_or_default().to_owned(),
        evidence: evidence_of(&value["evidence"]),
        propensity: propensity_of(value).unwrap_or(Probability::clamped(1.0)),
    })
}

pub(super) fn passed_over_json(option: &PassedOver) -> Value {
    json!({ "product": option.product.as_str(), "evidence": evidence_json(&option.evidence), "propensity": option.propensity.get() })
}

fn passed_over_of(value: &Value) -> Option<PassedOver> {
    let (evidence, propensity) = (evidence_of(&value["evidence"]), propensity_of(value)?);
    Some(PassedOver { product: ProductId(value["product"].as_str()?.to_owned()), evidence, propensity })
}

fn propensity_of(value: &Value) -> Option<Probability> {
    value["propensity"].as_f64().map(|x| Probability::clamped(x as f32))
}

fn evidence_json(evidence: &EvidenceStrengths) -> Value {
    evidence.iter().map(|(kind, strength)| (kind.name().to_owned(), json!(strength))).collect::<serde_json::Map<_, _>>().into()
}

fn evidence_of(value: &Value) -> EvidenceStrengths {
    let known = |(name, strength): (&String, &Value)| Some((EvidenceKind::of_name(name)?, strength.as_f64()? as f32));
    let mut evidence: EvidenceStrengths = value.as_object().into_iter().flatten().filter_map(known).collect();
    evidence.sort_by_key(|(kind, _)| *kind);
    evidence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_come_back_from_the_log_with_what_spoke_for_them() {
        let offer = Recommendation {
            product: ProductId("lemon".to_owned()),
            name: String::new(),
            price: None,
            score: 0.75,
            reason: "You asked for citrus.".to_owned(),
            evidence: vec![(EvidenceKind::Cheaper, 0.25), (EvidenceKind::Sentence, 0.5)],
            propensity: Probability::clamped(0.5),
        };
        assert_eq!(offer_of(&offer_json(&offer)), Some(offer.clone()));
        let option = PassedOver { product: offer.product, evidence: offer.evidence, propensity: offer.propensity };
        assert_eq!(passed_over_of(&passed_over_json(&option)), Some(option));
        let old = offer_of(&json!({ "product": "lemon", "score": 1.0, "reason": "x" })).expect("an offer");
        assert!(old.evidence.is_empty() && old.propensity.get() == 1.0);
        assert_eq!(offer_of(&json!({})), None);
    }
}
