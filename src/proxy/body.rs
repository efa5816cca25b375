//! The bodies on the way to an upstream and back.

use super::{held::Held, pool::PooledBody};
use crate::{
    BoxError,
    fallback::LentBody,
    http::{CombinedBody, ForkBody, KeptBody, Metered, RecordBody, WatchBody},
    trial::Place,
};
use bytes::Bytes;
use http::Request;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use pin_project::pin_project;
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

/// The request, leaving an empty one.
pub(super) fn take(request: &mut Request<ProxyBody>) -> Request<ProxyBody> {
    std::mem::replace(request, Request::new(Full::default().into()))
}

macro_rules! one_of {
    ($(#[$meta:meta])* $name:ident($inner:ident, $projected:ident) { $($variant:ident($body:ty),)* }) => {
        $(#[$meta])*
        #[pin_project]
        pub struct $name {
            #[pin]
            inner: $inner,
        }

        #[pin_project(project = $projected)]
        #[allow(clippy::large_enum_variant, reason = "the large one is the usual one")]
        enum $inner { $($variant(#[pin] $body),)* }

        $(
            impl From<$body> for $name {
                fn from(body: $body) -> Self {
                    Self { inner: $inner::$variant(body) }
                }
            }
        )*

        impl Body for $name {
            type Data = Bytes;
            type Error = BoxError;

            fn poll_frame(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
            ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
                match self.project().inner.project() {
                    $($projected::$variant(body) => body.poll_frame(cx).map_err(Into::into),)*
                }
            }

            fn is_end_stream(&self) -> bool {
                match &self.inner { $($inner::$variant(body) => body.is_end_stream(),)* }
            }

            fn size_hint(&self) -> SizeHint {
                match &self.inner { $($inner::$variant(body) => body.size_hint(),)* }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

/// A request body on its way to an upstream: the caller's own, or a copy of it. Its bytes are
/// counted as they are sent.
///
/// Small, for a connection to an upstream has room for 32 requests: one that is empty, as most
/// are, takes no room of its own.
pub struct ProxyBody {
    inner: Option<Pin<Box<Metered<Outgoing>>>>,
}

impl ProxyBody {
    /// Counts for the branch of this place.
    pub(super) fn count_for(&mut self, place: &Place) {
        match &mut self.inner {
            Some(body) => body.as_mut().count_for(place),
            None => {
                if let Some(meter) = place.meter() {
                    meter.count_bytes_in(0);
                }
            }
        }
    }

    /// Keeps it for those that evaluate the branch of this place.
    pub(super) fn keep_for(&mut self, place: &Place, kept: KeptBody) {
        if let Some(body) = &mut self.inner {
            body.as_mut().keep_for(place, kept);
        }
    }
}

impl<B: Into<Outgoing>> From<B> for ProxyBody {
    fn from(body: B) -> Self {
        let body = body.into();
        Self { inner: (!body.is_end_stream()).then(|| Box::pin(Metered::new(body))) }
    }
}

impl Body for ProxyBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.inner {
            Some(body) => body.as_mut().poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl fmt::Debug for ProxyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyBody").finish_non_exhaustive()
    }
}

one_of! {
    /// One of the bodies that are sent.
    Outgoing(OneOutgoing, OutgoingProjected) {
        Own(Incoming),
        Lent(LentBody<Incoming>),
        Fork(ForkBody<Incoming>),
        Held(Held),
        HeldLent(LentBody<Held>),
        HeldFork(ForkBody<Held>),
        Rewritten(Full<Bytes>),
    }
}

one_of! {
    /// The upstream's own response body, or ours where the request never got there.
    UpstreamBody(Answered, AnsweredProjected) {
        Pooled(PooledBody),
        Streamed(Incoming),
        Made(Full<Bytes>),
    }
}

one_of! {
    /// A response body on its way to the caller.
    ReplyBody(Reply, ReplyProjected) {
        Upstream(RecordBody<UpstreamBody>),
        Watched(WatchBody<RecordBody<UpstreamBody>>),
        Combined(CombinedBody<RecordBody<UpstreamBody>>),
        Made(Full<Bytes>),
    }
}
