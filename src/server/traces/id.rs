//! The ids of traces.

pub(super) use crate::as_trace::{of_bytes, of_request, request_of as request};

/// The longest id, in characters, as in MLflow.
pub(super) const MAX_ID: usize = 50;
