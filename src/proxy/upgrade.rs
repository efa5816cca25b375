//! Upgrades (RFC 9110 section 7.8): a WebSocket, or any other protocol that is not HTTP's own; and
//! CONNECT (section 9.3.6).
//!
//! The request goes to one upstream, never to a shadow. If that says 101, or to a CONNECT 2xx,
//! caller and upstream are connected, bytes both ways, until both have closed; any other answer is
//! an answer like all others. The branch ends with the head of the answer: what follows is not
//! HTTP, and its length says nothing about the upstream.
//!
//! What a CONNECT names is the upstream's to reach or not: no connection to it is opened here. An
//! answer that refuses one ends the caller's connection, whoever sent what in the meantime (RFC 9931
//! section 8).
//!
//! An offer to go on in another version of HTTP, or in TLS, is passed over: it would carry requests
//! past the experiment.

use super::{body::ReplyBody, framer::Phase, respond::gateway_error};
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

/// What a request asks its connection to become.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Wish {
    #[default]
    Http,
    Upgrade,
    Connect,
}

/// What a request asks for.
#[derive(Debug, Default)]
pub(super) struct Requested {
    wish: Wish,
    /// Whether the [`Framer`](super::framer::Framer) waits for the answer.
    is_awaited: bool,
    caller: Option<OnUpgrade>,
}

/// Leaves in the request what may be tunnelled, and nothing else. A CONNECT has been let through by
/// [`refused`](super::refuse::refused).
pub(super) fn requested<B>(request: &mut Request<B>, is_allowed: bool) -> Requested {
    if request.method() == Method::CONNECT {
        request.headers_mut().remove(header::UPGRADE);
        let caller = Some(hyper::upgrade::on(request));
        return Requested { wish: Wish::Connect, is_awaited: true, caller };
    }
    if !request.headers().contains_key(header::UPGRADE) {
        return Requested::default();
    }
    let is_meant =
        is_allowed && request.version() == Version::HTTP_11 && is_named(request.headers());
    let values = request.headers().get_all(header::UPGRADE).iter();
    let left: Vec<_> = values.flat_map(|value| tunnelled(value.as_bytes())).collect();
    let is_awaited = !left.is_empty();
    let left = HeaderValue::from_bytes(&left.join(b", ".as_slice())).ok();
    request.headers_mut().remove(header::UPGRADE);
    let caller = left.filter(|_| is_meant && is_awaited).map(|left| {
        request.headers_mut().insert(header::UPGRADE, left);
        hyper::upgrade::on(request)
    });
    let wish = if caller.is_some() { Wish::Upgrade } else { Wish::Http };
    Requested { wish, is_awaited, caller }
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

/// Whether `response` makes a tunnel; if nobody asked for one, 101 is no answer.
pub(super) fn check<B>(response: &Response<B>, wish: Wish) -> Result<bool, BoxError> {
    let wrong = match (response.status(), wish) {
        (StatusCode::SWITCHING_PROTOCOLS, Wish::Upgrade) => return Ok(true),
        (StatusCode::SWITCHING_PROTOCOLS, _) => "101 without having been asked",
        // The parser in front of the upstream takes it for the end of the exchange.
        (StatusCode::NO_CONTENT, Wish::Connect) => "204 to a CONNECT, which makes no tunnel here",
        (status, Wish::Connect) => return Ok(status.is_success()),
        _ => return Ok(false),
    };
    Err(Failure::new(FailureKind::Protocol, wrong).into())
}

impl Requested {
    /// Connects caller and upstream if `response` says so. Returns what runs until both have
    /// closed.
    pub(super) fn accepted(
        self,
        response: &mut Response<ReplyBody>,
        phase: &Phase,
    ) -> Option<impl Future<Output = ()> + Send + use<>> {
        let is_accepted = check(response, self.wish).unwrap_or_else(|error| {
            *response = gateway_error(&error);
            false
        });
        if !is_accepted {
            // After a CONNECT always: the caller may have sent more before it saw the answer.
            if self.wish == Wish::Connect || (self.is_awaited && !phase.stays_http()) {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            return None;
        }
        let upstream = hyper::upgrade::on(response);
        phase.tunnel();
        self.caller.map(|caller| tunnel(caller, upstream))
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
