//! What there is to watch, in Prometheus' text format.
//!
//! An [`Exposition`] is one page of metrics, made anew for each who asks. [`MetricsBackend`] counts
//! branches as a recorder hands them on, off the request path; it stands beside another backend.
//! `spearmint serve` shows both, with the counters of its own, under `/metrics` of the operator's
//! listener.
//!
//! ```
//! use serde_json::json;
//! use tower_layer::Layer;
//! use tower_service::Service;
//! use tower_spearmint::{ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial, service_fn};
//! use tower_spearmint::metrics::{Exposition, MetricsBackend};
//! use tower_spearmint::record::MemoryBackend;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let metrics = MetricsBackend::new();
//! let (recorder, recording) = Recorder::pair((MemoryBackend::new(), metrics.clone()));
//! tokio::spawn(recording);
//!
//! let pool = ConfigPool::from_values([json!({ "config_id": "a" })])?;
//! let service = service_fn(|trial: Trial<u32>| async move { Ok::<_, String>(trial.request() + 1) });
//! let logged = LogLayer::new(recorder.clone()).layer(service);
//! let mut service = RoundRobinLayer::new(pool).experiment("sums").layer(logged);
//! assert_eq!(service.call(1).await?, 2);
//! recorder.drain(std::time::Duration::from_secs(1)).await?;
//!
//! let mut page = Exposition::new();
//! page.recorder("main", &recorder.stats());
//! metrics.collect(&mut page);
//! let text = page.to_string();
//! let line = r#"spearmint_branches_total{experiment="sums",config_id="a",role="primary",status="success"} 1"#;
//! assert!(text.lines().any(|found| found == line), "{text}");
//! # Ok(())
//! # }
//! ```
//!
//! # Bounds
//!
//! Each config of each experiment has lines of its own, up to [`MetricsBackend::MAX_CONFIGS`]. What comes
//! beyond is counted under the `config_id` `other`, and how much that was in
//! `spearmint_metrics_other_branches_total`.

mod backend;
mod exposition;
mod latency;
#[cfg(any(feature = "proxy", feature = "server"))]
mod process;
mod recorder;
mod series;
mod tally;

pub use backend::MetricsBackend;
pub use exposition::{Exposition, Samples};
#[cfg(feature = "server")]
pub(crate) use latency::Latency;
