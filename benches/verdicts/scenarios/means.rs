//! Numbers that services say of requests: scores, tokens, costs.

use super::{AA, STEADY, units};
use crate::scenario::{Arm, Law, Luck, Numbers, Planned, Scenario, Split, Traffic, Truth};

const TOKENS: Numbers = Numbers::OfRequests(Law::LogNormal(1.0));
/// The standard deviation is half the mean.
const EVEN: Numbers = Numbers::OfRequests(Law::LogNormal(0.472_380_727));
const HEAVY: Numbers = Numbers::OfRequests(Law::LogNormal(2.0));
const COSTS: Numbers = Numbers::OfRequests(Law::Rare(0.01));

/// Nothing else is compared.
const MEAN: Scenario = Scenario { metrics: &[], numbers: TOKENS, ..AA };

const fn more(more: f64) -> Arm {
    Arm { more, ..STEADY }
}

const fn pareto(exponent: f64) -> Numbers {
    Numbers::OfRequests(Law::Pareto(exponent))
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "A/A, scores from 0 to 1",
        numbers: Numbers::OfRequests(Law::Uniform),
        ..MEAN
    },
    Scenario { name: "A/A, tokens", ..MEAN },
    Scenario { name: "A/A, tokens, load to 3 times", load: 3.0, ..MEAN },
    Scenario { name: "A/A, tokens, 90:10", split: Split::Requests(0.1, 0.1), ..MEAN },
    Scenario { name: "A/A, tokens, 99:1", split: Split::Requests(0.01, 0.01), ..MEAN },
    Scenario {
        name: "A/A, tokens, 99:1, then 50:50, load to 3 times",
        split: Split::Requests(0.01, 0.5),
        load: 3.0,
        ..MEAN
    },
    Scenario { name: "A/A, costs, 1% not 0", numbers: COSTS, ..MEAN },
    Scenario {
        name: "A/A, costs, 1% not 0, 90:10",
        numbers: COSTS,
        split: Split::Requests(0.1, 0.1),
        ..MEAN
    },
    Scenario {
        name: "A/A, costs, 1% not 0, 99:1",
        numbers: COSTS,
        split: Split::Requests(0.01, 0.01),
        ..MEAN
    },
    Scenario { name: "A/A, mean of heavy tails", numbers: HEAVY, ..MEAN },
    Scenario {
        name: "A/A, mean of heavy tails, 90:10",
        numbers: HEAVY,
        split: Split::Requests(0.1, 0.1),
        ..MEAN
    },
    Scenario {
        name: "A/A, mean of heavy tails, 99:1",
        numbers: HEAVY,
        split: Split::Requests(0.01, 0.01),
        ..MEAN
    },
    Scenario { name: "A/A, mean of Pareto 2.5", numbers: pareto(2.5), ..MEAN },
    Scenario {
        name: "A/A, mean of Pareto 2.5, 90:10",
        numbers: pareto(2.5),
        split: Split::Requests(0.1, 0.1),
        ..MEAN
    },
    Scenario {
        name: "A/A, mean of Pareto 2.5, 99:1",
        numbers: pareto(2.5),
        split: Split::Requests(0.01, 0.01),
        ..MEAN
    },
    Scenario { name: "A/A, mean of Pareto 1.5", numbers: pareto(1.5), ..MEAN },
    Scenario {
        name: "A/A, mean of Pareto 1.5, 90:10",
        numbers: pareto(1.5),
        split: Split::Requests(0.1, 0.1),
        ..MEAN
    },
    Scenario {
        name: "A/A, mean of Pareto 1.5, 99:1",
        numbers: pareto(1.5),
        split: Split::Requests(0.01, 0.01),
        ..MEAN
    },
    Scenario { name: "A/A, tokens, units, uniform", split: units(Traffic::Uniform), ..MEAN },
    Scenario { name: "A/A, tokens, units, Zipf", split: units(Traffic::Zipf), ..MEAN },
    Scenario {
        name: "A/A, tokens, units, uniform, 90:10",
        split: Split::Units(Traffic::Uniform, Luck::Own, 0.1, 0.1),
        ..MEAN
    },
    Scenario {
        name: "A/A, tokens, units, Zipf, 90:10",
        split: Split::Units(Traffic::Zipf, Luck::Own, 0.1, 0.1),
        ..MEAN
    },
    Scenario {
        name: "mean 10% less, but for one in 1,000",
        truth: Truth::Unseen,
        arms: [STEADY, Arm { rarely: 0.001, ..more(0.9) }],
        numbers: EVEN,
        ..MEAN
    },
    Scenario {
        name: "shadow, tokens at the margin",
        truth: Truth::AtMargin,
        split: Split::Shadow,
        arms: [STEADY, more(1.05)],
        margin: Some(0.05),
        ..MEAN
    },
    Scenario {
        name: "shadow, mean of heavy tails at the margin",
        truth: Truth::AtMargin,
        split: Split::Shadow,
        arms: [STEADY, more(1.05)],
        numbers: HEAVY,
        margin: Some(0.05),
        ..MEAN
    },
    Scenario {
        name: "shadow, tokens equal, 5% is allowed",
        truth: Truth::Better,
        split: Split::Shadow,
        margin: Some(0.05),
        ..MEAN
    },
    Scenario {
        name: "mean 5% less, scatters by half",
        truth: Truth::Better,
        arms: [STEADY, more(0.95)],
        numbers: EVEN,
        planned: Planned::Means,
        ..MEAN
    },
    Scenario {
        name: "tokens 5% fewer",
        truth: Truth::Better,
        requests: 120_000,
        arms: [STEADY, more(0.95)],
        planned: Planned::Means,
        ..MEAN
    },
];
