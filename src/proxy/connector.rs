//! How a connection to an upstream is opened.

use super::settings::UpstreamSettings;
use crate::{
    BoxError,
    branch::{Failure, FailureKind},
};
use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::ClientConfig;
use std::{future::poll_fn, io, time::Duration};
use tokio::sync::{Semaphore, SemaphorePermit};
use tower_service::Service;

/// A connection, encrypted or not.
pub(super) type Io = <HttpsConnector<HttpConnector> as Service<Uri>>::Response;

/// Opens connections to one upstream.
pub(super) struct Connector {
    inner: HttpsConnector<HttpConnector>,
    address: Uri,
    timeout: Option<Duration>,
    waiting: Semaphore,
}

impl Connector {
    pub(super) fn new(address: Uri, settings: &UpstreamSettings, tls: &ClientConfig) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(settings.connect_timeout);
        let https = HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http();
        let inner = if settings.http2 {
            https.enable_http2().wrap_connector(tcp)
        } else {
            https.enable_http1().wrap_connector(tcp)
        };
        let waiting = Semaphore::new(settings.max_waiting.min(Semaphore::MAX_PERMITS));
        Self { inner, address, timeout: settings.connect_timeout, waiting }
    }

    /// A place among the callers that wait for a connection.
    ///
    /// # Errors
    ///
    /// All are taken.
    pub(super) fn place(&self) -> Result<SemaphorePermit<'_>, Failure> {
        self.waiting.try_acquire().map_err(|_| {
            let message = "max_waiting callers are waiting for a connection already";
            Failure::new(FailureKind::Overloaded, message)
        })
    }

    /// Opens one: ready to be spoken on, or not there in time.
    pub(super) async fn open(&self) -> Result<Io, BoxError> {
        let opening = async {
            let mut connector = self.inner.clone();
            poll_fn(|cx| connector.poll_ready(cx)).await?;
            connector.call(self.address.clone()).await
        };
        let Some(limit) = self.timeout else { return opening.await };
        tokio::time::timeout(limit, opening).await.unwrap_or_else(|_| {
            let message = format!("no connection within {limit:?}");
            Err(io::Error::new(io::ErrorKind::TimedOut, message).into())
        })
    }
}
