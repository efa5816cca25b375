//! The experiments that are simulated.

mod latencies;
mod means;
mod outcomes;

use crate::scenario::{Arm, Luck, Numbers, Planned, Scenario, Split, Times, Traffic, Truth};
use tower_spearmint::report::{Measure, Metric};

pub(crate) fn all() -> impl Iterator<Item = &'static Scenario> {
    [MEASURED, latencies::SCENARIOS, means::SCENARIOS, outcomes::SCENARIOS].into_iter().flatten()
}

const STEADY: Arm = Arm { failing: 0.01, ms: 10.0, lost: 0.0, wrong: 0.0, more: 1.0, rarely: 0.0 };

/// Nothing hides what is false: any of both alone decides.
const EITHER: &[Metric] =
    &[Metric::success(Measure::ErrorRate, 0.0), Metric::success(Measure::LatencyP50, 0.0)];
const TAILS: &[Metric] =
    &[Metric::success(Measure::LatencyP95, 0.0), Metric::success(Measure::LatencyP99, 0.0)];
const FEWER_ERRORS: &[Metric] = &[Metric::success(Measure::ErrorRate, 0.0)];
const FASTER_P50: &[Metric] = &[Metric::success(Measure::LatencyP50, 0.0)];
const FASTER_P95: &[Metric] = &[Metric::success(Measure::LatencyP95, 0.0)];
const WORTH_IT: &[Metric] = &[Metric::success(Measure::LatencyP50, 0.05)];
const GUARDRAILS: &[Metric] =
    &[Metric::guardrail(Measure::ErrorRate, 0.005), Metric::guardrail(Measure::LatencyP95, 0.10)];
const AGREEING: &[Metric] = &[Metric::guardrail(Measure::Agreement, 0.01)];
/// As a file might have it.
const USUAL: &[Metric] = &[
    Metric::guardrail(Measure::ErrorRate, 0.005),
    Metric::guardrail(Measure::LatencyP95, 0.10),
    Metric::success(Measure::LatencyP50, 0.0),
];

const HALF: Split = Split::Requests(0.5, 0.5);

const AA: Scenario = Scenario {
    name: "",
    truth: Truth::Same,
    requests: 24_000,
    split: HALF,
    arms: [STEADY; 2],
    times: Times::LogNormal(0.5),
    numbers: Numbers::Nothing,
    margin: None,
    load: 1.0,
    outage: 1.0,
    metrics: EITHER,
    planned: Planned::Nothing,
};

const SHADOW: Scenario = Scenario { split: Split::Shadow, metrics: GUARDRAILS, ..AA };

const fn failing(failing: f64) -> Arm {
    Arm { failing, ..STEADY }
}

const fn taking(ms: f64) -> Arm {
    Arm { ms, ..STEADY }
}

const fn wrong(wrong: f64) -> Arm {
    Arm { wrong, ..STEADY }
}

const fn units(traffic: Traffic) -> Split {
    Split::Units(traffic, Luck::Own, 0.5, 0.5)
}

const MEASURED: &[Scenario] = &[
    Scenario { name: "A/A, per request", ..AA },
    Scenario { name: "A/A, 90:10", split: Split::Requests(0.1, 0.1), ..AA },
    Scenario { name: "A/A, 99:1", split: Split::Requests(0.01, 0.01), ..AA },
    Scenario {
        name: "A/A, 99:1, then 50:50, load to 3 times",
        split: Split::Requests(0.01, 0.5),
        load: 3.0,
        ..AA
    },
    Scenario { name: "A/A, errors 0.1%", arms: [failing(0.001); 2], ..AA },
    Scenario { name: "A/A, errors 10%", arms: [failing(0.1); 2], ..AA },
    Scenario { name: "A/A, errors 50%", arms: [failing(0.5); 2], ..AA },
    Scenario { name: "A/A, p95 and p99", metrics: TAILS, ..AA },
    Scenario {
        name: "A/A, p95 and p99, heavy tails",
        metrics: TAILS,
        times: Times::Pareto(1.2),
        ..AA
    },
    Scenario { name: "A/A, heavy tails", times: Times::LogNormal(1.5), ..AA },
    Scenario { name: "A/A, load to 3 times", load: 3.0, ..AA },
    Scenario { name: "A/A, errors to 20 times", outage: 20.0, ..AA },
    Scenario { name: "A/A, units, uniform", split: units(Traffic::Uniform), ..AA },
    Scenario { name: "A/A, units, Zipf", split: units(Traffic::Zipf), ..AA },
    Scenario {
        name: "A/A, units, Zipf, 90:10",
        split: Split::Units(Traffic::Zipf, Luck::Own, 0.1, 0.1),
        ..AA
    },
    Scenario {
        name: "A/A, units, uniform, 90:10, then 50:50, load",
        split: Split::Units(Traffic::Uniform, Luck::Own, 0.1, 0.5),
        load: 3.0,
        ..AA
    },
    Scenario {
        name: "A/A, units, uniform, all fail or none",
        split: Split::Units(Traffic::Uniform, Luck::AllOrNothing, 0.5, 0.5),
        ..AA
    },
    Scenario {
        name: "A/A, units, Zipf, all fail or none, 90:10",
        split: Split::Units(Traffic::Zipf, Luck::AllOrNothing, 0.1, 0.1),
        ..AA
    },
    Scenario {
        name: "A/A, units, uniform, errors 50%, errors drift",
        split: units(Traffic::Uniform),
        arms: [failing(0.25); 2],
        outage: 2.0,
        ..AA
    },
    Scenario {
        name: "shadow, errors at the margin",
        truth: Truth::AtMargin,
        arms: [STEADY, failing(0.015)],
        ..SHADOW
    },
    Scenario {
        name: "shadow, latency at the margin",
        truth: Truth::AtMargin,
        arms: [STEADY, taking(11.0)],
        ..SHADOW
    },
    Scenario {
        name: "shadow, latency at the margin, load",
        truth: Truth::AtMargin,
        arms: [STEADY, taking(11.0)],
        load: 3.0,
        ..SHADOW
    },
    Scenario {
        name: "shadow, agreement at the margin",
        truth: Truth::AtMargin,
        arms: [STEADY, wrong(0.01)],
        metrics: AGREEING,
        ..SHADOW
    },
    Scenario {
        name: "shadow, control, agreement at the margin",
        truth: Truth::AtMargin,
        split: Split::ShadowAndControl,
        arms: [STEADY, wrong(0.01)],
        metrics: AGREEING,
        ..SHADOW
    },
    Scenario {
        name: "exactly as fast as is worth it",
        truth: Truth::AtMinimum,
        arms: [STEADY, taking(9.5)],
        metrics: WORTH_IT,
        ..AA
    },
    Scenario { name: "shadow, equal", truth: Truth::Better, ..SHADOW },
    Scenario {
        name: "shadow, control, equal answers",
        truth: Truth::Better,
        split: Split::ShadowAndControl,
        metrics: AGREEING,
        ..SHADOW
    },
    Scenario {
        name: "shadow, 1 point more errors",
        truth: Truth::Worse,
        arms: [STEADY, failing(0.02)],
        ..SHADOW
    },
    Scenario {
        name: "shadow, 5% of answers wrong",
        truth: Truth::Worse,
        arms: [STEADY, wrong(0.05)],
        metrics: AGREEING,
        ..SHADOW
    },
    Scenario { name: "no faster, 5% is worth it", truth: Truth::Worse, metrics: WORTH_IT, ..AA },
    Scenario {
        name: "20% slower, with guardrails",
        truth: Truth::Worse,
        arms: [STEADY, taking(12.0)],
        metrics: USUAL,
        ..AA
    },
    Scenario {
        name: "5% faster, with guardrails",
        truth: Truth::Better,
        requests: 60_000,
        arms: [STEADY, taking(9.5)],
        metrics: USUAL,
        ..AA
    },
    Scenario {
        name: "p50 5% faster",
        truth: Truth::Better,
        requests: 60_000,
        arms: [STEADY, taking(9.5)],
        metrics: FASTER_P50,
        planned: Planned::Quantile(0.5),
        ..AA
    },
    Scenario {
        name: "p95 5% faster",
        truth: Truth::Better,
        requests: 120_000,
        arms: [STEADY, taking(9.5)],
        metrics: FASTER_P95,
        planned: Planned::Quantile(0.95),
        ..AA
    },
    Scenario {
        name: "errors 5% fewer, of 10%",
        truth: Truth::Better,
        requests: 480_000,
        arms: [failing(0.1), failing(0.095)],
        metrics: FEWER_ERRORS,
        planned: Planned::Errors,
        ..AA
    },
    Scenario {
        name: "errors half, of 1%",
        truth: Truth::Better,
        arms: [STEADY, failing(0.005)],
        metrics: FEWER_ERRORS,
        planned: Planned::Errors,
        ..AA
    },
    Scenario {
        name: "errors half, of 1%, units, uniform",
        truth: Truth::Better,
        split: units(Traffic::Uniform),
        arms: [STEADY, failing(0.005)],
        metrics: FEWER_ERRORS,
        planned: Planned::Errors,
        ..AA
    },
    Scenario {
        name: "errors half, of 10%, units, Zipf",
        truth: Truth::Better,
        split: units(Traffic::Zipf),
        arms: [failing(0.1), failing(0.05)],
        metrics: FEWER_ERRORS,
        planned: Planned::Errors,
        ..AA
    },
    Scenario {
        name: "5% of the second arm lost",
        truth: Truth::Broken,
        arms: [STEADY, Arm { lost: 0.05, ..STEADY }],
        ..AA
    },
];
