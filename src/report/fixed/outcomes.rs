//! What units did later: each counts once, with the total of its outcomes.

use super::{
    collect::epoch,
    means,
    test::{By, FixedTest, Method},
};
use crate::{
    branch::Role,
    config::ConfigId,
    report::{
        Measure, Metric,
        arms::{Arm, Arms},
    },
    stats::Summary,
    store::UnitTotal,
};
use std::{collections::BTreeMap, sync::Arc};

/// The units of an experiment, by config and epoch.
#[derive(Debug, Default)]
pub(super) struct UnitTotals(BTreeMap<(ConfigId, Option<u64>), Exposed>);

/// Those that were exposed to a config in an epoch.
#[derive(Debug, Default)]
struct Exposed {
    units: u64,
    /// The totals of those that have an outcome, by its name.
    with_one: BTreeMap<Arc<str>, Summary>,
}

impl UnitTotals {
    pub(super) fn add(&mut self, unit: UnitTotal) {
        let exposed = self.0.entry((unit.config_id, unit.epoch)).or_default();
        exposed.units += 1;
        for (name, total) in unit.totals {
            let totals = exposed.with_one.entry(name).or_default();
            *totals = totals.merge(&Summary { count: 1, mean: total, variance: 0.0 });
        }
    }

    /// The test of a metric, if it is the mean of outcomes.
    pub(super) fn test(&self, metric: &Metric, arms: &Arms, candidate: &Arm) -> Option<FixedTest> {
        let Measure::Mean(name) = &metric.measure else { return None };
        if candidate.role != Role::Primary {
            return None;
        }
        let epoch = epoch(arms, candidate)?;
        let sides =
            [&arms.baseline, candidate].map(|arm| self.0.get(&(arm.config_id.clone(), epoch)));
        let has = |side: &&Exposed| side.with_one.contains_key(name);
        sides.iter().flatten().any(has).then(|| {
            let totals =
                |side: Option<&Exposed>| side.map_or_else(Default::default, |s| s.of(name));
            means::of_summaries(metric, Method::Welch, By::Units, sides.map(totals))
        })
    }
}

impl Exposed {
    /// The totals of all: 0 of those that have no outcome of this name.
    fn of(&self, name: &str) -> Summary {
        let found = self.with_one.get(name).copied().unwrap_or_default();
        let without = self.units.saturating_sub(found.count);
        found.merge(&Summary { count: without, ..Summary::default() })
    }
}
