//! The layer for a client's requests.

use super::propagate;
use crate::http::place;
use http::Request;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Says to the service further down where a request stands; see [the module](super).
#[derive(Debug, Clone, Copy, Default)]
pub struct PropagateLayer(());

impl PropagateLayer {
    /// For requests under a strategy; others pass unchanged.
    pub const fn new() -> Self {
        Self(())
    }
}

impl<S> Layer<S> for PropagateLayer {
    type Service = Propagate<S>;

    fn layer(&self, inner: S) -> Propagate<S> {
        Propagate { inner }
    }
}

/// See [`PropagateLayer`].
#[derive(Debug, Clone, Copy)]
pub struct Propagate<S> {
    inner: S,
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for Propagate<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        if let Some(place) = place(request.extensions()).cloned() {
            propagate(request.headers_mut(), &place);
        }
        self.inner.call(request)
    }
}
