//! Every branch recorded, without delaying it.
//!
//! [`LogLayer`] stands around the service under a strategy and turns each execution into a
//! [`Branch`](crate::Branch). It hands the branch to a [`Recorder`], a bounded queue that never
//! waits; a background task ([`Recording`]) takes them out in batches and gives them to a
//! [`LoggerBackend`]: [`MemoryBackend`], [`TracingBackend`], the embedded store, MLflow, or one
//! of your own. What does not fit the queue is dropped and counted ([`Recorder::stats`]). What came
//! of comparing two branches ([`Comparison`](crate::compare::Comparison)) takes the same way, in a
//! queue of its own beside.
//!
//! ```
//! use serde_json::json;
//! use tower_layer::Layer;
//! use tower_service::Service;
//! use tower_spearmint::{ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial};
//! use tower_spearmint::record::MemoryBackend;
//! use tower_spearmint::service_fn;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let memory = MemoryBackend::new();
//! let (recorder, recording) = Recorder::pair(memory.clone());
//! tokio::spawn(recording);
//!
//! let pool = ConfigPool::from_values([json!({ "config_id": "a" }), json!({ "config_id": "b" })])?;
//! let service = service_fn(|trial: Trial<u32>| async move { Ok::<_, String>(trial.request() + 1) });
//! let logged = LogLayer::new(recorder.clone()).layer(service);
//! let mut service = RoundRobinLayer::new(pool).layer(logged);
//!
//! assert_eq!(service.call(1).await?, 2);
//! recorder.drain(std::time::Duration::from_secs(1)).await?;
//! assert_eq!(memory.branches()[0].config_id.as_str(), "a");
//! # Ok(())
//! # }
//! ```
//!
//! Keeping the output, and looking at each branch as it ends:
//!
//! ```
//! use tower_spearmint::{LogLayer, Recorder};
//! use tower_spearmint::record::TracingBackend;
//!
//! let (recorder, _recording) = Recorder::pair(TracingBackend::new());
//! let layer = LogLayer::new(recorder)
//!     .on_branch(|branch| println!("{} took {} ns", branch.config_id, branch.duration_ns))
//!     .capture(|answer: &u32| Some(serde_json::json!(answer)));
//! # let _ = layer;
//! ```
//!
//! # Endings
//!
//! A branch ends exactly once: as `success` when its response is complete (over HTTP, at the end
//! of its body), as `failed` for an error, a panic, a time-out or a body that breaks off, as
//! `cancelled` when the caller goes away, as `skipped` when the strategy never started it.

mod backend;
#[cfg(feature = "http")]
mod failures;
mod future;
mod lane;
mod layer;
mod loss;
mod memory;
mod optional;
mod pair;
mod recorder;
mod recording;
mod service;
mod shared;
mod span;
mod thread;
mod tracing_backend;

pub use backend::{BatchError, LoggerBackend, RunId};
#[cfg(feature = "http")]
pub use failures::Failures;
#[cfg(feature = "http")]
pub(crate) use failures::{Classifier, by_status, is_grpc};
pub use future::LogFuture;
pub(crate) use future::call_watched;
#[cfg(feature = "http")]
pub(crate) use future::{captured, poll_watched};
pub use layer::{Capture, LogLayer};
#[cfg(feature = "store")]
pub(crate) use loss::Tally;
pub use loss::{Loss, LossReason};
pub use memory::MemoryBackend;
pub use recorder::{ComparisonStats, NotDrained, Recorder, RecorderStats};
pub use recording::Recording;
pub use service::Log;
#[cfg(feature = "http")]
pub(crate) use service::Open;
#[cfg(not(feature = "http"))]
use service::Open;
pub use thread::RecordingThread;
pub use tracing_backend::TracingBackend;
