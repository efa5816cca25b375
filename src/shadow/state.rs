//! What all services of a layer share.

use super::{arm::ShadowArm, comparer::Comparer, in_flight::InFlight, results::Results};
use crate::{assign::Spread, branch::BranchId, compare::Differences, trial::Place};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

/// What all services of a layer share: the shadows, and what runs.
pub(super) struct State {
    pub(super) shadows: Box<[ShadowArm]>,
    pub(super) in_flight: Arc<InFlight>,
    pub(super) results: Results,
    pub(super) comparisons: Results,
    pub(super) comparer: Comparer,
    /// As the layer was set up.
    enabled: bool,
    /// The switch.
    pub(super) is_on: AtomicBool,
    sampling: Spread,
}

impl State {
    pub(super) fn new(shadows: Box<[ShadowArm]>, keep_results: usize, enabled: bool) -> Arc<Self> {
        Arc::new(Self {
            shadows,
            in_flight: Arc::default(),
            results: Results::new(keep_results),
            comparisons: Results::new(keep_results),
            comparer: Comparer::default(),
            enabled,
            is_on: AtomicBool::new(true),
            sampling: Spread::default(),
        })
    }

    /// Whether there are shadows, and they are switched on.
    pub(super) fn is_enabled(&self) -> bool {
        self.enabled && self.is_on.load(Relaxed)
    }

    pub(super) fn next_draw(&self) -> u64 {
        self.sampling.next()
    }

    pub(super) fn count_switched_off(&self) {
        for shadow in &self.shadows {
            shadow.counts.switched_off.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn count_unmatched(&self) {
        self.shadows.iter().for_each(ShadowArm::count_unmatched);
    }

    /// The answer of the shadow at `place` was compared with the primary's.
    pub(super) fn compared(
        &self,
        at: usize,
        place: &Place,
        primary: BranchId,
        differences: Differences,
    ) {
        let counts = &self.shadows[at].counts;
        counts.compared.fetch_add(1, Relaxed);
        if !differences.is_empty() {
            counts.different.fetch_add(1, Relaxed);
        }
        let comparison = place.comparison(primary, differences);
        if self.comparisons.keeps() {
            self.comparisons.keep(comparison.clone());
        }
        place.arm.compared(comparison);
    }

    pub(super) fn not_compared(&self, at: usize) {
        self.shadows[at].counts.not_compared.fetch_add(1, Relaxed);
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("shadows", &self.shadows)
            .field("in_flight", &self.in_flight.count())
            .finish_non_exhaustive()
    }
}
