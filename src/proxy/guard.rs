//! A caller's connection, read through the [`Framer`].

use super::{
    framer::{Framer, Phase},
    goodbye::Heard,
    listener::Counters,
};
use pin_project::pin_project;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// What the parser is given in place of a head that was refused: it answers 400 to this, in its
/// turn among the answers, and closes.
const NO_REQUEST: &[u8] = b"\0\r\n\r\n";

/// See [the module](self).
#[pin_project]
pub(super) struct Guard<S> {
    #[pin]
    stream: S,
    framer: Framer,
    heard: Heard,
    counters: Arc<Counters>,
    head_timeout: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    is_timed: bool,
    /// Nothing more is read: this, then the end.
    last: Option<&'static [u8]>,
    /// Read already, to learn what the connection speaks; given out with what follows.
    opening: Vec<u8>,
}

impl<S> Guard<S> {
    pub(super) fn new(
        stream: S,
        phase: Phase,
        heard: Heard,
        head_timeout: Duration,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            stream,
            framer: Framer::new(phase),
            heard,
            counters,
            head_timeout,
            timer: None,
            is_timed: false,
            last: None,
            opening: Vec::new(),
        }
    }
}

impl<S: AsyncRead + Unpin> Guard<S> {
    /// Waits until it is clear whether the connection opens with these bytes.
    pub(super) fn poll_opens_with<const N: usize>(
        &mut self,
        cx: &mut Context<'_>,
        preface: &[u8; N],
    ) -> Poll<io::Result<bool>> {
        while let Some(left) = preface.strip_prefix(&*self.opening).filter(|left| !left.is_empty())
        {
            let mut bytes = [0; N];
            let mut buf = ReadBuf::new(&mut bytes[..left.len()]);
            ready!(Pin::new(&mut *self).poll_stream(cx, &mut buf))?;
            if buf.filled().is_empty() {
                return Poll::Ready(Ok(false));
            }
            self.opening.extend_from_slice(buf.filled());
        }
        Poll::Ready(Ok(self.opening == preface))
    }
}

impl<S: AsyncRead> Guard<S> {
    /// Reads what comes next from the caller.
    fn poll_stream(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.project();
        if this.last.is_none() {
            let (before, heads) = (buf.filled().len(), this.framer.heads());
            match this.stream.poll_read(cx, buf)? {
                Poll::Ready(()) => match this.framer.feed(&buf.filled()[before..]) {
                    Ok(()) => {
                        this.heard.set();
                        *this.is_timed &= this.framer.awaits_head() && this.framer.heads() == heads;
                        return Poll::Ready(Ok(()));
                    }
                    Err(refused) => {
                        buf.set_filled(before + refused.passed);
                        // A body that ends too early is refused, too.
                        *this.last = Some(if refused.in_head { NO_REQUEST } else { b"" });
                        if !refused.in_head {
                            this.counters.malformed();
                        }
                        if refused.passed > 0 {
                            return Poll::Ready(Ok(()));
                        }
                    }
                },
                Poll::Pending if !this.framer.awaits_head() => return Poll::Pending,
                Poll::Pending => {
                    let length = *this.head_timeout;
                    let timer = this.timer.get_or_insert_with(|| Box::pin(sleep(length)));
                    if !std::mem::replace(this.is_timed, true) {
                        timer.as_mut().reset(Instant::now() + length);
                    }
                    if timer.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    this.counters.too_slow();
                    *this.last = Some(b"");
                }
            }
        }
        if let Some(last) = this.last {
            let (now, later) = last.split_at(last.len().min(buf.remaining()));
            buf.put_slice(now);
            *last = later;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead> AsyncRead for Guard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.opening.is_empty() {
            return self.poll_stream(cx, buf);
        }
        let opening = self.as_mut().project().opening;
        let length = opening.len().min(buf.remaining());
        buf.put_slice(&opening[..length]);
        opening.drain(..length);
        if opening.is_empty() {
            *opening = Vec::new();
            if buf.remaining() > 0 {
                // Pending or not, there is something to read.
                let _ = self.poll_stream(cx, buf)?;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite> AsyncWrite for Guard<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.project().stream.poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.project().stream.poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().stream.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().stream.poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    /// Whether the bytes open HTTP/2 when they come in pieces of this length, and what is read
    /// first, and in all.
    async fn opened(bytes: &'static [u8], length: usize) -> (bool, Vec<u8>, Vec<u8>) {
        let (mut caller, stream) = duplex(1024);
        let limit = Duration::from_secs(30);
        let mut guard =
            Guard::new(stream, Phase::default(), Heard::default(), limit, Arc::default());
        tokio::spawn(async move {
            for piece in bytes.chunks(length) {
                caller.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
        let is_http2 = poll_fn(|cx| guard.poll_opens_with(cx, PREFACE)).await.unwrap();
        let mut first = vec![0; 1024];
        let count = guard.read(&mut first).await.unwrap();
        first.truncate(count);
        let mut all = first.clone();
        guard.read_to_end(&mut all).await.unwrap();
        (is_http2, first, all)
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_connection_opens_with_is_read_again_whatever_pieces_it_comes_in() {
        let get = b"GET / HTTP/1.1\r\nhost: somewhere\r\naccept: */*\r\n\r\n";
        let http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nand so on";
        let cases: [(&[u8], bool); 5] =
            [(get, false), (b"PRI", false), (http2, true), (PREFACE, true), (b"", false)];
        for (bytes, is_http2) in cases {
            for length in [1, 2, 23, 24, 25, 1024] {
                let (says_http2, _, all) = opened(bytes, length).await;
                assert_eq!((says_http2, &*all), (is_http2, bytes), "pieces of {length}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_came_as_a_whole_is_read_as_a_whole() {
        let get = b"GET / HTTP/1.1\r\nhost: somewhere\r\naccept: */*\r\n\r\n";
        let (_, first, _) = opened(get, 1024).await;
        assert_eq!(first, get);
    }
}
