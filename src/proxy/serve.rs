//! The listener, and the end of it.

use super::{
    admin,
    connection::{self, Hold},
    file::ExperimentFile,
    handle::ProxyHandle,
    headers::ClientAddr,
    stack::{ProxyRequest, ProxyResponse},
    stats::ProxyStats,
};
use crate::{
    BoxError,
    record::{Recorder, RecorderStats},
    strategy::StrategyRegistry,
};
use hyper::rt::Executor;
use hyper_util::server::graceful::GracefulShutdown;
use std::{fmt, future::Future, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{Instant, sleep, timeout_at},
};

/// No system keeps more connections than this for a listener to accept.
const MAX_BACKLOG: usize = 4_096;

/// A running experiment; see [the module](super).
pub struct Proxy {
    handle: ProxyHandle,
}

/// What was left when a proxy ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServeReport {
    /// Connections that were cut off at the deadline, tunnels included.
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
        Ok(Self { handle: ProxyHandle::new(file, recorder, registry)? })
    }

    /// What can be asked and changed while it runs.
    pub fn handle(&self) -> ProxyHandle {
        self.handle.clone()
    }

    /// The counters, now and later.
    pub fn stats(&self) -> impl Fn() -> ProxyStats + Send + Sync + 'static {
        let handle = self.handle.clone();
        move || handle.stats()
    }

    /// Serves the operator's listener (`/healthz`, `/readyz`, `/stats`, `/metrics`, `/reload`,
    /// `/outcomes`, `/shadows`) in
    /// the background. Whoever reaches it may use it.
    pub fn serve_admin(&self, listener: TcpListener) -> tokio::task::JoinHandle<()> {
        tokio::spawn(admin::serve(listener, self.handle.clone()))
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
        let shared = &self.handle.0;
        let max_connections = shared.load.load().limits().max_connections;
        let slots = Arc::new(Semaphore::new(max_connections));

        shared.readiness.set(true);
        let serve = |stream, client, slot| {
            let hold = Arc::new(Hold::new(shared, slot, graceful.watcher()));
            shared.tasks.execute(connection::serve(hold, stream, ClientAddr(client)));
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
        shared.readiness.set(false);
        for (stream, client) in let_in(listener).take(MAX_BACKLOG) {
            let Ok(slot) = slots.clone().try_acquire_owned() else { break };
            serve(stream, client, slot);
        }
        let is_open = || max_connections - slots.available_permits();
        self.drain(graceful, is_open).await
    }

    async fn drain(&self, graceful: GracefulShutdown, open: impl Fn() -> usize) -> ServeReport {
        let shared = &self.handle.0;
        let deadline = Instant::now() + shared.load.load().file.drain_timeout();
        let left = || deadline.saturating_duration_since(Instant::now());
        shared.stopping.send_replace(true);
        let connections_cut_off = match timeout_at(deadline, graceful.shutdown()).await {
            Ok(()) => 0,
            Err(_) => {
                let count = open();
                shared.tasks.cut_off().await;
                count
            }
        };
        let mut shadows_cut_off = 0;
        for shadow in self.handle.all_shadows() {
            shadows_cut_off += shadow.drain(left()).await.cut_off;
        }
        for evaluating in self.handle.all_evaluating() {
            // What is not evaluated by then is recorded without.
            if let Err(error) = evaluating.drain(left().max(Duration::from_secs(1))).await {
                tracing::error!(%error, "the evaluation was not done by the deadline");
            }
        }
        // The records of what was just cut off deserve a moment, too.
        let flush = left().max(Duration::from_secs(1));
        if let Err(error) = shared.recorder.drain(flush).await {
            tracing::error!(%error, "the recorder was not done by the deadline");
        }
        ServeReport { connections_cut_off, shadows_cut_off, recorder: shared.recorder.stats() }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("handle", &self.handle).finish()
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
