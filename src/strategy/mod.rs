//! Strategies of your own.
//!
//! A [`Strategy`] decides which configs run for a request, when, and what comes back. It is given
//! the request and a [`Dispatch`], through which it calls the service with a config; every such
//! call is a branch and recorded like any other. [`StrategyLayer`] makes a layer of it, and a
//! [`StrategyRegistry`] knows strategies by name, so that a file can name them.
//!
//! ```
//! use serde_json::json;
//! use tower_layer::Layer;
//! use tower_service::Service;
//! use tower_spearmint::{BoxError, ConfigPool, Trial, service_fn};
//! use tower_spearmint::branch::Role;
//! use tower_spearmint::strategy::{BoxFuture, Dispatch, Strategy, StrategyLayer};
//!
//! /// Asks the configs in order until one gives an answer.
//! struct Cascade;
//!
//! impl Strategy<String, Option<String>> for Cascade {
//!     fn run(
//!         &self,
//!         question: String,
//!         dispatch: Dispatch<String, Option<String>>,
//!     ) -> BoxFuture<Result<Option<String>, BoxError>> {
//!         Box::pin(async move {
//!             for position in 0..dispatch.configs().len() {
//!                 let answer = dispatch.call(position, Role::Primary, question.clone()).await?;
//!                 if answer.is_some() {
//!                     return Ok(answer);
//!                 }
//!             }
//!             Ok(None)
//!         })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let pool = ConfigPool::from_values([
//!     json!({ "config_id": "small", "knows": "easy" }),
//!     json!({ "config_id": "large", "knows": "hard" }),
//! ])?;
//! let service = service_fn(|trial: Trial<String>| async move {
//!     let knows: String = trial.config().get("knows")?;
//!     Ok::<_, BoxError>((*trial.request() == knows).then(|| format!("{} answers", trial.config().id())))
//! });
//! let mut service = StrategyLayer::new("cascade", Cascade, pool).layer(service);
//! assert_eq!(service.call("hard".into()).await?.unwrap(), "large answers");
//! # Ok(())
//! # }
//! ```
//!
//! By name, with settings (as a file would have them under the strategy's name):
//!
//! ```
//! # use serde_json::json;
//! # use tower_spearmint::{BoxError, Config, ConfigPool};
//! # use tower_spearmint::branch::Role;
//! # use tower_spearmint::strategy::{BoxFuture, Dispatch, Strategy, StrategyRegistry};
//! struct Always { position: usize }
//!
//! impl Strategy<u32, u32> for Always {
//!     fn run(&self, request: u32, dispatch: Dispatch<u32, u32>) -> BoxFuture<Result<u32, BoxError>> {
//!         dispatch.call(self.position, Role::Primary, request)
//!     }
//! }
//!
//! let mut registry = StrategyRegistry::new();
//! registry.register("always", |settings, _pool| {
//!     Ok(Always { position: settings.get_or("position", 0)? })
//! })?;
//! # let pool = ConfigPool::from_values([json!({ "config_id": "a" })])?;
//! let strategy = registry.build("always", &Config::new(json!({ "position": 0 }))?, &pool)?;
//! # let _ = strategy;
//! # Ok::<(), BoxError>(())
//! ```

mod dispatch;
mod layer;
mod registry;

pub use dispatch::Dispatch;
pub use layer::{GenericStrategyLayer, StrategyService};
#[cfg(feature = "proxy")]
pub(crate) use registry::BUILT_IN;
pub use registry::{RegistryError, StrategyRegistry};

use crate::BoxError;
use std::{future::Future, pin::Pin, sync::Arc};

/// A boxed future.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Decides which configs run for a request, when, and what comes back.
pub trait Strategy<R, Response>: Send + Sync + 'static {
    /// Runs one request. Dropping the future must drop the calls it waits for, which is what
    /// happens if it simply awaits them.
    fn run(
        &self,
        request: R,
        dispatch: Dispatch<R, Response>,
    ) -> BoxFuture<Result<Response, BoxError>>;
}

impl<R, Response, S: Strategy<R, Response> + ?Sized> Strategy<R, Response> for Arc<S> {
    fn run(
        &self,
        request: R,
        dispatch: Dispatch<R, Response>,
    ) -> BoxFuture<Result<Response, BoxError>> {
        (**self).run(request, dispatch)
    }
}

/// A strategy of your own as a layer; see [the module](self).
pub type StrategyLayer<St> = GenericStrategyLayer<St, crate::carrier::InTrial>;
