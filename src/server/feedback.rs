use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{session_id, unknown};
use super::{ApiError, Service};
use crate::domain::{Feedback, FeedbackOutcome, ProductId};
use crate::turn::FeedbackInput;

/// The body of `POST /v1/sessions/{id}/feedback`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FeedbackBody {
    outcome: String,
    turn: Option<u32>,
    product: Option<String>,
    stars: Option<u8>,
}

impl FeedbackBody {
    fn input(self) -> Result<FeedbackInput, ApiError> {
        let Some(outcome) = FeedbackOutcome::of_name(&self.outcome, self.stars) else {
            let expected = FeedbackOutcome::NAMES.join(", ");
            let shown: String = self.outcome.chars().take(64).collect();
            let stars = self.stars.map_or_else(|| "none".to_owned(), |stars| stars.to_string());
            return Err(ApiError::new(
                "bad_request",
                format!(
                    "the outcome is {shown:?} with stars {stars}; expected one of {expected}, and stars from 1 to {} with \"rated\" alone",
                    FeedbackOutcome::STARS_MAX
                ),
            ));
        };
        Ok(FeedbackInput { turn: self.turn, outcome, product: self.product.map(ProductId) })
    }
}

/// `POST /v1/sessions/{id}/feedback`: what became of a turn or of the session. In the log when the answer comes.
pub(super) async fn take_feedback(
    State(service): State<Service>,
    id: Result<Path<String>, PathRejection>,
    body: Result<Json<FeedbackBody>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    let id = session_id(id)?;
    let Json(body) =
        body.map_err(|e| ApiError::new("bad_request", format!("expected a JSON object with \"outcome\": {}", e.body_text())))?;
    let is_new = service.desk.take_feedback(&id, body.input()?).await?;
    Ok(Json(json!({ "session": id.as_str(), "new": is_new })))
}

/// `GET /v1/sessions/{id}/feedback`: what was told of the session.
pub(super) async fn list_feedback(
    State(service): State<Service>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, ApiError> {
    let id = session_id(id)?;
    let (reader, asked) = (service.desk.reader().clone(), id.clone());
    let read = move || -> Result<Option<Vec<Feedback>>, _> {
        // A session without feedback is not an unknown one.
        if reader.last_turn(&asked)?.is_none() { Ok(None) } else { reader.feedback_of(&asked).map(Some) }
    };
    let told = tokio::task::spawn_blocking(read).await.map_err(|_| ApiError::busy())??.ok_or_else(|| unknown(id.as_str()))?;
    Ok(Json(json!({ "session": id.as_str(), "feedback": told.iter().map(feedback_json).collect::<Vec<_>>() })))
}

fn feedback_json(told: &Feedback) -> Value {
    json!({
        "turn": told.turn, "at_unix_ms": told.at_unix_ms, "outcome": told.outcome.name(), "stars": told.outcome.stars(),
        "product": told.product.as_ref().map(ProductId::as_str),
    })
}
