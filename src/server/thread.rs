//! A server on a thread of its own.

use super::{MlflowServer, ServeError};
use std::{
    fmt, net,
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::{net::TcpListener, sync::oneshot};

/// How long a call that reads on at the deadline may take to notice.
const LAST_CALL: Duration = Duration::from_millis(100);

/// An [`MlflowServer`] that runs on a thread of its own; see [`MlflowServer::spawn_thread`]. Dropping
/// it leaves the thread to itself: it ends as if it were told to.
pub struct ServerThread {
    /// Gone when it was told to end.
    stop: Option<oneshot::Sender<()>>,
    thread: JoinHandle<()>,
}

impl MlflowServer {
    /// Serves `listener` on a thread of its own, with a Tokio runtime of its own. That is for
    /// processes that serve something else: to read the 16 MiB of a call, or to write the page of a
    /// search, takes milliseconds, which on a thread that serves, requests would have to wait
    /// for. (With `threads: 1` there is only the one.)
    ///
    /// # Errors
    ///
    /// As [`serve`](Self::serve), and when the system has no thread or no runtime to give.
    pub fn spawn_thread(self, listener: net::TcpListener) -> Result<ServerThread, ServeError> {
        self.check_address(listener.local_addr()?)?;
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = async move {
            let listener = TcpListener::from_std(listener)?;
            let stop = async {
                let _ = stopped.await;
            };
            self.serve(listener, stop).await
        };
        let thread = thread::Builder::new().name("spearmint-ui".into()).spawn(move || {
            if let Err(error) = runtime.block_on(serve) {
                tracing::error!(%error, "the MLflow server ended");
            }
            runtime.shutdown_timeout(LAST_CALL);
        })?;
        Ok(ServerThread { stop: Some(stop), thread })
    }
}

impl ServerThread {
    /// Tells it to end, as `stop` does to [`MlflowServer::serve`], and waits for nothing.
    pub fn begin_stop(&mut self) {
        self.stop = None;
    }

    /// Tells it to end, and waits until it has: about as long as its
    /// [drain timeout](MlflowServer::drain_timeout) at most, from when it was first told. Blocks.
    pub fn stop(mut self) {
        self.begin_stop();
        // It has nothing to tell.
        let _ = self.thread.join();
    }
}

impl fmt::Debug for ServerThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_told = self.stop.is_none();
        f.debug_struct("ServerThread").field("is_told_to_end", &is_told).finish_non_exhaustive()
    }
}
