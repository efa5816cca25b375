//! The strategies around HTTP services.
//!
//! The layers here have the names and methods of those at the crate root, and stand around any
//! service of `http::Request`: an axum [`Router`], a hyper service, a tonic server, a client. The
//! config travels in the request's extensions, so the service inside need not know that it is
//! part of an experiment; one that wants to know asks [`place`], or in axum takes a
//! [`Variant`] as an argument.
//!
//! ```
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, Full};
//! use bytes::Bytes;
//! use serde_json::json;
//! use tower_layer::Layer;
//! use tower_service::Service;
//! use tower_spearmint::{ConfigPool, service_fn};
//! use tower_spearmint::http::{RoundRobinLayer, place};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = ConfigPool::from_values([json!({ "config_id": "a" }), json!({ "config_id": "b" })])?;
//! let mut service = RoundRobinLayer::new(pool).layer(service_fn(|request: Request<Full<Bytes>>| async move {
//!     let config = place(request.extensions()).unwrap().config().id().to_string();
//!     Ok::<_, String>(Response::new(Full::new(Bytes::from(config))))
//! }));
//! let response = service.call(Request::new(Full::default())).await?;
//! assert_eq!(place(response.extensions()).unwrap().config_id().as_str(), "a");
//! assert_eq!(response.into_body().collect().await?.to_bytes(), "a");
//! # Ok(())
//! # }
//! ```
//!
//! Shadowing, recorded, with POST allowed and a bound on what is read of a shadow's response:
//!
//! ```
//! # use serde_json::json;
//! # use tower_spearmint::ConfigPool;
//! use http::Method;
//! use std::time::Duration;
//! use tower_spearmint::http::ShadowLayer;
//! # let pool = ConfigPool::from_values([json!({ "config_id": "a" }), json!({ "config_id": "b" })])?;
//!
//! let shadow = ShadowLayer::new(pool.primary("a")?)
//!     .methods([Method::GET, Method::POST])
//!     .sample(0.2)
//!     .timeout(Duration::from_secs(2))
//!     .max_response_bytes(1 << 20);
//! # let _ = shadow;
//! # Ok::<(), tower_spearmint::config::ConfigError>(())
//! ```
//!
//! # Bodies
//!
//! A request body is forked frame by frame, sharing the bytes. The primary reads at its own pace;
//! what a shadow has not read yet waits in a queue of its own, bounded in bytes. A shadow that
//! falls behind its bound is dropped (`failed`, kind `lagging`); the primary never waits. If the
//! caller leaves in the middle, a shadow's body ends in an error, never as a whole one.
//!
//! # Safety
//!
//! Shadows are made for GET, HEAD and OPTIONS unless [`methods`](ShadowLayer::methods) says
//! otherwise. They carry `x-spearmint-shadow: <experiment>/<config id>`, and a request that comes
//! with such a mark is not shadowed again by the same experiment. Credentials
//! (`authorization`, `proxy-authorization`, `cookie`) do not reach a shadow unless
//! [`forward_headers`](ShadowLayer::forward_headers) allows them. Upgrades and CONNECT go to the
//! primary only.
//!
//! [`Router`]: https://docs.rs/axum/latest/axum/struct.Router.html

mod asked;
mod carrier;
mod collect;
mod combine;
mod combined_body;
#[cfg(feature = "compare")]
pub mod compare;
#[cfg(feature = "compare")]
mod content;
pub(crate) mod cookies;
mod fed;
mod fork_body;
mod forked;
mod idempotency;
mod json_body;
mod level;
mod listener;
mod log;
mod matches;
#[cfg(feature = "proxy")]
mod metered;
mod metric_header;
mod multi_branch;
mod pump;
mod record_body;
mod rule;
mod settled;
mod settling;
mod shadow_rules;
mod tap;
mod tee;
pub mod trace;
#[cfg(feature = "axum")]
mod variant;
pub(crate) mod wanted;
mod watch_body;

pub use asked::Asked;
pub use carrier::{InExtensions, place};
pub use combine::Combine;
pub use combined_body::CombinedBody;
#[cfg(feature = "compare")]
pub use compare::CompareRules;
#[cfg(feature = "proxy")]
pub(crate) use content::Body as KeptBody;
pub use fork_body::ForkBody;
pub use forked::{Forked, SHADOW_HEADER};
pub use idempotency::IdempotencyKey;
pub use json_body::JsonBody;
pub use listener::CopyError;
pub use log::HttpLogFuture;
pub use matches::RequestMatch;
#[cfg(feature = "proxy")]
pub(crate) use metered::Metered;
pub use metric_header::METRIC_HEADER;
pub use multi_branch::{CombineFuture, MultiBranch, MultiBranchLayer};
pub use record_body::RecordBody;
pub use rule::Rule;
pub use settled::Settled;
pub use trace::{Assignment, Propagate, PropagateLayer, assignments, propagate};
#[cfg(feature = "axum")]
pub use variant::{Variant, VariantRejection};
pub use watch_body::WatchBody;

/// One config for every request; see [`single`](crate::single).
pub type SingleLayer = crate::single::GenericSingleLayer<InExtensions>;

/// One config per request; see [`round_robin`](crate::round_robin).
pub type RoundRobinLayer = crate::round_robin::GenericRoundRobinLayer<InExtensions>;

/// The primary answers, the others run in the background; see [`shadow`](crate::shadow).
pub type ShadowLayer = crate::shadow::GenericShadowLayer<Forked>;
