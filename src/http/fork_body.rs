//! The request body under a strategy that runs several configs.

use super::{
    fed::Fed,
    listener::Listener,
    tap::{Budget, Owner, Tap},
    tee::Tee,
};
use crate::{
    BoxError,
    trial::{Meter, Place},
};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;
use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// The request body that a service under a forking strategy sees: the caller's own body, or a
/// copy of it. The bytes are shared.
#[pin_project]
pub struct ForkBody<B> {
    #[pin]
    inner: Inner<B>,
    /// Where its bytes are counted, if they are.
    meter: Option<Arc<Meter>>,
    passed: u64,
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
    /// A copy of a body without anything in it.
    Empty,
    /// One that is fed equally with others.
    Fed(Box<Fed>),
}

impl<B> ForkBody<B> {
    pub(crate) const fn whole(body: B) -> Self {
        Self::of(Inner::Whole(body))
    }

    pub(super) fn fed(fed: Fed) -> Self {
        Self::of(Inner::Fed(Box::new(fed)))
    }

    const fn of(inner: Inner<B>) -> Self {
        Self { inner, meter: None, passed: 0 }
    }
}

impl<B: Body<Data = Bytes>> ForkBody<B> {
    /// Counts for the branch of this place from here on, if it is recorded.
    pub(super) fn count_for(&mut self, place: &Place) {
        self.meter = place.meter().cloned();
        if let Some(meter) = &self.meter {
            meter.count_bytes_in(0);
        }
    }

    /// The body and copies of it, for a strategy that runs several configs. Whoever gets the first
    /// reads for all; the copies hear it, each with up to 24 MiB waiting for it.
    ///
    /// # Errors
    ///
    /// The body itself, when it is a copy or has copies already. (One without anything in it can be
    /// forked again.)
    pub fn fork(self, copies: usize) -> Result<(Self, Vec<Self>), Self> {
        match self.inner {
            Inner::Whole(body) => Ok(Self::tee(
                body,
                (0..copies).map(|_| Owner::nobody()).collect(),
                &Budget::default(),
            )),
            inner => Err(Self { inner, ..self }),
        }
    }

    /// The body, and a copy of it for each owner.
    pub(super) fn tee(body: B, owners: Vec<Owner>, budget: &Budget) -> (Self, Vec<Self>) {
        if body.is_end_stream() {
            // Most of what is shadowed has no body: nothing is there to be heard.
            let copies = owners.iter().map(|_| Self::of(Inner::Empty)).collect();
            return (Self::whole(body), copies);
        }
        let expected = body.size_hint().exact();
        let (taps, copies): (Vec<_>, Vec<_>) =
            owners.into_iter().map(|owner| Tap::pair(budget, owner, expected)).unzip();
        let tee = Tee::new(body, taps, expected);
        let copies = copies.into_iter().map(|copy| Self::of(Inner::Copy(Box::new(copy))));
        let copies = copies.collect();
        (Self::of(Inner::Tee(Box::pin(tee))), copies)
    }
}

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
        let this = self.project();
        let frame = ready!(match this.inner.project() {
            Projected::Whole(body) => body.poll_frame(cx).map_err(Into::into),
            Projected::Tee(tee) => tee.as_mut().poll_frame(cx).map_err(Into::into),
            Projected::Copy(copy) => copy.poll_frame(cx),
            Projected::Empty => Poll::Ready(None),
            Projected::Fed(fed) => fed.poll_frame(cx),
        });
        if let (Some(meter), Some(Ok(frame))) = (this.meter, &frame)
            && let Some(data) = frame.data_ref()
        {
            *this.passed += data.len() as u64;
            meter.count_bytes_in(*this.passed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Whole(body) => body.is_end_stream(),
            Inner::Tee(tee) => tee.is_end_stream(),
            Inner::Copy(copy) => copy.is_end_stream(),
            Inner::Empty => true,
            Inner::Fed(fed) => fed.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Whole(body) => body.size_hint(),
            Inner::Tee(tee) => tee.size_hint(),
            Inner::Copy(copy) => copy.size_hint(),
            Inner::Empty => SizeHint::with_exact(0),
            Inner::Fed(fed) => fed.size_hint(),
        }
    }
}

impl<B> fmt::Debug for ForkBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.inner {
            Inner::Whole(_) => "whole",
            Inner::Tee(_) => "tee",
            Inner::Copy(_) | Inner::Empty => "copy",
            Inner::Fed(_) => "fed",
        };
        f.debug_tuple("ForkBody").field(&kind).finish()
    }
}
