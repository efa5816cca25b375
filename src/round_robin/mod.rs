//! One config per request, in turn, by weight, or by unit.
//!
//! Every request is answered by one config, and the caller gets that response itself. By
//! default the configs take turns, exactly, however many threads and clones call. With
//! [`weighted`](GenericRoundRobinLayer::weighted) each gets its share at random (the same
//! sequence for the same seed); with [`sticky`](GenericRoundRobinLayer::sticky) a unit (a user, a
//! session) always gets the same config, on every replica.
//!
//! ```
//! use serde_json::json;
//! use tower_layer::Layer;
//! use tower_service::Service;
//! use tower_spearmint::{ConfigPool, RoundRobinLayer, Trial, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = ConfigPool::from_values([json!({ "config_id": "a" }), json!({ "config_id": "b" })])?;
//! let mut service = RoundRobinLayer::new(pool).layer(service_fn(|trial: Trial<()>| async move {
//!     Ok::<_, String>(trial.config().id().to_string())
//! }));
//! let answers = [service.call(()).await?, service.call(()).await?, service.call(()).await?];
//! assert_eq!(answers, ["a", "b", "a"]);
//! # Ok(())
//! # }
//! ```
//!
//! Nine of ten users on `a`, each always on the same:
//!
//! ```
//! # use serde_json::json;
//! # use tower_layer::Layer;
//! # use tower_service::Service;
//! # use tower_spearmint::{ConfigPool, RoundRobinLayer, Trial, service_fn};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let pool = ConfigPool::from_values([json!({ "config_id": "a" }), json!({ "config_id": "b" })])?;
//! struct Query { user: String }
//!
//! let layer = RoundRobinLayer::new(pool)
//!     .experiment("ranker")
//!     .weighted([("a", 9.0), ("b", 1.0)])?
//!     .sticky("ranker-2026", |query: &Query| Some(query.user.clone()));
//! let mut service = layer.layer(service_fn(|trial: Trial<Query>| async move {
//!     Ok::<_, String>(trial.config().id().to_string())
//! }));
//! let first = service.call(Query { user: "ann".into() }).await?;
//! assert_eq!(service.call(Query { user: "ann".into() }).await?, first);
//! # Ok(())
//! # }
//! ```
//!
//! To see which branch answered, put a [`LogLayer`](crate::LogLayer) under the strategy and use
//! its [`on_branch`](crate::LogLayer::on_branch) hook; over HTTP the response also carries its
//! [`Place`](crate::Place) in its extensions.

#[cfg(feature = "open-feature")]
mod decide;
mod explain;
mod layer;
mod service;

#[cfg(feature = "open-feature")]
pub(crate) use decide::Decided;
pub use layer::GenericRoundRobinLayer;
pub use service::RoundRobin;

/// One config per request; see [the module](self).
pub type RoundRobinLayer = GenericRoundRobinLayer<crate::carrier::InTrial>;
