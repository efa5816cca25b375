//! What a proxy owes to the headers (RFC 9110 section 7.6).

use super::target::Target;
use crate::http::SHADOW_HEADER;
use http::{HeaderMap, HeaderName, HeaderValue, header, uri::Authority};
use std::net::SocketAddr;

/// The address of the caller, in the extensions of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddr(pub SocketAddr);

/// In the extensions of a request that came over TLS.
#[derive(Debug, Clone, Copy)]
pub(super) struct Https;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Takes out what was meant for this connection only.
pub(super) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    // gRPC needs to know that trailers are welcome all the way.
    let trailers = headers
        .get(header::TE)
        .and_then(|te| te.to_str().ok())
        .is_some_and(|te| te.split(',').any(|part| part.trim().eq_ignore_ascii_case("trailers")));
    if headers.contains_key(header::CONNECTION) {
        let named: Vec<HeaderName> = headers
            .get_all(header::CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|name| name.trim().parse().ok())
            .collect();
        // What keeps a shadow from being shadowed is nobody's to take out.
        for name in named.into_iter().filter(|name| *name != SHADOW_HEADER) {
            headers.remove(name);
        }
        headers.remove(header::CONNECTION);
    }
    if headers.contains_key(header::TRANSFER_ENCODING) {
        // Of the two it is the one that counts (RFC 9112 section 6.3); the other may be a lie.
        headers.remove(header::CONTENT_LENGTH);
    }
    for name in [
        KEEP_ALIVE,
        PROXY_CONNECTION,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        header::TE,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ] {
        headers.remove(name);
    }
    if trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
}

/// Says whom the request comes from, and what host it was meant for: the one in the headers, or
/// over HTTP/2 in the address (`asked`).
pub(super) fn forwarded(
    headers: &mut HeaderMap,
    client: Option<ClientAddr>,
    asked: Option<&Authority>,
    is_https: bool,
    target: &Target,
) {
    if let Some(ClientAddr(address)) = client {
        let address = address.ip().to_canonical().to_string();
        let before = headers.get_all(X_FORWARDED_FOR).iter();
        let before = before.filter_map(|value| value.to_str().ok());
        let chain: Vec<&str> = before.chain([address.as_str()]).collect();
        if let Ok(chain) = HeaderValue::from_str(&chain.join(", ")) {
            headers.insert(X_FORWARDED_FOR, chain);
        }
    }
    let scheme = HeaderValue::from_static(if is_https { "https" } else { "http" });
    headers.entry(X_FORWARDED_PROTO).or_insert(scheme);
    if let Some(asked) = asked
        && let Ok(host) = HeaderValue::from_str(asked.as_str())
    {
        headers.insert(header::HOST, host);
    }
    if let Some(host) = headers.get(header::HOST).cloned() {
        headers.entry(X_FORWARDED_HOST).or_insert(host);
    }
    if !target.preserve_host || !headers.contains_key(header::HOST) {
        headers.insert(header::HOST, target.host.clone());
    }
}
