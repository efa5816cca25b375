//! Watching and switching the shadows from outside.

use super::{ShadowStats, arm::ShadowArm, state::State};
use crate::{branch::Branch, compare::Comparison, config::ConfigError};
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};
use tokio::time::Instant;

/// Watches and switches the shadows of a layer, whatever its type. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ShadowHandle(pub(super) Arc<State>);

/// What a [`drain`](ShadowHandle::drain) left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Shadows that were still running at the deadline and were stopped; they end as `cancelled`.
    pub cut_off: usize,
}

impl ShadowHandle {
    /// Switches all shadows off or on, from the next request on. Those that run are left to run.
    /// Requests that come while they are off are counted (`switched_off`).
    pub fn set_enabled(&self, enabled: bool) {
        self.0.is_on.store(enabled, Relaxed);
    }

    /// Sets the switches as those of `other` are. Switches of shadows that are not there are passed
    /// over.
    pub fn switch_as(&self, other: &Self) {
        self.set_enabled(other.0.is_on.load(Relaxed));
        for shadow in &other.0.shadows {
            let _ = self.set_config_enabled(shadow.arm.config.id().as_str(), shadow.is_enabled());
        }
    }

    /// Whether shadows are enabled at all, and switched on.
    pub fn is_enabled(&self) -> bool {
        self.0.is_enabled()
    }

    /// As [`set_enabled`](Self::set_enabled), for one config.
    ///
    /// # Errors
    ///
    /// When it is not the id of a shadow.
    pub fn set_config_enabled(&self, id: &str, enabled: bool) -> Result<(), ConfigError> {
        let mut found = false;
        for shadow in self.0.shadows.iter().filter(|s| s.arm.config.id().as_str() == id) {
            shadow.set_enabled(enabled);
            found = true;
        }
        if found {
            return Ok(());
        }
        let ids: Vec<_> =
            self.0.shadows.iter().map(|s| format!("`{}`", s.arm.config.id().short())).collect();
        Err(ConfigError::Unknown { id: id.to_owned(), known: ids.join(", ") })
    }

    /// What became of the requests, for each shadow in the order of the pool; the control is the
    /// last.
    pub fn stats(&self) -> Vec<ShadowStats> {
        self.0.shadows.iter().map(ShadowArm::stats).collect()
    }

    /// Waits until no shadow is running and nothing waits to be compared, at most for `deadline`;
    /// then stops the shadows that are. After a deadline that had to stop some, later shadows of
    /// this layer are stopped at once: it is meant for the end of the process.
    ///
    /// # Cancel safety
    ///
    /// Safe: the shadows run on.
    pub async fn drain(&self, deadline: Duration) -> Drained {
        let until = Instant::now() + deadline;
        let cut_off = self.0.in_flight.drain(deadline).await;
        // What is under way deserves a moment.
        let until = until.max(Instant::now() + Duration::from_millis(100));
        let _ = tokio::time::timeout_at(until, self.0.comparer.drained()).await;
        Drained { cut_off }
    }

    /// The last shadow branches whose settled response is a `T`, oldest first, leaving none. Each
    /// is there as soon as its shadow has ended.
    pub fn shadow_results<T: 'static>(&self) -> Vec<Branch<T>> {
        self.0.results.take()
    }

    /// The last comparisons, oldest first, leaving none; as many as results are kept.
    pub fn comparisons(&self) -> Vec<Comparison> {
        self.0.comparisons.take()
    }
}
