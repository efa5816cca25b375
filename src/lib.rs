//! A/B, shadow and multi-branch runs on real traffic, as Tower layers.
//!
//! A *strategy* is a layer that decides which configs run for a request, when, and what comes back:
//! [`SingleLayer`] one, [`RoundRobinLayer`] one in turn (or by weight, or by unit),
//! [`ShadowLayer`] the primary with the others in the background, [`MultiBranchLayer`] all of
//! them, [`StrategyLayer`] whatever yours decides. The service inside sees a [`Trial`]: the
//! request and its [`Config`]. Around HTTP services the layers of the same names in
//! [`http`] let an unmodified handler stand inside.
//!
//! A [`LogLayer`] under the strategy turns every execution into a [`Branch`] and hands it to a
//! [`Recorder`], which never waits; behind it stand the embedded [`store`], [`mlflow`],
//! `tracing`, memory, or a backend of your own ([`record`]).
//!
//! ```
//! use serde_json::json;
//! use std::time::Duration;
//! use tower_layer::Layer;
//! use tower_service::Service;
//! use tower_spearmint::{
//!     BoxError, ConfigPool, LogLayer, Recorder, ShadowLayer, Trial, record::MemoryBackend, service_fn,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let pool = ConfigPool::from_values([
//!     json!({ "config_id": "stable", "greeting": "Hello" }),
//!     json!({ "config_id": "candidate", "greeting": "Hi" }),
//! ])?;
//! let memory = MemoryBackend::new();
//! let (recorder, recording) = Recorder::pair(memory.clone());
//! tokio::spawn(recording);
//!
//! let greet = service_fn(|trial: Trial<&'static str>| async move {
//!     let greeting: String = trial.config().get("greeting")?;
//!     Ok::<_, BoxError>(format!("{greeting}, {}!", trial.request()))
//! });
//! let shadow = ShadowLayer::new(pool.primary("stable")?);
//! let mut service = shadow.layer(LogLayer::new(recorder.clone()).layer(greet));
//!
//! assert_eq!(service.call("Ann").await?, "Hello, Ann!");
//! shadow.drain(Duration::from_secs(1)).await;
//! recorder.drain(Duration::from_secs(1)).await?;
//! assert_eq!(memory.branches().len(), 2);
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! None is on by default. `yaml`, `toml`: configs from files of these (JSON needs none). `schema`: configs checked against a JSON Schema.
//! `watch`: following them. `http`: the strategies around HTTP services.
//! `compare`: what two HTTP answers differ in, and what stands in them. `regex`: patterns that judge answers. `axum`: the extractor. `store`: the embedded store. `mlflow`: recording to MLflow, and with `store` sending to it. `proxy`:
//! `spearmint serve` as a library. `cli`: the binary. `open-feature`: an OpenFeature provider. `full`: all of them.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

#[cfg(any(feature = "mlflow", feature = "otlp", feature = "server"))]
#[cfg_attr(
    not(any(feature = "mlflow", feature = "server")),
    allow(dead_code, unused_imports, reason = "a span has less of a branch than a run")
)]
mod as_run;
#[cfg(any(all(feature = "mlflow", feature = "store"), feature = "server"))]
mod as_trace;
pub mod assign;
pub mod branch;
#[cfg(feature = "http")]
mod capture;
pub mod carrier;
mod caught;
mod clock;
pub mod compare;
pub mod config;
pub mod evaluate;
pub mod fallback;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "watch")]
pub mod live;
pub mod metrics;
#[cfg(feature = "mlflow")]
pub mod mlflow;
#[cfg(all(feature = "mlflow", feature = "store"))]
pub mod mlflow_sync;
pub mod multi_branch;
mod named;
#[cfg(feature = "open-feature")]
pub mod open_feature;
#[cfg(feature = "otlp")]
pub mod otlp;
#[cfg(all(
    not(feature = "otlp"),
    any(all(feature = "mlflow", feature = "store"), feature = "server")
))]
mod otlp;
#[cfg(any(feature = "mlflow", feature = "otlp"))]
mod outbound;
#[cfg(feature = "proxy")]
pub mod proxy;
pub mod record;
#[cfg(feature = "report")]
pub mod report;
pub mod round_robin;
#[cfg(any(feature = "proxy", feature = "server"))]
mod same_site;
#[cfg(feature = "server")]
pub mod server;
mod service_fn;
pub mod shadow;
pub mod single;
#[cfg(feature = "stats")]
pub mod stats;
#[cfg(feature = "store")]
pub mod store;
pub mod strategy;
mod sync;
#[cfg(any(feature = "proxy", feature = "server"))]
mod tls;
pub mod trial;
pub mod variants;

pub use branch::{Branch, Branches};
pub use config::{Config, ConfigId, ConfigPool};
pub use fallback::FallbackLayer;
pub use multi_branch::MultiBranchLayer;
pub use record::{LogLayer, Recorder};
pub use round_robin::RoundRobinLayer;
pub use service_fn::{Blocking, ServiceFn, blocking, service_fn};
pub use shadow::ShadowLayer;
pub use single::SingleLayer;
pub use strategy::{Strategy, StrategyLayer, StrategyRegistry};
pub use trial::{Place, Trial};
pub use variants::Variants;

/// Any error, boxed: Tower's convention.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The README's example compiles.
#[cfg(all(doctest, feature = "axum", feature = "store", feature = "yaml"))]
#[doc = include_str!("../README.md")]
struct Readme;
