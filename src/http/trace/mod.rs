//! What tells the services further down where a request stands.
//!
//! Two headers of the W3C go with the request of each branch:
//!
//! - [`traceparent`](https://www.w3.org/TR/trace-context/): the caller's trace goes on. Each branch
//!   is a span of its own, whose id is the lower 64 bits of the branch id; so primary and shadows
//!   are siblings under the caller's span. Where there is no trace, or what is there is not one, a
//!   new one begins, whose id is the request id that the branches share; `tracestate` belongs to
//!   the old one and goes. A new trace says that it is sampled: its branches are recorded. The
//!   caller's trace is in the record of each branch ([`Branch::trace`](crate::Branch::trace)).
//! - [`baggage`](https://www.w3.org/TR/baggage/): a member `spearmint.<experiment>=<config
//!   id>;role=<role>` is added to what is there, and replaces one of the same experiment that came
//!   from outside. (Experiment and config id are percent-encoded.) Where the limits of the
//!   recommendation, 64 members and 8192 bytes, leave no room for it, it is left out.
//!
//! The proxy does so by itself. In a service of one's own, [`PropagateLayer`] does it for the
//! requests to another, under the strategy:
//!
//! ```
//! # use http::{Request, Response};
//! # use std::convert::Infallible;
//! # use tower::{Layer, Service, service_fn};
//! # use tower_spearmint::{ConfigPool, http::SingleLayer};
//! use tower_spearmint::{branch::Role, http::{PropagateLayer, assignments}};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! # let pool = ConfigPool::from_values([serde_json::json!({ "config_id": "stable" })])?;
//! // Stands for an HTTP client.
//! let client = service_fn(|request: Request<()>| async move {
//!     let headers = request.headers();
//!     let traceparent = headers["traceparent"].to_str().unwrap();
//!     assert!(traceparent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
//!     assert_eq!(headers["baggage"], "spearmint.ranker=stable;role=primary");
//!     // The service further down sees which variant it serves.
//!     let assignment = assignments(headers).next().unwrap();
//!     assert_eq!((&*assignment.experiment, &*assignment.config_id), ("ranker", "stable"));
//!     assert_eq!(assignment.role, Role::Primary);
//!     Ok::<_, Infallible>(Response::new(()))
//! });
//! let layer = SingleLayer::new(pool[0].clone()).experiment("ranker");
//! let mut service = layer.layer(PropagateLayer::new().layer(client));
//!
//! let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
//! let request = Request::get("/").header("traceparent", traceparent).body(())?;
//! service.call(request).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Baggage is what a caller says: believe it as far as you believe your callers.

mod baggage;
mod layer;
mod parent;

pub use baggage::{Assignment, assignments};
pub use layer::{Propagate, PropagateLayer};
pub(crate) use parent::caller;

#[cfg(feature = "proxy")]
pub(crate) use baggage::value as baggage_value;
#[cfg(feature = "proxy")]
pub(crate) use parent::id as trace_id;

use crate::trial::Place;
use http::HeaderMap;

/// Puts the trace and the baggage of the branch at `place` into the headers of its request; see
/// [the module](self).
pub fn propagate(headers: &mut HeaderMap, place: &Place) {
    parent::set(headers, place);
    baggage::set(headers, place);
}
