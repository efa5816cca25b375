//! A strategy of your own as a layer.

use super::{BoxFuture, Dispatch, Strategy, dispatch::Call};
use crate::{
    BoxError,
    carrier::{Carrier, InTrial, MarkResponse, Nested},
    config::ConfigPool,
    trial::{Arms, UNNAMED, name_and_epoch},
};
use std::{
    fmt,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};
use tower_layer::Layer;
use tower_service::Service;

/// A strategy of your own as a layer; see [the module](super). `C` is how the config travels.
pub struct GenericStrategyLayer<St, C> {
    strategy: Arc<St>,
    arms: Arms,
    carrier: C,
}

impl<St, C: Default> GenericStrategyLayer<St, C> {
    /// The strategy, under the name that its branches are recorded with.
    pub fn new(name: &str, strategy: St, pool: ConfigPool) -> Self {
        let arms = Arms::new(UNNAMED, name, &pool);
        Self { strategy: Arc::new(strategy), arms, carrier: C::default() }
    }
}

impl<St, C> GenericStrategyLayer<St, C> {
    name_and_epoch!();

    /// For use inside a variant of another experiment; see [`Nested`].
    #[must_use]
    pub fn nested(self) -> GenericStrategyLayer<St, Nested> {
        GenericStrategyLayer { strategy: self.strategy, arms: self.arms, carrier: Nested }
    }
}

impl<St, C: Clone> Clone for GenericStrategyLayer<St, C> {
    fn clone(&self) -> Self {
        Self {
            strategy: self.strategy.clone(),
            arms: self.arms.clone(),
            carrier: self.carrier.clone(),
        }
    }
}

impl<St, C> fmt::Debug for GenericStrategyLayer<St, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StrategyLayer").field("arms", &self.arms.len()).finish_non_exhaustive()
    }
}

impl<S, St, C: Clone> Layer<S> for GenericStrategyLayer<St, C> {
    type Service = StrategyService<S, St, C>;

    fn layer(&self, inner: S) -> Self::Service {
        StrategyService { inner, layer: self.clone() }
    }
}

/// Runs a strategy of your own around a service.
///
/// # Readiness
///
/// Always ready: only the strategy knows which calls there will be. Each of its calls awaits a
/// clone of the inner service on its own.
pub struct StrategyService<S, St, C = InTrial> {
    inner: S,
    layer: GenericStrategyLayer<St, C>,
}

impl<S: Clone, St, C: Clone> Clone for StrategyService<S, St, C> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S, St, C> fmt::Debug for StrategyService<S, St, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StrategyService").field("layer", &self.layer).finish_non_exhaustive()
    }
}

impl<S, St, C, R> Service<R> for StrategyService<S, St, C>
where
    C: Carrier<R> + MarkResponse<C::Mark, S::Response> + Clone + Send + Sync + 'static,
    C::Request: Send + 'static,
    C::Mark: Send,
    R: 'static,
    St: Strategy<R, S::Response>,
    S: Service<C::Request> + Clone + Send + Sync + 'static,
    S::Response: 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<Result<S::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: R) -> Self::Future {
        let origin = self.layer.carrier.origin(&request);
        let (service, carrier) = (self.inner.clone(), self.layer.carrier.clone());
        let call: Call<R, S::Response> = Arc::new(move |request, ticket| {
            let (request, mark) = carrier.carry(request, ticket);
            let mut service = service.clone();
            Box::pin(async move {
                poll_fn(|cx| service.poll_ready(cx)).await.map_err(Into::into)?;
                let mut response = service.call(request).await.map_err(Into::into)?;
                C::mark(mark, &mut response);
                Ok(response)
            })
        });
        self.layer.strategy.run(request, Dispatch::new(self.layer.arms.clone(), origin, call))
    }
}
