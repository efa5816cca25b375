//! The service.

use super::GenericSingleLayer;
use crate::{
    branch::Role,
    carrier::{Carrier, InTrial, MarkFuture, MarkResponse, Ticket},
    trial::{Place, Seat},
};
use std::task::{Context, Poll};
use tower_service::Service;

/// Assigns one config to every request; see [the module](super). Ready when the inner service
/// is.
#[derive(Debug, Clone)]
pub struct Single<S, C = InTrial> {
    pub(super) inner: S,
    pub(super) layer: GenericSingleLayer<C>,
}

impl<S, C, R> Service<R> for Single<S, C>
where
    C: Carrier<R> + MarkResponse<C::Mark, S::Response>,
    S: Service<C::Request>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = MarkFuture<S::Future, C, C::Mark>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let carrier = &self.layer.carrier;
        let origin = carrier.origin(&request);
        let place = Place::first(&self.layer.arms[0], Role::Primary, 1.0, origin);
        let (request, mark) = carrier.carry(request, Ticket(Seat::new(place)));
        MarkFuture::new(self.inner.call(request), mark)
    }
}
