//! How an upstream is reached.

use super::{
    body::{ProxyBody, UpstreamBody, take},
    pool::{Pool, PoolError},
    settings::UpstreamSettings,
};
use crate::{
    BoxError,
    branch::{Failure, FailureKind},
    strategy::BoxFuture,
};
use http::{Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::ClientConfig;
use std::{
    error::Error,
    io,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::Semaphore;
use tower_service::Service;

/// The connections to an upstream: many at once, or over HTTP/2 one for all.
pub(super) enum UpstreamClient {
    Http1(Arc<Pool>),
    Http2(Box<Client<Bounded, ProxyBody>>),
}

impl UpstreamClient {
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub(super) fn new(address: Uri, settings: &UpstreamSettings, tls: &ClientConfig) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(settings.connect_timeout);
        let https = HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http();
        let waiting = Arc::new(Semaphore::new(settings.max_waiting.min(Semaphore::MAX_PERMITS)));
        if !settings.http2 {
            let connector = Bounded { inner: https.enable_http1().wrap_connector(tcp), waiting };
            let (max_idle, idle_timeout) = (settings.max_idle, settings.idle_timeout);
            return Self::Http1(Pool::new(connector, address, max_idle, idle_timeout));
        }
        let connector = Bounded { inner: https.enable_http2().wrap_connector(tcp), waiting };
        let mut builder = Client::builder(TokioExecutor::new());
        builder
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(settings.idle_timeout)
            .pool_max_idle_per_host(settings.max_idle)
            .http2_only(true)
            .http2_adaptive_window(true)
            // The caller's own spelling does not survive HTTP/2; its host does.
            .set_host(false);
        Self::Http2(Box::new(builder.build(connector)))
    }

    /// Sends the request, which it takes out.
    pub(super) async fn request(
        &self,
        request: &mut Request<ProxyBody>,
    ) -> Result<Response<UpstreamBody>, Failure> {
        match self {
            Self::Http1(pool) => match pool.request(request).await {
                Ok(response) => Ok(response.map(Into::into)),
                Err(error) => Err(failure(&error, matches!(error, PoolError::Connect(_)))),
            },
            Self::Http2(client) => match client.request(take(request)).await {
                Ok(response) => Ok(response.map(Into::into)),
                Err(error) => Err(failure(&error, error.is_connect())),
            },
        }
    }
}

/// A connection, encrypted or not.
pub(super) type Io = <HttpsConnector<HttpConnector> as Service<Uri>>::Response;

/// Opens connections, so many at once: whoever finds them all waiting is refused.
#[derive(Clone)]
pub(super) struct Bounded {
    inner: HttpsConnector<HttpConnector>,
    waiting: Arc<Semaphore>,
}

impl Service<Uri> for Bounded {
    type Response = Io;
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
fn failure<E: Error + 'static>(error: &E, is_connect: bool) -> Failure {
    let mut trace = vec![error.to_string()];
    let mut kind = if is_connect { FailureKind::Connect } else { FailureKind::Error };
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
        .with_type(std::any::type_name::<E>())
        .with_trace(trace.join("\ncaused by: "))
}

/// What hyper says of an upstream that speaks before it is asked, as SSH and many databases do.
/// (It has no question for it.)
const UNASKED: &str = "received unexpected message from connection";

/// What hyper says when a connection has ended between a request and its answer. (It counts it
/// among the caller's mistakes.)
const GONE: &str = "dispatch task is gone";

fn kind_of(error: &(dyn Error + 'static)) -> Option<FailureKind> {
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
