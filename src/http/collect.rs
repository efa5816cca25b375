//! A response with its whole body, within a bound.

use crate::{
    BoxError,
    branch::{Failure, FailureKind},
    trial::Seat,
};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll},
};
use tower_service::Service;

/// Reads each response of the inner service to its end before it hands it on.
#[derive(Debug, Clone)]
pub(super) struct Collect<S> {
    pub(super) inner: S,
    pub(super) max_bytes: usize,
}

impl<S, A, B> Service<Request<A>> for Collect<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: std::fmt::Display + std::fmt::Debug + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Bytes>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Failure>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.inner.poll_ready(cx).map_err(|error| Failure::of_error(&error))
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let reason = request.extensions().get::<Seat>().and_then(|seat| seat.reason.clone());
        let response = self.inner.call(request);
        let max_bytes = self.max_bytes;
        Box::pin(async move {
            let response = response.await.map_err(|error| Failure::of_error(&error))?;
            let (parts, body) = response.into_parts();
            let too_long = || {
                let message = format!("the response has more than {max_bytes} bytes");
                let failure = Failure::new(FailureKind::Oversized, message);
                // Said before the body is dropped: whoever sees the drop reads it.
                if let Some(reason) = &reason {
                    reason.failed(failure.clone());
                }
                failure
            };
            if body.size_hint().lower() > max_bytes as u64 {
                return Err(too_long());
            }
            let mut body = pin!(Limited::new(body, max_bytes));
            match body.as_mut().collect().await {
                Ok(body) => Ok(Response::from_parts(parts, body.to_bytes())),
                Err(error) if error.is::<LengthLimitError>() => Err(too_long()),
                Err(error) => {
                    Err(Failure { kind: FailureKind::Truncated, ..Failure::of_error(&error) })
                }
            }
        })
    }
}
