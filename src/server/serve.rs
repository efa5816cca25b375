//! The server, and what it is told.

use super::{
    accept::{self, Listening},
    artifacts::Artifacts,
    certificate::ServerCertificate,
    doors::{Doors, ServeError, Tokens},
    metrics::{Counters, ServerMetrics},
    pages::Pages,
    readers::Readers,
    routes::Routes,
    writer::WriterQueue,
};
use crate::{BoxError, store::SqliteStore};
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// How long requests are waited for at the end, unless told otherwise.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// A store that answers as an MLflow server; see [the module](super).
#[derive(Clone)]
pub struct MlflowServer {
    pub(super) inner: Arc<Inner>,
    pub(super) artifacts: Artifacts,
    pub(super) doors: Arc<Doors>,
    tls: Option<TlsAcceptor>,
    drain_timeout: Duration,
}

pub(super) struct Inner {
    pub(super) routes: Routes,
    pub(super) pages: Pages,
    pub(super) readers: Readers,
    pub(super) writer: WriterQueue,
    pub(super) counters: Arc<Counters>,
}

impl MlflowServer {
    /// Over `store`, from which others may read, and to which others may write meanwhile. Artifacts
    /// stand in a directory beside it, `spearmint.db.artifacts`, made by the first upload.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or the system gives no thread to write with.
    pub fn new(store: SqliteStore) -> Result<Self, BoxError> {
        let (routes, writer) = (Routes::new()?, WriterQueue::start(store.clone())?);
        let counters = Arc::new(Counters::new());
        let artifacts = Artifacts::beside(store.clone(), counters.clone())?;
        let pages = Pages::new(store.clone())?;
        let readers = Readers::new(store);
        let inner = Arc::new(Inner { routes, pages, readers, writer, counters });
        let drain_timeout = DRAIN_TIMEOUT;
        Ok(Self { inner, artifacts, doors: Arc::default(), tls: None, drain_timeout })
    }

    /// Keeps the contents of artifacts in `directory`. It belongs to the store: two stores cannot
    /// share one.
    #[must_use]
    pub fn artifacts(mut self, directory: impl Into<PathBuf>) -> Self {
        self.artifacts = self.artifacts.in_directory(directory.into());
        self
    }

    /// The most bytes of one artifact, 16 GiB unless told otherwise. A larger upload is refused
    /// with status 413, and nothing of it is kept.
    #[must_use]
    pub fn max_artifact_size(mut self, bytes: u64) -> Self {
        self.artifacts = self.artifacts.max_size(bytes);
        self
    }

    /// Only whoever has one of these may use it, but for `/health` and `/version`. Without tokens it
    /// serves only listeners that nothing but this machine reaches.
    #[must_use]
    pub fn tokens(mut self, tokens: Tokens) -> Self {
        Arc::make_mut(&mut self.doors).tokens = tokens;
        self
    }

    /// A name by which clients may ask for it, as in `http://NAME:5000`. Without tokens a server is
    /// asked for by its address or as `localhost`, so that no page can reach it by a name that
    /// points here; with tokens any name does, unless one is given here.
    #[must_use]
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.doors).hosts.push(name.into());
        self
    }

    /// A site whose pages may use it, as in `http://localhost:3000`. No other site's may.
    #[must_use]
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.doors).origins.push(origin.into());
        self
    }

    /// Speaks TLS (1.2, 1.3). A certificate that is renewed is shown by another start.
    #[must_use]
    pub fn tls(mut self, certificate: ServerCertificate) -> Self {
        self.tls = Some(certificate.acceptor());
        self
    }

    /// How long requests that are under way are waited for when it is to stop, 10 s unless told
    /// otherwise.
    #[must_use]
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_timeout = timeout;
        self
    }

    /// What it counts, for another page of metrics; its own is at `/metrics`.
    pub fn metrics(&self) -> ServerMetrics {
        let (counters, waiting) = (self.inner.counters.clone(), self.inner.writer.waiting());
        ServerMetrics { counters, waiting }
    }

    /// Serves `listener` until `stop` resolves; connections that are open end with the request
    /// they are at, or after the [drain timeout](Self::drain_timeout).
    ///
    /// # Errors
    ///
    /// Before anything is served: as [`Tokens::check_address`], and when the listener
    /// has no address.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        self.check_address(listener.local_addr()?)?;
        let collecting = tokio::spawn(self.artifacts.clone().collect(self.inner.readers.clone()));
        let (counters, tls) = (self.inner.counters.clone(), self.tls.clone());
        let listening = Listening { listener, tls, counters, drain_timeout: self.drain_timeout };
        let server = Arc::new(self);
        let stop = async {
            stop.await;
            server.inner.pages.close();
        };
        let server = server.clone();
        let answer = move |request| {
            let server = server.clone();
            async move { server.answer(request).await }
        };
        let cut_off = accept::serve(listening, stop, answer).await;
        if cut_off > 0 {
            tracing::warn!(connections = cut_off, "clients of the MLflow server were cut off");
        }
        collecting.abort();
        Ok(())
    }

    pub(super) const fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Whether it may listen here.
    pub(super) fn check_address(&self, address: SocketAddr) -> Result<(), ServeError> {
        self.doors.tokens.check_address(address)
    }
}
