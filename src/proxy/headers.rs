//! What a proxy owes to the headers (RFC 9110 section 7.6).

use super::target::Target;
use crate::http::SHADOW_HEADER;
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{self, InvalidHeaderValue},
    uri::Authority,
};
use std::net::{IpAddr, SocketAddr};

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

/// What is for one connection only, whoever names it or not. (As a constant it would be made anew
/// for every header it is compared with.)
static HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    KEEP_ALIVE,
    PROXY_CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Takes out what was meant for this connection only.
pub(super) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    // Most messages have none, or just say whether the connection stays: one look is cheaper than
    // eight searches.
    let mut found = headers.keys().filter(|name| HOP_BY_HOP.contains(name));
    match (found.next(), found.next()) {
        (None, _) => return,
        (Some(name), None) if *name == header::CONNECTION && names_no_header(headers) => {
            headers.remove(header::CONNECTION);
            return;
        }
        _ => {}
    }
    // gRPC needs to know that trailers are welcome all the way.
    let trailers = headers
        .get(header::TE)
        .and_then(|te| te.to_str().ok())
        .is_some_and(|te| te.split(',').any(|part| part.trim().eq_ignore_ascii_case("trailers")));
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
    if headers.contains_key(header::TRANSFER_ENCODING) {
        // Of the two it is the one that counts (RFC 9112 section 6.3); the other may be a lie.
        headers.remove(header::CONTENT_LENGTH);
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
    if trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
}

/// Whether `connection` only says that the connection stays, or does not.
fn names_no_header(headers: &HeaderMap) -> bool {
    headers.get_all(header::CONNECTION).iter().all(|value| {
        ["keep-alive", "close"]
            .iter()
            .any(|word| value.as_bytes().eq_ignore_ascii_case(word.as_bytes()))
    })
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
        let address = address.ip().to_canonical();
        let chain = if headers.contains_key(X_FORWARDED_FOR) {
            let address = address.to_string();
            let before = headers.get_all(X_FORWARDED_FOR).iter();
            let before = before.filter_map(|value| value.to_str().ok());
            let chain: Vec<&str> = before.chain([address.as_str()]).collect();
            HeaderValue::from_str(&chain.join(", "))
        } else {
            address_value(address)
        };
        if let Ok(chain) = chain {
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

/// The text of an address. (Formatting one of version 4 takes ten times as long as writing its
/// digits, and every request has one.)
fn address_value(address: IpAddr) -> Result<HeaderValue, InvalidHeaderValue> {
    let IpAddr::V4(address) = address else {
        return HeaderValue::from_str(&address.to_string());
    };
    let (mut text, mut len) = ([0; 15], 0);
    let mut push = |byte: u8| {
        text[len] = byte;
        len += 1;
    };
    for (at, octet) in address.octets().into_iter().enumerate() {
        if at > 0 {
            push(b'.');
        }
        if octet >= 100 {
            push(b'0' + octet / 100);
        }
        if octet >= 10 {
            push(b'0' + octet / 10 % 10);
        }
        push(b'0' + octet % 10);
    }
    HeaderValue::from_bytes(&text[..len])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_address_is_written_as_everywhere(address: [u8; 4]) {
            let address = IpAddr::from(address);
            prop_assert_eq!(address_value(address).unwrap(), address.to_string());
        }
    }

    fn stripped(headers: &[(&'static str, &'static str)]) -> Vec<String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        strip_hop_by_hop(&mut map);
        let mut left: Vec<_> = map
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        left.sort();
        left
    }

    #[test]
    fn what_is_for_one_connection_goes_no_further() {
        let kept = ("accept", "*/*");
        assert_eq!(stripped(&[kept]), ["accept: */*"]);
        for value in ["keep-alive", "Close", "x-mine", "keep-alive, X-Mine", "accept-not, x-mine"] {
            let rest = stripped(&[("connection", value), kept, ("x-mine", "1")]);
            let names_it = value.to_ascii_lowercase().contains("x-mine");
            let expected: &[&str] =
                if names_it { &["accept: */*"] } else { &["accept: */*", "x-mine: 1"] };
            assert_eq!(rest, expected, "{value}");
        }
        let two = [("connection", "close"), ("connection", "x-mine"), ("x-mine", "1"), kept];
        assert_eq!(stripped(&two), ["accept: */*"]);
        let other =
            [("upgrade", "h2c"), ("keep-alive", "timeout=5"), ("te", "gzip, Trailers"), kept];
        assert_eq!(stripped(&other), ["accept: */*", "te: trailers"]);
        let both = [("transfer-encoding", "chunked"), ("content-length", "3"), kept];
        assert_eq!(stripped(&both), ["accept: */*"]);
    }
}
