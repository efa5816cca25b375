//! Whether what a browser sends was asked for by a page of ours.
//!
//! A page somewhere else can make a browser send requests here, and by a name that it owns and
//! points here even read the answers (DNS rebinding). Such requests say so: by an origin that is
//! not ours, or by a host that is a name.

use http::{HeaderMap, header, uri::Authority};
use std::net::IpAddr;

/// Whom a request is for, by its only `Host`.
pub(crate) fn host(headers: &HeaderMap) -> Option<Authority> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().filter(|_| hosts.next().is_none())?;
    host.to_str().ok()?.parse().ok()
}

/// Whether no name server had a say in it: it is an address, or `localhost`.
pub(crate) fn is_address(host: &Authority) -> bool {
    let name = host.host().trim_matches(['[', ']']);
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

/// Whether a page of `host`, under one of these schemes, has this origin.
pub(crate) fn is_origin_of(host: &Authority, schemes: &[&str], origin: &str) -> bool {
    origin.split_once("://").is_some_and(|(scheme, name)| {
        schemes.contains(&scheme) && name.eq_ignore_ascii_case(host.as_str())
    })
}

/// Whether a request that changes something may be obeyed where nobody has to say who they are.
#[cfg(feature = "proxy")]
pub(crate) fn is_from_here(headers: &HeaderMap) -> bool {
    let Some(host) = host(headers) else { return false };
    let mut origins = headers.get_all(header::ORIGIN).iter();
    is_address(&host)
        && origins.all(|origin| {
            origin.to_str().is_ok_and(|origin| is_origin_of(&host, &["http"], origin))
        })
}
