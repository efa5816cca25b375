//! What a call is, and what it works with.

use super::{error::ApiError, input::Input, metrics::Kind, raw::RawHandler, reply::Reply};
use crate::store::Codes;
use http::Method;
use rusqlite::Connection;
use std::time::{SystemTime, UNIX_EPOCH};

/// A connection within a transaction, or one that reads.
pub(super) struct Context<'a> {
    pub(super) connection: &'a Connection,
    /// The names of what the store holds as numbers.
    pub(super) codes: &'a Codes,
}

pub(super) type Answer = Result<Reply, ApiError>;
pub(super) type Handler = fn(&Context<'_>, Input) -> Answer;
/// What is left to do of a call that was read and checked.
pub(super) type Work = Box<dyn FnOnce(&Context<'_>) -> Answer + Send>;
pub(super) type Check = fn(Input) -> Result<Work, ApiError>;

/// How a call is run.
#[derive(Clone, Copy)]
pub(super) enum Call {
    /// With a connection that reads.
    Read(Handler),
    /// In a transaction; an error undoes what it wrote.
    Write(Handler),
    /// The same, but read and checked before: what many clients call often leaves the one thread
    /// that writes nothing else to do.
    Checked(Check),
    /// By itself: its bodies stream.
    Raw(RawHandler),
}

impl Call {
    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Read(_) => Kind::Read,
            Self::Write(_) | Self::Checked(_) => Kind::Write,
            Self::Raw(_) => Kind::Stream,
        }
    }

    /// Whether it changes something.
    pub(super) fn writes(self, method: &Method) -> bool {
        match self {
            Self::Read(_) => false,
            Self::Write(_) | Self::Checked(_) => true,
            Self::Raw(_) => method != Method::GET,
        }
    }
}

/// One call: its method, its path below `/api/` and `/ajax-api/` (or, with a slash in front, from
/// the root), and what it does.
pub(super) type Route = (&'static str, &'static str, Call);

/// Milliseconds since the Unix epoch.
pub(super) fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}
