//! Latencies of units, each of which has a speed of its own.

use super::{AA, FASTER_P50, STEADY, USUAL, taking, units};
use crate::scenario::{Luck, Planned, Scenario, Split, Traffic, Truth};
use tower_spearmint::report::{Measure, Metric};

const LATENCIES: &[Metric] =
    &[Metric::success(Measure::LatencyP50, 0.0), Metric::success(Measure::LatencyP95, 0.0)];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "A/A, units, uniform, p50 and p95",
        split: units(Traffic::Uniform),
        metrics: LATENCIES,
        ..AA
    },
    Scenario {
        name: "A/A, units, Zipf, p50 and p95",
        split: units(Traffic::Zipf),
        metrics: LATENCIES,
        ..AA
    },
    Scenario {
        name: "A/A, units, Zipf, p50 and p95, 90:10, load",
        split: Split::Units(Traffic::Zipf, Luck::Own, 0.1, 0.1),
        metrics: LATENCIES,
        load: 3.0,
        ..AA
    },
    Scenario {
        name: "A/A, units, many, p50 and p95, load",
        split: units(Traffic::Many),
        metrics: LATENCIES,
        requests: 120_000,
        load: 3.0,
        ..AA
    },
    Scenario {
        name: "p50 5% faster, units, many",
        truth: Truth::Better,
        split: units(Traffic::Many),
        requests: 120_000,
        arms: [STEADY, taking(9.5)],
        metrics: FASTER_P50,
        planned: Planned::Quantile(0.5),
        ..AA
    },
    Scenario {
        name: "p50 20% faster, units, uniform",
        truth: Truth::Better,
        split: units(Traffic::Uniform),
        requests: 60_000,
        arms: [STEADY, taking(8.0)],
        metrics: FASTER_P50,
        planned: Planned::Quantile(0.5),
        ..AA
    },
    Scenario {
        name: "p50 half, units, Zipf",
        truth: Truth::Better,
        split: units(Traffic::Zipf),
        arms: [STEADY, taking(5.0)],
        metrics: FASTER_P50,
        planned: Planned::Quantile(0.5),
        ..AA
    },
    Scenario {
        name: "20% faster, with guardrails, units, many",
        truth: Truth::Better,
        split: units(Traffic::Many),
        requests: 120_000,
        arms: [STEADY, taking(8.0)],
        metrics: USUAL,
        ..AA
    },
];
