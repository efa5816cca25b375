//! The layer that records.

#[cfg(feature = "http")]
use super::{Failures, failures::Classifier};
use super::{Log, Recorder};
#[cfg(feature = "http")]
use crate::config::Config;
use crate::{branch::Branch, evaluate::Evaluating};
use serde_json::Value;
use std::{fmt, sync::Arc};
use tower_layer::Layer;

/// Records each execution of the service inside it; see [the module](super).
#[derive(Clone)]
pub struct LogLayer<K = ()> {
    pub(super) recorder: Recorder,
    pub(crate) capture: K,
    pub(super) hook: Option<Hook>,
    pub(crate) evaluate: Option<Evaluating>,
    #[cfg(feature = "http")]
    pub(crate) alone: Option<(Arc<str>, Config)>,
    #[cfg(feature = "http")]
    pub(crate) failures: Classifier,
}

pub(super) type Hook = Arc<dyn Fn(&Branch) + Send + Sync>;

impl LogLayer {
    /// Records to `recorder`.
    pub const fn new(recorder: Recorder) -> Self {
        Self {
            recorder,
            capture: (),
            hook: None,
            evaluate: None,
            #[cfg(feature = "http")]
            alone: None,
            #[cfg(feature = "http")]
            failures: Classifier::DEFAULT,
        }
    }
}

impl<K> LogLayer<K> {
    /// Keeps something of each response as the branch's output; see [`Capture`].
    #[must_use]
    pub fn capture<F>(self, capture: F) -> LogLayer<F> {
        LogLayer {
            recorder: self.recorder,
            capture,
            hook: self.hook,
            evaluate: self.evaluate,
            #[cfg(feature = "http")]
            alone: self.alone,
            #[cfg(feature = "http")]
            failures: self.failures,
        }
    }

    /// Calls `hook` with each branch as it ends, on the task that ends it. Keep it short: what
    /// takes time belongs in a [`LoggerBackend`](super::LoggerBackend). (Skipped branches never
    /// come here; they go straight to the recorder.)
    #[must_use]
    pub fn on_branch(mut self, hook: impl Fn(&Branch) + Send + Sync + 'static) -> Self {
        self.hook = Some(Arc::new(hook));
        self
    }

    /// Measures and judges answers in the background before their branches are recorded; see
    /// [`evaluate`](crate::evaluate). (The [hook](Self::on_branch) sees a branch before that.)
    #[must_use]
    pub fn evaluate(mut self, evaluating: Evaluating) -> Self {
        self.evaluate = Some(evaluating);
        self
    }

    /// Which HTTP responses are failures; those with a status of 500 or above until then, and
    /// gRPC's as [`Failures`] says.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn failures(mut self, failures: Failures) -> Self {
        self.failures = Classifier::new(failures);
        self
    }

    /// Without a strategy above: records every HTTP request as a branch of this experiment and
    /// config. (For a plain service make the [`Trial`](crate::Trial) yourself.)
    #[cfg(feature = "http")]
    #[must_use]
    pub fn alone(mut self, experiment: &str, config: Config) -> Self {
        self.alone = Some((experiment.into(), config));
        self
    }
}

impl<S, K: Clone> Layer<S> for LogLayer<K> {
    type Service = Log<S, K>;

    fn layer(&self, inner: S) -> Self::Service {
        Log { inner, layer: self.clone() }
    }
}

impl<K> fmt::Debug for LogLayer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogLayer").field("recorder", &self.recorder).finish_non_exhaustive()
    }
}

/// What to keep of a response as the branch's output: a closure, or `()` for nothing.
pub trait Capture<Response> {
    /// The output to record, if any. Keep it small: it is held until it is written.
    fn capture(&self, response: &Response) -> Option<Value>;
}

impl<Response> Capture<Response> for () {
    fn capture(&self, _: &Response) -> Option<Value> {
        None
    }
}

impl<Response, F: Fn(&Response) -> Option<Value>> Capture<Response> for F {
    fn capture(&self, response: &Response) -> Option<Value> {
        self(response)
    }
}
