use axum::Json;
use axum::extract::multipart::MultipartError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::speech::SpeechError;
use crate::store::StoreError;
use crate::turn::{FeedbackError, HearingError, TurnError, WorkerError};

/// An error as a client sees it: a code that never changes its meaning, a status, a sentence.
#[derive(Debug)]
pub struct ApiError {
    code: &'static str,
    status: StatusCode,
    /// Whether the same request may succeed in a moment.
    may_retry: bool,
    message: String,
}

impl ApiError {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        // The table. A code is added here or nowhere.
        let (status, may_retry) = match code {
            "bad_request" | "bad_audio" | "bad_photo" => (StatusCode::BAD_REQUEST, false),
            "unknown_session" | "not_found" => (StatusCode::NOT_FOUND, false),
            "method_not_allowed" => (StatusCode::METHOD_NOT_ALLOWED, false),
            "too_large" => (StatusCode::PAYLOAD_TOO_LARGE, false),
            "busy" => (StatusCode::SERVICE_UNAVAILABLE, true),
            "late" => (StatusCode::GATEWAY_TIMEOUT, true),
            "storage_full" => (StatusCode::INSUFFICIENT_STORAGE, true),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, false),
        };
        Self { code, status, may_retry, message: message.into() }
    }

    pub(super) fn busy() -> Self {
        Self::new("busy", "the service is busy; try again in a second")
    }

    pub(super) fn late() -> Self {
        Self::new("late", "the request took too long and was given up; send less sound or a smaller photo")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": { "code": self.code, "message": self.message } }));
        let mut response = (self.status, body).into_response();
        if self.may_retry {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<FeedbackError> for ApiError {
    fn from(error: FeedbackError) -> Self {
        match error {
            FeedbackError::Turn(error) => error.into(),
            FeedbackError::UnknownTurn { .. } | FeedbackError::UnknownProduct(_) | FeedbackError::NoProduct(_) => {
                Self::new("bad_request", error.to_string())
            }
        }
    }
}

impl From<TurnError> for ApiError {
    fn from(error: TurnError) -> Self {
        let code = match &error {
            TurnError::Nothing => "bad_request",
            TurnError::UnknownSession(_) => "unknown_session",
            TurnError::Audio(_) | TurnError::Hearing(HearingError::Speech(SpeechError::TooLong { .. })) => "bad_audio",
            TurnError::Vision(_) => "bad_photo",
            TurnError::Decoding | TurnError::Worker(WorkerError::Busy { .. } | WorkerError::Stopped { .. }) => "busy",
            TurnError::Worker(WorkerError::Late { .. }) => "late",
            TurnError::Store(StoreError::Full { .. }) => "storage_full",
            TurnError::Store(StoreError::Busy) => "busy",
            TurnError::Store(_) | TurnError::Hearing(_) | TurnError::Language(_) | TurnError::Template(_) => "internal",
        };
        Self::new(code, error.to_string())
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        TurnError::Store(error).into()
    }
}

impl From<MultipartError> for ApiError {
    fn from(error: MultipartError) -> Self {
        match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Self::new("too_large", "the request is larger than the service accepts; send less sound or a smaller photo")
            }
            _ => Self::new("bad_request", format!("the form cannot be read: {}", error.body_text())),
        }
    }
}

/// A handler that panicked: a bug, told as one, and the service goes on.
pub(super) fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("request handler panicked");
    ApiError::new("internal", "something went wrong inside the service; its log says what").into_response()
}
