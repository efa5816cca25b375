//! One config that runs as a shadow: its bounds, its switch, its counters.

use super::{
    BreakerState,
    breaker::{Breaker, Pass},
    in_flight::{InFlight, Permit},
    settings::Bounds,
};
use crate::{
    assign::inside,
    branch::{Role, SkipReason},
    config::ConfigId,
    trial::Arm,
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

/// One config that runs as a shadow, or the control.
#[derive(Debug)]
pub(super) struct ShadowArm {
    pub(super) arm: Arc<Arm>,
    pub(super) role: Role,
    pub(super) bounds: Bounds,
    enabled: AtomicBool,
    breaker: Option<Arc<Breaker>>,
    in_flight: Arc<AtomicUsize>,
    pub(super) counts: Counts,
}

#[derive(Debug)]
pub(super) struct Counts {
    admitted: AtomicU64,
    /// Of them, those that were skipped after all.
    skipped_late: AtomicU64,
    pub(super) sampled_out: AtomicU64,
    pub(super) unmatched: AtomicU64,
    pub(super) switched_off: AtomicU64,
    pub(super) compared: AtomicU64,
    pub(super) different: AtomicU64,
    pub(super) not_compared: AtomicU64,
    /// By reason, in the order of `SkipReason::ALL`.
    skips: Box<[AtomicU64]>,
}

/// What became of the requests, for one shadow. Counts since the layer was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ShadowStats {
    /// The config.
    pub config_id: ConfigId,
    /// Whether it is a shadow or the control.
    pub role: Role,
    /// Whether it is switched on.
    pub enabled: bool,
    /// What its breaker does, if it has one.
    pub breaker: Option<BreakerState>,
    /// Requests that its bounds and its breaker let through: those that were shadowed, and those that
    /// its service then skipped.
    pub admitted: u64,
    /// Requests that were shadowed.
    pub dispatched: u64,
    /// Requests that were sampled out.
    pub sampled_out: u64,
    /// Requests that may not be shadowed (a method, a matcher, a marked request).
    pub unmatched: u64,
    /// Requests that came while it was switched off.
    pub switched_off: u64,
    /// Requests whose shadow was refused before it was started; each is a `skipped` branch.
    pub skipped: u64,
    /// The same by reason.
    pub skips: BTreeMap<SkipReason, u64>,
    /// Shadows running now.
    pub in_flight: usize,
    /// Bytes of request bodies that wait for it now, over HTTP.
    pub waiting_bytes: usize,
    /// Answers that were compared with the primary's.
    pub compared: u64,
    /// Those of them in which something differs.
    pub different: u64,
    /// Answers that were not compared, though both were to be: the primary's never came to its end,
    /// or too many comparisons were waiting.
    pub not_compared: u64,
}

/// The right of one more shadow to run.
pub(super) struct Admission {
    pub(super) permit: Permit,
    pub(super) pass: Option<Pass>,
}

impl ShadowArm {
    pub(super) fn new(arm: &Arc<Arm>, role: Role, bounds: Bounds) -> Self {
        Self {
            arm: arm.clone(),
            role,
            enabled: AtomicBool::new(true),
            breaker: bounds.breaker.clone().map(Breaker::new),
            bounds,
            in_flight: Arc::default(),
            counts: Counts {
                admitted: AtomicU64::new(0),
                skipped_late: AtomicU64::new(0),
                sampled_out: AtomicU64::new(0),
                unmatched: AtomicU64::new(0),
                switched_off: AtomicU64::new(0),
                compared: AtomicU64::new(0),
                different: AtomicU64::new(0),
                not_compared: AtomicU64::new(0),
                skips: SkipReason::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
            },
        }
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.enabled.load(Relaxed)
    }

    pub(super) fn set_enabled(&self, enabled: bool) {
        self.enabled.store(enabled, Relaxed);
    }

    pub(super) fn count_unmatched(&self) {
        self.counts.unmatched.fetch_add(1, Relaxed);
    }

    /// Whether a request with this draw is shadowed; counts it if not.
    pub(super) fn wants(&self, draw: u64) -> bool {
        let counter = if !self.is_enabled() {
            &self.counts.switched_off
        } else if inside(draw, self.bounds.sample) {
            return true;
        } else {
            &self.counts.sampled_out
        };
        counter.fetch_add(1, Relaxed);
        false
    }

    /// The right of one more shadow to run, unless there are enough or they fail too often.
    pub(super) fn admit(&self, all: &Arc<InFlight>) -> Result<Admission, SkipReason> {
        let permit = Permit::take(all, &self.in_flight, self.bounds.max_in_flight)
            .ok_or(SkipReason::MaxInFlight)?;
        let pass = match &self.breaker {
            Some(breaker) => Some(breaker.pass().ok_or(SkipReason::BreakerOpen)?),
            None => None,
        };
        self.counts.admitted.fetch_add(1, Relaxed);
        Ok(Admission { permit, pass })
    }

    pub(super) fn count_skip(&self, reason: SkipReason) {
        let at = SkipReason::ALL.iter().position(|known| *known == reason);
        if let Some(count) = at.and_then(|at| self.counts.skips.get(at)) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// A shadow that was counted as dispatched was skipped after all.
    pub(super) fn count_late_skip(&self, reason: SkipReason) {
        self.counts.skipped_late.fetch_add(1, Relaxed);
        self.count_skip(reason);
    }

    pub(super) fn stats(&self) -> ShadowStats {
        let counts = &self.counts;
        let skips: BTreeMap<_, _> = SkipReason::ALL
            .iter()
            .zip(&counts.skips)
            .map(|(reason, count)| (*reason, count.load(Relaxed)))
            .filter(|(_, count)| *count > 0)
            .collect();
        let skipped_late = counts.skipped_late.load(Relaxed);
        let admitted = counts.admitted.load(Relaxed);
        ShadowStats {
            config_id: self.arm.config.id().clone(),
            role: self.role,
            enabled: self.is_enabled(),
            breaker: self.breaker.as_ref().map(|breaker| breaker.state()),
            admitted,
            dispatched: admitted.saturating_sub(skipped_late),
            sampled_out: counts.sampled_out.load(Relaxed),
            unmatched: counts.unmatched.load(Relaxed),
            switched_off: counts.switched_off.load(Relaxed),
            skipped: skips.values().sum(),
            skips,
            in_flight: self.in_flight.load(Relaxed),
            waiting_bytes: self.arm.waiting_bytes(),
            compared: counts.compared.load(Relaxed),
            different: counts.different.load(Relaxed),
            not_compared: counts.not_compared.load(Relaxed),
        }
    }
}
