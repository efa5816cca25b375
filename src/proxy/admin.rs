//! The operator's own listener: health, readiness, counters.

use super::{body::ReplyBody, respond::text, stack::ProxyStats};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};
use tokio::net::TcpListener;

/// Whether the proxy takes requests: from its first accept to the signal to stop.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    pub(super) fn set(&self, ready: bool) {
        self.0.store(ready, Relaxed);
    }

    /// Whether it takes requests.
    pub fn is_ready(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Serves `/healthz`, `/readyz` and `/stats` until it is dropped.
pub(super) async fn serve(
    listener: TcpListener,
    readiness: Readiness,
    stats: Arc<dyn Fn() -> ProxyStats + Send + Sync>,
) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, say: give others time to end.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let (readiness, stats) = (readiness.clone(), stats.clone());
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let response = answer(&request, &readiness, &*stats);
                async move { Ok::<_, Infallible>(response) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection of the admin listener ended");
            }
        });
    }
}

fn answer(
    request: &Request<Incoming>,
    readiness: &Readiness,
    stats: &(dyn Fn() -> ProxyStats + Send + Sync),
) -> Response<ReplyBody> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
    }
    match request.uri().path() {
        "/healthz" => text(StatusCode::OK, "ok\n"),
        "/readyz" if readiness.is_ready() => text(StatusCode::OK, "ready\n"),
        "/readyz" => text(StatusCode::SERVICE_UNAVAILABLE, "not taking requests\n"),
        "/stats" => {
            let json = serde_json::to_string_pretty(&stats()).unwrap_or_default();
            let mut response = text(StatusCode::OK, json + "\n");
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            response
        }
        _ => text(StatusCode::NOT_FOUND, "there are /healthz, /readyz and /stats\n"),
    }
}
