//! A service that is replaced while it is used.
//!
//! Layers are made from a pool and do not change; where the pool follows a file
//! ([`ConfigPool::watch`](crate::ConfigPool::watch)), the stack of layers is made anew and takes
//! the place of the one before:
//!
//! ```
//! use tower_layer::Layer;
//! use tower_service::Service;
//! use tower_spearmint::{BoxError, ConfigPool, RoundRobinLayer, Trial, live::Live, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let service = |pool: &ConfigPool| {
//!     let inner = service_fn(|trial: Trial<u32>| async move {
//!         Ok::<_, BoxError>(trial.config().get::<u32>("factor")? * trial.request())
//!     });
//!     RoundRobinLayer::new(pool.clone()).layer(inner)
//! };
//! let before = ConfigPool::from_yaml_str("factor: 2")?;
//! let (mut live, handle) = Live::pair(service(&before));
//! assert_eq!(live.call(21).await?, 42);
//!
//! let after = ConfigPool::from_yaml_str("factor: 3")?;
//! handle.replace(service(&after));
//! assert_eq!(live.call(21).await?, 63);
//! # Ok(())
//! # }
//! ```
//!
//! Following a file:
//!
//! ```
//! # use tower_layer::Layer;
//! # use tower_service::Service;
//! # use tower_spearmint::{BoxError, ConfigPool, RoundRobinLayer, Trial, live::Live, service_fn};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! # let service = |pool: &ConfigPool| {
//! #     let inner = service_fn(|trial: Trial<u32>| async move {
//! #         Ok::<_, BoxError>(trial.config().get::<u32>("factor")? * trial.request())
//! #     });
//! #     RoundRobinLayer::new(pool.clone()).layer(inner)
//! # };
//! # let directory = tempfile::tempdir()?;
//! # let file = directory.path().join("pool.yaml");
//! # std::fs::write(&file, "factor: 2")?;
//! let (watched, watching) = ConfigPool::watch(&file).await?;
//! tokio::spawn(watching);
//! let mut changes = watched.subscribe();
//! let (mut live, handle) = Live::pair(service(&watched.pool()));
//! tokio::spawn(async move {
//!     while changes.changed().await.is_ok() {
//!         let pool = changes.borrow_and_update().pool.clone();
//!         handle.replace(service(&pool));
//!     }
//! });
//! assert_eq!(live.call(21).await?, 42);
//! # Ok(())
//! # }
//! ```
//!
//! In an axum service: `examples/axum_live.rs`. Each new stack begins anew: the turns of round
//! robin, the counters and switches of shadows. Those of the old one that still run go on;
//! whoever drains shadows keeps the handles.

use arc_swap::ArcSwap;
use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};
use tower_service::Service;

/// A service that a [`LiveHandle`] replaces; see [the module](self).
///
/// # Readiness
///
/// Ready when the service in use is; that ready one is called, even if it is replaced before the
/// call. A clone starts unready, with the service that is in use then. Whoever waits for the
/// readiness of one that is replaced meanwhile learns of the new one when it is asked again.
pub struct Live<S> {
    current: Arc<ArcSwap<S>>,
    /// Whose clone it is, and the clone.
    held: Option<(Arc<S>, S)>,
    /// The held one is, and must be called.
    is_ready: bool,
}

/// Replaces the service of a [`Live`] and its clones. Cheap to clone.
pub struct LiveHandle<S> {
    current: Arc<ArcSwap<S>>,
}

impl<S> Live<S> {
    /// A service, and what replaces it.
    pub fn pair(service: S) -> (Self, LiveHandle<S>) {
        let current = Arc::new(ArcSwap::from_pointee(service));
        (Self { current: current.clone(), held: None, is_ready: false }, LiveHandle { current })
    }
}

impl<S: Clone> Live<S> {
    /// A clone of the service in use: the one that is held, if it is still that.
    fn current(&mut self) -> &mut S {
        let now = self.current.load();
        let held = self.held.take().filter(|(of, _)| Arc::ptr_eq(of, &now));
        let held = held.unwrap_or_else(|| {
            let now = Arc::clone(&now);
            let clone = S::clone(&now);
            (now, clone)
        });
        &mut self.held.insert(held).1
    }
}

impl<S> LiveHandle<S> {
    /// The next request is answered by this one; those under way go on as they began.
    pub fn replace(&self, service: S) {
        self.current.store(Arc::new(service));
    }
}

impl<R, S: Service<R> + Clone> Service<R> for Live<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let ready = self.current().poll_ready(cx);
        self.is_ready = matches!(ready, Poll::Ready(Ok(())));
        ready
    }

    fn call(&mut self, request: R) -> S::Future {
        match &mut self.held {
            Some((_, ready)) if std::mem::take(&mut self.is_ready) => ready.call(request),
            // Not asked first; a service that does not mind answers all the same.
            _ => self.current().call(request),
        }
    }
}

impl<S> Clone for Live<S> {
    fn clone(&self) -> Self {
        Self { current: self.current.clone(), held: None, is_ready: false }
    }
}

impl<S> Clone for LiveHandle<S> {
    fn clone(&self) -> Self {
        Self { current: self.current.clone() }
    }
}

impl<S> fmt::Debug for Live<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for LiveHandle<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveHandle").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tower_test::{assert_request_eq, mock};

    #[tokio::test]
    async fn the_ready_service_is_called_even_if_it_is_replaced_before_the_call() {
        let (first, mut first_handle) = mock::pair::<&str, &str>();
        let (second, mut second_handle) = mock::pair::<&str, &str>();
        let (live, handle) = Live::pair(first);
        let mut live = mock::Spawn::new(live);
        first_handle.allow(0);
        assert!(live.poll_ready().is_pending());
        first_handle.allow(1);
        assert!(live.poll_ready().is_ready());
        handle.replace(second);
        let answer = live.call("a");
        assert_request_eq!(first_handle, "a").send_response("first");
        assert_eq!(answer.await.unwrap(), "first");

        second_handle.allow(0);
        assert!(live.poll_ready().is_pending());
        second_handle.allow(1);
        assert!(live.poll_ready().is_ready());
        let answer = live.call("b");
        assert_request_eq!(second_handle, "b").send_response("second");
        assert_eq!(answer.await.unwrap(), "second");
    }

    #[tokio::test]
    async fn a_clone_starts_unready() {
        let (inner, mut inner_handle) = mock::pair::<(), ()>();
        let (live, _handle) = Live::pair(inner);
        let mut live = mock::Spawn::new(live);
        inner_handle.allow(1);
        assert!(live.poll_ready().is_ready());
        let mut clone = live.clone();
        inner_handle.allow(0);
        assert!(clone.poll_ready().is_pending());
    }
}
