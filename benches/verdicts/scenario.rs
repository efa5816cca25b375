//! Experiments whose truth is known.

use tower_spearmint::report::{Measure, Metric};

/// How an arm behaves.
#[derive(Clone, Copy)]
pub(crate) struct Arm {
    /// Of a request it fails with this probability.
    pub(crate) failing: f64,
    /// The median of how long it takes, in ms.
    pub(crate) ms: f64,
    /// Of its branches so many are never recorded.
    pub(crate) lost: f64,
}

/// Who gets what.
#[derive(Clone, Copy)]
pub(crate) enum Split {
    /// Each request has its shadow.
    Shadow,
    /// Each request for itself, the second arm with this share.
    Requests(f64),
    /// The share changes from the first to the second half-way.
    Changing(f64, f64),
    /// Units with requests as unequal as Zipf's law has it, half of them to each arm; each unit has a
    /// pace and a luck of its own.
    Units,
}

#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) requests: u64,
    pub(crate) split: Split,
    pub(crate) arms: [Arm; 2],
    /// How many standard deviations the logarithm of a duration scatters by.
    pub(crate) spread: f64,
    /// By how much the load makes everything slower and fail more, at its worst: a factor.
    pub(crate) drift: f64,
    pub(crate) metrics: &'static [Metric],
}

const STEADY: Arm = Arm { failing: 0.01, ms: 10.0, lost: 0.0 };
const GUARDRAILS: &[Metric] =
    &[Metric::guardrail(Measure::ErrorRate, 0.005), Metric::guardrail(Measure::LatencyP95, 0.10)];
const FASTER: &[Metric] = &[
    Metric::guardrail(Measure::ErrorRate, 0.005),
    Metric::guardrail(Measure::LatencyP95, 0.10),
    Metric::success(Measure::LatencyP50, 0.0),
];

const AA: Scenario = Scenario {
    name: "",
    requests: 24_000,
    split: Split::Requests(0.5),
    arms: [STEADY, STEADY],
    spread: 0.5,
    drift: 1.0,
    metrics: FASTER,
};

const fn failing(failing: f64) -> Arm {
    Arm { failing, ..STEADY }
}

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario { name: "A/A, per request", ..AA },
    Scenario { name: "A/A, 90:10", split: Split::Requests(0.1), ..AA },
    Scenario {
        name: "A/A, 99:1, then 50:50, drifting",
        split: Split::Changing(0.01, 0.5),
        drift: 3.0,
        ..AA
    },
    Scenario { name: "A/A, errors 0.1%", arms: [failing(0.001); 2], ..AA },
    Scenario { name: "A/A, errors 50%", arms: [failing(0.5); 2], ..AA },
    Scenario { name: "A/A, heavy tails", spread: 1.5, ..AA },
    Scenario { name: "A/A, load and errors drift to 3 times", drift: 3.0, ..AA },
    Scenario { name: "A/A, units by Zipf's law", split: Split::Units, ..AA },
    Scenario {
        name: "shadow, errors at the margin",
        split: Split::Shadow,
        arms: [STEADY, failing(0.015)],
        metrics: GUARDRAILS,
        ..AA
    },
    Scenario {
        name: "shadow, latency at the margin",
        split: Split::Shadow,
        arms: [STEADY, Arm { ms: 11.0, ..STEADY }],
        metrics: GUARDRAILS,
        ..AA
    },
    Scenario { name: "shadow, equal", split: Split::Shadow, metrics: GUARDRAILS, ..AA },
    Scenario {
        name: "shadow, 1 point more errors",
        split: Split::Shadow,
        arms: [STEADY, failing(0.02)],
        metrics: GUARDRAILS,
        ..AA
    },
    Scenario { name: "5% faster", arms: [STEADY, Arm { ms: 9.5, ..STEADY }], ..AA },
    Scenario { name: "20% slower", arms: [STEADY, Arm { ms: 12.0, ..STEADY }], ..AA },
    Scenario {
        name: "5% of the second arm lost",
        arms: [STEADY, Arm { lost: 0.05, ..STEADY }],
        ..AA
    },
];
