//! A config that answers when the chosen one cannot be reached.

use crate::support::{FedBody, Records, fed, hear, pool, records, whole_body};
use http::{Request, Response};
use http_body_util::BodyExt;
use std::sync::{Arc, Mutex};
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    BoxError, FallbackLayer,
    branch::{Failure, FailureKind},
    fallback::LentBody,
    http::{RecordBody, RoundRobinLayer, place},
    service_fn,
};

type Lent = LentBody<FedBody>;

fn fallback() -> FallbackLayer {
    FallbackLayer::new(pool(&["stable"]).get("stable").unwrap().clone())
}

/// `candidate` does this with its request; `stable` answers with the length of its body.
fn service<F>(
    candidate: F,
) -> impl Service<
    Request<Lent>,
    Response = Response<FedBody>,
    Error = BoxError,
    Future: Send,
> + Clone
+ Send
+ 'static
where
    F: AsyncFn(Lent) -> Failure + Clone + Send + Sync + 'static,
    for<'a> F::CallRefFuture<'a>: Send,
{
    service_fn(move |request: Request<Lent>| {
        let candidate = candidate.clone();
        async move {
            let id = place(request.extensions()).unwrap().config_id().to_string();
            let body = request.into_body();
            if id == "candidate" {
                return Err(candidate(body).await.into());
            }
            let heard = hear(body).await;
            let text = format!("{} {}", heard.data.len(), heard.whole);
            Ok::<_, BoxError>(Response::new(whole_body(text)))
        }
    })
}
