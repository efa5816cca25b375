//! The fallback around HTTP services: the body is lent, not copied.

use super::{Fallback, FallbackFuture, FallbackLayer, future::Spare};
use crate::{
    BoxError,
    trial::{Place, Seat},
};
use bytes::Bytes;
use http::{Request, Response, request::Parts};
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;
use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};
use tower_service::Service;

/// A request body that is taken from its lender when it is first read. Until then the lender can
/// have it back.
#[pin_project]
pub struct LentBody<B> {
    #[pin]
    taken: Option<B>,
    lender: Option<Lender<B>>,
    hint: SizeHint,
    is_empty: bool,
}

type Lender<B> = Arc<Mutex<Option<B>>>;

fn take<B>(lender: &Lender<B>) -> Option<B> {
    lender.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl<B: Body> LentBody<B> {
    fn own(body: B) -> Self {
        Self {
            hint: body.size_hint(),
            is_empty: body.is_end_stream(),
            taken: Some(body),
            lender: None,
        }
    }

    fn lent(body: B) -> (Self, Lender<B>) {
        let (hint, is_empty) = (body.size_hint(), body.is_end_stream());
        let lender = Arc::new(Mutex::new(Some(body)));
        (Self { taken: None, lender: Some(lender.clone()), hint, is_empty }, lender)
    }
}

impl<B> Body for LentBody<B>
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
        let mut this = self.project();
        if let Some(lender) = this.lender.take() {
            this.taken.set(take(&lender));
        }
        match this.taken.as_pin_mut() {
            Some(body) => body.poll_frame(cx).map_err(Into::into),
            // The fallback has it: whoever still holds this one must not take it for empty.
            None => Poll::Ready(Some(Err(GivenAway.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.taken.as_ref().map_or(self.is_empty, Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.taken.as_ref().map_or_else(|| self.hint, Body::size_hint)
    }
}

impl<B> fmt::Debug for LentBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LentBody").finish_non_exhaustive()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the request body was given to the fallback")]
struct GivenAway;

/// The head of a request, and its body while nobody has read it.
pub struct SpareRequest<B> {
    parts: Parts,
    place: Place,
    lender: Lender<B>,
}

impl<B: Body, T> Spare<Response<T>> for Option<SpareRequest<B>> {
    type Request = Request<LentBody<B>>;
    type Mark = Place;

    fn again(self, layer: &FallbackLayer) -> Option<(Self::Request, Place)> {
        let spare = self?;
        let body = take(&spare.lender)?;
        let mut request = Request::from_parts(spare.parts, LentBody::own(body));
        let seat = layer.seat(&spare.place);
        let place = seat.place.clone();
        request.extensions_mut().insert(seat);
        Some((request, place))
    }

    fn mark(place: Place, response: &mut Response<T>) {
        response.extensions_mut().insert(place);
    }
}

impl<S, B, T> Service<Request<B>> for Fallback<S>
where
    B: Body<Data = Bytes>,
    S: Service<Request<LentBody<B>>, Response = Response<T>> + Clone,
    S::Error: fmt::Display + fmt::Debug + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = FallbackFuture<S, Request<LentBody<B>>, Option<SpareRequest<B>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let place = request.extensions().get::<Seat>().map(|seat| seat.place.clone());
        let (request, spare) = match place.filter(|place| self.layer.covers(place)) {
            None => (request.map(LentBody::own), None),
            Some(place) => {
                let (parts, body) = request.into_parts();
                let (body, lender) = LentBody::lent(body);
                let spare = SpareRequest { parts: parts.clone(), place, lender };
                (Request::from_parts(parts, body), Some(spare))
            }
        };
        let clone = self.inner.clone();
        FallbackFuture::new(clone, self.inner.call(request), spare, self.layer.clone())
    }
}
