//! The service at the bottom: one config's upstream.

use super::{
    body::{ProxyBody, UpstreamBody, take},
    evaluate::EXPECTED_HEADER,
    headers::{ClientAddr, Https, forwarded, strip_hop_by_hop},
    rewrite::rewrite,
    target::Target,
    upgrade::{self, Wish},
    upstream::Upstream,
};
use crate::{
    BoxError,
    branch::{Failure, FailureKind, Role, SkipReason},
    evaluate::Evaluating,
    http::{KeptBody, propagate},
    strategy::BoxFuture,
    trial::Seat,
};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body_util::Full;
use serde_json::Value;
use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tower_service::Service;

/// Forwards requests to one config's upstream. Always ready: the pool opens connections as they
/// are needed.
#[derive(Clone)]
pub(super) struct Forward {
    pub(super) target: Arc<Target>,
    pub(super) upstream: Arc<Upstream>,
    pub(super) timeout: Option<Duration>,
    /// Looks at the requests, too.
    pub(super) evaluating: Option<Evaluating>,
    /// Requests say in a header what should be answered, which is not for the upstream.
    pub(super) takes_expected: bool,
}

impl<B: Into<ProxyBody>> Service<Request<B>> for Forward {
    type Response = Response<UpstreamBody>;
    type Error = BoxError;
    type Future = BoxFuture<Result<Response<UpstreamBody>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // It stays where it is until it is sent: handed from one future to the next it would take up room
        // in each. Apart from the future, so that both are of a size the allocator has at hand.
        let mut request = Box::new(request.map(Into::into));
        let seat = request.extensions_mut().remove::<Seat>();
        let this = self.clone();
        match self.address(&mut request, seat.as_ref()) {
            Ok(wish) => Box::pin(async move { this.send(&mut request, seat.as_ref(), wish).await }),
            Err(failure) => Box::pin(std::future::ready(Err(failure.into()))),
        }
    }
}

impl Forward {
    /// Makes the caller's request one to the upstream, all but the body. Returns what it asks the
    /// connection to become.
    fn address(
        &self,
        request: &mut Request<ProxyBody>,
        seat: Option<&Seat>,
    ) -> Result<Wish, Failure> {
        let target = &*self.target;
        let is_connect = request.method() == Method::CONNECT;
        let uri = if is_connect { Ok(request.uri().clone()) } else { target.uri(request.uri()) };
        let uri = uri.map_err(|error| Failure::new(FailureKind::Protocol, error.to_string()))?;
        let asked = std::mem::replace(request.uri_mut(), uri);
        *request.version_mut() = if target.http2 { Version::HTTP_2 } else { Version::HTTP_11 };
        let client = request.extensions().get::<ClientAddr>().copied();
        let is_https = request.extensions().get::<Https>().is_some();
        let headers = request.headers_mut();
        let upgrade = upgrade::take(headers, !target.http2);
        strip_hop_by_hop(headers);
        forwarded(headers, client, asked.authority(), is_https, target);
        if self.takes_expected
            && let Some(expected) = headers.remove(EXPECTED_HEADER)
            && let Some(seat) = seat
        {
            let text = String::from_utf8_lossy(expected.as_bytes());
            let expected = serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text));
            seat.place.note_expected(expected);
        }
        if is_connect && let Some(asked) = asked.authority() {
            // It is for this host, not for the upstream (RFC 9112 section 3.2).
            let host = HeaderValue::from_str(asked.as_str());
            host.map(|host| headers.insert(header::HOST, host)).ok();
            // What may stand there is 0, and means nothing.
            headers.remove(header::CONTENT_LENGTH);
        }
        if target.trace
            && let Some(seat) = seat
        {
            propagate(headers, &seat.place);
        }
        for name in &target.remove_headers {
            headers.remove(name);
        }
        for (name, value) in &target.set_headers {
            headers.insert(name, value.clone());
        }
        if target.http2 {
            // HTTP/2 has it in the address.
            headers.remove(header::HOST);
        }
        if is_connect {
            return Ok(Wish::Connect);
        }
        let wish = if upgrade.is_some() { Wish::Upgrade } else { Wish::Http };
        if let Some(protocols) = upgrade {
            upgrade::put_back(headers, protocols);
        }
        Ok(wish)
    }

    /// Sends the request, which it takes out.
    async fn send(
        &self,
        request: &mut Request<ProxyBody>,
        seat: Option<&Seat>,
        wish: Wish,
    ) -> Result<Response<UpstreamBody>, BoxError> {
        if self.target.json.is_some() {
            *request = match Box::pin(rewrite(take(request), &self.target)).await? {
                Some(request) => request,
                None => return too_large(seat, self.target.rewrite_limit),
            };
        }
        if let Some(seat) = seat {
            request.body_mut().count_for(&seat.place);
            if let Some(evaluating) = &self.evaluating {
                let kept = KeptBody::new(evaluating.capture(), request.headers());
                request.body_mut().keep_for(&seat.place, kept);
            }
        }
        let client = self.upstream.client();
        let response = client.request(request);
        let response = match self.timeout {
            None => response.await,
            Some(timeout) => tokio::time::timeout(timeout, response).await.map_err(|_| {
                Failure::new(FailureKind::Timeout, format!("no response within {timeout:?}"))
            })?,
        };
        let mut response = response?;
        let is_accepted = upgrade::check(&response, wish)?;
        let upgrade = upgrade::take(response.headers_mut(), is_accepted && wish == Wish::Upgrade);
        strip_hop_by_hop(response.headers_mut());
        if is_accepted && wish == Wish::Connect {
            // It would be about a body, and there is none.
            response.headers_mut().remove(header::CONTENT_LENGTH);
        }
        if let Some(protocol) = upgrade {
            upgrade::put_back(response.headers_mut(), protocol);
        }
        Ok(response)
    }
}

/// A shadow whose body cannot be changed is skipped; the primary says so to the caller.
fn too_large(seat: Option<&Seat>, limit: usize) -> Result<Response<UpstreamBody>, BoxError> {
    if let Some(seat) = seat
        && matches!(seat.place.role(), Role::Shadow | Role::Control)
        && let Some(reason) = &seat.reason
    {
        reason.skipped(SkipReason::RewriteLimit);
        return Err(
            Failure::new(FailureKind::Oversized, "the request body cannot be rewritten").into()
        );
    }
    let text = format!("the request body is larger than rewrite_limit ({limit} bytes)\n");
    let mut response = Response::new(UpstreamBody::from(Full::new(Bytes::from(text))));
    *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    Ok(response)
}
