//! Connections, and the way of a request to its call.

use super::{
    call::Call,
    error::{ApiError, ErrorCode},
    input::Input,
    readers::Readers,
    reply::Reply,
    routes::Routes,
    writer::WriterQueue,
};
use crate::{BoxError, store::SqliteStore};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};
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
}

struct Inner {
    routes: Routes,
    readers: Readers,
    writer: WriterQueue,
}

impl MlflowServer {
    /// Over `store`, from which others may read, and to which others may write meanwhile.
    ///
    /// # Errors
    ///
    /// When the system gives no thread to write with.
    pub fn new(store: SqliteStore) -> Result<Self, BoxError> {
        let (routes, writer) = (Routes::new()?, WriterQueue::start(store.clone())?);
        Ok(Self { inner: Arc::new(Inner { routes, readers: Readers::new(store), writer }) })
    }

    /// Serves `listener` until `stop` resolves; connections that are open end with the request
    /// they are at.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let ending = hyper_util::server::graceful::GracefulShutdown::new();
        let mut stop = pin!(stop);
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
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let reply = match self.reply(request).await {
            Ok(reply) => reply,
            Err(error) => error.into_reply(),
        };
        reply.into_response()
    }

    async fn reply(&self, request: Request<Incoming>) -> Result<Reply, ApiError> {
        let path = request.uri().path();
        match path {
            "/health" => return Ok(Reply::text("OK")),
            "/version" => return Ok(Reply::text(MLFLOW_VERSION)),
            _ => {}
        }
        let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        let found = self.inner.routes.find(method, path)?;
        let mut input = if method == Method::GET {
            Input::of_query(request.uri().query().unwrap_or_default())
        } else {
            Input::of_body(body(request).await?)
        };
        for (name, part) in found.parts {
            input.set(&name, part)?;
        }
        match found.call {
            Call::Read(handler) => self.inner.readers.run(handler, input).await,
            Call::Write(handler) => self.inner.writer.run(handler, input).await,
        }
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
