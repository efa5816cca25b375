//! Connections, and the way of a request to its call.

use super::{
    artifacts::Artifacts,
    call::Call,
    error::{ApiError, ErrorCode},
    input::Input,
    raw::Raw,
    readers::Readers,
    reply::{Body, Reply},
    routes::Routes,
    writer::WriterQueue,
};
use crate::{BoxError, store::SqliteStore};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, path::PathBuf, pin::pin, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore};

/// Clients that are served at once.
const MAX_CONNECTIONS: usize = 1_024;
/// How long the head of a request may take to come.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The most bytes of a call's JSON. MLflow's own batches are at most 1 MB.
const MAX_BODY: usize = 16 * 1024 * 1024;
/// What `/version` answers: the client asks for a minimum before it uses some calls.
const MLFLOW_VERSION: &str = "3.17.2";

/// A store that answers as an MLflow server; see [the module](super).
#[derive(Clone)]
pub struct MlflowServer {
    inner: Arc<Inner>,
    artifacts: Artifacts,
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
        Ok(Self { inner, artifacts })
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

    /// Serves `listener` until `stop` resolves; connections that are open end with the request
    /// they are at.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let ending = hyper_util::server::graceful::GracefulShutdown::new();
        let mut stop = pin!(stop);
        let collecting = tokio::spawn(self.artifacts.clone().collect(self.inner.readers.clone()));
        loop {
            let accepted = async {
                // The semaphore is never closed.
                let slot = slots.clone().acquire_owned().await.ok();
                (slot, listener.accept().await)
            };
            let (slot, accepted) = tokio::select! {
                () = &mut stop => break,
                accepted = accepted => accepted,
            };
            let Ok((stream, _)) = accepted else {
                // Out of file descriptors, say: give others time to end.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            // Small answers on kept connections wait for nothing.
            let _ = stream.set_nodelay(true);
            let server = self.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let server = server.clone();
                async move { Ok::<_, Infallible>(server.answer(request).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service);
            let connection = ending.watch(connection);
            tokio::spawn(async move {
                let _slot = slot;
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection of the MLflow server ended");
                }
            });
        }
        ending.shutdown().await;
        collecting.abort();
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        self.reply(request).await.unwrap_or_else(|error| error.into_reply().into_response())
    }

    async fn reply(&self, request: Request<Incoming>) -> Result<Response<Body>, ApiError> {
        let path = request.uri().path();
        match path {
            "/health" => return Ok(Reply::text("OK").into_response()),
            "/version" => return Ok(Reply::text(MLFLOW_VERSION).into_response()),
            _ => {}
        }
        let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        let found = self.inner.routes.find(method, path)?;
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
                let input = parts(Input::of_body(body(request).await?))?;
                readers.run(move |context| handler(context, input)).await?
            }
            Call::Write(handler) => {
                let input = parts(Input::of_body(body(request).await?))?;
                writer.run(handler, input).await?
            }
        };
        Ok(reply.into_response())
    }
}

async fn body(request: Request<Incoming>) -> Result<Bytes, ApiError> {
    match Limited::new(request.into_body(), MAX_BODY).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            Err(ApiError::invalid(format!("the body of a call has at most {MAX_BODY} bytes")))
        }
        Err(error) => {
            Err(ApiError::new(ErrorCode::BadRequest, format!("the body broke off: {error}")))
        }
    }
}
