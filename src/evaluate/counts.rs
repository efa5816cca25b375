//! What became of the numbers that were to be had.

use crate::{branch::named, trial::Unreadable};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

named! {
    /// Why a branch was recorded without a number that was to be had of it.
    Missed {
        /// Too many branches were waiting to be looked at (`waiting`).
        QueueFull = "queue_full",
        /// Too many were waiting for an evaluator, or for what was expected (`waiting`).
        WaitingFull = "waiting_full",
        /// A body is larger than what is kept of one (`max_body`).
        TooLarge = "too_large",
        /// So much of bodies is kept already that there was no room for this one (`max_bytes`).
        NoRoom = "no_room",
        /// A body is not what its headers say, or its coding is not known.
        Unreadable = "unreadable",
        /// There is nothing at the path, or no number; or the evaluator had nothing to say.
        NoValue = "no_value",
        /// The response says no usage, or names no model that has a price.
        NoPrice = "no_price",
        /// It is not known what the answer should have been.
        NoExpected = "no_expected",
        /// The evaluator had not ended in time (`timeout`).
        Timeout = "timeout",
        /// The evaluator failed, or gave no finite number.
        Error = "error",
        /// The evaluator panicked.
        Panic = "panic",
        /// Enough calls of the evaluator are running, hung ones among them.
        Busy = "busy",
        /// Whoever [waited](super::Evaluating::drain) for all to be evaluated waited no longer.
        Stopped = "stopped",
    }
}

impl From<Unreadable> for Missed {
    fn from(why: Unreadable) -> Self {
        match why {
            Unreadable::TooLarge => Self::TooLarge,
            Unreadable::NoRoom => Self::NoRoom,
            Unreadable::Broken => Self::Unreadable,
        }
    }
}

/// What became of one metric.
#[derive(Debug)]
pub(super) struct Counts {
    pub(super) name: Arc<str>,
    had: AtomicU64,
    /// In the order of `Missed::ALL`.
    missed: Box<[AtomicU64]>,
}

impl Counts {
    pub(super) fn new(name: Arc<str>) -> Self {
        let missed = Missed::ALL.iter().map(|_| AtomicU64::new(0)).collect();
        Self { name, had: AtomicU64::new(0), missed }
    }

    pub(super) fn had(&self) {
        self.had.fetch_add(1, Relaxed);
    }

    pub(super) fn missed(&self, why: Missed) {
        let at = Missed::ALL.iter().position(|known| *known == why);
        if let Some(count) = at.and_then(|at| self.missed.get(at)) {
            count.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn stats(&self) -> MetricStats {
        let missed = Missed::ALL.iter().zip(&self.missed);
        let missed = missed.map(|(why, count)| (*why, count.load(Relaxed)));
        MetricStats {
            had: self.had.load(Relaxed),
            missed: missed.filter(|(_, count)| *count > 0).collect(),
        }
    }
}

/// What became of one metric. Counts since the evaluation was made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct MetricStats {
    /// Branches that were recorded with it.
    pub had: u64,
    /// Branches that were recorded without it, by reason.
    pub missed: BTreeMap<Missed, u64>,
}

/// What became of the numbers that were to be had of branches.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct EvaluationStats {
    /// By the name of the metric.
    pub metrics: BTreeMap<String, MetricStats>,
    /// Branches that are not recorded yet, because they are being evaluated or wait for it.
    pub waiting: usize,
}
