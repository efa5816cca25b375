//! The server, and the way of a request to its call.

use super::{
    accept,
    artifacts::Artifacts,
    body,
    call::Call,
    doors::{self, Access, Doors, ServeError, Tokens},
    error::ApiError,
    input::Input,
    raw::Raw,
    readers::Readers,
    reply::{Body, Reply},
    routes::Routes,
    writer::WriterQueue,
};
use crate::{BoxError, store::SqliteStore};
use http::{Method, Request, Response};
use hyper::body::Incoming;
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::net::TcpListener;

/// How long requests are waited for at the end, unless told otherwise.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// What `/version` answers: the client asks for a minimum before it uses some calls.
const MLFLOW_VERSION: &str = "3.17.2";

/// A store that answers as an MLflow server; see [the module](super).
#[derive(Clone)]
pub struct MlflowServer {
    inner: Arc<Inner>,
    artifacts: Artifacts,
    doors: Arc<Doors>,
    drain_timeout: Duration,
}

struct Inner {
    routes: Routes,
    readers: Readers,
    writer: WriterQueue,
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
        let artifacts = Artifacts::beside(store.clone())?;
        let inner = Arc::new(Inner { routes, readers: Readers::new(store), writer });
        Ok(Self { inner, artifacts, doors: Arc::default(), drain_timeout: DRAIN_TIMEOUT })
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

    /// How long requests that are under way are waited for when it is to stop, 10 s unless told
    /// otherwise.
    #[must_use]
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_timeout = timeout;
        self
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
        let drain_timeout = self.drain_timeout;
        let answer = move |request| {
            let server = self.clone();
            async move { server.answer(request).await }
        };
        let cut_off = accept::serve(listener, stop, drain_timeout, answer).await;
        if cut_off > 0 {
            tracing::warn!(connections = cut_off, "clients of the MLflow server were cut off");
        }
        collecting.abort();
        Ok(())
    }

    /// Whether it may listen here.
    pub(super) fn check_address(&self, address: SocketAddr) -> Result<(), ServeError> {
        self.doors.tokens.check_address(address)
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let origin = self.doors.allowed_origin(request.headers());
        let answer = match self.enter(request) {
            Ok((request, access)) => self.reply(request, access).await,
            Err(Turned::Answered(response)) => Ok(*response),
            Err(Turned::Refused(error)) => Err(error),
        };
        let mut response = answer.unwrap_or_else(|error| error.into_reply().into_response());
        self.doors.mark(origin, &mut response);
        response
    }

    /// Through the doors, or not.
    fn enter(&self, request: Request<Incoming>) -> Result<(Request<Incoming>, Access), Turned> {
        let (head, body) = request.into_parts();
        // Whether it is there, and what it is, anyone may ask.
        let is_open = matches!(head.uri.path(), "/health" | "/version");
        if let Some(response) = self.doors.preflight(&head) {
            return Err(Turned::Answered(Box::new(response)));
        }
        match self.doors.pass(&head) {
            Ok(access) => Ok((Request::from_parts(head, body), access)),
            Err(_) if is_open => Ok((Request::from_parts(head, body), Access::ReadOnly)),
            Err(error) => {
                body::hear_out(body);
                Err(Turned::Refused(error))
            }
        }
    }

    async fn reply(
        &self,
        request: Request<Incoming>,
        access: Access,
    ) -> Result<Response<Body>, ApiError> {
        let path = request.uri().path();
        match path {
            "/health" => return Ok(Reply::text("OK").into_response()),
            "/version" => return Ok(Reply::text(MLFLOW_VERSION).into_response()),
            _ => {}
        }
        let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        let found = self.inner.routes.find(method, path)?;
        if access == Access::ReadOnly && found.call.writes(method) {
            body::hear_out(request.into_body());
            return Err(doors::only_reads());
        }
        let parts = |mut input: Input| {
            for (name, part) in found.parts {
                input.set(&name, part)?;
            }
            Ok::<_, ApiError>(input)
        };
        let query = || Input::of_query(request.uri().query().unwrap_or_default());
        let (readers, writer) = (&self.inner.readers, &self.inner.writer);
        let reply = match found.call {
            Call::Raw(handler) => {
                let input = parts(query())?;
                let (readers, writer) = (readers.clone(), writer.clone());
                let artifacts = self.artifacts.clone();
                return handler(Raw { readers, writer, artifacts, request, input }).await;
            }
            Call::Read(handler) if method == Method::GET => {
                let input = parts(query())?;
                readers.run(move |context| handler(context, input)).await?
            }
            Call::Read(handler) => {
                let input = parts(Input::of_body(body::read(request.into_body()).await?))?;
                readers.run(move |context| handler(context, input)).await?
            }
            Call::Write(handler) => {
                let input = parts(Input::of_body(body::read(request.into_body()).await?))?;
                writer.run(handler, input).await?
            }
        };
        Ok(reply.into_response())
    }
}

/// What never came to a call.
enum Turned {
    Answered(Box<Response<Body>>),
    Refused(ApiError),
}
