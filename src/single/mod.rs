//! One config for every request.
//!
//! The trivial strategy: it assigns the config it was given. Use it where an experiment is over
//! (or has not begun), so that the service stays as it is and its branches are still recorded.
//!
//! ```
//! use serde_json::json;
//! use tower_layer::Layer;
//! use tower_service::Service;
//! use tower_spearmint::{Config, SingleLayer, Trial, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let stable = Config::new(json!({ "config_id": "stable", "factor": 2 }))?;
//! let mut double = SingleLayer::new(stable).layer(service_fn(|trial: Trial<i64>| async move {
//!     Ok::<_, String>(trial.request() * trial.config().get::<i64>("factor").unwrap())
//! }));
//! assert_eq!(double.call(21).await?, 42);
//! # Ok(())
//! # }
//! ```
//!
//! The named config of a pool, under an experiment's name:
//!
//! ```
//! # use serde_json::json;
//! # use tower_spearmint::{ConfigPool, SingleLayer};
//! # let pool = ConfigPool::from_values([json!({ "config_id": "stable" })])?;
//! let layer = SingleLayer::new(pool.get("stable")?.clone()).experiment("ranker");
//! # let _ = layer;
//! # Ok::<(), tower_spearmint::config::ConfigError>(())
//! ```

mod layer;
mod service;

pub use layer::GenericSingleLayer;
pub use service::Single;

/// Assigns one config to every request; see [the module](self).
pub type SingleLayer = GenericSingleLayer<crate::carrier::InTrial>;
