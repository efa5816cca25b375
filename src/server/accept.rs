//! Connections, and the end of them.

use super::{metrics::Counters, reply::Body};
use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

/// Clients that are served at once. More wait until one leaves.
const MAX_CONNECTIONS: usize = 1_024;
/// How long the head of a request may take to come.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A listener, and how its connections are treated.
pub(super) struct Listening {
    pub(super) listener: TcpListener,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) counters: Arc<Counters>,
    pub(super) drain_timeout: Duration,
}

/// How far the server has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Serving,
    /// Requests under way are waited for.
    Ending,
    /// Nothing is.
    Over,
}

/// Serves until `stop` resolves. Then connections end with the request they are at, and those that
/// are open still after the drain timeout are cut off: how many that was.
pub(super) async fn serve<A, F>(
    listening: Listening,
    stop: impl Future<Output = ()>,
    answer: A,
) -> usize
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let Listening { listener, tls, counters, drain_timeout } = listening;
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let ending = GracefulShutdown::new();
    let (stage, seen) = watch::channel(Stage::Serving);
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
        let open = counters.connection();
        let connection =
            connection(stream, tls.clone(), answer.clone(), ending.watcher(), seen.clone());
        let mut seen = seen.clone();
        tokio::spawn(async move {
            let (_slot, _open) = (slot, open);
            tokio::select! {
                () = connection => {}
                _ = seen.wait_for(|stage| *stage == Stage::Over) => {}
            }
        });
    }
    drop(listener);
    stage.send_replace(Stage::Ending);
    if tokio::time::timeout(drain_timeout, ending.shutdown()).await.is_ok() {
        return 0;
    }
    stage.send_replace(Stage::Over);
    MAX_CONNECTIONS - slots.available_permits()
}

/// A connection to its end, after its handshake if there is one.
async fn connection<A, F>(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    answer: A,
    watcher: Watcher,
    mut seen: watch::Receiver<Stage>,
) where
    A: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    // Small answers on kept connections wait for nothing.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return talk(stream, answer, watcher).await };
    let shaken = tokio::select! {
        shaken = timeout(HANDSHAKE_TIMEOUT, Box::pin(tls.accept(stream))) => shaken,
        _ = seen.wait_for(|stage| *stage != Stage::Serving) => return,
    };
    match shaken {
        Ok(Ok(stream)) => talk(stream, answer, watcher).await,
        Ok(Err(error)) => tracing::debug!(%error, "no TLS with a client of the MLflow server"),
        Err(_) => tracing::debug!("a client of the MLflow server took too long to speak TLS"),
    }
}

async fn talk<A, F>(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    answer: A,
    watcher: Watcher,
) where
    A: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let service = service_fn(move |request| {
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection of the MLflow server ended");
    }
}
