//! Plain functions as services.

use crate::{
    BoxError,
    branch::{Failure, FailureKind},
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::runtime::Handle;
use tower_service::Service;

/// An async function as a service; always ready.
///
/// ```
/// use tower_service::Service;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut add_one = tower_spearmint::service_fn(|n: u32| async move { Ok::<_, String>(n + 1) });
/// assert_eq!(add_one.call(1).await, Ok(2));
/// # }
/// ```
pub const fn service_fn<F>(f: F) -> ServiceFn<F> {
    ServiceFn { f }
}

/// See [`service_fn`].
#[derive(Clone, Copy)]
pub struct ServiceFn<F> {
    f: F,
}

impl<F> fmt::Debug for ServiceFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceFn").finish_non_exhaustive()
    }
}

impl<F, R, Fut, T, E> Service<R> for ServiceFn<F>
where
    F: FnMut(R) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    type Response = T;
    type Error = E;
    type Future = Fut;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: R) -> Fut {
        (self.f)(request)
    }
}

/// A CPU-bound, synchronous function as a service: each call runs on Tokio's pool of blocking
/// threads, so that branches run beside each other and nobody else waits.
///
/// A panic in it is the error of that call (a [`Failure`] of kind `panic`). A call that was
/// started cannot be stopped: a dropped future leaves the function to finish unheard.
///
/// ```
/// use tower_service::Service;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut square = tower_spearmint::blocking(|n: u64| Ok::<_, std::io::Error>(n * n));
/// assert_eq!(square.call(9).await.unwrap(), 81);
/// # }
/// ```
///
/// # Errors
///
/// The function's own error; a [`Failure`] if it panicked, or if there is no Tokio runtime.
pub fn blocking<F>(f: F) -> Blocking<F> {
    Blocking { f: Arc::new(f) }
}

/// See [`blocking`].
pub struct Blocking<F> {
    f: Arc<F>,
}

impl<F> Clone for Blocking<F> {
    fn clone(&self) -> Self {
        Self { f: self.f.clone() }
    }
}

impl<F> fmt::Debug for Blocking<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking").finish_non_exhaustive()
    }
}

impl<F, R, T, E> Service<R> for Blocking<F>
where
    F: Fn(R) -> Result<T, E> + Send + Sync + 'static,
    R: Send + 'static,
    T: Send + 'static,
    E: Into<BoxError>,
{
    type Response = T;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: R) -> Self::Future {
        let Ok(runtime) = Handle::try_current() else {
            let failure =
                Failure::new(FailureKind::Error, "a blocking function needs a Tokio runtime");
            return Box::pin(std::future::ready(Err(failure.into())));
        };
        let f = self.f.clone();
        let task = runtime.spawn_blocking(move || f(request).map_err(Into::into));
        Box::pin(async move {
            task.await.unwrap_or_else(|error| {
                Err(match error.try_into_panic() {
                    Ok(panic) => Failure::of_panic(&*panic).into(),
                    Err(error) => error.into(),
                })
            })
        })
    }
}
