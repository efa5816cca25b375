//! What went wrong with an upstream, in the words of the records.

use crate::branch::{Failure, FailureKind};
use std::{error::Error, io};

/// `kind`: what it is unless its causes say more.
pub(super) fn failure<E: Error + 'static>(error: &E, mut kind: FailureKind) -> Failure {
    let mut trace = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return failure.clone();
        }
        trace.push(error.to_string());
        // What broke off the caller's own body is not what went wrong with the upstream.
        if !matches!(kind, FailureKind::Connect | FailureKind::Incomplete) {
            kind = kind_of(error).unwrap_or(kind);
        }
        cause = error.source();
    }
    let message = trace.last().cloned().unwrap_or_default();
    Failure::new(kind, message)
        .with_type(std::any::type_name::<E>())
        .with_trace(trace.join("\ncaused by: "))
}

/// What hyper says of an upstream that speaks before it is asked, as SSH and many databases do.
/// (It has no question for it.)
const UNASKED: &str = "received unexpected message from connection";

/// What hyper says when a connection has ended between a request and its answer. (It counts it
/// among the caller's mistakes.)
const GONE: &str = "dispatch task is gone";

fn kind_of(error: &(dyn Error + 'static)) -> Option<FailureKind> {
    if error.is::<crate::http::CopyError>() {
        return Some(FailureKind::Incomplete);
    }
    if let Some(error) = error.downcast_ref::<hyper::Error>() {
        return if error.is_timeout() {
            Some(FailureKind::Timeout)
        } else if error.is_parse() || error.to_string() == UNASKED {
            Some(FailureKind::Protocol)
        } else if error.is_incomplete_message()
            || error.is_closed()
            || error.is_canceled()
            || error.to_string() == GONE
        {
            Some(FailureKind::Reset)
        } else if error.is_user() || error.is_body_write_aborted() {
            // The body that could not be sent is the caller's.
            Some(FailureKind::Incomplete)
        } else {
            None
        };
    }
    if let Some(error) = error.downcast_ref::<h2::Error>() {
        return if error.is_library() {
            // It noticed what the upstream did wrong.
            Some(FailureKind::Protocol)
        } else if error.is_remote() {
            Some(FailureKind::Reset)
        } else if error.is_reset() {
            // We did it: the body that could not be sent is the caller's.
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
