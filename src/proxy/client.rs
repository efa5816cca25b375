//! The pool of connections to an upstream.

use super::{body::ProxyBody, settings::UpstreamSettings};
use crate::{
    BoxError,
    branch::{Failure, FailureKind},
    strategy::BoxFuture,
};
use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, Error, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::ClientConfig;
use std::{
    error::Error as _,
    io,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::Semaphore;
use tower_service::Service;

pub(super) type UpstreamClient = Client<Bounded, ProxyBody>;

pub(super) fn client(settings: &UpstreamSettings, tls: &ClientConfig) -> UpstreamClient {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(settings.connect_timeout);
    let https = HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http();
    let connector = if settings.http2 {
        https.enable_http2().wrap_connector(tcp)
    } else {
        https.enable_http1().wrap_connector(tcp)
    };
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .pool_idle_timeout(settings.idle_timeout)
        .pool_max_idle_per_host(settings.max_idle)
        .http2_only(settings.http2)
        .http2_adaptive_window(settings.http2)
        // The caller's own spelling does not survive HTTP/2; its host does.
        .set_host(false);
    let waiting = Arc::new(Semaphore::new(settings.max_waiting.min(Semaphore::MAX_PERMITS)));
    builder.build(Bounded { inner: connector, waiting })
}

/// Opens connections, so many at once: whoever finds them all waiting is refused.
#[derive(Clone)]
pub(super) struct Bounded {
    inner: HttpsConnector<HttpConnector>,
    waiting: Arc<Semaphore>,
}

impl Service<Uri> for Bounded {
    type Response = <HttpsConnector<HttpConnector> as Service<Uri>>::Response;
    type Error = BoxError;
    type Future = BoxFuture<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let Ok(place) = self.waiting.clone().try_acquire_owned() else {
            let message = "max_waiting callers are waiting for a connection already";
            let failure = Failure::new(FailureKind::Overloaded, message);
            return Box::pin(async { Err(failure.into()) });
        };
        let connection = self.inner.call(address);
        Box::pin(async move {
            let _place = place;
            connection.await
        })
    }
}

/// What went wrong, in the words of the records.
pub(super) fn failure(error: &Error) -> Failure {
    let mut trace = vec![error.to_string()];
    let mut kind = if error.is_connect() { FailureKind::Connect } else { FailureKind::Error };
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return failure.clone();
        }
        trace.push(error.to_string());
        // What broke off the caller's own body is not what went wrong with the upstream.
        if !matches!(kind, FailureKind::Connect | FailureKind::Incomplete) {
            kind = kind_of(error).unwrap_or(kind);
        }
        cause = error.source();
    }
    let message = trace.last().cloned().unwrap_or_default();
    Failure::new(kind, message)
        .with_type("hyper_util::client::legacy::Error")
        .with_trace(trace.join("\ncaused by: "))
}

/// What hyper says of an upstream that speaks before it is asked, as SSH and many databases do.
/// (It has no question for it.)
const UNASKED: &str = "received unexpected message from connection";

/// What hyper says when a connection has ended between a request and its answer. (It counts it
/// among the caller's mistakes.)
const GONE: &str = "dispatch task is gone";

fn kind_of(error: &(dyn std::error::Error + 'static)) -> Option<FailureKind> {
    if error.is::<crate::http::CopyError>() {
        return Some(FailureKind::Incomplete);
    }
    if let Some(error) = error.downcast_ref::<hyper::Error>() {
        return if error.is_timeout() {
            Some(FailureKind::Timeout)
        } else if error.is_parse() || error.to_string() == UNASKED {
            Some(FailureKind::Protocol)
        } else if error.is_incomplete_message()
            || error.is_closed()
            || error.is_canceled()
            || error.to_string() == GONE
        {
            Some(FailureKind::Reset)
        } else if error.is_user() || error.is_body_write_aborted() {
            // The body that could not be sent is the caller's.
            Some(FailureKind::Incomplete)
        } else {
            None
        };
    }
    if let Some(error) = error.downcast_ref::<h2::Error>() {
        return if error.is_library() {
            // It noticed what the upstream did wrong.
            Some(FailureKind::Protocol)
        } else if error.is_remote() {
            Some(FailureKind::Reset)
        } else if error.is_reset() {
            // We did it: the body that could not be sent is the caller's.
            Some(FailureKind::Incomplete)
        } else {
            None
        };
    }
    match error.downcast_ref::<io::Error>()?.kind() {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Some(FailureKind::Reset),
        io::ErrorKind::TimedOut => Some(FailureKind::Timeout),
        _ => None,
    }
}
