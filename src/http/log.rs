//! The logging layer around an HTTP service: a branch ends with its response body.

use super::{RecordBody, metric_header, record_body::Ending};
use crate::{
    branch::{Failure, FailureKind},
    record::{
        Capture, Classifier, Log, Open, by_status, call_watched, captured, is_grpc, poll_watched,
    },
    trial::{End, Seat},
};
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use pin_project::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tower_service::Service;

impl<S, K, A, B> Service<Request<A>> for Log<S, K>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Error: fmt::Display + fmt::Debug + 'static,
    K: Capture<Response<B>> + Clone,
    B: Body,
{
    type Response = Response<RecordBody<B>>;
    type Error = S::Error;
    type Future = HttpLogFuture<S::Future, K>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        let mut open = match request.extensions_mut().get_mut::<Seat>() {
            Some(seat) => self.open(seat),
            None => self.layer.alone.as_ref().and_then(|(experiment, config)| {
                let mut seat = Seat::alone(experiment, config.clone());
                let open = self.open(&mut seat);
                request.extensions_mut().insert(seat);
                open
            }),
        };
        let is_head = request.method() == Method::HEAD;
        let inner = call_watched(&mut open, || self.inner.call(request));
        let (failures, capture) = (self.layer.failures.clone(), self.layer.capture.clone());
        HttpLogFuture { inner, open, is_head, failures, capture }
    }
}

/// The future of a recorded HTTP execution: its response goes on being watched.
#[pin_project]
pub struct HttpLogFuture<F, K> {
    #[pin]
    inner: F,
    open: Option<Open>,
    is_head: bool,
    failures: Classifier,
    capture: K,
}

impl<F, K, B, E> Future for HttpLogFuture<F, K>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: fmt::Display + fmt::Debug + 'static,
    K: Capture<Response<B>>,
    B: Body,
{
    type Output = Result<Response<RecordBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(poll_watched(this.inner, cx, this.open));
        let open = this.open.take();
        Poll::Ready(match result {
            Ok(mut response) => {
                metric_header::take(response.headers_mut(), |name, value| {
                    if let Some(open) = &open {
                        open.metric(name, value);
                    }
                });
                let ending = open.map(|open| {
                    open.first_byte();
                    match this.failures.of_head(response.status(), response.headers()) {
                        Some(failure) => Ending::new(open, End::Failed(Box::new(failure))),
                        None => Ending::new(open, End::Success(captured(this.capture, &response)))
                            .judged_by_trailers(is_grpc(response.headers()), this.failures),
                    }
                });
                let has_body = !*this.is_head && may_have_body(response.status());
                #[cfg(feature = "compare")]
                let ending = if has_body {
                    ending.map(|ending| ending.keeping(response.headers()))
                } else {
                    ending
                };
                Ok(response.map(|body| RecordBody::new(body, ending, has_body)))
            }
            Err(error) => {
                if let Some(open) = open {
                    let failure = Failure::of_error(&error);
                    // A caller that broke off its request has left. (A shadow lives on without.)
                    let has_left = failure.kind == FailureKind::Incomplete && !open.is_background();
                    open.end(if has_left { End::Cancelled } else { End::Failed(failure.into()) });
                }
                Err(error)
            }
        })
    }
}

/// What a server sends no body for, whatever the service made of it.
pub(super) fn may_have_body(status: StatusCode) -> bool {
    !status.is_informational()
        && !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// A complete response with a status of 500 or above is a failure all the same.
pub(super) fn server_error(status: StatusCode) -> Option<Failure> {
    status.is_server_error().then(|| by_status(status))
}

impl<F, K> fmt::Debug for HttpLogFuture<F, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpLogFuture").finish_non_exhaustive()
    }
}
