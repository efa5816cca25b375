//! What bodies are.

use http::{HeaderMap, header};

/// What a body is, by its media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Kind {
    Json,
    Ndjson,
    Events,
    Other,
}

impl Kind {
    pub(in crate::http) fn of(headers: &HeaderMap) -> Self {
        let Some(media_type) = headers.get(header::CONTENT_TYPE) else { return Self::Other };
        let media_type = media_type.as_bytes().split(|byte| *byte == b';').next().unwrap_or(b"");
        let media_type = media_type.trim_ascii();
        let is = |known: &[u8]| media_type.eq_ignore_ascii_case(known);
        let suffix = media_type.len().checked_sub(5).map(|at| &media_type[at..]);
        if is(b"application/json")
            || is(b"text/json")
            || suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case(b"+json"))
        {
            Self::Json
        } else if is(b"application/x-ndjson")
            || is(b"application/ndjson")
            || is(b"application/jsonl")
        {
            Self::Ndjson
        } else if is(b"text/event-stream") {
            Self::Events
        } else {
            Self::Other
        }
    }
}
