//! The layer.

use super::Fallback;
use crate::{
    branch::{Failure, FailureKind, Role},
    config::Config,
    trial::{Arm, Place, Seat},
};
use std::{
    fmt,
    sync::{Arc, OnceLock},
};
use tower_layer::Layer;

/// A config that answers when the chosen one cannot be reached; see [the module](super).
#[derive(Clone)]
pub struct FallbackLayer {
    config: Config,
    when: Arc<dyn Fn(&Failure) -> bool + Send + Sync>,
    /// The fallback's own arm in the experiment above.
    arm: Arc<OnceLock<Arc<Arm>>>,
}

impl FallbackLayer {
    /// `config` answers when another cannot be reached.
    pub fn new(config: Config) -> Self {
        let cannot_be_reached = |failure: &Failure| {
            matches!(failure.kind, FailureKind::Connect | FailureKind::Overloaded)
        };
        Self { config, when: Arc::new(cannot_be_reached), arm: Arc::default() }
    }

    /// Which failures are caught.
    #[must_use]
    pub fn when(mut self, when: impl Fn(&Failure) -> bool + Send + Sync + 'static) -> Self {
        self.when = Arc::new(when);
        self
    }

    /// Whether a branch at this place may be replaced by the fallback.
    pub(super) fn covers(&self, place: &Place) -> bool {
        place.config_id() != self.config.id()
    }

    pub(super) fn catches<E: fmt::Display + fmt::Debug + 'static>(&self, error: &E) -> bool {
        (self.when)(&Failure::of_error(error))
    }

    /// The fallback's seat beside the branch it replaces.
    pub(super) fn seat(&self, replaced: &Place) -> Seat {
        let experiment = &replaced.arm.experiment;
        let new = || Arc::new(Arm::new(experiment, &self.config));
        let arm = self.arm.get_or_init(new);
        // The same layer under a second experiment: rare, so it may cost an allocation.
        let own = if Arc::ptr_eq(&arm.experiment, experiment) { arm.clone() } else { new() };
        Seat::new(replaced.sibling(&own, Role::Fallback, replaced.probability()))
    }
}

impl<S> Layer<S> for FallbackLayer {
    type Service = Fallback<S>;

    fn layer(&self, inner: S) -> Fallback<S> {
        Fallback { inner, layer: self.clone() }
    }
}

impl fmt::Debug for FallbackLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FallbackLayer").field("config", self.config.id()).finish_non_exhaustive()
    }
}
