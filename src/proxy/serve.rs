//! The listener, and the end of it.

use super::{
    admin::{self, Readiness},
    file::ExperimentFile,
    headers::ClientAddr,
    stack::{ProxyRequest, ProxyResponse, ProxyStats, Stack},
    tasks::Tasks,
};
use crate::{
    BoxError,
    record::{Recorder, RecorderStats},
    strategy::StrategyRegistry,
};
use http::Request;
use hyper::{body::Incoming, rt::Executor, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use std::{convert::Infallible, fmt, future::Future, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, timeout_at},
};

/// How many connections are open at once. The next one waits to be accepted.
const MAX_CONNECTIONS: usize = 16_384;
/// How long a caller may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// No system keeps more connections than this for a listener to accept.
const MAX_BACKLOG: usize = 4_096;

/// How long a connection that was just accepted may take to bring its first request, when the
/// process is to end.
const FIRST_REQUEST: Duration = Duration::from_millis(50);

/// A running experiment; see [the module](super).
pub struct Proxy {
    stack: Arc<Stack>,
    recorder: Recorder,
    readiness: Readiness,
    experiment: String,
    drain_timeout: Duration,
}

/// What was left when a proxy ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServeReport {
    /// Connections that were cut off at the deadline.
    pub connections_cut_off: usize,
    /// Shadows that were cut off at the deadline; they are recorded as `cancelled`.
    pub shadows_cut_off: usize,
    /// What became of the branches.
    pub recorder: RecorderStats,
}

impl Proxy {
    /// Builds the stack of layers that the file describes. The branches go to `recorder`.
    ///
    /// # Errors
    ///
    /// When something in the file is wrong that only shows now: weights that do not fit the
    /// configs, a strategy nobody knows, certificates that cannot be read.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub fn new(file: &ExperimentFile, recorder: Recorder) -> Result<Self, BoxError> {
        Self::with_registry(file, recorder, &StrategyRegistry::new())
    }

    /// As [`Proxy::new`], with strategies of one's own that the file may name.
    ///
    /// # Errors
    ///
    /// As [`Proxy::new`].
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub fn with_registry(
        file: &ExperimentFile,
        recorder: Recorder,
        registry: &StrategyRegistry<ProxyRequest, ProxyResponse>,
    ) -> Result<Self, BoxError> {
        Ok(Self {
            stack: Arc::new(Stack::new(file, recorder.clone(), registry)?),
            recorder,
            readiness: Readiness::default(),
            experiment: file.experiment().to_owned(),
            drain_timeout: file.drain_timeout(),
        })
    }

    /// The counters, now and later.
    pub fn stats(&self) -> impl Fn() -> ProxyStats + Send + Sync + 'static {
        let (stack, recorder) = (self.stack.clone(), self.recorder.clone());
        let experiment = self.experiment.clone();
        move || ProxyStats {
            experiment: experiment.clone(),
            recorder: recorder.stats(),
            shadows: stack.shadow.as_ref().map(|shadow| shadow.stats()).unwrap_or_default(),
        }
    }

    /// Serves the operator's listener (`/healthz`, `/readyz`, `/stats`) in the background.
    pub fn serve_admin(&self, listener: TcpListener) -> tokio::task::JoinHandle<()> {
        tokio::spawn(admin::serve(listener, self.readiness.clone(), Arc::new(self.stats())))
    }

    /// Serves requests until `stop` resolves; then accepts no more, and waits for those under way,
    /// for the shadows and for the records, in this order and together at most for the file's
    /// `drain_timeout`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops at once: connections are closed, shadows run on as long as the
    /// runtime does.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) -> ServeReport {
        let graceful = GracefulShutdown::new();
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let tasks = Tasks::new();
        let mut server = auto::Builder::new(tasks.clone());
        server.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
        server.http2().timer(TokioTimer::new());
        let server = Arc::new(server);

        self.readiness.set(true);
        let serve = |stream, client, slot| {
            let watcher = graceful.watcher();
            let connection = (server.clone(), self.stack.clone());
            tasks.execute(async move {
                let _slot: OwnedSemaphorePermit = slot;
                serve_connection(connection, stream, ClientAddr(client), watcher).await;
            });
        };
        let accept = async {
            loop {
                // The semaphore is never closed.
                let Ok(slot) = slots.clone().acquire_owned().await else { return };
                match listener.accept().await {
                    Ok((stream, client)) => serve(stream, client, slot),
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        sleep(Duration::from_millis(50)).await;
                    }
                }
            }
        };
        tokio::select! {
            () = accept => {}
            () = stop => {}
        }
        self.readiness.set(false);
        for (stream, client) in let_in(listener).take(MAX_BACKLOG) {
            let Ok(slot) = slots.clone().try_acquire_owned() else { break };
            serve(stream, client, slot);
        }
        self.drain(graceful, &slots, &tasks).await
    }

    async fn drain(
        &self,
        graceful: GracefulShutdown,
        slots: &Semaphore,
        tasks: &Tasks,
    ) -> ServeReport {
        let deadline = Instant::now() + self.drain_timeout;
        // A connection on which nothing has come yet is closed at once.
        timeout_at(deadline, sleep(FIRST_REQUEST)).await.ok();
        let left = || deadline.saturating_duration_since(Instant::now());
        let connections_cut_off = match timeout_at(deadline, graceful.shutdown()).await {
            Ok(()) => 0,
            Err(_) => {
                let count = MAX_CONNECTIONS - slots.available_permits();
                tasks.cut_off().await;
                count
            }
        };
        let shadows_cut_off = match &self.stack.shadow {
            Some(shadow) => shadow.drain(left()).await.cut_off,
            None => 0,
        };
        // The records of what was just cut off deserve a moment, too.
        let flush = left().max(Duration::from_secs(1));
        if let Err(error) = self.recorder.drain(flush).await {
            tracing::error!(%error, "the recorder was not done by the deadline");
        }
        ServeReport { connections_cut_off, shadows_cut_off, recorder: self.recorder.stats() }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("experiment", &self.experiment).finish_non_exhaustive()
    }
}

/// Those the system has let in already, and would reset with the listener. They are asked for
/// directly: the runtime learns of them only by and by.
fn let_in(listener: TcpListener) -> impl Iterator<Item = (TcpStream, SocketAddr)> {
    let listener = listener.into_std().ok();
    std::iter::from_fn(move || {
        let (stream, client) = listener.as_ref()?.accept().ok()?;
        stream.set_nonblocking(true).ok()?;
        Some((TcpStream::from_std(stream).ok()?, client))
    })
}

async fn serve_connection(
    (server, stack): (Arc<auto::Builder<Tasks>>, Arc<Stack>),
    stream: TcpStream,
    client: ClientAddr,
    watcher: hyper_util::server::graceful::Watcher,
) {
    // Small answers must not wait for more to send.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|mut request: Request<Incoming>| {
        let stack = stack.clone();
        request.extensions_mut().insert(client);
        async move { Ok::<_, Infallible>(stack.answer(request).await) }
    });
    let connection = server.serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection.into_owned()).await {
        tracing::debug!(%error, client = %client.0, "a connection ended early");
    }
}
