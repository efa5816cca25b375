//! All configs at once; the caller gets all their branches.
//!
//! Every request runs with every config, concurrently, and the response is a
//! [`Branches`](crate::Branches): one [`Branch`](crate::Branch) per config in the order of the
//! pool, each with its output or its failure. A branch that fails, panics or times out never
//! fails the others.
//!
//! ```
//! use serde_json::json;
//! use tower_layer::Layer;
//! use tower_service::Service;
//! use tower_spearmint::{ConfigPool, MultiBranchLayer, Trial, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = ConfigPool::from_values([
//!     json!({ "config_id": "half", "divide_by": 2 }),
//!     json!({ "config_id": "none", "divide_by": 0 }),
//! ])?;
//! let mut service = MultiBranchLayer::new(pool).layer(service_fn(|trial: Trial<i64>| async move {
//!     let by = trial.config().get::<i64>("divide_by").unwrap();
//!     trial.request().checked_div(by).ok_or("division by zero")
//! }));
//!
//! let branches = service.call(10).await?;
//! assert_eq!(branches[0].output, Some(5));
//! assert_eq!(branches.get("none").unwrap().failure.as_ref().unwrap().message, "division by zero");
//! # Ok(())
//! # }
//! ```
//!
//! Each branch as it finishes, two at a time, each with its own time:
//!
//! ```
//! # use serde_json::json;
//! # use tower_layer::Layer;
//! # use tower_service::Service;
//! # use tower_spearmint::{ConfigPool, MultiBranchLayer, Trial, service_fn};
//! use futures_util::StreamExt;
//! use std::time::Duration;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let pool = ConfigPool::from_values([json!({ "config_id": "a" }), json!({ "config_id": "b" })])?;
//! let layer = MultiBranchLayer::new(pool)
//!     .experiment("ranker")
//!     .max_concurrent(2)
//!     .timeout(Duration::from_secs(2))
//!     .streaming();
//! let mut service = layer.layer(service_fn(|trial: Trial<()>| async move {
//!     Ok::<_, String>(trial.config().id().to_string())
//! }));
//! let mut branches = service.call(()).await?;
//! while let Some(branch) = branches.next().await {
//!     println!("{} {}", branch.config_id, branch.status);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Cancellation
//!
//! Dropping the future (or the stream) drops every branch that has not ended; those end as
//! `cancelled`. The branches run on the caller's task: concurrently, but on one thread at a time.
//! Work that is heavy on the CPU belongs in [`blocking`](crate::blocking).

mod arm;
mod future;
mod layer;
mod service;
mod stream;

pub use future::MultiBranchFuture;
pub use layer::{GenericMultiBranchLayer, GenericMultiBranchStreamLayer};
pub use service::{MultiBranch, MultiBranchStream};
pub use stream::BranchStream;

/// All configs at once; see [the module](self).
pub type MultiBranchLayer = GenericMultiBranchLayer<crate::carrier::InTrial>;
