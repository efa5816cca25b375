//! How a config reaches the service under a strategy.
//!
//! Every strategy is written once. What differs between a plain service and an HTTP one (where
//! the config travels, where a parent is found, how a request becomes several) stands in a
//! *carrier*: [`InTrial`] and [`Nested`] here, [`InExtensions`](crate::http::InExtensions) and
//! [`Forked`](crate::http::Forked) in [`http`](crate::http). You name a carrier only to write
//! one.

mod fork;
mod future;
mod keep;

pub use fork::{Fork, MayShadow, Pump, Settle};
pub use future::MarkFuture;
pub use keep::Keep;
pub(crate) use keep::Seen;

pub use crate::trial::{Origin, Reason};

use crate::trial::{Place, Seat, Trial};

/// What one end of a branch is handed from the strategy to whoever records it. Opaque.
#[derive(Debug)]
pub struct Ticket(pub(crate) Seat);

impl Ticket {
    /// Where the branch stands.
    pub const fn place(&self) -> &Place {
        &self.0.place
    }

    /// The trial of this branch around `request`.
    pub fn seat<R>(self, request: R) -> Trial<R> {
        Trial::seated(request, self.0)
    }
}

/// Brings one request with its config to the inner service.
pub trait Carrier<R> {
    /// What the inner service is called with.
    type Request;
    /// What is kept to mark the response with.
    type Mark;

    /// Where the request comes from: the branch it already belongs to, when experiments are nested,
    /// or else the caller's trace.
    fn origin(&self, request: &R) -> Option<Origin>;

    /// Joins the request and its place.
    fn carry(&self, request: R, ticket: Ticket) -> (Self::Request, Self::Mark);
}

/// Marks a response with the place of the branch that gave it.
pub trait MarkResponse<M, Response> {
    /// Marks it.
    fn mark(mark: M, response: &mut Response);
}

/// The config travels in a [`Trial`]: the default.
#[derive(Debug, Clone, Copy, Default)]
pub struct InTrial;

impl<R> Carrier<R> for InTrial {
    type Request = Trial<R>;
    type Mark = ();

    fn origin(&self, _: &R) -> Option<Origin> {
        None
    }

    fn carry(&self, request: R, ticket: Ticket) -> (Trial<R>, ()) {
        (ticket.seat(request), ())
    }
}

impl<Response> MarkResponse<(), Response> for InTrial {
    fn mark((): (), _: &mut Response) {}
}

/// For an experiment inside a variant of another: the request is a [`Trial`] already. The inner
/// service sees one `Trial` with the inner config; the outer one is its
/// [`parent`](Place::parent).
#[derive(Debug, Clone, Copy, Default)]
pub struct Nested;

impl<R> Carrier<Trial<R>> for Nested {
    type Request = Trial<R>;
    type Mark = ();

    fn origin(&self, outer: &Trial<R>) -> Option<Origin> {
        Some(Origin::Branch(outer.place().clone()))
    }

    fn carry(&self, outer: Trial<R>, ticket: Ticket) -> (Trial<R>, ()) {
        (ticket.seat(outer.into_request()), ())
    }
}

impl<Response> MarkResponse<(), Response> for Nested {
    fn mark((): (), _: &mut Response) {}
}
