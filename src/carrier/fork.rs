//! How one request becomes several.

use super::{InTrial, Keep, Nested, Ticket};
use crate::{
    branch::{Failure, SkipReason},
    trial::{Origin, Reason, Trial},
};
use std::{future::Future, pin::Pin};

/// Makes copies of a request that run beside it.
pub trait Fork<R> {
    /// What the inner service is called with.
    type Request;
    /// What is kept to mark the response with.
    type Mark;

    /// Where the request comes from: the branch it already belongs to, when experiments are nested,
    /// or else the caller's trace.
    fn origin(&self, request: &R) -> Option<Origin>;

    /// Whether this request may be copied to shadows of this experiment at all. `unit` is the key of
    /// its unit, where units are sampled.
    fn may_shadow(&self, _: &R, _experiment: &str, _unit: Option<&[u8]>) -> MayShadow {
        MayShadow::Yes
    }

    /// Whether this request, if it may be shadowed, may also be repeated by the control, which runs
    /// the primary's own config a second time.
    fn may_control(&self, _: &R) -> bool {
        true
    }

    /// The request itself, and a copy of it for each further ticket. The copies never hold the
    /// request itself up.
    fn fork(
        &self,
        request: R,
        ticket: Ticket,
        copies: Vec<Ticket>,
    ) -> (Self::Request, Self::Mark, Vec<Self::Request>);

    /// The request itself, where there is nothing to copy.
    fn alone(&self, request: R, ticket: Ticket) -> (Self::Request, Self::Mark) {
        let (request, mark, _) = self.fork(request, ticket, Vec::new());
        (request, mark)
    }

    /// Equal copies for all tickets, none before another, and what must be polled beside them
    /// for the copies to get on, if anything. `at_once`: all of them run now, so that one may
    /// hold up the others; else some wait for their turn.
    fn spread(
        &self,
        request: R,
        tickets: Vec<Ticket>,
        at_once: bool,
    ) -> (Vec<Self::Request>, Option<Pump>);
}

/// Whether a request may be copied to shadows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MayShadow {
    /// It may.
    Yes,
    /// It is none of those that are shadowed: that is counted (`unmatched`).
    No,
    /// It would be one, but cannot be copied: its shadows are skipped, for this reason.
    Skip(SkipReason),
}

/// Work that must be polled while the copies of a request run.
pub type Pump = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Brings a response that nobody waits for to its end.
pub trait Settle<Response> {
    /// What is left of it, to look at later.
    type Settled: Send + 'static;
    /// The primary's response, as the caller gets it.
    type Watched;

    /// Hands the primary's response to the caller. With a [`Keep`], what is left of it goes there,
    /// too, as soon as it is complete.
    fn watch(response: Response, keep: Option<(Self, Keep<Self::Settled>)>) -> Self::Watched
    where
        Self: Sized;

    /// Whether an answer that came to its end says that the service has failed.
    fn has_failed(&self, _: &Self::Settled) -> bool {
        false
    }

    /// Reads the response to its end, within bounds. Whoever stops before the end says why
    /// first (`reason`), and drops the response then.
    fn settle(
        &self,
        response: Response,
        reason: &Reason,
    ) -> impl Future<Output = Result<Self::Settled, Failure>> + Send;
}

impl<R: Clone> Fork<R> for InTrial {
    type Request = Trial<R>;
    type Mark = ();

    fn origin(&self, _: &R) -> Option<Origin> {
        None
    }

    fn alone(&self, request: R, ticket: Ticket) -> (Trial<R>, ()) {
        (ticket.seat(request), ())
    }

    fn fork(
        &self,
        request: R,
        ticket: Ticket,
        copies: Vec<Ticket>,
    ) -> (Trial<R>, (), Vec<Trial<R>>) {
        let copies = copies.into_iter().map(|ticket| ticket.seat(request.clone())).collect();
        (ticket.seat(request), (), copies)
    }

    fn spread(&self, request: R, tickets: Vec<Ticket>, _: bool) -> (Vec<Trial<R>>, Option<Pump>) {
        (tickets.into_iter().map(|ticket| ticket.seat(request.clone())).collect(), None)
    }
}

impl<R: Clone> Fork<Trial<R>> for Nested {
    type Request = Trial<R>;
    type Mark = ();

    fn origin(&self, outer: &Trial<R>) -> Option<Origin> {
        Some(Origin::Branch(outer.place().clone()))
    }

    fn alone(&self, outer: Trial<R>, ticket: Ticket) -> (Trial<R>, ()) {
        (ticket.seat(outer.into_request()), ())
    }

    fn fork(
        &self,
        outer: Trial<R>,
        ticket: Ticket,
        copies: Vec<Ticket>,
    ) -> (Trial<R>, (), Vec<Trial<R>>) {
        InTrial.fork(outer.into_request(), ticket, copies)
    }

    fn spread(
        &self,
        outer: Trial<R>,
        tickets: Vec<Ticket>,
        at_once: bool,
    ) -> (Vec<Trial<R>>, Option<Pump>) {
        InTrial.spread(outer.into_request(), tickets, at_once)
    }
}

impl<Response: Send + 'static> Settle<Response> for InTrial {
    type Settled = Response;
    type Watched = Response;

    fn watch(response: Response, keep: Option<(Self, Keep<Response>)>) -> Response {
        if let Some((_, keep)) = keep {
            keep.look(&response);
        }
        response
    }

    async fn settle(&self, response: Response, _: &Reason) -> Result<Response, Failure> {
        Ok(response)
    }
}

impl<Response: Send + 'static> Settle<Response> for Nested {
    type Settled = Response;
    type Watched = Response;

    fn watch(response: Response, keep: Option<(Self, Keep<Response>)>) -> Response {
        InTrial::watch(response, keep.map(|(_, keep)| (InTrial, keep)))
    }

    async fn settle(&self, response: Response, reason: &Reason) -> Result<Response, Failure> {
        InTrial.settle(response, reason).await
    }
}
