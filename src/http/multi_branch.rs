//! All configs at once around an HTTP service, combined into one response.

use super::{
    Combine, CombinedBody, ForkBody, Forked, collect::Collect, combine, log::server_error,
};
use crate::{
    BoxError,
    assign::Epoch,
    branch::Branches,
    config::ConfigPool,
    multi_branch::{BranchStream, GenericMultiBranchLayer, MultiBranchStream},
    strategy::BoxFuture,
};
use bytes::Bytes;
use futures_util::StreamExt;
use http::{Request, Response, StatusCode, header};
use http_body::Body;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tower_layer::Layer;
use tower_service::Service;

/// All configs at once, combined into one HTTP response; see
/// [`multi_branch`](crate::multi_branch) and [`Combine`].
///
/// ```
/// # use serde_json::json;
/// # use tower_spearmint::ConfigPool;
/// use tower_spearmint::http::{Combine, MultiBranchLayer};
/// # let pool = ConfigPool::from_values([json!({ "config_id": "a" }), json!({ "config_id": "b" })])?;
///
/// let layer = MultiBranchLayer::new(pool).combine(Combine::FirstSuccess);
/// # let _ = layer;
/// # Ok::<(), tower_spearmint::config::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MultiBranchLayer {
    layer: GenericMultiBranchLayer<Forked>,
    combine: Combine,
    max_response_bytes: usize,
}

impl MultiBranchLayer {
    /// Every request runs with every config of the pool; the response is a JSON array.
    pub fn new(pool: ConfigPool) -> Self {
        let layer = GenericMultiBranchLayer::new(pool);
        Self { layer, combine: Combine::Json, max_response_bytes: 8 << 20 }
    }

    /// Names the experiment (`default` until then).
    #[must_use]
    pub fn experiment(self, name: &str) -> Self {
        Self { layer: self.layer.experiment(name), ..self }
    }

    /// Counts the epochs on from this one: that of the layer which this one replaces.
    #[must_use]
    pub fn following(self, previous: Epoch) -> Self {
        Self { layer: self.layer.following(previous), ..self }
    }

    /// The version of what decides who gets what: here, which configs there are.
    pub fn epoch(&self) -> Epoch {
        self.layer.epoch()
    }

    /// How the branches become one response.
    #[must_use]
    pub fn combine(self, combine: Combine) -> Self {
        Self { combine, ..self }
    }

    /// How many branches of one request run at once (at least 1); all of them until then. For
    /// those that wait, up to 24 MiB of the request body wait, too; with a larger one they fail
    /// (`lagging`).
    #[must_use]
    pub fn max_concurrent(self, count: usize) -> Self {
        Self { layer: self.layer.max_concurrent(count), ..self }
    }

    /// How long each branch may take; as long as it likes until then.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { layer: self.layer.timeout(timeout), ..self }
    }

    /// How many bytes of each response are kept to be combined; 8 MiB until then. A branch with
    /// more fails (`oversized`). [`Combine::FirstSuccess`] keeps nothing and has no such bound.
    #[must_use]
    pub fn max_response_bytes(self, bytes: usize) -> Self {
        Self { max_response_bytes: bytes, ..self }
    }
}

impl<S: Clone> Layer<S> for MultiBranchLayer {
    type Service = MultiBranch<S>;

    fn layer(&self, inner: S) -> MultiBranch<S> {
        let max_bytes = self.max_response_bytes;
        MultiBranch {
            first: self.layer.clone().streaming().layer(inner.clone()),
            all: self.layer.clone().streaming().layer(Collect { inner, max_bytes }),
            combine: self.combine.clone(),
        }
    }
}

/// All configs at once, combined into one HTTP response; see [`MultiBranchLayer`]. Readiness is
/// as for [`multi_branch::MultiBranch`](crate::multi_branch::MultiBranch).
#[derive(Debug, Clone)]
pub struct MultiBranch<S> {
    first: MultiBranchStream<S, Forked>,
    all: MultiBranchStream<Collect<S>, Forked>,
    combine: Combine,
}

impl<S, A, B> Service<Request<A>> for MultiBranch<S>
where
    A: Body<Data = Bytes> + Send + 'static,
    A::Error: Into<BoxError>,
    S: Service<Request<ForkBody<A>>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: fmt::Display + fmt::Debug + Send + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<CombinedBody<B>>;
    type Error = S::Error;
    type Future = CombineFuture<B, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        match self.combine {
            Combine::FirstSuccess => self.first.poll_ready(cx),
            // The same inner service; it is asked without the wrapper, to keep its own error.
            _ => self.all.get_mut().inner.poll_ready(cx),
        }
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        if matches!(self.combine, Combine::FirstSuccess) {
            let branches = self.first.call(request).into_inner();
            return CombineFuture::new(async move { Ok(first_success(branches?).await) });
        }
        let combine = self.combine.clone();
        let branches = self.all.call(request).into_inner();
        CombineFuture::new(async move {
            // The error of a service that was not ready; this one was.
            let Ok(branches) = branches else { return Ok(bad_gateway()) };
            Ok(match combine {
                Combine::Ndjson => streamed(combine::NDJSON, CombinedBody::lines(branches)),
                Combine::Sse => streamed(combine::SSE, CombinedBody::events(branches)),
                Combine::With(f) => f(all(branches).await).map(CombinedBody::bytes),
                Combine::Json | Combine::FirstSuccess => {
                    combine::json_array(&all(branches).await).map(CombinedBody::bytes)
                }
            })
        })
    }
}

async fn all(mut stream: BranchStream<Response<Bytes>>) -> Branches<Response<Bytes>> {
    let mut branches: Vec<_> = (0..stream.remaining()).map(|_| None).collect();
    while let Some((at, branch)) = std::future::poll_fn(|cx| stream.poll_placed(cx)).await {
        branches[at] = Some(branch);
    }
    Branches::new(branches.into_iter().flatten().collect())
}

/// The first response below 400 as it is, and with it the end of the other branches.
async fn first_success<B>(mut branches: BranchStream<Response<B>>) -> Response<CombinedBody<B>> {
    let mut second_best: Option<Response<B>> = None;
    while let Some(branch) = branches.next().await {
        let Some(response) = branch.output else { continue };
        if response.status().as_u16() < 400 {
            let pump = branches.into_pump();
            return response.map(|body| CombinedBody::own(body, pump));
        }
        // An answer of the service is better than one of ours; a refusal better than a failure.
        let better = second_best.as_ref().is_none_or(|kept| {
            server_error(kept.status()).is_some() && server_error(response.status()).is_none()
        });
        if better {
            second_best = Some(response);
        }
    }
    let pump = branches.into_pump();
    second_best
        .map_or_else(bad_gateway, |response| response.map(|body| CombinedBody::own(body, pump)))
}

fn streamed<B>(media: http::HeaderValue, body: CombinedBody<B>) -> Response<CombinedBody<B>> {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, http::HeaderValue::from_static("no-cache"));
    response
}

fn bad_gateway<B>() -> Response<CombinedBody<B>> {
    let mut response =
        Response::new(CombinedBody::bytes(Bytes::from_static(b"no branch answered\n")));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}

/// The future of a combined response.
pub struct CombineFuture<B, E> {
    inner: BoxFuture<Result<Response<CombinedBody<B>>, E>>,
}

impl<B, E> CombineFuture<B, E> {
    fn new(
        future: impl Future<Output = Result<Response<CombinedBody<B>>, E>> + Send + 'static,
    ) -> Self {
        Self { inner: Box::pin(future) }
    }
}

impl<B, E> Future for CombineFuture<B, E> {
    type Output = Result<Response<CombinedBody<B>>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.inner.as_mut().poll(cx)
    }
}

impl<B, E> fmt::Debug for CombineFuture<B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CombineFuture").finish_non_exhaustive()
    }
}
