//! A different inner service for each config.
//!
//! Under a strategy the same service usually reads its config and acts on it. Where the variants
//! are different services (two builds, two upstreams), [`Variants`] calls the one of the config
//! that was assigned.
//!
//! ```
//! use serde_json::json;
//! use tower_layer::Layer;
//! use tower_service::Service;
//! use tower_spearmint::{BoxError, ConfigPool, RoundRobinLayer, Trial, Variants, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let pool = ConfigPool::from_values([
//!     json!({ "config_id": "en", "hello": "Hello" }),
//!     json!({ "config_id": "de", "hello": "Hallo" }),
//! ])?;
//! let variants = Variants::build(&pool, |config| {
//!     let hello: String = config.get("hello")?;
//!     Ok::<_, tower_spearmint::config::ConfigError>(service_fn(move |trial: Trial<&'static str>| {
//!         let greeting = format!("{hello}, {}!", trial.request());
//!         async move { Ok::<_, BoxError>(greeting) }
//!     }))
//! })?;
//! let mut service = RoundRobinLayer::new(pool).layer(variants);
//! assert_eq!(service.call("Ann").await?, "Hello, Ann!");
//! assert_eq!(service.call("Ann").await?, "Hallo, Ann!");
//! # Ok(())
//! # }
//! ```
//!
//! With a bound on how many callers may wait for a service that is not ready:
//!
//! ```
//! # use serde_json::json;
//! # use tower_spearmint::{BoxError, ConfigPool, Trial, Variants, service_fn};
//! # let pool = ConfigPool::from_values([json!({ "config_id": "a" })])?;
//! let variants = Variants::build(&pool, |_| {
//!     Ok::<_, BoxError>(service_fn(|trial: Trial<u32>| async move { Ok::<_, BoxError>(trial.into_request()) }))
//! })?
//! .max_waiting(16);
//! # let _ = variants;
//! # Ok::<(), BoxError>(())
//! ```

mod future;

pub use future::VariantsFuture;

use crate::{
    BoxError,
    branch::{Failure, FailureKind},
    config::{Config, ConfigId, ConfigPool},
    trial::Trial,
};
use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
};
use tower_service::Service;

/// Calls the service of the config that was assigned; see [the module](self).
///
/// # Readiness
///
/// Always ready: which service is called is known only with the request. Its readiness is
/// awaited inside the future, by a clone of its own, so that a variant that is slow to be ready
/// holds up only its own callers, and of those at most [`max_waiting`](Self::max_waiting).
pub struct Variants<S> {
    variants: Arc<HashMap<ConfigId, Variant<S>>>,
    max_waiting: usize,
}

/// One config's service, and how many wait for it to be ready.
struct Variant<S> {
    service: S,
    waiting: Arc<AtomicUsize>,
}

impl<S> Variants<S> {
    /// Makes a service for each config of a pool.
    ///
    /// # Errors
    ///
    /// The first error of `make`.
    pub fn build<E>(
        pool: &ConfigPool,
        mut make: impl FnMut(&Config) -> Result<S, E>,
    ) -> Result<Self, E> {
        let variants = pool
            .iter()
            .map(|config| {
                let variant = Variant { service: make(config)?, waiting: Arc::default() };
                Ok((config.id().clone(), variant))
            })
            .collect::<Result<_, E>>()?;
        Ok(Self { variants: Arc::new(variants), max_waiting: 1024 })
    }

    /// How many callers may wait for each service that is not ready; 1024 until then. Further ones
    /// fail at once (kind `overloaded`).
    #[must_use]
    pub const fn max_waiting(mut self, count: usize) -> Self {
        self.max_waiting = count;
        self
    }

    fn choose<R>(&self, id: Option<&ConfigId>, request: R) -> VariantsFuture<S, R>
    where
        S: Service<R> + Clone,
    {
        let Some(id) = id else {
            return VariantsFuture::failed(Failure::new(
                FailureKind::Error,
                "no config: the request did not come through a strategy",
            ));
        };
        match self.variants.get(id) {
            Some(Variant { service, waiting }) => VariantsFuture::new(
                service.clone(),
                request,
                Queue { waiting: waiting.clone(), max: self.max_waiting },
            ),
            None => VariantsFuture::failed(Failure::new(
                FailureKind::Error,
                format!("no service for the config `{}`", id.short()),
            )),
        }
    }
}

impl<S, R> Service<Trial<R>> for Variants<S>
where
    S: Service<Trial<R>> + Clone,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = VariantsFuture<S, Trial<R>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, trial: Trial<R>) -> Self::Future {
        let id = trial.config().id().clone();
        self.choose(Some(&id), trial)
    }
}

#[cfg(feature = "http")]
impl<S, B> Service<http::Request<B>> for Variants<S>
where
    S: Service<http::Request<B>> + Clone,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = VariantsFuture<S, http::Request<B>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let id = crate::http::place(request.extensions()).map(|place| place.config_id().clone());
        self.choose(id.as_ref(), request)
    }
}

impl<S> Clone for Variants<S> {
    fn clone(&self) -> Self {
        Self { variants: self.variants.clone(), max_waiting: self.max_waiting }
    }
}

impl<S> fmt::Debug for Variants<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variants").field("configs", &self.variants.keys()).finish_non_exhaustive()
    }
}

/// The callers that wait for a service to be ready.
struct Queue {
    waiting: Arc<AtomicUsize>,
    max: usize,
}

impl Queue {
    /// A place in the queue, given back when it is dropped.
    fn wait(&self) -> Option<Waiting> {
        let place = |count| (count < self.max).then_some(count + 1);
        self.waiting.fetch_update(Relaxed, Relaxed, place).ok()?;
        Some(Waiting(self.waiting.clone()))
    }
}

struct Waiting(Arc<AtomicUsize>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
