//! What is measured, and what for.

use crate::branch::named;
use serde::{Serialize, Serializer};
use std::{fmt, sync::Arc};

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Measure {
    /// The share of branches that failed, of those that ended by themselves.
    ErrorRate,
    /// The time to the end of the response that half of them do not exceed.
    LatencyP50,
    /// The time that 95 % do not exceed.
    LatencyP95,
    /// The time that 99 % do not exceed.
    LatencyP99,
    /// The time to the head of the response that half of them do not exceed. (Not of shadows: the
    /// primaries' of the same requests are not kept apart.)
    FirstByteP50,
    /// The time to the head of the response that 95 % do not exceed.
    FirstByteP95,
    /// The time to the head of the response that 99 % do not exceed.
    FirstByteP99,
    /// The share of answers that equal the primary's, of those that were compared. Where there is a
    /// control, as often as the primary's own second answer.
    Agreement,
    /// The mean of a number that the service or somebody else says, by its name.
    Mean(Arc<str>),
}

named! {
    /// What a metric is for.
    MetricRole {
        /// The candidate is to be better here.
        Success = "success",
        /// The candidate may be worse by its margin and no more.
        Guardrail = "guardrail",
        /// It is shown, and decides nothing.
        Quality = "quality",
    }
}

named! {
    /// What a difference is counted in.
    Unit {
        /// The difference of two shares: from 1 % to 1.5 % is 0.005.
        Points = "points",
        /// The share of the baseline's value: from 100 ms to 105 ms is 0.05.
        Relative = "relative",
    }
}

/// A measure with its part in the verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Metric {
    /// What is measured.
    pub measure: Measure,
    /// What for.
    pub role: MetricRole,
    /// Whether more of it is better.
    pub increase: bool,
    /// Nobody said whether more or less of it is better: it can be neither.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub undirected: bool,
    /// How much worse a guardrail may be, in the measure's [unit](Measure::unit), from 0.
    pub margin: f64,
    /// The minimum effect: by how much success must be better to be worth it, in the same unit.
    pub mde: f64,
}

impl Metric {
    /// The candidate may be worse by `margin`.
    pub const fn guardrail(measure: Measure, margin: f64) -> Self {
        Self::of(measure, MetricRole::Guardrail, margin, 0.0)
    }

    /// The candidate is to be better; by less than `mde` is not worth it.
    pub const fn success(measure: Measure, mde: f64) -> Self {
        Self::of(measure, MetricRole::Success, 0.0, mde)
    }

    /// Shown only.
    pub const fn quality(measure: Measure) -> Self {
        Self::of(measure, MetricRole::Quality, 0.0, 0.0)
    }

    /// Shown only, and neither better nor worse: it was seen, and nobody said what is good.
    pub(super) fn shown(measure: Measure) -> Self {
        Self { undirected: true, ..Self::quality(measure) }
    }

    const fn of(measure: Measure, role: MetricRole, margin: f64, mde: f64) -> Self {
        let increase = matches!(measure, Measure::Agreement);
        Self { measure, role, increase, undirected: false, margin, mde }
    }

    /// The same, where more of it is better. (That more agreement is better goes without saying.)
    #[must_use]
    pub const fn increasing(mut self) -> Self {
        self.increase = true;
        self
    }

    /// Those of a plan that names none: errors up to half a point more, 95 % of the answers at
    /// most 10 % slower, and answers that differ in one of 100.
    pub fn defaults() -> [Self; 5] {
        [
            Self::guardrail(Measure::ErrorRate, 0.005),
            Self::guardrail(Measure::LatencyP95, 0.10),
            Self::guardrail(Measure::Agreement, 0.01),
            Self::quality(Measure::LatencyP50),
            Self::quality(Measure::LatencyP99),
        ]
    }
}

impl Measure {
    /// Those that are measured of every branch.
    pub const BUILT_IN: [Self; 8] = [
        Self::ErrorRate,
        Self::LatencyP50,
        Self::LatencyP95,
        Self::LatencyP99,
        Self::FirstByteP50,
        Self::FirstByteP95,
        Self::FirstByteP99,
        Self::Agreement,
    ];

    /// The name in files and reports.
    pub fn as_str(&self) -> &str {
        match self {
            Self::ErrorRate => "error_rate",
            Self::LatencyP50 => "latency_p50",
            Self::LatencyP95 => "latency_p95",
            Self::LatencyP99 => "latency_p99",
            Self::FirstByteP50 => "first_byte_p50",
            Self::FirstByteP95 => "first_byte_p95",
            Self::FirstByteP99 => "first_byte_p99",
            Self::Agreement => "agreement",
            Self::Mean(name) => name,
        }
    }

    /// The one of this name: one that is [built in](Self::BUILT_IN), or else the mean of what is said
    /// under it.
    pub fn named(name: &str) -> Self {
        let built_in = Self::BUILT_IN.into_iter().find(|measure| measure.as_str() == name);
        built_in.unwrap_or_else(|| Self::Mean(name.into()))
    }

    /// What a difference of it is counted in.
    pub const fn unit(&self) -> Unit {
        match self {
            Self::ErrorRate | Self::Agreement => Unit::Points,
            _ => Unit::Relative,
        }
    }

    pub(super) const fn is_first_byte(&self) -> bool {
        matches!(self, Self::FirstByteP50 | Self::FirstByteP95 | Self::FirstByteP99)
    }

    /// The share of the values below, for a quantile.
    pub(super) const fn quantile(&self) -> Option<f64> {
        match self {
            Self::LatencyP50 | Self::FirstByteP50 => Some(0.5),
            Self::LatencyP95 | Self::FirstByteP95 => Some(0.95),
            Self::LatencyP99 | Self::FirstByteP99 => Some(0.99),
            Self::ErrorRate | Self::Agreement | Self::Mean(_) => None,
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Measure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
