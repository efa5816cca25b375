//! Branches as spans of OpenTelemetry.
//!
//! [`OtlpBackend`] is a [`LoggerBackend`](crate::record::LoggerBackend) that
//! sends each branch as a span to a collector, over OTLP/HTTP in protocol buffers: to an OpenTelemetry
//! Collector, Jaeger, Tempo, MLflow, or whatever else takes `POST /v1/traces`.
//!
//! ```
//! use tower_spearmint::{Recorder, otlp::OtlpBackend, record::MemoryBackend};
//!
//! let otlp = OtlpBackend::new("http://127.0.0.1:4318")?
//!     .header("authorization", "Bearer hidden")?
//!     .service_name("ranker");
//! assert!(!format!("{otlp:?}").contains("hidden"));
//!
//! // Behind a recorder of its own, so that it never holds up the other one.
//! let stats = otlp.stats();
//! let (to_collector, sending) = Recorder::pair(otlp);
//! let (recorder, recording) = Recorder::pair((MemoryBackend::new(), to_collector));
//! // tokio::spawn(sending); tokio::spawn(recording);
//! # let _ = (sending, recording, recorder);
//! assert_eq!((stats.sent(), stats.lost()), (0, 0));
//! # Ok::<(), tower_spearmint::otlp::OtlpError>(())
//! ```
//!
//! # What a span has
//!
//! | of the branch | in the span |
//! |---|---|
//! | [`trace_id`](crate::Branch::trace_id), [`span_id`](crate::Branch::span_id) | its ids: those of the `traceparent` that its service got |
//! | outer branch, or else the caller's span | its parent |
//! | experiment and config | its name: `ranker/candidate` |
//! | start, end | start, end |
//! | `success`, `failed`, `skipped` and `cancelled` | status `Ok`, `Error`, unset; the exact one is in `spearmint.status` |
//! | failure | the status' message, attribute `error.type` (its kind), and an event `exception` with type, message and trace |
//! | experiment, strategy, role, config id, reason, epoch, branch, request, … | attributes `spearmint.…`, as the tags of a run in MLflow |
//! | bytes of the bodies | `http.request.body.size`, `http.response.body.size` |
//!
//! Configs and outputs are not sent. A branch of a trace that its caller does not record (flag
//! `sampled` of its `traceparent`) is left out, as by OpenTelemetry's own samplers.
//!
//! # When the collector is slow or away
//!
//! A request has up to 512 spans. One that got no answer, or 429, 502, 503 or 504, is sent again, with
//! pauses that grow (full jitter) or are as long as `Retry-After` (in seconds) asks for, until
//! [`give_up_after`](crate::otlp::OtlpBackend::give_up_after); so a collector that answered too late may
//! get spans twice, with the same ids. Any other refusal loses its spans at once. What was lost is
//! counted, and logged once per outage.

#[cfg(feature = "otlp")]
mod backend;
#[cfg(feature = "otlp")]
mod branch_span;
#[cfg(feature = "otlp")]
mod client;
#[cfg(feature = "otlp")]
mod counters;
#[cfg(feature = "otlp")]
mod env;
#[cfg(feature = "otlp")]
mod error;
#[cfg(feature = "otlp")]
mod export;
#[cfg(any(feature = "otlp", feature = "server"))]
pub(crate) mod number;
#[cfg(any(feature = "otlp", feature = "server"))]
pub(crate) mod protobuf;
mod status;
#[cfg(feature = "otlp")]
mod write;

pub(crate) use status::Status;
#[cfg(feature = "otlp")]
pub use {backend::OtlpBackend, counters::OtlpStats, error::OtlpError, write::SpanKind};
