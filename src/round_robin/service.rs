//! The service.

use super::GenericRoundRobinLayer;
use crate::{
    assign::{Eligible, Everyone, NoKey, NoTesters, Testers, UnitKey},
    branch::Role,
    carrier::{Carrier, InTrial, MarkFuture, MarkResponse, Ticket},
    trial::{Place, Seat},
};
use std::task::{Context, Poll};
use tower_service::Service;

/// One config per request; see [the module](super).
///
/// # Readiness
///
/// Ready when the inner service is, and that ready service is the one that is called: the choice
/// is made in `call` and does not matter to it.
#[derive(Debug, Clone)]
pub struct RoundRobin<S, C = InTrial, K = NoKey, E = Everyone, T = NoTesters> {
    pub(super) inner: S,
    pub(super) layer: GenericRoundRobinLayer<C, K, E, T>,
}

impl<S, C, K, E, T, R> Service<R> for RoundRobin<S, C, K, E, T>
where
    C: Carrier<R> + MarkResponse<C::Mark, S::Response>,
    K: UnitKey<R>,
    E: Eligible<R>,
    T: Testers<R>,
    S: Service<C::Request>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = MarkFuture<S::Future, C, C::Mark>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let layer = &self.layer;
        let chosen = layer.choose(&request);
        let origin = layer.carrier.origin(&request);
        let arm = &layer.arms[chosen.position];
        let place = Place::first(arm, Role::Primary, chosen.probability, origin)
            .with_unit(chosen.unit)
            .with_reason(chosen.reason);
        let (request, mark) = layer.carrier.carry(request, Ticket(Seat::new(place)));
        MarkFuture::new(self.inner.call(request), mark)
    }
}
