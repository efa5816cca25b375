//! A body that is read once and heard by several.

use crate::{
    BoxError,
    branch::{Failure, FailureKind},
    trial::Reason,
};
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project::{pin_project, pinned_drop};
use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};
use tokio::sync::mpsc;

/// The request body that a service under a forking strategy sees: the caller's own body, or a
/// copy of it. The bytes are shared.
#[pin_project]
pub struct ForkBody<B> {
    #[pin]
    inner: Inner<B>,
}

/// Boxed but for the first: a request that nobody else listens to is moved about as often as any
/// other, and should be no larger.
#[pin_project(project = Projected)]
enum Inner<B> {
    /// Nobody else listens.
    Whole(#[pin] B),
    /// The one that reads the caller's body, and those that listen.
    Tee(Pin<Box<Tee<B>>>),
    /// One that listens.
    Copy(Box<Listener>),
    /// One that is fed equally with others.
    Fed(Box<super::pump::Fed>),
}

impl<B> ForkBody<B> {
    pub(crate) const fn whole(body: B) -> Self {
        Self { inner: Inner::Whole(body) }
    }

    pub(super) fn fed(fed: super::pump::Fed) -> Self {
        Self { inner: Inner::Fed(Box::new(fed)) }
    }
}

impl<B: Body<Data = Bytes>> ForkBody<B> {
    /// The body and copies of it, for a strategy that runs several configs. Whoever gets the first
    /// reads for all; the copies hear it, each with up to 8 MiB waiting for it.
    ///
    /// # Errors
    ///
    /// The body itself, when it is a copy or has copies already.
    pub fn fork(self, copies: usize) -> Result<(Self, Vec<Self>), Self> {
        match self.inner {
            Inner::Whole(body) => {
                Ok(Self::tee(body, (0..copies).map(|_| None).collect(), &Budget::default()))
            }
            inner => Err(Self { inner }),
        }
    }

    /// The body, and a copy of it for each reason.
    pub(super) fn tee(body: B, reasons: Vec<Option<Reason>>, budget: &Budget) -> (Self, Vec<Self>) {
        let expected = if body.is_end_stream() { Some(0) } else { body.size_hint().exact() };
        let (taps, copies) = reasons
            .into_iter()
            .map(|reason| {
                let (sender, receiver) = mpsc::unbounded_channel();
                let level = Arc::new(Level { own: AtomicUsize::new(0), all: budget.used.clone() });
                let tap = Tap { sender: Some(sender), level, budget: budget.clone(), reason };
                let copy = Listener { receiver, next: None, left: expected, ended: false };
                (tap, Self { inner: Inner::Copy(Box::new(copy)) })
            })
            .unzip();
        let mut tee = Tee { inner: body, taps, left: expected };
        let mut copies: Vec<Self> = copies;
        if tee.inner.is_end_stream() {
            finish(&mut tee.taps);
            for copy in &mut copies {
                if let Inner::Copy(copy) = &mut copy.inner {
                    copy.look_ahead();
                }
            }
        }
        (Self { inner: Inner::Tee(Box::pin(tee)) }, copies)
    }
}

/// How many bytes may wait for shadows.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    /// For each.
    pub(super) each: usize,
    /// For all together.
    pub(super) all: usize,
    used: Arc<AtomicUsize>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { each: 8 << 20, all: 128 << 20, used: Arc::default() }
    }
}

/// What a frame counts for at least: many tiny ones take up memory, too.
const FRAME_COST: usize = 64;

/// Bytes waiting: for one copy, and for all.
#[derive(Debug)]
struct Level {
    own: AtomicUsize,
    all: Arc<AtomicUsize>,
}

/// Data on its way to a copy. It counts until it is read, or dropped wherever it is then.
struct Waiting {
    data: Bytes,
    level: Arc<Level>,
}

impl Waiting {
    fn cost(&self) -> usize {
        self.data.len().max(FRAME_COST)
    }

    fn read(self) -> Bytes {
        self.data.clone()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let cost = self.cost();
        self.level.own.fetch_sub(cost, Relaxed);
        self.level.all.fetch_sub(cost, Relaxed);
    }
}

enum Piece {
    Data(Waiting),
    Trailers(HeaderMap),
    /// The body is whole. A channel that closes without it is a body that broke off.
    End,
}

/// The sending end of a copy.
struct Tap {
    /// `None` when the copy has all it will get.
    sender: Option<mpsc::UnboundedSender<Piece>>,
    level: Arc<Level>,
    budget: Budget,
    reason: Option<Reason>,
}

impl Tap {
    /// Never waits: a copy that is too far behind gets no more.
    fn data(&mut self, data: &Bytes) {
        let Some(sender) = &self.sender else { return };
        let waiting = Waiting { data: data.clone(), level: self.level.clone() };
        let cost = waiting.cost();
        let own = self.level.own.fetch_add(cost, Relaxed) + cost;
        let all = self.level.all.fetch_add(cost, Relaxed) + cost;
        let over = if own > self.budget.each {
            Some(("body_buffer", self.budget.each))
        } else if all > self.budget.all {
            Some(("body_buffer_total", self.budget.all))
        } else {
            None
        };
        if let Some((name, bound)) = over {
            self.fail(
                FailureKind::Lagging,
                format!("fell behind the request body by more than {name} ({bound} bytes)"),
            );
        } else if sender.send(Piece::Data(waiting)).is_err() {
            // The copy was dropped: it needs no more, whatever the reason.
            self.sender = None;
        }
    }

    fn trailers(&mut self, trailers: &HeaderMap) {
        if let Some(sender) = &self.sender {
            let _ = sender.send(Piece::Trailers(trailers.clone()));
        }
    }

    fn finish(&mut self) {
        if let Some(sender) = self.sender.take() {
            let _ = sender.send(Piece::End);
        }
    }

    /// Says why first: closing the channel wakes the copy, which ends in an error then.
    fn fail(&mut self, kind: FailureKind, message: String) {
        let Some(sender) = &self.sender else { return };
        if !sender.is_closed()
            && let Some(reason) = &self.reason
        {
            reason.failed(Failure::new(kind, message));
        }
        self.sender = None;
    }
}

fn finish(taps: &mut Vec<Tap>) {
    taps.drain(..).for_each(|mut tap| tap.finish());
}

/// Reads the caller's body at the primary's pace, and lets the copies hear it.
#[pin_project(PinnedDrop)]
struct Tee<B> {
    #[pin]
    inner: B,
    taps: Vec<Tap>,
    /// Bytes still to come, where the length is known.
    left: Option<u64>,
}

impl<B: Body<Data = Bytes>> Tee<B> {
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    *this.left = this.left.map(|left| left.saturating_sub(data.len() as u64));
                    this.taps.iter_mut().for_each(|tap| tap.data(data));
                } else if let Some(trailers) = frame.trailers_ref() {
                    this.taps.iter_mut().for_each(|tap| tap.trailers(trailers));
                }
                // Nobody asks again after the trailers.
                if frame.is_trailers() || this.inner.is_end_stream() {
                    finish(this.taps);
                }
            }
            Some(Err(_)) => break_off(this.taps, "the caller's request body broke off"),
            None => finish(this.taps),
        }
        Poll::Ready(frame)
    }
}

fn break_off(taps: &mut Vec<Tap>, message: &str) {
    taps.drain(..).for_each(|mut tap| tap.fail(FailureKind::Incomplete, message.to_owned()));
}

#[pinned_drop]
impl<B> PinnedDrop for Tee<B> {
    fn drop(self: Pin<&mut Self>) {
        let this = self.project();
        // A client that knows the length stops reading at the last byte.
        if *this.left == Some(0) {
            finish(this.taps);
        } else {
            break_off(this.taps, "the primary did not read the whole request body");
        }
    }
}

/// The receiving end of a copy.
struct Listener {
    receiver: mpsc::UnboundedReceiver<Piece>,
    /// What follows the last byte, if that is known already.
    next: Option<Piece>,
    left: Option<u64>,
    ended: bool,
}

impl Listener {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let piece = match self.next.take() {
            Some(piece) => Some(piece),
            None => ready!(self.receiver.poll_recv(cx)),
        };
        Poll::Ready(match piece {
            Some(Piece::Data(waiting)) => {
                let data = waiting.read();
                self.left = self.left.map(|left| left.saturating_sub(data.len() as u64));
                self.look_ahead();
                Some(Ok(Frame::data(data)))
            }
            Some(Piece::Trailers(trailers)) => Some(Ok(Frame::trailers(trailers))),
            Some(Piece::End) => {
                self.ended = true;
                None
            }
            None => {
                self.ended = true;
                Some(Err(CopyError.into()))
            }
        })
    }

    /// Whoever knows the length may not ask again after the last byte, and wants to know then
    /// whether trailers follow.
    fn look_ahead(&mut self) {
        if self.left == Some(0) && self.next.is_none() {
            match self.receiver.try_recv() {
                Ok(Piece::End) => self.ended = true,
                Ok(piece) => self.next = Some(piece),
                Err(_) => {}
            }
        }
    }
}

/// A shadow's copy of a request body ended before the body did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the copy of the request body broke off")]
pub struct CopyError;

impl<B> Body for ForkBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.project().inner.project() {
            Projected::Whole(body) => body.poll_frame(cx).map_err(Into::into),
            Projected::Tee(tee) => tee.as_mut().poll_frame(cx).map_err(Into::into),
            Projected::Copy(copy) => copy.poll_frame(cx),
            Projected::Fed(fed) => fed.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Whole(body) => body.is_end_stream(),
            Inner::Tee(tee) => tee.inner.is_end_stream(),
            Inner::Copy(copy) => copy.ended,
            Inner::Fed(fed) => fed.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Whole(body) => body.size_hint(),
            Inner::Tee(tee) => tee.inner.size_hint(),
            Inner::Copy(copy) => copy.left.map_or_else(SizeHint::default, SizeHint::with_exact),
            Inner::Fed(fed) => fed.size_hint(),
        }
    }
}

impl<B> fmt::Debug for ForkBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.inner {
            Inner::Whole(_) => "whole",
            Inner::Tee(_) => "tee",
            Inner::Copy(_) => "copy",
            Inner::Fed(_) => "fed",
        };
        f.debug_tuple("ForkBody").field(&kind).finish()
    }
}
