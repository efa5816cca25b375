//! What units do later: purchases, and what they are worth.

use super::{AA, STEADY};
use crate::scenario::{Arm, Law, Luck, Numbers, Planned, Scenario, Split, Traffic, Truth};

const BUYING: Numbers = Numbers::OfUnits(0.05, Law::One);
const SELDOM: Numbers = Numbers::OfUnits(0.005, Law::One);
const REVENUE: Numbers = Numbers::OfUnits(0.03, Law::LogNormal(1.5));

/// 8,000 units, of which each has three requests.
const OUTCOME: Scenario = Scenario { metrics: &[], split: passing(0.5), numbers: BUYING, ..AA };

/// 4,000 units, each in both epochs.
const RETURNING: Split = Split::Units(Traffic::Returning, Luck::Own, 0.1, 0.5);

const fn passing(share: f64) -> Split {
    Split::Units(Traffic::Passing, Luck::Own, share, share)
}

const fn more(more: f64) -> Arm {
    Arm { more, ..STEADY }
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario { name: "A/A, 5% buy", ..OUTCOME },
    Scenario { name: "A/A, 5% buy, 90:10", split: passing(0.1), ..OUTCOME },
    Scenario { name: "A/A, 5% buy, 99:1", split: passing(0.01), ..OUTCOME },
    Scenario { name: "A/A, 0.5% buy", numbers: SELDOM, ..OUTCOME },
    Scenario { name: "A/A, 0.5% buy, 90:10", numbers: SELDOM, split: passing(0.1), ..OUTCOME },
    Scenario { name: "A/A, revenue of 3%", numbers: REVENUE, ..OUTCOME },
    Scenario {
        name: "A/A, revenue of 3%, 90:10",
        numbers: REVENUE,
        split: passing(0.1),
        ..OUTCOME
    },
    Scenario { name: "A/A, 5% buy, 90:10, then 50:50, units return", split: RETURNING, ..OUTCOME },
    Scenario {
        name: "A/A, revenue of 3%, 90:10, then 50:50, units return",
        numbers: REVENUE,
        split: RETURNING,
        ..OUTCOME
    },
    Scenario {
        name: "5% buy, at the margin",
        truth: Truth::AtMargin,
        arms: [STEADY, more(0.9)],
        margin: Some(0.1),
        ..OUTCOME
    },
    Scenario {
        name: "revenue of 3%, at the margin",
        truth: Truth::AtMargin,
        arms: [STEADY, more(0.8)],
        numbers: REVENUE,
        margin: Some(0.2),
        ..OUTCOME
    },
    Scenario {
        name: "12% buy, of 10%",
        truth: Truth::Better,
        requests: 120_000,
        arms: [STEADY, more(1.2)],
        numbers: Numbers::OfUnits(0.1, Law::One),
        planned: Planned::Means,
        ..OUTCOME
    },
];
