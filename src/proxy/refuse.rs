//! Requests that are not for any upstream, and no branch.
//!
//! What can be read in more than one way is refused before it is a request (see
//! [`Framer`](super::framer::Framer)); here it is about whom a request is for.

use super::{body::ReplyBody, respond::text};
use http::{
    HeaderValue, Method, Request, Response, StatusCode, Version, header,
    uri::{Authority, Uri},
};

/// What is wrong with the head of a request. A connection of HTTP/1 that brought it is closed:
/// nobody knows what comes next.
pub(super) fn refused<B>(
    request: &Request<B>,
    max_headers: usize,
    may_connect: bool,
) -> Option<Response<ReplyBody>> {
    let is_connect = request.method() == Method::CONNECT;
    let (status, why) = if is_connect && request.version() != Version::HTTP_11 {
        (StatusCode::METHOD_NOT_ALLOWED, "CONNECT is passed on over HTTP/1.1 only\n")
    } else if is_connect && !may_connect {
        (StatusCode::METHOD_NOT_ALLOWED, "CONNECT is not passed on (upstreams.connect)\n")
    } else if request.headers().len() > max_headers {
        (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "too many headers\n")
    } else {
        let wrong_target =
            (is_connect && !is_host_and_port(request.uri())).then_some("not a host and a port\n");
        let wrong = wrong_target.or_else(|| wrong_host(request)).or_else(|| wrong_length(request));
        (StatusCode::BAD_REQUEST, wrong?)
    };
    let mut response = text(status, why);
    if request.version() < Version::HTTP_2 {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    Some(response)
}

/// A request has one host: in its `host` header, in its address, or the same in both (RFC 9112
/// section 3.2, RFC 9113 section 8.3.1).
fn wrong_host<B>(request: &Request<B>) -> Option<&'static str> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (host, asked) = (hosts.next(), request.uri().authority());
    if hosts.next().is_some() {
        return Some("more than one host\n");
    }
    if asked.is_some_and(|asked| asked.as_str().contains('@')) {
        return Some("not a host\n");
    }
    match (host, asked) {
        (None, None) if request.version() >= Version::HTTP_11 => Some("no host\n"),
        (None, _) => None,
        (Some(host), None) => (!is_host(host.as_bytes())).then_some("not a host\n"),
        (Some(host), Some(asked)) => {
            (!is_same(host, asked, request.uri())).then_some("two different hosts\n")
        }
    }
}

/// Over HTTP/2 a length is no more than a claim, which an upstream over HTTP/1 would believe.
fn wrong_length<B>(request: &Request<B>) -> Option<&'static str> {
    let mut lengths = request.headers().get_all(header::CONTENT_LENGTH).iter();
    let is_plain = lengths.next().is_none_or(|length| {
        !length.is_empty() && length.as_bytes().iter().all(u8::is_ascii_digit)
    });
    (!is_plain || lengths.next().is_some()).then_some("not a length\n")
}

/// Host and port: no user, no path, nothing that somebody may split at. It may be empty.
fn is_host(host: &[u8]) -> bool {
    host.is_empty()
        || (!host.contains(&b'@')
            && std::str::from_utf8(host).is_ok_and(|host| host.parse::<Authority>().is_ok()))
}

/// What a CONNECT is for (RFC 9110 section 9.3.6), and no more than that.
fn is_host_and_port(uri: &Uri) -> bool {
    let Some((host, port)) = uri.authority().and_then(|asked| asked.as_str().rsplit_once(':'))
    else {
        return false;
    };
    uri.scheme().is_none()
        && uri.path_and_query().is_none()
        && !host.is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok_and(|port| port > 0)
}

fn is_same(host: &HeaderValue, asked: &Authority, uri: &Uri) -> bool {
    let default_port = if uri.scheme_str() == Some("https") { ":443" } else { ":80" };
    let plain = |text: &str| text.strip_suffix(default_port).unwrap_or(text).to_ascii_lowercase();
    host.to_str().is_ok_and(|host| plain(host) == plain(asked.as_str()))
}
