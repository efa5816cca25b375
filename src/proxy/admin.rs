//! The operator's own listener: health, readiness, counters, metrics, another file, the switch of the
//! shadows.

#[cfg(feature = "store")]
use super::outcomes;
use super::{body::ReplyBody, handle::ProxyHandle, respond::text};
use crate::{metrics::Exposition, same_site::is_from_here};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{net::TcpListener, sync::Semaphore};

/// Operators, scrapers and health checks that are served at once.
const MAX_CONNECTIONS: usize = 256;
/// How long a request may take to come.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

const WHAT_THERE_IS: &str = "there are /healthz, /readyz, /stats, /metrics; by POST /reload, /outcomes, \
                             /shadows/on, /shadows/off, /shadows/<config id>/on, /shadows/<config id>/off\n";

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

/// Serves the operator until it is dropped.
pub(super) async fn serve(listener: TcpListener, handle: ProxyHandle) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        // The semaphore is never closed.
        let Ok(slot) = slots.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, say: give others time to end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let handle = handle.clone();
        tokio::spawn(async move {
            let _slot = slot;
            let service = service_fn(|request: Request<Incoming>| {
                let handle = handle.clone();
                async move { Ok::<_, Infallible>(answer(request, &handle).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection of the admin listener ended");
            }
        });
    }
}

async fn answer(request: Request<Incoming>, handle: &ProxyHandle) -> Response<ReplyBody> {
    let is_post = request.method() == Method::POST;
    if !is_post && !matches!(*request.method(), Method::GET | Method::HEAD) {
        return text(StatusCode::METHOD_NOT_ALLOWED, "only GET and POST\n");
    }
    if is_post && !is_from_here(request.headers()) {
        return text(StatusCode::FORBIDDEN, "not for other sites\n");
    }
    #[cfg(feature = "store")]
    if is_post && request.uri().path() == "/outcomes" {
        return outcomes::receive(request, handle).await;
    }
    let path = request.uri().path();
    let action = Action::read(path);
    match (path, action) {
        ("/healthz", _) if !is_post => text(StatusCode::OK, "ok\n"),
        ("/readyz", _) if !is_post => {
            if handle.0.readiness.is_ready() {
                text(StatusCode::OK, "ready\n")
            } else {
                text(StatusCode::SERVICE_UNAVAILABLE, "not taking requests\n")
            }
        }
        ("/stats", _) if !is_post => {
            let json = serde_json::to_string_pretty(&handle.stats()).unwrap_or_default();
            let mut response = text(StatusCode::OK, json + "\n");
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            response
        }
        ("/metrics", _) if !is_post => metrics(handle.clone()).await,
        (_, Some(action)) if is_post => action.run(handle).await,
        ("/healthz" | "/readyz" | "/stats" | "/metrics", _) => {
            text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n")
        }
        (_, Some(_)) => text(StatusCode::METHOD_NOT_ALLOWED, "only POST\n"),
        #[cfg(feature = "store")]
        ("/outcomes", _) => text(StatusCode::METHOD_NOT_ALLOWED, "only POST\n"),
        _ => text(StatusCode::NOT_FOUND, WHAT_THERE_IS),
    }
}

/// On another thread: there may be thousands of lines, and requests would have to wait.
async fn metrics(handle: ProxyHandle) -> Response<ReplyBody> {
    match tokio::task::spawn_blocking(move || handle.metrics().to_string()).await {
        Ok(page) => {
            let mut response = text(StatusCode::OK, page);
            let kind = HeaderValue::from_static(Exposition::CONTENT_TYPE);
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        }
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

/// What an operator can change.
enum Action {
    Reload,
    Shadows { config_id: Option<String>, is_on: bool },
}

impl Action {
    fn read(path: &str) -> Option<Self> {
        if path == "/reload" {
            return Some(Self::Reload);
        }
        let rest = path.strip_prefix("/shadows/")?;
        let (config_id, switch) = match rest.rsplit_once('/') {
            Some((config_id, switch)) => (Some(decoded(config_id)?), switch),
            None => (None, rest),
        };
        let is_on = match switch {
            "on" => true,
            "off" => false,
            _ => return None,
        };
        Some(Self::Shadows { config_id, is_on })
    }

    async fn run(self, handle: &ProxyHandle) -> Response<ReplyBody> {
        match self {
            Self::Reload => match handle.reread_and_log().await {
                Ok(said) => text(StatusCode::OK, said + "\n"),
                Err(error) => text(StatusCode::UNPROCESSABLE_ENTITY, format!("{error}\n")),
            },
            Self::Shadows { config_id, is_on } => {
                let config_id = config_id.as_deref();
                let which = config_id.unwrap_or("all");
                match handle.switch_shadows(config_id, is_on) {
                    Ok(()) => {
                        tracing::info!(shadows = which, on = is_on, "shadows were switched");
                        text(StatusCode::OK, if is_on { "on\n" } else { "off\n" })
                    }
                    Err(error) => text(StatusCode::NOT_FOUND, format!("{error}\n")),
                }
            }
        }
    }
}

/// A part of a path, without its percent-encoding.
fn decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}
