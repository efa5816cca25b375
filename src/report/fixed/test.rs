//! One metric of one candidate, tested.

use super::super::{Metric, Unit, finding::known_ends, sentence};
use crate::{branch::named, stats::Interval};
use serde::Serialize;

named! {
    /// What is independent of one another, and is counted.
    By {
        /// Requests, each of which went to one config.
        Requests = "requests",
        /// Requests that both configs had.
        Pairs = "pairs",
        /// Units: what was measured of one is summed up first.
        Units = "units",
    }
}

named! {
    /// How it is tested.
    Method {
        /// The pooled z test of two proportions, with Newcombe's interval.
        TwoProportions = "two proportions",
        /// Fisher's exact test, where fewer than five are to be expected; with Newcombe's interval.
        FisherExact = "Fisher exact",
        /// McNemar's exact test of the pairs in which only one side failed, with Bonett and Price's interval.
        McNemar = "McNemar exact",
        /// Wilson's interval of a share that should be 0.
        Wilson = "Wilson",
        /// Welch's t test of two means.
        Welch = "Welch",
        /// Welch's t test of a ratio of sums by unit, with the variance of the delta method.
        WelchByUnit = "Welch by unit",
        /// The t test of the differences within pairs.
        PairedT = "paired t",
        /// The same of sums by unit, with the variance of the delta method.
        PairedByUnit = "paired t by unit",
        /// The bootstrap of the difference of two quantiles.
        Quantiles = "bootstrap of quantiles",
        /// Welch's t test of quantiles, whose variance is Woodruff's with the shares by unit.
        QuantilesByUnit = "Woodruff by unit",
        /// Woodruff's variance of quantiles of pairs.
        PairedQuantiles = "Woodruff",
        /// The bootstrap of the difference of two means.
        Means = "bootstrap of means",
        /// The permutation test of two means.
        Permutation = "permutation",
        /// The Mann–Whitney test, with the Hodges–Lehmann shift: the median of all differences.
        MannWhitney = "Mann-Whitney",
        /// Betting on scores in the order of the branches: it may be looked at at any time.
        Betting = "betting",
    }
}

/// A metric of a candidate, tested once.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct FixedTest {
    /// What is measured, and what for.
    #[serde(flatten)]
    pub metric: Metric,
    /// How it is tested.
    pub method: Method,
    /// What is counted.
    pub by: By,
    /// The baseline's value: a share, ns, or a mean.
    pub baseline: Option<f64>,
    /// The candidate's value.
    pub candidate: Option<f64>,
    /// How many of the baseline this is from: requests, pairs or units.
    pub baseline_count: u64,
    /// How many of the candidate.
    pub candidate_count: u64,
    /// The candidate's value minus the baseline's, in the same unit.
    pub difference: Option<f64>,
    /// Where the true difference lies, but for 5 % of such experiments; in JSON an end that is not known is null.
    #[serde(serialize_with = "known_ends")]
    pub interval: Interval,
    /// The chance of a difference at least as large in either direction, if there is none.
    pub p: Option<f64>,
    /// The same as one of all success metrics of all candidates, any of which may be false with chance 5 % (Holm).
    pub p_holm: Option<f64>,
    /// The same as one of all tests, of which 5 % of those found may be false (Benjamini and Hochberg).
    pub p_benjamini_hochberg: Option<f64>,
    /// The difference that so many find in 80 of 100 experiments, at 5 %.
    pub detectable: Option<f64>,
    /// Where fewer values were looked at than there are: how many of each side, drawn at random.
    pub sampled: Option<[u64; 2]>,
    /// What other tests say of the same.
    pub also: Vec<AlsoTested>,
    /// What else is to be known.
    pub note: Option<String>,
}

/// What another test says of the same metric.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct AlsoTested {
    /// How it is tested.
    pub method: Method,
    /// The difference as this test has it: of means, or the shift.
    pub difference: Option<f64>,
    /// Where the true one lies.
    #[serde(serialize_with = "known_ends")]
    pub interval: Interval,
    /// The chance of one as large, if there is none.
    pub p: Option<f64>,
}

impl FixedTest {
    /// Of a metric of which nothing is known.
    pub(super) fn new(metric: &Metric, method: Method, by: By) -> Self {
        Self {
            metric: metric.clone(),
            method,
            by,
            baseline: None,
            candidate: None,
            baseline_count: 0,
            candidate_count: 0,
            difference: None,
            interval: Interval::EVERYTHING,
            p: None,
            p_holm: None,
            p_benjamini_hochberg: None,
            detectable: None,
            sampled: None,
            also: Vec::new(),
            note: None,
        }
    }

    pub(super) fn noted(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    /// A value of this metric as people read it: `1.20%`, `12.3ms`, `0.871`.
    pub fn value_text(&self, value: f64) -> String {
        sentence::shown(&self.metric.measure, value)
    }

    /// A difference of this metric as people read it: `+0.30pp`, `-1.20ms`.
    pub fn difference_text(&self, difference: f64) -> String {
        if self.metric.measure.unit() == Unit::Points {
            return sentence::signed(Unit::Points, difference);
        }
        let sign = if difference < 0.0 { '-' } else { '+' };
        if difference.is_infinite() {
            return format!("{sign}∞");
        }
        format!("{sign}{}", self.value_text(difference.abs()))
    }
}
