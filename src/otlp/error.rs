//! What can go wrong with a collector.

use crate::BoxError;

/// What went wrong with a collector. Never shows headers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OtlpError {
    /// The address is not one of a collector.
    #[error(
        "`{uri}` is not the address of a collector: {reason}; expected http://… or https://…, as \
         in http://127.0.0.1:4318"
    )]
    Address {
        /// The address, without its user and password.
        uri: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A header cannot be sent.
    #[error("the header `{name}` cannot be sent: {reason}")]
    Header {
        /// Its name.
        name: String,
        /// What is wrong with it, or with its value.
        reason: &'static str,
    },
    /// A variable of the environment is wrong.
    #[error("{name}: {reason}")]
    Variable {
        /// The variable.
        name: String,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// The HTTP client could not be set up.
    #[error("the HTTP client for spans cannot be set up")]
    Client(#[source] BoxError),
    /// No answer: no connection, one that broke, or none in time.
    #[error("no answer from the collector")]
    NoAnswer(#[source] BoxError),
    /// The collector answered with an error.
    #[error("the collector answered {status}: {message}")]
    Answered {
        /// The HTTP status.
        status: u16,
        /// What it says (the first 300 characters).
        message: String,
        /// After how many seconds it wants to be asked again, if it said so.
        retry_after: Option<u64>,
    },
    /// The collector took some of the spans.
    #[error("the collector refused {rejected} spans: {message}")]
    PartlyTaken {
        /// How many it refused.
        rejected: u64,
        /// What it says (the first 300 characters).
        message: String,
    },
}

impl OtlpError {
    /// Whether the same spans may well be taken later: no answer, or a status of 429, 502, 503 or
    /// 504 (<https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes>).
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NoAnswer(_) => true,
            Self::Answered { status, .. } => matches!(status, 429 | 502 | 503 | 504),
            _ => false,
        }
    }
}
