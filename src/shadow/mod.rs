//! The primary answers; the others run in the background.
//!
//! Every request is answered by the primary, as if the layer were not there. The other configs
//! (all of them, or a sample of the requests) run beside it on Tokio, with bounds of their own;
//! their outcome is recorded and can be read back, and nothing they do reaches the caller.
//!
//! ```
//! use serde_json::json;
//! use std::time::Duration;
//! use tower_layer::Layer;
//! use tower_service::Service;
//! use tower_spearmint::{ConfigPool, ShadowLayer, Trial, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = ConfigPool::from_values([
//!     json!({ "config_id": "stable", "factor": 2 }),
//!     json!({ "config_id": "candidate", "factor": 3 }),
//! ])?;
//! let shadow = ShadowLayer::new(pool.primary("stable")?);
//! let mut service = shadow.layer(service_fn(|trial: Trial<i64>| async move {
//!     Ok::<_, String>(trial.request() * trial.config().get::<i64>("factor").unwrap())
//! }));
//!
//! assert_eq!(service.call(10).await?, 20);
//! shadow.drain(Duration::from_secs(1)).await;
//! let results = shadow.shadow_results::<i64>();
//! assert_eq!(results[0].config_id.as_str(), "candidate");
//! assert_eq!(results[0].output, Some(30));
//! # Ok(())
//! # }
//! ```
//!
//! With bounds, and one config sampled less than the others:
//!
//! ```
//! # use serde_json::json;
//! # use std::time::Duration;
//! # use tower_spearmint::{ConfigPool, ShadowLayer};
//! use tower_spearmint::shadow::{OnCancel, ShadowSettings};
//! # let pool = ConfigPool::from_values([
//! #     json!({ "config_id": "stable" }), json!({ "config_id": "candidate" }), json!({ "config_id": "costly" }),
//! # ])?;
//! let shadow = ShadowLayer::new(pool.primary("stable")?)
//!     .experiment("ranker")
//!     .sample(0.2)
//!     .timeout(Duration::from_secs(2))
//!     .max_in_flight(64)
//!     .on_cancel(OnCancel::Cancel)
//!     .for_config("costly", ShadowSettings::default().sample(0.01))?;
//! # let _ = shadow;
//! # Ok::<(), tower_spearmint::config::ConfigError>(())
//! ```
//!
//! # What the caller can notice
//!
//! Nothing but the cost of starting a task. A shadow that is slow, hangs, panics or is not ready
//! changes neither the response nor its time. A shadow is asked once whether it is ready; if it
//! is not, it is skipped.
//!
//! What a shadow and the primary share below the strategy they do share: a `ConcurrencyLimit` or a
//! `Buffer` under this layer is used up by shadows, too. Put it above the layer, or give each config
//! a service of its own ([`Variants`](crate::Variants)).
//!
//! # Comparing
//!
//! [`compare`](GenericShadowLayer::compare) compares each shadow's answer with the primary's, on one
//! thread in the background. The comparisons are recorded beside the branches. A
//! [`control`](GenericShadowLayer::control) shows what differs even when the config is the same.
//!
//! ```
//! # use serde_json::json;
//! # use std::time::Duration;
//! # use tower_layer::Layer;
//! # use tower_service::Service;
//! # use tower_spearmint::{ConfigPool, ShadowLayer, Trial, service_fn};
//! use tower_spearmint::shadow::ShadowSettings;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let pool = ConfigPool::from_values([
//! #     json!({ "config_id": "stable", "factor": 2 }), json!({ "config_id": "candidate", "factor": 3 }),
//! # ])?;
//! let shadow = ShadowLayer::new(pool.primary("stable")?)
//!     .control(ShadowSettings::default().sample(0.5))
//!     .compare(|primary: &i64, shadow: &i64| (primary - shadow).abs() <= 1);
//! # let mut service = shadow.layer(service_fn(|trial: Trial<i64>| async move {
//! #     Ok::<_, String>(trial.request() * trial.config().get::<i64>("factor").unwrap())
//! # }));
//!
//! assert_eq!(service.call(10).await?, 20);
//! shadow.drain(Duration::from_secs(1)).await;
//! let candidate = shadow.comparisons().into_iter().find(|c| c.config_id.as_str() == "candidate");
//! assert!(!candidate.unwrap().is_equal());
//! # Ok(())
//! # }
//! ```
//!
//! # What is counted and what is recorded
//!
//! A request that is sampled out, unmatched, or comes while the shadow is switched off is counted
//! only ([`stats`](GenericShadowLayer::stats)). A shadow refused before it was started is a `skipped`
//! branch with its reason. A shadow that was started is a branch that ends as `success`, as
//! `failed` (`timeout`, `panic`, …), or as `cancelled` if the policy or the end of the process cut it
//! off.

mod answers;
mod arm;
mod breaker;
mod comparer;
mod explain;
mod future;
mod handle;
mod in_flight;
mod layer;
mod pairs;
mod plan;
mod results;
mod service;
mod settings;
mod state;
mod task;

pub use arm::ShadowStats;
pub use breaker::BreakerState;
pub use future::ShadowFuture;
pub use handle::{Drained, ShadowHandle};
pub use layer::GenericShadowLayer;
pub use service::Shadow;
pub use settings::{BreakerSettings, OnCancel, ShadowSettings};

/// The primary answers, the others run in the background; see [the module](self).
pub type ShadowLayer = GenericShadowLayer<crate::carrier::InTrial>;
