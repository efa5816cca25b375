//! Why a branch failed, or was never started.

use super::named;
use crate::BoxError;
use serde::Serialize;
use std::{any::Any, error::Error, fmt};

named! {
    /// The kind of a failure.
    FailureKind {
        /// The service returned an error of its own.
        Error = "error",
        /// It panicked.
        Panic = "panic",
        /// It did not end in its time.
        Timeout = "timeout",
        /// A shadow did not keep up with the request body and was dropped.
        Lagging = "lagging",
        /// No connection could be made.
        Connect = "connect",
        /// The connection was reset or closed before the response was complete.
        Reset = "reset",
        /// What came back was not the protocol.
        Protocol = "protocol",
        /// The status of the response was 500 or above.
        Status = "status",
        /// The response body broke off.
        Truncated = "truncated",
        /// A shadow's response was larger than what may be read of it.
        Oversized = "oversized",
        /// Too many callers were waiting for it already.
        Overloaded = "overloaded",
        /// The request body broke off, so that the branch never had the whole of it.
        Incomplete = "incomplete",
    }
}

named! {
    /// Why a branch was refused before it was started.
    SkipReason {
        /// The service was not ready when asked, once.
        NotReady = "not_ready",
        /// As many shadows were in flight as are allowed.
        MaxInFlight = "max_in_flight",
        /// Its circuit breaker was open: it had failed too often.
        BreakerOpen = "breaker_open",
        /// The request asked to become another protocol, which only one service can answer.
        Upgrade = "upgrade",
        /// There was no runtime to run it on.
        NoRuntime = "no_runtime",
        /// The request body was beyond the bound for rewriting it.
        RewriteLimit = "rewrite_limit",
        /// The strategy's own reason.
        Strategy = "strategy",
    }
}

/// Why a branch failed. It is also an error: a service that returns one (boxed or not) says
/// itself what kind of failure it was.
///
/// ```
/// use tower_spearmint::branch::{Failure, FailureKind};
///
/// let failure = Failure::new(FailureKind::Connect, "127.0.0.1:9002: connection refused");
/// assert_eq!(failure.to_string(), "connect: 127.0.0.1:9002: connection refused");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// The type of the error, as Rust names it; empty where there was none.
    #[serde(rename = "type")]
    pub type_name: String,
    /// What it says.
    pub message: String,
    /// The chain of causes, one a line; empty where there is none.
    pub trace: String,
}

impl Failure {
    /// A failure of that kind.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, type_name: String::new(), message: message.into(), trace: String::new() }
    }

    /// Names the type of the error.
    #[must_use]
    pub fn with_type(mut self, type_name: impl Into<String>) -> Self {
        self.type_name = type_name.into();
        self
    }

    /// Adds the chain of causes.
    #[must_use]
    pub fn with_trace(mut self, trace: impl Into<String>) -> Self {
        self.trace = trace.into();
        self
    }

    /// What an error says of itself. A `Failure` anywhere in the chain of a boxed error keeps its
    /// kind.
    pub fn of_error<E: fmt::Display + fmt::Debug + 'static>(error: &E) -> Self {
        let any: &dyn Any = error;
        if let Some(failure) = any.downcast_ref::<Self>() {
            return failure.clone();
        }
        if let Some(boxed) = any.downcast_ref::<BoxError>() {
            return Self::of_dyn(&**boxed);
        }
        Self::new(FailureKind::Error, error.to_string())
            .with_type(std::any::type_name::<E>())
            .with_trace(format!("{error:?}"))
    }

    /// As [`Failure::of_error`], for an error behind a pointer.
    pub fn of_dyn(error: &(dyn Error + 'static)) -> Self {
        let mut cause = Some(error);
        let mut trace = Vec::new();
        while let Some(error) = cause {
            if let Some(failure) = error.downcast_ref::<Self>() {
                return failure.clone();
            }
            trace.push(error.to_string());
            cause = error.source();
        }
        Self::new(FailureKind::Error, error.to_string())
            .with_type("Error")
            .with_trace(trace.join("\ncaused by: "))
    }

    /// What a panic said.
    pub fn of_panic(payload: &(dyn Any + Send)) -> Self {
        let message = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a text".to_owned());
        Self::new(FailureKind::Panic, message).with_type("panic")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl Error for Failure {}
