//! The config in the extensions of a request.

use super::trace;
use crate::{
    carrier::{Carrier, MarkResponse, Ticket},
    trial::{Origin, Place, Seat},
};
use http::{Extensions, Request, Response};
use std::sync::Arc;

/// The place of this request in its experiment: config, role, ids. From the extensions of a
/// request under a strategy, or of a response that came through one.
pub fn place(extensions: &Extensions) -> Option<&Place> {
    extensions.get::<Seat>().map(|seat| &seat.place).or_else(|| extensions.get())
}

/// Where a request comes from: an outer experiment, or else its caller's trace.
pub(super) fn origin<B>(request: &Request<B>) -> Option<Origin> {
    match place(request.extensions()) {
        Some(place) => Some(Origin::Branch(place.clone())),
        None => trace::caller(request.headers()).map(Origin::Caller),
    }
}

/// Puts the request into its place.
pub(super) fn seat<B>(request: &mut Request<B>, ticket: Ticket) {
    request.extensions_mut().insert(ticket.0);
}

/// Marks a response with the branch that gave it; unless that was another of the same experiment
/// (a fallback), which did so itself.
pub(super) fn mark_response<B>(place: Place, response: &mut Response<B>) {
    let extensions = response.extensions_mut();
    let is_marked = |inner: &Place| Arc::ptr_eq(&inner.arm.experiment, &place.arm.experiment);
    if !extensions.get::<Place>().is_some_and(is_marked) {
        extensions.insert(place);
    }
}

/// The config travels in the request's extensions; the request is otherwise unchanged.
#[derive(Debug, Clone, Copy, Default)]
pub struct InExtensions;

impl<B> Carrier<Request<B>> for InExtensions {
    type Request = Request<B>;
    type Mark = Place;

    fn origin(&self, request: &Request<B>) -> Option<Origin> {
        origin(request)
    }

    fn carry(&self, mut request: Request<B>, ticket: Ticket) -> (Request<B>, Place) {
        let mark = ticket.place().clone();
        seat(&mut request, ticket);
        (request, mark)
    }
}

impl<B> MarkResponse<Place, Response<B>> for InExtensions {
    fn mark(place: Place, response: &mut Response<B>) {
        mark_response(place, response);
    }
}
