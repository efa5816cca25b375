//! How often each thing that is said may be false.

use super::{Metric, MetricRole};
use crate::stats::sequential::Interval;

/// How often at most something false is said of an experiment in which nothing differs, however often
/// one looks.
pub(super) const ALPHA: f64 = 0.05;

/// What of [`ALPHA`] each single bound may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Levels {
    /// To call a metric of a candidate worse: all of them share it.
    harm: f64,
    /// To call a success better: all candidates and all successes share it.
    success: f64,
    /// To call a guardrail within its margin: all candidates share it.
    guardrail: f64,
}

impl Levels {
    pub(super) fn over(candidates: usize, metrics: &[Metric]) -> Self {
        let of = |counts: fn(&Metric) -> bool| {
            (candidates * metrics.iter().filter(|metric| counts(metric)).count()).max(1) as f64
        };
        Self {
            harm: ALPHA / of(|metric| metric.role != MetricRole::Quality),
            success: ALPHA / of(|metric| metric.role == MetricRole::Success),
            guardrail: ALPHA / candidates.max(1) as f64,
        }
    }

    /// All of them halved so often.
    pub(super) fn halved(self, times: u32) -> Self {
        let by = 2_f64.powi(times as i32);
        let Self { harm, success, guardrail } = self;
        Self { harm: harm / by, success: success / by, guardrail: guardrail / by }
    }

    /// For the ends of an interval on the side of harm, and of gain. All guardrails of a candidate have to hold, so
    /// they do not share their part.
    pub(super) fn ends(self, metric: &Metric) -> Ends {
        let (harm, gain) = match metric.role {
            MetricRole::Success => (self.harm, self.success),
            MetricRole::Guardrail => (self.harm, self.guardrail),
            MetricRole::Quality => (ALPHA / 2.0, ALPHA / 2.0),
        };
        if metric.increase {
            Ends { low: gain, high: harm }
        } else {
            Ends { low: harm, high: gain }
        }
    }
}

/// How often at most each end of an interval may be wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Ends {
    /// The interval that has either end from `within`, which is asked once where both may be wrong as often.
    pub(super) fn of(self, within: impl Fn(f64) -> Interval) -> Interval {
        let low = within(self.low);
        let high = if self.low == self.high { low } else { within(self.high) };
        Interval { low: low.low, high: high.high }
    }
}
