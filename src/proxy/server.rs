//! What serves a caller's connection: HTTP/1 or HTTP/2, by how it opens.

use super::{goodbye::Ends, guard::Guard, limits::Limits, socket::Socket, tasks::Tasks};
use hyper::{
    body::{Body, Incoming},
    rt::{Read, Write, bounds::Http2ServerConnExec},
    server::conn::{http1, http2},
    service::HttpService,
};
use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
};

/// What opens an HTTP/2 connection (RFC 9113 section 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The two servers, as the limits want them.
pub(super) struct Server {
    pub(super) http1: http1::Builder,
    pub(super) http2: http2::Builder<Tasks>,
}

impl Server {
    pub(super) fn new(limits: &Limits, tasks: &Tasks) -> Self {
        let mut server =
            Self { http1: http1::Builder::new(), http2: http2::Builder::new(tasks.clone()) };
        limits.apply(&mut server);
        server
    }
}

/// Waits for the first bytes; whether they are those of HTTP/2. They can be read again.
///
/// The parser of HTTP/1 reads them together with what follows: given them alone, it would make its
/// buffer twice as large, and keep it so.
pub(super) struct Opening(Option<Guard<Socket>>);

impl Opening {
    pub(super) const fn new(guard: Guard<Socket>) -> Self {
        Self(Some(guard))
    }
}

impl Future for Opening {
    /// Nothing when the connection was told to end.
    type Output = io::Result<Option<(Guard<Socket>, bool)>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(guard) = &mut self.0 else { return Poll::Ready(Ok(None)) };
        let is_http2 = std::task::ready!(guard.poll_opens_with(cx, PREFACE))?;
        Poll::Ready(Ok(self.0.take().map(|guard| (guard, is_http2))))
    }
}

impl Ends for Opening {
    fn end(mut self: Pin<&mut Self>) {
        self.0 = None;
    }
}

impl<I, S, B> Ends for http1::UpgradeableConnection<I, S>
where
    S: HttpService<Incoming, ResBody = B>,
    S::Error: Into<crate::BoxError>,
    I: Read + Write + Unpin + Send + 'static,
    B: Body + 'static,
    B::Error: Into<crate::BoxError>,
{
    fn end(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<I, S, B, E> Ends for http2::Connection<I, S, E>
where
    S: HttpService<Incoming, ResBody = B>,
    S::Error: Into<crate::BoxError>,
    I: Read + Write + Unpin + 'static,
    B: Body + 'static,
    B::Error: Into<crate::BoxError>,
    E: Http2ServerConnExec<S::Future, B>,
{
    fn end(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}
