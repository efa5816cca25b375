//! One connection to an upstream over HTTP/2, which many requests share.
//!
//! A request is handed to the connection's task through a queue. One that is put there at the very
//! moment the task ends, on another thread, is taken out by nobody; it comes back when the queue is
//! dropped, which lives as long as there is anyone who could send. So there is exactly one, and
//! it goes when the connection has ended: whoever waits in vain learns of it then.

use super::{
    body::{ProxyBody, take},
    connector::Io,
    line::NoAnswer,
};
use http::{Request, Response};
use hyper::{
    body::Incoming,
    client::conn::{
        TrySendError,
        http2::{Builder, Connection, SendRequest},
    },
};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::{
    future::pending,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep_until};

/// A connection is given some time for its first request.
const MIN_IDLE: Duration = Duration::from_millis(100);

type Sent = Result<Response<Incoming>, TrySendError<Request<ProxyBody>>>;

/// A connection that carries many exchanges at once.
pub(super) struct H2Line {
    entrance: Mutex<Entrance>,
    has_answered: AtomicBool,
}

struct Entrance {
    /// `None` when nothing more is sent on it.
    sender: Option<SendRequest<ProxyBody>>,
    used: Instant,
}

impl H2Line {
    /// Greets the upstream. Nothing is sent any more when nothing has been for `idle_timeout`.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub(super) async fn new(io: Io, idle_timeout: Option<Duration>) -> hyper::Result<Arc<Self>> {
        let mut builder = Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).adaptive_window(true);
        let (sender, connection) = builder.handshake(io).await?;
        let entrance = Entrance { sender: Some(sender), used: Instant::now() };
        let line =
            Arc::new(Self { entrance: Mutex::new(entrance), has_answered: AtomicBool::new(false) });
        tokio::spawn(line.clone().keep(connection, idle_timeout));
        Ok(line)
    }

    /// Takes the request out, sends it and waits for the head of the response.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future resets the stream; the connection remains.
    pub(super) async fn send(
        &self,
        request: &mut Request<ProxyBody>,
    ) -> Result<Response<Incoming>, NoAnswer> {
        let Some(response) = self.enter(request) else { return Err(NoAnswer::Closed) };
        match response.await {
            Ok(response) => {
                self.has_answered.store(true, Relaxed);
                Ok(response)
            }
            Err(error) => Err(NoAnswer::new(error, request)),
        }
    }

    /// Hands it to the connection, if that takes any more.
    fn enter(
        &self,
        request: &mut Request<ProxyBody>,
    ) -> Option<impl Future<Output = Sent> + use<>> {
        let mut entrance = self.entrance();
        entrance.used = Instant::now();
        let sender = entrance.sender.as_mut()?;
        Some(sender.try_send_request(take(request)))
    }

    /// Whether it takes another request, as far as is known.
    pub(super) fn is_open(&self) -> bool {
        self.entrance().sender.as_ref().is_some_and(|sender| !sender.is_closed())
    }

    /// Whether it ever carried a response.
    pub(super) fn has_answered(&self) -> bool {
        self.has_answered.load(Relaxed)
    }

    /// Sends nothing more. What is under way comes to its end; then the connection is closed.
    pub(super) fn close(&self) {
        // Dropped outside the lock: it may wake whoever waits in vain.
        let sender = self.entrance().sender.take();
        drop(sender);
    }

    async fn keep(
        self: Arc<Self>,
        connection: Connection<Io, ProxyBody, TokioExecutor>,
        idle_timeout: Option<Duration>,
    ) {
        let mut connection = Box::pin(connection);
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = self.idles_for(idle_timeout) => {
                self.close();
                connection.as_mut().await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection to an upstream ended");
        }
        drop(connection);
        self.close();
    }

    async fn idles_for(&self, timeout: Option<Duration>) {
        let Some(timeout) = timeout else { return pending().await };
        let timeout = timeout.max(MIN_IDLE);
        loop {
            let due = self.entrance().used + timeout;
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
        }
    }

    fn entrance(&self) -> MutexGuard<'_, Entrance> {
        self.entrance.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
