//! The pool of connections to an upstream.

use super::{body::ProxyBody, settings::UpstreamSettings};
use crate::branch::{Failure, FailureKind};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, Error, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::ClientConfig;
use std::{error::Error as _, io};

pub(super) type UpstreamClient = Client<HttpsConnector<HttpConnector>, ProxyBody>;

pub(super) fn client(settings: &UpstreamSettings, tls: &ClientConfig) -> UpstreamClient {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(settings.connect_timeout);
    let https = HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http();
    let connector = if settings.http2 {
        https.enable_http2().wrap_connector(tcp)
    } else {
        https.enable_http1().wrap_connector(tcp)
    };
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .pool_idle_timeout(settings.idle_timeout)
        .pool_max_idle_per_host(settings.max_idle)
        .http2_only(settings.http2)
        .http2_adaptive_window(settings.http2)
        // The caller's own spelling does not survive HTTP/2; its host does.
        .set_host(false);
    builder.build(connector)
}

/// What went wrong, in the words of the records.
pub(super) fn failure(error: &Error) -> Failure {
    let mut trace = vec![error.to_string()];
    let mut kind = if error.is_connect() { FailureKind::Connect } else { FailureKind::Error };
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return failure.clone();
        }
        trace.push(error.to_string());
        if kind != FailureKind::Connect {
            kind = kind_of(error).unwrap_or(kind);
        }
        cause = error.source();
    }
    let message = trace.last().cloned().unwrap_or_default();
    Failure::new(kind, message)
        .with_type("hyper_util::client::legacy::Error")
        .with_trace(trace.join("\ncaused by: "))
}

fn kind_of(error: &(dyn std::error::Error + 'static)) -> Option<FailureKind> {
    if error.is::<crate::http::CopyError>() {
        return Some(FailureKind::Incomplete);
    }
    if let Some(error) = error.downcast_ref::<hyper::Error>() {
        return if error.is_timeout() {
            Some(FailureKind::Timeout)
        } else if error.is_parse() {
            Some(FailureKind::Protocol)
        } else if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
            Some(FailureKind::Reset)
        } else if error.is_user() || error.is_body_write_aborted() {
            // The body that could not be sent is the caller's.
            Some(FailureKind::Incomplete)
        } else {
            None
        };
    }
    match error.downcast_ref::<io::Error>()?.kind() {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Some(FailureKind::Reset),
        io::ErrorKind::TimedOut => Some(FailureKind::Timeout),
        _ => None,
    }
}
