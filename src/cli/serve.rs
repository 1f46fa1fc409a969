use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Failure, Place, open};
use crate::server::{self, Limits};

/// Start the service and the kiosk's page, until Ctrl-C or SIGTERM.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kioskd serve
  kioskd serve --listen 0.0.0.0:8080    (browsers give a microphone to https and to 127.0.0.1 only)")]
pub(super) struct Arguments {
    /// Address and port, instead of the settings'
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
}

pub(super) fn run(place: &Place, arguments: Arguments) -> Result<(), Failure> {
    let begun = Instant::now();
    let mut config = open::config(place)?;
    config.server.listen = arguments.listen.unwrap_or(config.server.listen);
    match config.problems() {
        problems if problems.is_empty() => {}
        problems => return Err(Failure::Input(problems.join("\n"))),
    }
    open::block_on(async {
        // The port is taken before the models are loaded: a second service is told so at once.
        let listener = tokio::net::TcpListener::bind(&config.server.listen).await.map_err(|e| {
            Failure::Job(format!(
                "{} cannot be listened on ({e}); stop what uses it, or choose another with --listen",
                config.server.listen
            ))
        })?;
        let address = listener.local_addr().map_err(|e| Failure::Job(e.to_string()))?;
        // Loading blocks for seconds; the runtime's own threads stay free.
        let desk = tokio::task::block_in_place(|| open::desk(&config))?;
        let limits = Limits {
            body_bytes_max: config.server.body_bytes_max,
            requests_max: config.server.requests_max,
            request_time_max: Duration::from_millis(config.server.request_ms_max),
        };
        let router = server::router(Arc::new(desk), limits);
        tracing::info!(%address, ready_ms = begun.elapsed().as_millis() as u64, "service is ready");
        eprintln!("kioskd: ready after {:.1} s; open http://{address}/ in a browser", begun.elapsed().as_secs_f32());
        server::serve(listener, router, stop_signal()).await.map_err(|e| Failure::Job(format!("the service ended: {e}")))
    })
}

/// Ctrl-C, or what a service manager sends.
pub(super) async fn stop_signal() {
    let interrupt = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
    eprintln!("kioskd: stopping");
}
