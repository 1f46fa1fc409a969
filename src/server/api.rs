use axum::Json;
use axum::extract::multipart::Field;
use axum::extract::rejection::PathRejection;
use axum::extract::{Multipart, Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{ApiError, Service};
use crate::domain::{Channel, SessionId};
use crate::turn::{Spoken, TurnInput};
use crate::wire::TurnJson;

/// Typed text beyond this is cut by the language area anyway; this keeps a request from holding more.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// Takes one of the slots for the time of a request, or says at once that there is none; gives up what takes too long.
pub(super) async fn bounded(State(service): State<Service>, request: Request, next: Next) -> Response {
    let Ok(_slot) = service.slots.try_acquire() else { return ApiError::busy().into_response() };
    match tokio::time::timeout(service.request_time_max, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::late().into_response(),
    }
}

/// `POST /v1/sessions`
pub(super) async fn open_session(State(service): State<Service>) -> Result<(StatusCode, Json<Value>), ApiError> {
    let id = service.desk.open_session(Channel::Kiosk).await?;
    Ok((StatusCode::CREATED, Json(json!({ "session": id.as_str() }))))
}

/// `POST /v1/sessions/{id}/turns` with the parts `audio`, `photo` and `text`, at least one of them.
pub(super) async fn take_turn(
    State(service): State<Service>,
    id: Result<Path<String>, PathRejection>,
    form: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<Json<TurnJson>, ApiError> {
    let id = session_id(id)?;
    let mut form = form.map_err(|e| ApiError::new("bad_request", format!("expected multipart/form-data: {}", e.body_text())))?;
    let mut input = TurnInput::default();
    while let Some(field) = form.next_field().await? {
        match field.name() {
            Some("audio") => input.spoken = bytes(field).await?.map(Spoken::File),
            Some("photo") => input.photo = bytes(field).await?,
            Some("text") => input.text = Some(text(field).await?),
            other => {
                let name = other.unwrap_or_default().to_owned();
                return Err(ApiError::new("bad_request", format!("the form has a part {name:?}; expected audio, photo and text")));
            }
        }
    }
    let record = service.desk.take(&id, Channel::Kiosk, input).await?;
    Ok(Json(TurnJson::new(&record, service.desk.catalog(), &service.desk.shop().currency_word)))
}

/// `GET /v1/sessions/{id}`: the turns as they stand in the log.
pub(super) async fn session(State(service): State<Service>, id: Result<Path<String>, PathRejection>) -> Result<Json<Value>, ApiError> {
    let id = session_id(id)?;
    let reader = service.desk.reader().clone();
    let asked = id.clone();
    let turns = tokio::task::spawn_blocking(move || reader.turns(&asked)).await.map_err(|_| ApiError::busy())??;
    let turns = turns.ok_or_else(|| unknown(id.as_str()))?;
    Ok(Json(json!({ "session": id.as_str(), "turns": turns })))
}

/// `GET /health`
pub(super) async fn health(State(service): State<Service>) -> Json<Value> {
    Json(json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "products": service.desk.catalog().products().len(),
        "free_slots": service.slots.available_permits(),
        "behavior_version": service.desk.parts().learner.as_ref().map(|learner| *learner.in_use().borrow()),
    }))
}

pub(super) async fn no_such_place() -> ApiError {
    ApiError::new("not_found", "there is nothing at this address; the README lists what there is")
}

pub(super) async fn no_such_method() -> ApiError {
    ApiError::new("method_not_allowed", "this address does not take that method; the README lists what there is")
}

pub(super) fn session_id(id: Result<Path<String>, PathRejection>) -> Result<SessionId, ApiError> {
    let Path(text) = id.map_err(|_| unknown("(not UTF-8)"))?;
    SessionId::parse(&text).ok_or_else(|| unknown(&text))
}

pub(super) fn unknown(text: &str) -> ApiError {
    let short: String = text.chars().take(64).collect();
    ApiError::new("unknown_session", format!("there is no session {short:?}; begin one with POST /v1/sessions"))
}

/// The content of a part; a part without content counts as absent, as browsers send one for an empty file field.
async fn bytes(field: Field<'_>) -> Result<Option<Vec<u8>>, ApiError> {
    let is_named_file = field.file_name().is_some_and(|name| !name.is_empty());
    let content = field.bytes().await?;
    Ok((is_named_file || !content.is_empty()).then(|| content.to_vec()))
}

async fn text(mut field: Field<'_>) -> Result<String, ApiError> {
    let mut content = Vec::new();
    while let Some(chunk) = field.chunk().await? {
        content.extend_from_slice(&chunk);
        if content.len() > TEXT_BYTES_MAX {
            return Err(ApiError::new("too_large", format!("the text has more than {TEXT_BYTES_MAX} bytes; ask one question at a time")));
        }
    }
    String::from_utf8(content).map_err(|_| ApiError::new("bad_request", "the text is not UTF-8"))
}
