//! A branch on its way into the evaluation.

use super::{Missed, evaluators::Plan, pending::Pending, turn::Due};
use crate::trial::{Kept, Record, Sink};
use std::sync::Arc;

/// A branch that has ended. Dropped, wherever that is, it is recorded as it is, and all that was to be had of it is
/// counted as missed.
pub(super) struct Job {
    plan: Arc<Plan>,
    /// `None` once somebody else answers for it.
    ended: Option<(Record, Kept, Pending)>,
    sink: Arc<dyn Sink>,
}

impl Job {
    pub(super) fn new(plan: &Arc<Plan>, record: Record, kept: Kept, sink: Arc<dyn Sink>) -> Self {
        let pending = Pending::new(&plan.underway);
        Self { plan: plan.clone(), ended: Some((record, kept, pending)), sink }
    }

    /// The branch, and what was kept of it.
    pub(super) fn open(mut self) -> Option<(Due, Kept)> {
        let (record, kept, pending) = self.ended.take()?;
        Some((Due::new(record.into_branch(), self.sink.clone(), pending), kept))
    }

    /// Hands it on as it is.
    pub(super) fn give_up(mut self, why: Missed) {
        self.hand_on(why);
    }

    fn hand_on(&mut self, why: Missed) {
        if let Some((record, _kept, _pending)) = self.ended.take() {
            self.plan.miss_all(why);
            self.sink.record(record);
        }
    }
}

impl Drop for Job {
    /// Nobody takes it any more.
    fn drop(&mut self) {
        self.hand_on(Missed::QueueFull);
    }
}
