//! The first face over HTTP: sessions and turns as JSON, health, and the kiosk's own page.
//!
//! [`router`] is the whole service over one desk; [`serve`] binds it and stops it cleanly. Requests are bounded in size, number and
//! time, all errors have one shape (`error.rs` is the table), and nothing leaves this machine: the page asks its own origin only.

mod api;
mod error;
mod feedback;
mod page;

pub use error::ApiError;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

use crate::turn::Desk;

/// Bounds of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A larger request is refused, in bytes.
    pub body_bytes_max: usize,
    /// Requests worked on at once; more are told to come back.
    pub requests_max: usize,
    /// A request that takes longer is given up.
    pub request_time_max: Duration,
}

/// What every request sees.
#[derive(Clone)]
pub(crate) struct Service {
    desk: Arc<Desk>,
    slots: Arc<tokio::sync::Semaphore>,
    request_time_max: Duration,
}

/// The service as a router.
pub fn router(desk: Arc<Desk>, limits: Limits) -> Router {
    let service =
        Service { desk, slots: Arc::new(tokio::sync::Semaphore::new(limits.requests_max)), request_time_max: limits.request_time_max };
    let api = Router::new()
        .route("/v1/sessions", post(api::open_session))
        .route("/v1/sessions/{id}", get(api::session))
        .route("/v1/sessions/{id}/turns", post(api::take_turn))
        .route("/v1/sessions/{id}/feedback", post(feedback::take_feedback).get(feedback::list_feedback))
        .route_layer(axum::middleware::from_fn_with_state(service.clone(), api::bounded));
    api.merge(page::routes())
        .route("/health", get(api::health))
        .fallback(api::no_such_place)
        .method_not_allowed_fallback(api::no_such_method)
        .layer(DefaultBodyLimit::max(limits.body_bytes_max))
        .layer(CatchPanicLayer::custom(error::panicked))
        .with_state(service)
}

/// Serves until `stop` is done, then lets running requests end.
pub async fn serve(
    listener: tokio::net::TcpListener,
    router: Router,
    stop: impl std::future::Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).with_graceful_shutdown(stop).await
}
