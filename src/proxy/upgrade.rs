//! Upgrades (RFC 9110 section 7.8): a WebSocket, or any other protocol that is not HTTP's own.
//!
//! The request goes to one upstream, never to a shadow. If that says 101, caller and upstream are
//! connected, bytes both ways, until both have closed; any other answer is an answer like all
//! others. The branch ends with the 101: what follows is not HTTP, and its length says nothing
//! about the upstream.
//!
//! An offer to go on in another version of HTTP, or in TLS, is passed over: it would carry requests
//! past the experiment.

use super::framer::Phase;
use crate::{
    BoxError,
    branch::{Failure, FailureKind},
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

/// Whether the value of an `upgrade` header offers a protocol that may be tunnelled.
pub(super) fn offers_other(value: &[u8]) -> bool {
    tunnelled(value).next().is_some()
}

fn tunnelled(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|protocol| {
        let name = protocol.split(|byte| *byte == b'/').next().unwrap_or_default();
        !name.is_empty()
            && [b"h2c".as_slice(), b"h2", b"h3", b"http", b"tls"]
                .iter()
                .all(|own| !name.eq_ignore_ascii_case(own))
    })
}

/// What a request asks for.
#[derive(Debug, Default)]
pub(super) struct Requested {
    /// Whether the [`Framer`](super::framer::Framer) waits for the answer.
    is_awaited: bool,
    caller: Option<OnUpgrade>,
}

/// Leaves in the request what may be tunnelled, and nothing else.
pub(super) fn requested<B>(request: &mut Request<B>, is_allowed: bool) -> Requested {
    if !request.headers().contains_key(header::UPGRADE) {
        return Requested::default();
    }
    let is_meant = is_allowed
        && request.version() == Version::HTTP_11
        && request.method() != Method::CONNECT
        && is_named(request.headers());
    let values = request.headers().get_all(header::UPGRADE).iter();
    let left: Vec<_> = values.flat_map(|value| tunnelled(value.as_bytes())).collect();
    let is_awaited = !left.is_empty();
    let left = HeaderValue::from_bytes(&left.join(b", ".as_slice())).ok();
    request.headers_mut().remove(header::UPGRADE);
    let caller = left.filter(|_| is_meant && is_awaited).map(|left| {
        request.headers_mut().insert(header::UPGRADE, left);
        hyper::upgrade::on(request)
    });
    Requested { is_awaited, caller }
}

/// Whether `connection` names the upgrade, as it must.
fn is_named(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::CONNECTION).iter();
    values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .any(|name| name.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
}

/// The protocols a request asks for: to be put back once the headers of this hop are gone.
pub(super) fn take(headers: &mut HeaderMap, is_possible: bool) -> Option<HeaderValue> {
    let protocols = headers.remove(header::UPGRADE)?;
    is_possible.then_some(protocols)
}

/// The other half of [`take`].
pub(super) fn put_back(headers: &mut HeaderMap, protocols: HeaderValue) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, protocols);
}

/// Whether `response` accepts an upgrade; if nobody asked for one, it is no answer.
pub(super) fn check<B>(response: &Response<B>, was_asked: bool) -> Result<bool, BoxError> {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Ok(false);
    }
    if was_asked {
        return Ok(true);
    }
    Err(Failure::new(FailureKind::Protocol, "101 without having been asked").into())
}

impl Requested {
    /// Connects caller and upstream if `response` says so. Returns what runs until both have
    /// closed.
    pub(super) fn accepted<B>(
        self,
        response: &mut Response<B>,
        phase: &Phase,
    ) -> Result<Option<impl Future<Output = ()> + Send + use<B>>, BoxError> {
        if !check(response, self.caller.is_some())? {
            if self.is_awaited && !phase.stays_http() {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            return Ok(None);
        }
        let upstream = hyper::upgrade::on(response);
        phase.tunnel();
        Ok(self.caller.map(|caller| tunnel(caller, upstream)))
    }
}

async fn tunnel(caller: OnUpgrade, upstream: OnUpgrade) {
    let result = match futures_util::future::try_join(caller, upstream).await {
        Ok((caller, upstream)) => {
            let (mut caller, mut upstream) = (TokioIo::new(caller), TokioIo::new(upstream));
            copy_bidirectional(&mut caller, &mut upstream).await.map_err(BoxError::from)
        }
        Err(error) => Err(error.into()),
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a tunnel broke off");
    }
}
