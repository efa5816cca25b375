//! How far a candidate is from the baseline, metric by metric.

use super::{
    Finding, Measure, Metric, Standing,
    arms::Arm,
    levels::Levels,
    mean, outcome,
    quantile::{quantile, telling_epoch},
    rates::{agreement, error_rate, of_four_times},
    withheld::{self, Withheld},
};
use crate::stats::sequential::Interval;

/// How many observations the intervals are sharpest at: enough to decide most questions.
pub(super) const TRIALS: f64 = 20_000.0;
/// The same of requests of units, which tell less.
pub(super) const OF_UNITS: f64 = 1_000.0;

/// A difference as it is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effect {
    pub(super) baseline: Option<f64>,
    pub(super) candidate: Option<f64>,
    pub(super) counts: [u64; 2],
    pub(super) difference: Option<f64>,
    pub(super) interval: Interval,
    /// Units are counted, not branches.
    pub(super) by_unit: bool,
}

pub(super) fn finding(
    metric: &Metric,
    baseline: &Arm,
    control: Option<&Arm>,
    candidate: &Arm,
    levels: Levels,
) -> Finding {
    let ends = levels.ends(metric);
    let mut variance_less = None;
    let effect = match &metric.measure {
        Measure::ErrorRate => error_rate(baseline, candidate, ends),
        Measure::Agreement => agreement(control, candidate, ends),
        Measure::Mean(name) => match outcome::mean(name, baseline, candidate, ends) {
            Some(found) => {
                variance_less = found.variance_less;
                found.effect
            }
            None => mean::mean(name, baseline, candidate, ends),
        },
        measure => quantile(measure, baseline, candidate, ends),
    };
    let withheld = withheld::of(metric, baseline, candidate);
    let Effect { difference, mut interval, .. } = effect;
    if matches!(withheld, Some(Withheld::All(_))) {
        interval = Interval::EVERYTHING;
    }
    let mut finding = Finding {
        metric: metric.clone(),
        unit: metric.measure.unit(),
        baseline: effect.baseline,
        candidate: effect.candidate,
        baseline_count: effect.counts[0],
        candidate_count: effect.counts[1],
        by_unit: effect.by_unit,
        variance_less,
        difference,
        interval,
        intersection: interval,
        contradicted_ns: None,
        epoch: telling_epoch(&metric.measure, baseline, candidate).and_then(|(epoch, _)| epoch),
        withheld: withheld.map(Withheld::into_reason),
        standing: Standing::Open,
        needed: None,
        may_be_noise: false,
        four_times: None,
        sentence: String::new(),
    };
    finding.stand();
    if finding.standing == Standing::Open {
        finding.four_times = of_four_times(metric, baseline, control, candidate, ends);
        finding.stand();
    }
    finding
}

impl Effect {
    pub(super) const NONE: Self = Self {
        baseline: None,
        candidate: None,
        counts: [0; 2],
        difference: None,
        interval: Interval::EVERYTHING,
        by_unit: false,
    };
}
