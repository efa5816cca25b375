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
    task::{Context, Poll},
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
        }
    }
}

impl<S: AsyncRead> AsyncRead for Guard<S> {
    fn poll_read(
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
