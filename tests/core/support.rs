//! What the tests have in common.

#[path = "../support/records.rs"]
mod records;

pub use records::{Records, end, pool, records};

use serde_json::Value;
use std::{
    collections::BTreeMap,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::sync::Semaphore;
use tower::{Layer, Service};
use tower_spearmint::{
    BoxError, Branch, LogLayer, Recorder, SingleLayer, Trial,
    branch::Failure,
    record::{BatchError, LoggerBackend, MemoryBackend, RunId},
};

pub const SECOND: Duration = Duration::from_secs(1);

/// How often each config is in there.
pub fn tally<I: IntoIterator<Item = String>>(ids: I) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for id in ids {
        *counts.entry(id).or_default() += 1;
    }
    counts
}

/// A service whose answer is the id of the config, after what `behave` does.
pub fn behaving<F, Fut>(behave: F) -> Behaving<F>
where
    F: Fn(String) -> Fut + Clone,
    Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    Behaving { behave }
}

/// See [`behaving`].
#[derive(Clone)]
pub struct Behaving<F> {
    behave: F,
}

impl<F, Fut, R> Service<Trial<R>> for Behaving<F>
where
    F: Fn(String) -> Fut + Clone,
    Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    type Response = String;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<String, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, trial: Trial<R>) -> Self::Future {
        let id = trial.config().id().to_string();
        let work = (self.behave)(id.clone());
        Box::pin(async move { work.await.map(|()| id) })
    }
}

/// The service of the well-behaved: answers at once.
pub fn echo() -> Behaving<impl Fn(String) -> std::future::Ready<Result<(), BoxError>> + Clone> {
    behaving(|_| std::future::ready(Ok(())))
}

/// Panics unless it is called exactly as the contract of `Service` says: after it, itself, was
/// ready; a clone begins unready.
pub struct Strict<S> {
    inner: S,
    ready: bool,
    /// Calls that came without readiness.
    pub violations: Arc<AtomicUsize>,
    pub calls: Arc<AtomicUsize>,
}

impl<S> Strict<S> {
    pub fn new(inner: S) -> Self {
        Self { inner, ready: false, violations: Arc::default(), calls: Arc::default() }
    }
}

impl<S: Clone> Clone for Strict<S> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            ready: false,
            violations: self.violations.clone(),
            calls: self.calls.clone(),
        }
    }
}

impl<S: Service<R>, R> Service<R> for Strict<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let ready = self.inner.poll_ready(cx);
        self.ready = matches!(ready, Poll::Ready(Ok(())));
        ready
    }

    fn call(&mut self, request: R) -> S::Future {
        self.calls.fetch_add(1, SeqCst);
        if !std::mem::take(&mut self.ready) {
            self.violations.fetch_add(1, SeqCst);
        }
        self.inner.call(request)
    }
}

/// Waits until the service is ready for such requests.
pub async fn ready<S: Service<R>, R>(service: &mut S, _: &impl Fn() -> R) -> Result<(), S::Error> {
    poll_fn(|cx| service.poll_ready(cx)).await
}

/// Polls once, without a runtime.
pub fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Waits until `done` is true; fails after ten seconds.
pub async fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("not within ten seconds: {what}");
}

/// One config, recorded.
pub fn single(
    recorder: &Recorder,
) -> impl Service<(), Response = String, Error = BoxError> + Clone + use<> {
    SingleLayer::new(pool(&["a"])[0].clone()).layer(LogLayer::new(recorder.clone()).layer(echo()))
}

/// Calls without a runtime; the service answers at once.
pub fn call(service: &mut impl Service<(), Response = String, Error = BoxError>) {
    assert!(matches!(poll_once(service.call(())), Poll::Ready(Ok(_))));
}

/// Memory, and what happens before each batch gets there.
pub struct Before {
    memory: MemoryBackend,
    step: Step,
}

enum Step {
    Permission(Arc<Semaphore>),
    Failing { is_out: Arc<AtomicBool>, panics: bool },
}

impl Before {
    /// Each batch takes a permit.
    pub fn permission(memory: &MemoryBackend, permits: &Arc<Semaphore>) -> Self {
        Self { memory: memory.clone(), step: Step::Permission(permits.clone()) }
    }

    /// Each fails, or panics, while it is out of order.
    pub fn failing(memory: &MemoryBackend, is_out: &Arc<AtomicBool>, panics: bool) -> Self {
        Self { memory: memory.clone(), step: Step::Failing { is_out: is_out.clone(), panics } }
    }
}

impl LoggerBackend for Before {
    async fn start_run(&self, branch: &Branch) -> Result<RunId, BoxError> {
        self.memory.start_run(branch).await
    }
    async fn log_status(&self, _: &RunId, _: &Branch) -> Result<(), BoxError> {
        Ok(())
    }
    async fn log_exception(&self, _: &RunId, _: &Failure) -> Result<(), BoxError> {
        Ok(())
    }
    async fn log_params(&self, _: &RunId, _: &Value) -> Result<(), BoxError> {
        Ok(())
    }
    async fn log_batch(&self, batch: &[Branch]) -> Result<(), BatchError> {
        match &self.step {
            Step::Permission(permits) => permits.acquire().await.unwrap().forget(),
            Step::Failing { is_out, panics } if is_out.load(SeqCst) => {
                assert!(!panics, "out of order");
                return Err(BatchError { lost: batch.len(), source: "out of order".into() });
            }
            Step::Failing { .. } => {}
        }
        self.memory.log_batch(batch).await
    }
}
