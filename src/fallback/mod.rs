//! A config that answers when the chosen one cannot be reached.
//!
//! [`FallbackLayer`] stands under a strategy and over the logging layer. When a branch fails in a
//! way the layer is to catch, the request goes to the fallback config and its response is the
//! one the caller gets. Both branches are recorded as what they were: one `failed`, one with the
//! role `fallback`.
//!
//! ```
//! use serde_json::json;
//! use tower_layer::Layer;
//! use tower_service::Service;
//! use tower_spearmint::{BoxError, ConfigPool, FallbackLayer, RoundRobinLayer, Trial, service_fn};
//! use tower_spearmint::branch::{Failure, FailureKind};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let pool = ConfigPool::from_values([json!({ "config_id": "candidate" }), json!({ "config_id": "stable" })])?;
//! let fallback = FallbackLayer::new(pool.get("stable")?.clone());
//! let service = service_fn(|trial: Trial<u32>| async move {
//!     match trial.config().id().as_str() {
//!         "stable" => Ok(trial.into_request()),
//!         _ => Err(BoxError::from(Failure::new(FailureKind::Connect, "connection refused"))),
//!     }
//! });
//! let mut service = RoundRobinLayer::new(pool).layer(fallback.layer(service));
//! assert_eq!(service.call(7).await?, 7);
//! # Ok(())
//! # }
//! ```
//!
//! By default only failures to connect (kind `connect`) and to get in (`overloaded`) are caught:
//! there the chosen config did nothing yet. [`when`](FallbackLayer::when) widens that, for
//! requests that may safely be tried twice:
//!
//! ```
//! # use serde_json::json;
//! # use tower_spearmint::{Config, FallbackLayer};
//! # let stable = Config::new(json!({ "config_id": "stable" }))?;
//! let fallback = FallbackLayer::new(stable).when(|failure| failure.kind.as_str() != "panic");
//! # let _ = fallback;
//! # Ok::<(), tower_spearmint::config::ConfigError>(())
//! ```
//!
//! Around HTTP services the request body is lent to the chosen config: if it was not touched, the
//! fallback gets it whole; if it was, the error stands.

mod future;
#[cfg(feature = "http")]
mod http;
mod layer;
mod service;

pub use future::FallbackFuture;
#[cfg(feature = "http")]
pub use http::LentBody;
pub use layer::FallbackLayer;
pub use service::Fallback;
