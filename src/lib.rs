//! A/B, shadow and multi-branch runs on real traffic, as Tower layers.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod assign;
pub mod branch;
pub mod carrier;
mod caught;
mod clock;
pub mod config;
mod experiment;
pub mod fallback;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "mlflow")]
pub mod mlflow;
pub mod multi_branch;
#[cfg(feature = "proxy")]
pub mod proxy;
pub mod record;
pub mod round_robin;
mod service_fn;
pub mod shadow;
pub mod single;
#[cfg(feature = "store")]
pub mod store;
pub mod strategy;
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
