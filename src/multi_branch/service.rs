//! The services.

use super::{BranchStream, GenericMultiBranchLayer, MultiBranchFuture, arm};
use crate::{
    branch::{Branches, Role},
    carrier::{Fork, InTrial, Ticket},
    trial::{Place, Reason, Seat},
};
use std::{
    fmt,
    future::Ready,
    task::{Context, Poll},
};
use tower_service::Service;

/// All configs at once; see [the module](super).
///
/// # Readiness
///
/// Ready when the inner service is, and that ready service is the one the first branch calls. The
/// others call clones of it, each awaited on its own, so that one that is slow to be ready holds
/// up only itself. The only error is the inner service's own, of not becoming ready.
#[derive(Debug, Clone)]
pub struct MultiBranch<S, C = InTrial> {
    pub(super) stream: MultiBranchStream<S, C>,
}

impl<S, C, R> Service<R> for MultiBranch<S, C>
where
    MultiBranchStream<S, C>: Service<
            R,
            Response = BranchStream<S::Response>,
            Error = S::Error,
            Future = Ready<Result<BranchStream<S::Response>, S::Error>>,
        >,
    C: Fork<R>,
    S: Service<C::Request>,
{
    type Response = Branches<S::Response>;
    type Error = S::Error;
    type Future = MultiBranchFuture<S::Response, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.stream.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        MultiBranchFuture::new(self.stream.call(request).into_inner())
    }
}

/// All configs at once, each branch as it finishes; see [the module](super). Readiness is as for
/// [`MultiBranch`].
#[derive(Debug, Clone)]
pub struct MultiBranchStream<S, C = InTrial> {
    pub(super) inner: S,
    pub(super) layer: GenericMultiBranchLayer<C>,
}

#[cfg(feature = "http")]
impl<S, C> MultiBranchStream<S, C> {
    pub(crate) const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }
}

impl<S, C, R> Service<R> for MultiBranchStream<S, C>
where
    C: Fork<R>,
    C::Request: Send + 'static,
    S: Service<C::Request> + Clone + Send + 'static,
    S::Response: Send + 'static,
    S::Error: fmt::Display + fmt::Debug + Send + 'static,
    S::Future: Send,
{
    type Response = BranchStream<S::Response>;
    type Error = S::Error;
    type Future = Ready<Result<BranchStream<S::Response>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let layer = &self.layer;
        let origin = layer.carrier.origin(&request);
        let first = Place::first(&layer.arms[0], Role::Branch, 1.0, origin);
        let mut places = vec![first];
        for arm in &layer.arms[1..] {
            places.push(places[0].sibling(arm, Role::Branch, 1.0));
        }
        let reasons: Vec<Reason> = places.iter().map(|_| Reason::default()).collect();
        let tickets = places
            .iter()
            .zip(&reasons)
            .map(|(place, reason)| Ticket(Seat::with_reason(place.clone(), reason)))
            .collect();
        let (copies, pump) =
            layer.carrier.spread(request, tickets, layer.max_concurrent >= places.len());

        let mut services: Vec<S> = places[1..].iter().map(|_| self.inner.clone()).collect();
        let next = self.inner.clone();
        services.insert(0, std::mem::replace(&mut self.inner, next));

        let arms = services.into_iter().zip(copies).zip(places).zip(reasons).enumerate();
        let arms = arms.map(|(at, (((service, copy), place), reason))| {
            let ready = at == 0;
            arm::boxed(at, ready, service, copy, place, reason, layer.timeout)
        });
        std::future::ready(Ok(BranchStream::new(arms.collect(), layer.max_concurrent, pump)))
    }
}
