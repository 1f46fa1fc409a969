use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::response::IntoResponse;
use axum::routing::get;

use super::Service;

/// Nothing but this machine's own files, no inline script: what a customer says cannot leave through the page.
const POLICY: &str = "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; frame-ancestors 'none'";

/// The kiosk's page. Its files are part of the program, so there is no folder to be found or to be missing.
pub(super) fn routes() -> Router<Service> {
    let file = |kind: &'static str, content: &'static str| {
        get(move || async move {
            let headers = [
                (CONTENT_TYPE, kind),
                (CONTENT_SECURITY_POLICY, POLICY),
                (X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (REFERRER_POLICY, "no-referrer"),
                // A new program brings a new page; a kiosk that stays on for months must not show the old one.
                (CACHE_CONTROL, "no-cache"),
            ];
            (headers, content).into_response()
        })
    };
    Router::new()
        .route("/", file("text/html; charset=utf-8", include_str!("page/index.html")))
        .route("/kiosk.css", file("text/css; charset=utf-8", include_str!("page/kiosk.css")))
        .route("/kiosk.js", file("text/javascript; charset=utf-8", include_str!("page/kiosk.js")))
        .route("/recorder.js", file("text/javascript; charset=utf-8", include_str!("page/recorder.js")))
        .route("/favicon.svg", file("image/svg+xml", include_str!("page/favicon.svg")))
}
