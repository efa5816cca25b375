//! The connection to one upstream over HTTP/2.
//!
//! One is enough for all requests. It is opened when the first request needs it, for all that come
//! in the meantime; that it is opened does not depend on any one of them staying.

use super::{
    body::ProxyBody, connector::Connector, h2_line::H2Line, line::NoAnswer, pool::PoolError,
};
use crate::{branch::Failure, strategy::BoxFuture};
use futures_util::future::{FutureExt, Shared, WeakShared};
use http::{Request, Response};
use hyper::body::Incoming;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Connections to one upstream, one after the other.
pub(super) struct H2Pool {
    connector: Connector,
    idle_timeout: Option<Duration>,
    current: Mutex<Current>,
}

enum Current {
    None,
    /// Gone when all who waited for it are.
    Opening(WeakShared<Opening>),
    Open(Arc<H2Line>),
}

type Opening = BoxFuture<Result<Arc<H2Line>, Failure>>;

impl H2Pool {
    pub(super) fn new(connector: Connector, idle_timeout: Option<Duration>) -> Arc<Self> {
        Arc::new(Self { connector, idle_timeout, current: Mutex::new(Current::None) })
    }

    /// Sends the request, which it takes out. What a connection ended without sending is sent on
    /// the next one, as long as connections carry responses at all.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future resets the stream; the connection remains.
    pub(super) async fn request(
        self: &Arc<Self>,
        request: &mut Request<ProxyBody>,
    ) -> Result<Response<Incoming>, Failure> {
        loop {
            let line = match self.line() {
                Ok(line) => line,
                Err(opening) => {
                    let _place = self.connector.place()?;
                    opening.await?
                }
            };
            match line.send(request).await {
                Ok(response) => return Ok(response),
                Err(NoAnswer::Closed | NoAnswer::Unsent(_)) if line.has_answered() => {}
                Err(none) => return Err(PoolError::from(none).into()),
            }
        }
    }

    /// The connection, or the one that is being opened.
    fn line(self: &Arc<Self>) -> Result<Arc<H2Line>, Shared<Opening>> {
        let mut current = self.current();
        match &*current {
            Current::Open(line) if line.is_open() => return Ok(line.clone()),
            Current::Opening(opening) => {
                if let Some(opening) = opening.upgrade() {
                    return Err(opening);
                }
            }
            _ => {}
        }
        let opening: Opening = Box::pin(self.clone().open());
        let opening = opening.shared();
        *current = opening.downgrade().map_or(Current::None, Current::Opening);
        Err(opening)
    }

    async fn open(self: Arc<Self>) -> Result<Arc<H2Line>, Failure> {
        let opened = match self.connector.open().await {
            Ok(io) => H2Line::new(io, self.idle_timeout).await.map_err(PoolError::Exchange),
            Err(error) => Err(PoolError::Connect(error)),
        };
        let opened = opened.map_err(Failure::from);
        *self.current() = match &opened {
            Ok(line) => Current::Open(line.clone()),
            Err(_) => Current::None,
        };
        opened
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for H2Pool {
    fn drop(&mut self) {
        if let Current::Open(line) = &*self.current() {
            line.close();
        }
    }
}
