//! The connections to one upstream over HTTP/1.
//!
//! A request is answered where it waits: the connection it is sent on is driven by the very task
//! that awaits the response and then reads it, so that no task has to wake another for every
//! step. Only a request with a body to send gives its connection a task of its own, because
//! there sending must go on whoever reads.

use super::{
    body::ProxyBody,
    connector::Connector,
    line::{Line, NoAnswer},
    upstream_failure::failure,
};
use crate::{
    BoxError,
    branch::{Failure, FailureKind},
};
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::{body::Incoming, client::conn::http1};
use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::Instant;

/// How often connections are looked through for those that the upstream has closed.
const SWEEP: Duration = Duration::from_secs(15);
const MIN_SWEEP: Duration = Duration::from_millis(100);

/// The connections to one upstream. The one used last is used next.
pub(super) struct Pool {
    connector: Connector,
    idle: Mutex<Vec<Idle>>,
    max_idle: usize,
    idle_timeout: Option<Duration>,
}

struct Idle {
    line: Line,
    since: Instant,
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub(super) enum PoolError {
    #[error("no connection to the upstream")]
    Connect(#[source] BoxError),
    #[error("the connection ended before the request was sent")]
    Closed,
    #[error("the exchange with the upstream failed")]
    Exchange(#[source] hyper::Error),
}

impl From<NoAnswer> for PoolError {
    fn from(none: NoAnswer) -> Self {
        match none {
            NoAnswer::Closed => Self::Closed,
            NoAnswer::Unsent(error) | NoAnswer::Lost(error) => Self::Exchange(error),
        }
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        let kind = match error {
            PoolError::Connect(_) => FailureKind::Connect,
            PoolError::Closed => FailureKind::Reset,
            PoolError::Exchange(_) => FailureKind::Error,
        };
        failure(&error, kind)
    }
}

impl Pool {
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub(super) fn new(
        connector: Connector,
        max_idle: usize,
        idle_timeout: Option<Duration>,
    ) -> Arc<Self> {
        let pool = Arc::new(Self { connector, idle: Mutex::default(), max_idle, idle_timeout });
        let every = idle_timeout.map_or(SWEEP, |timeout| timeout.clamp(MIN_SWEEP, SWEEP));
        tokio::spawn(Self::sweep(Arc::downgrade(&pool), every));
        pool
    }

    /// Sends the request, which it takes out, on a connection that is open already if there is one. What such a
    /// connection turned out unable to take, because the upstream had closed it, is sent on another:
    /// nothing of it was sent.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection.
    pub(super) async fn request(
        self: &Arc<Self>,
        request: &mut Request<ProxyBody>,
    ) -> Result<Response<PooledBody>, PoolError> {
        loop {
            let (mut line, is_new) = match self.take() {
                Some(line) => (line, false),
                // Seldom, and large: it has a place of its own.
                None => (Box::pin(self.connect()).await?, true),
            };
            match line.send(request).await {
                Ok(response) => {
                    return Ok(response.map(|body| PooledBody::new(body, line, self)));
                }
                Err(NoAnswer::Closed | NoAnswer::Unsent(_)) if !is_new => {}
                Err(none) => return Err(none.into()),
            }
        }
    }

    async fn connect(&self) -> Result<Line, PoolError> {
        let place = self.connector.place().map_err(|full| PoolError::Connect(full.into()))?;
        let io = self.connector.open().await.map_err(PoolError::Connect)?;
        drop(place);
        let (sender, connection) = http1::handshake(io).await.map_err(PoolError::Exchange)?;
        Ok(Line::new(sender, connection))
    }

    fn take(&self) -> Option<Line> {
        loop {
            let Idle { mut line, since } = self.idle().pop()?;
            // All below it are older still; they wait for the next sweep.
            if self.idle_timeout.is_some_and(|timeout| since.elapsed() >= timeout) {
                return None;
            }
            if line.is_open() {
                return Some(line);
            }
        }
    }

    fn put(&self, line: Line) {
        let mut idle = self.idle();
        if idle.len() < self.max_idle {
            idle.push(Idle { line, since: Instant::now() });
        }
    }

    /// Takes a connection back after its response.
    fn give_back(self: &Arc<Self>, mut line: Line) {
        if line.rest() {
            self.put(line);
        } else if line.is_busy() {
            // It still sends the request's body, or says good-bye: by itself.
            let pool = Arc::downgrade(self);
            tokio::spawn(async move {
                if line.rested().await
                    && let Some(pool) = pool.upgrade()
                {
                    pool.put(line);
                }
            });
        }
    }

    /// Closes what has been idle for too long, and what the upstream has closed, until the pool is
    /// gone.
    async fn sweep(pool: Weak<Self>, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            let Some(pool) = pool.upgrade() else { return };
            let stays = |idle: &mut Idle| {
                idle.line.is_open()
                    && pool.idle_timeout.is_none_or(|timeout| idle.since.elapsed() < timeout)
            };
            pool.idle().retain_mut(stays);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of an upstream's response. When it has ended, its connection is free for the next
/// request; dropped before, it is closed.
pub(super) struct PooledBody {
    incoming: Incoming,
    /// Until the body has ended.
    line: Option<(Line, Arc<Pool>)>,
}

impl PooledBody {
    fn new(incoming: Incoming, line: Line, pool: &Arc<Pool>) -> Self {
        let mut body = Self { incoming, line: Some((line, pool.clone())) };
        if body.incoming.is_end_stream() {
            body.give_back();
        }
        body
    }

    fn give_back(&mut self) {
        if let Some((line, pool)) = self.line.take() {
            pool.give_back(line);
        }
    }
}

impl Body for PooledBody {
    type Data = bytes::Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<bytes::Bytes>, hyper::Error>>> {
        let Self { incoming, line } = &mut *self;
        let mut poll = |cx: &mut Context<'_>| Pin::new(&mut *incoming).poll_frame(cx);
        let frame = ready!(match line {
            Some((line, _)) => line.drive(cx, poll),
            None => poll(cx),
        });
        match &frame {
            // Whoever knows the length does not ask again after the last byte.
            Some(Ok(_)) if self.incoming.is_end_stream() => self.give_back(),
            Some(Ok(_)) => {}
            None => self.give_back(),
            Some(Err(_)) => self.line = None,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl fmt::Debug for PooledBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PooledBody").finish_non_exhaustive()
    }
}
