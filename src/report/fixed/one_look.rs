//! Reading the branches of a store, and asking each test once.

use super::{
    FixedError, FixedTest,
    adjust::adjust,
    bets::Bounds,
    by_measure::tested,
    collect::{Collected, epoch},
    outcomes::UnitTotals,
};
use crate::{
    branch::Role,
    config::ConfigId,
    report::{
        HOUR_NS, Measure, Metric, Plan, SetAside,
        arms::{self, Arm, Arms},
        aside,
        kept::Plans,
        outcome::Outcomes,
        settled::{Clock, UnderWay},
        verdict,
    },
    store::{Filter, Observed, Progress, Rollup, RollupFilter, Snapshots, SqliteStore, StoreError},
};
use serde::Serialize;
use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};

/// Which experiments are looked at once, and what of them.
#[derive(Debug, Clone, Default)]
pub struct OneLook {
    plan: Plan,
    until_ns: Option<u64>,
    bounds: BTreeMap<Arc<str>, Bounds>,
}

/// What the tests say of an experiment.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct FixedReport {
    /// The name of the experiment.
    pub experiment: Arc<str>,
    /// The name of the strategy.
    pub strategy: Arc<str>,
    /// What the candidates are held against.
    pub baseline: ConfigId,
    /// How many branches there are of it in this time.
    pub branches: u64,
    /// What is in no comparison, as chance did not assign it, by the roll-ups of these hours.
    pub aside: Vec<SetAside>,
    /// How many there were beside them in these hours, and were removed: roll-ups count them, and have no values.
    pub removed: u64,
    /// The others, each with its tests.
    pub candidates: Vec<FixedCandidate>,
}

/// A config, tested against the baseline.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct FixedCandidate {
    /// The id of the config.
    pub config_id: ConfigId,
    /// What its branches did for their requests.
    pub role: Role,
    /// The fingerprint of the only epoch this is from, where there are others with other shares.
    pub epoch: Option<u64>,
    /// Metric by metric.
    pub tests: Vec<FixedTest>,
}

impl FixedReport {
    /// What is in no comparison, in a sentence; nothing if there is none.
    pub fn set_aside(&self) -> Option<String> {
        aside::in_words(&self.aside, |count| count.to_string())
    }
}

impl OneLook {
    /// At what a plan means: its experiment, baseline and metrics; where it is silent, the plan that is
    /// [kept](Plan::keep) for the experiment holds. Branches that started at its `since_ns` or later.
    pub fn new(plan: Plan) -> Self {
        Self { plan, ..Self::default() }
    }

    /// Only at branches that started before `ns` since the Unix epoch.
    #[must_use]
    pub const fn until_ns(mut self, ns: u64) -> Self {
        self.until_ns = Some(ns);
        self
    }

    /// That all values of a metric of this name lie from `low` to `high`, such as scores from 0 to 1: then there is a
    /// confidence sequence for its mean, by betting on the values in the order of the branches (on the first 100,000 of an
    /// arm), which holds for few of them, whatever their distribution is, and at every look.
    #[must_use]
    pub fn bounds(mut self, name: impl Into<Arc<str>>, low: f64, high: f64) -> Self {
        self.bounds.insert(name.into(), Bounds { low, high });
        self
    }

    /// The tests of each experiment that is meant and has branches, by name. Blocks, for as long as it takes to read
    /// them (`progress` says how many were); the same data give the same answer.
    ///
    /// Of each arm and metric up to a million values are kept, beyond that a sample that is drawn with a
    /// fixed seed. Several stores, one of each replica, are read one after the other, as if one had recorded it all; but
    /// for outcomes, which are not tested then.
    ///
    /// # Errors
    ///
    /// When the stores do not have the experiment or the baseline, or cannot be read; and when a value lies beyond
    /// the [`bounds`](Self::bounds) that were said.
    pub fn read<'a>(
        &self,
        stores: impl IntoIterator<Item = &'a SqliteStore>,
        mut progress: impl FnMut(Progress),
    ) -> Result<Vec<FixedReport>, FixedError> {
        self.check_bounds()?;
        let stores: Vec<_> = stores.into_iter().collect();
        let plans = match &stores[..] {
            [] => return Ok(Vec::new()),
            [store] => Plans::of_store(&self.plan, store)?,
            several => Plans::of_replicas(&self.plan, &replicas(several)?),
        };
        let none = Outcomes::new(Vec::new(), None);
        let rollups = self.rollups(&stores)?;
        let experiments = arms::gather(rollups, [], none, &plans, UnderWay::at(Clock::NONE))?;
        self.know_names(&experiments)?;
        let reports = experiments
            .iter()
            .map(|(plan, arms)| self.of_experiment(&stores, plan, arms, &mut progress));
        reports.collect()
    }

    /// The roll-ups of all stores: by them it is known which arms there are.
    fn rollups(
        &self,
        stores: &[&SqliteStore],
    ) -> Result<Vec<Result<Rollup, StoreError>>, StoreError> {
        let mut filter = RollupFilter::new();
        filter.experiment.clone_from(&self.plan.experiment);
        filter.since_ns = self.plan.since_ns.map(|since| since / HOUR_NS * HOUR_NS);
        filter.until_ns = self.until_ns;
        let (mut rollups, mut missing, mut found) = (Vec::new(), None, false);
        for store in stores {
            match store.rollups(&filter) {
                Ok(rows) => {
                    found = true;
                    rollups.extend(rows);
                }
                // Another replica may have it.
                Err(error @ StoreError::NoExperiment { .. }) => missing = Some(error),
                Err(error) => return Err(error),
            }
        }
        missing.filter(|_| !found).map_or(Ok(rollups), Err)
    }

    fn of_experiment(
        &self,
        stores: &[&SqliteStore],
        plan: &Plan,
        arms: &Arms,
        progress: &mut impl FnMut(Progress),
    ) -> Result<FixedReport, FixedError> {
        let mut filter = Filter::new().experiment(&*arms.experiment);
        filter.since_ns = self.plan.since_ns;
        filter.until_ns = self.until_ns;
        let mut collected = Collected::of(arms, &self.bounds);
        let (mut branches, mut removed) = (0, 0);
        let baseline = (&arms.baseline.config_id, arms.baseline.role);
        for store in stores {
            let mut added = Ok(());
            let add = |observed: Observed| {
                if observed.strategy == arms.strategy {
                    branches += 1;
                    added = collected.add(&observed);
                }
                if added.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            match store.observe(&filter, baseline, add, &mut *progress) {
                // Another replica has it.
                Err(StoreError::NoExperiment { .. }) => continue,
                read => read?,
            }
            added?;
            removed += store.removed_of(&arms.experiment, self.plan.since_ns, self.until_ns)?;
        }
        let mut totals = UnitTotals::default();
        // A unit of several replicas would count in each.
        if let [store] = stores {
            let (since_ns, until_ns) = (self.plan.since_ns, self.until_ns);
            store.unit_totals(&arms.experiment, since_ns, until_ns, |unit| {
                if unit.strategy == arms.strategy {
                    totals.add(unit);
                }
            })?;
        }
        let metrics = verdict::metrics(plan, arms);
        let candidate = |candidate: &Arm| {
            let tests = metrics.iter().map(|metric| {
                let of_outcomes = totals.test(metric, arms, candidate);
                of_outcomes.unwrap_or_else(|| {
                    tested(metric, &collected, arms, candidate, is_first(&metrics, metric))
                })
            });
            FixedCandidate {
                config_id: candidate.config_id.clone(),
                role: candidate.role,
                epoch: only_epoch(arms, candidate),
                tests: tests.collect(),
            }
        };
        let mut candidates: Vec<_> = arms.candidates.iter().map(candidate).collect();
        adjust(&mut candidates);
        Ok(FixedReport {
            experiment: arms.experiment.clone(),
            strategy: arms.strategy.clone(),
            baseline: arms.baseline.config_id.clone(),
            branches,
            aside: arms.aside(),
            removed,
            candidates,
        })
    }

    fn check_bounds(&self) -> Result<(), FixedError> {
        match self.bounds.iter().find(|(_, bounds)| bounds.is_nothing()) {
            Some((name, Bounds { low, high })) => {
                Err(FixedError::NoBounds { name: name.to_string(), low: *low, high: *high })
            }
            None => Ok(()),
        }
    }

    /// That bounds are of metrics there are: with a wrong name nothing would be betted on.
    fn know_names(&self, experiments: &[(Plan, Arms)]) -> Result<(), FixedError> {
        let metrics: Vec<_> =
            experiments.iter().flat_map(|(plan, arms)| verdict::metrics(plan, arms)).collect();
        let is_known = |name: &str| {
            metrics
                .iter()
                .any(|metric| matches!(&metric.measure, Measure::Mean(known) if **known == *name))
        };
        match self.bounds.keys().find(|name| !is_known(name)) {
            Some(name) => Err(FixedError::NoMetric { name: name.to_string() }),
            None => Ok(()),
        }
    }
}

/// What is known of each store, none of which may be a copy of another.
fn replicas(stores: &[&SqliteStore]) -> Result<Snapshots, FixedError> {
    let mut replicas = Snapshots::new();
    for (at, store) in stores.iter().enumerate() {
        replicas.add(store.snapshot()?);
        if replicas.len() <= at {
            return Err(FixedError::Twice { path: store.path().to_owned() });
        }
    }
    Ok(replicas)
}

/// Whether no quantile of the same time comes before it.
fn is_first(metrics: &[Metric], metric: &Metric) -> bool {
    let is_alike = |other: &&Metric| {
        let (one, other) = (&metric.measure, &other.measure);
        other.quantile().is_some() && one.is_first_byte() == other.is_first_byte()
    };
    metrics.iter().find(is_alike).is_none_or(|first| first.measure == metric.measure)
}

/// The epoch that a candidate is tested in, if it had requests of its own in others as well.
fn only_epoch(arms: &Arms, candidate: &Arm) -> Option<u64> {
    let has_others = arms.baseline.epochs.len().max(candidate.epochs.len()) > 1;
    (candidate.role == Role::Primary && has_others).then(|| epoch(arms, candidate)).flatten()?
}
