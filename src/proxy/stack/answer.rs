//! What answers, behind one pointer: what stands inside is known only when the file is read.

use super::ProxyRequest;
use crate::{
    BoxError,
    http::ForkBody,
    proxy::{
        body::ReplyBody,
        held::{self, Held},
    },
    strategy::BoxFuture,
};
use http::{Request, Response};
use hyper::body::Incoming;
use std::{
    future::poll_fn,
    task::{Context, Poll},
};
use tower_service::Service;

type Answered = Result<Response<ReplyBody>, BoxError>;

/// A service that answers the callers' requests.
pub(super) trait Answer: Send + Sync {
    fn answer(&self, request: Request<Incoming>) -> BoxFuture<Answered>;
}

/// Answers with this service.
pub(super) fn boxed<S>(service: S) -> Box<dyn Answer>
where
    Direct<S>: Answer + 'static,
{
    Box::new(Direct(service))
}

/// Gives the service the body as it comes.
pub(super) struct Direct<S>(S);

impl<S, B> Answer for Direct<S>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + Sync,
    S: 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Into<ReplyBody> + 'static,
{
    fn answer(&self, request: Request<Incoming>) -> BoxFuture<Answered> {
        Box::pin(call(self.0.clone(), request))
    }
}

/// Reads the body first, where something decides by what it says.
pub(super) struct Reading<S> {
    pub(super) service: S,
    pub(super) limit: usize,
}

impl<S, B> Answer for Reading<S>
where
    S: Service<Request<Held>, Response = Response<B>> + Clone + Send + Sync,
    S: 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Into<ReplyBody> + 'static,
{
    fn answer(&self, request: Request<Incoming>) -> BoxFuture<Answered> {
        let (service, limit) = (self.service.clone(), self.limit);
        Box::pin(async move { call(service, held::read(request, limit).await).await })
    }
}

/// Calls a clone, which is not ready yet.
async fn call<S, R, B>(service: S, request: R) -> Answered
where
    S: Service<R, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: Into<ReplyBody>,
{
    let response = {
        // Dropped before the answer: it need not take up room beside it.
        let mut service = service;
        poll_fn(|cx| service.poll_ready(cx)).await.map_err(Into::into)?;
        service.call(request)
    };
    Ok(response.await.map_err(Into::into)?.map(Into::into))
}

/// Gives the strategy inside a body that can be forked.
#[derive(Clone)]
pub(super) struct Whole<S>(pub(super) S);

impl<S: Service<ProxyRequest>> Service<Request<Incoming>> for Whole<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Incoming>) -> S::Future {
        self.0.call(request.map(ForkBody::whole))
    }
}
