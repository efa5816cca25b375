//! Connections, and the end of them.

use super::reply::Body;
use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
};

/// Clients that are served at once. More wait until one leaves.
const MAX_CONNECTIONS: usize = 1_024;
/// How long the head of a request may take to come.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Serves `listener` until `stop` resolves. Then connections end with the request they are at, and
/// those that are open still after `drain_timeout` are cut off: how many that was.
pub(super) async fn serve<A, F>(
    listener: TcpListener,
    stop: impl Future<Output = ()>,
    drain_timeout: Duration,
    answer: A,
) -> usize
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let ending = GracefulShutdown::new();
    // What it holds does not matter: when it is gone, connections are cut off.
    let (hold, held) = watch::channel(());
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
        let connection = connection(stream, answer.clone(), &ending);
        let mut held = held.clone();
        tokio::spawn(async move {
            let _slot = slot;
            tokio::select! {
                () = connection => {}
                _ = held.changed() => {}
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(drain_timeout, ending.shutdown()).await.is_ok() {
        return 0;
    }
    drop(hold);
    MAX_CONNECTIONS - slots.available_permits()
}

fn connection<A, F>(
    stream: TcpStream,
    answer: A,
    ending: &GracefulShutdown,
) -> impl Future<Output = ()> + use<A, F>
where
    A: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    // Small answers on kept connections wait for nothing.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let connection = ending.watch(connection);
    async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection of the MLflow server ended");
        }
    }
}
