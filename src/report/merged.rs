//! A report on what several replicas recorded.

use super::{
    Plan, Report,
    arms::{Arm, Arms},
    kept::Plans,
    look::since_1970,
    outcome::{Outcomes, since_hour_ns},
    sample_ratio::Share,
    settled::{Clock, Tally, UnderWay, longest_ns},
};
use crate::{
    branch::Role,
    record::Loss,
    store::{Recent, Rollup, Snapshots, SqliteStore, StoreError, Totals},
};
use std::{collections::BTreeMap, time::SystemTime};

impl Report {
    /// A report of each experiment that the plan means, from the snapshots of several stores, as if one store had
    /// recorded it all. Counts, histograms and sums are exact, and a unit that several replicas saw
    /// counts once, with its first answer.
    ///
    /// Whether the traffic was split as it should have been is asked of the minutes that were over when their snapshot was
    /// taken, as [`read`](Self::read) asks it. No looks count ([`look_together`](Self::look_together)).
    ///
    /// Where the plan is silent, the one that the replicas [keep](Plan::keep) for the experiment holds; of different ones the
    /// one that was kept last.
    ///
    /// `since_ns` of the plan is about first exposures only: what snapshots hold besides was summed up
    /// ([`SqliteStore::snapshot_since`](crate::store::SqliteStore::snapshot_since) begins later).
    ///
    /// # Errors
    ///
    /// When there is no such experiment or baseline, and when the plan that is kept cannot be used.
    pub fn merged(snapshots: &Snapshots, plan: &Plan) -> Result<Vec<Self>, StoreError> {
        let mut totals = Totals::of(snapshots);
        let wanted = |name: &str| plan.experiment.as_deref().is_none_or(|wanted| wanted == name);
        let aside = std::mem::take(&mut totals.aside).into_values();
        let rollups = std::mem::take(&mut totals.rollups).into_values();
        let mut rollups: Vec<_> = rollups.chain(aside).collect();
        if let Some(name) = plan.experiment.as_deref()
            && !rollups.iter().any(|rollup| *rollup.experiment == *name)
        {
            let known: std::collections::BTreeSet<_> =
                rollups.iter().map(|rollup| rollup.experiment.to_string()).collect();
            let known = known.into_iter().collect();
            return Err(StoreError::NoExperiment { name: name.to_owned(), known });
        }
        rollups.retain(|rollup| wanted(&rollup.experiment));
        let under_way = under_way(&rollups, &totals, snapshots, plan.since_ns);
        for ((experiment, strategy), exposed) in &totals.exposed {
            let mut counts = exposed.counts(plan.since_ns);
            for rollup in &mut rollups {
                if rollup.role == Role::Primary
                    && rollup.aside.is_none()
                    && rollup.experiment == *experiment
                    && rollup.strategy == *strategy
                {
                    // Each replica counted those that it saw first; here each counts once.
                    let key = (rollup.epoch, rollup.config_id.clone());
                    rollup.first_exposures = counts.remove(&key).unwrap_or(0);
                }
            }
        }
        let buckets = std::mem::take(&mut totals.buckets).into_values();
        let found = totals.attributed(snapshots, since_hour_ns(plan.since_ns));
        let outcomes = Outcomes::told(found.sums, found.exposed, found.level);
        let (rollups, plans) = (rollups.into_iter().map(Ok), Plans::of_replicas(plan, snapshots));
        let mut reports = Self::over(rollups, buckets, outcomes, &plans, &mut &totals, under_way)?;
        for report in &mut reports {
            report.replicas = snapshots.iter().map(|one| (one.replica(), one.sequence())).collect();
        }
        Ok(reports)
    }

    /// As [`merged`](Self::merged), and each report is kept in `looks` as a look at the time `at`, as
    /// [`look`](Self::look) keeps those at one store. What decides is then what all looks at these stores have in common,
    /// further stores among them. A look at which there is less of a store than there was before, or none of it, is at an
    /// earlier state: it stands alone, and is not kept ([`Report::looks`] is `None`). So is one since a certain time. Blocks.
    ///
    /// # Errors
    ///
    /// As [`merged`](Self::merged), and when `looks` was opened for reading, or cannot be written.
    pub fn look_together(
        snapshots: &Snapshots,
        plan: &Plan,
        looks: &SqliteStore,
        at: SystemTime,
    ) -> Result<Vec<Self>, StoreError> {
        let mut reports = Self::merged(snapshots, plan)?;
        if plan.since_ns.is_none() {
            reports.iter_mut().try_for_each(|report| report.keep(looks, since_1970(at)))?;
        }
        Ok(reports)
    }
}

/// What may have been under way in some snapshot, by the clock of whoever took it.
fn under_way(
    rollups: &[Rollup],
    totals: &Totals,
    snapshots: &Snapshots,
    since_ns: Option<u64>,
) -> UnderWay {
    let mut longest = BTreeMap::new();
    for rollup in rollups {
        let named = (rollup.experiment.clone(), rollup.strategy.clone());
        let known: &mut u64 = longest.entry(named).or_default();
        *known = longest_ns(&rollup.duration).max(*known);
    }
    let mut told: BTreeMap<_, Tally> = BTreeMap::new();
    for Recent { of: (named, config_id, role, epoch), taken_ns, end_ns, began } in &totals.recent {
        let longest_ns = longest.get(named).copied().unwrap_or(0);
        if Clock::at(*taken_ns).is_under_way(*end_ns, longest_ns) {
            let (experiment, strategy) = named.clone();
            let of = (experiment, strategy, config_id.clone(), *epoch);
            let tally = told.entry((of, *role)).or_default();
            tally.completions += began.0;
            tally.unfinished += began.1;
            tally.cancelled += began.2;
            tally.pairs += began.3;
        }
    }
    for (named, longest_ns) in &longest {
        let Some(exposed) = totals.exposed.get(named) else { continue };
        let settled = totals.settled(snapshots, named, since_ns, |taken_ns, end_ns| {
            !Clock::at(taken_ns).is_under_way(end_ns, *longest_ns)
        });
        for (of, count) in exposed.counts(since_ns) {
            let unsettled = count.saturating_sub(settled.get(&of).copied().unwrap_or(0));
            let (experiment, strategy) = named.clone();
            let (epoch, config_id) = of;
            let of = (experiment, strategy, config_id, epoch);
            told.entry((of, Role::Primary)).or_default().first_exposures += unsettled;
        }
    }
    UnderWay { clock: Clock::NONE, told: told.into_iter().collect() }
}

/// As the last branch of any replica recorded it.
impl Share for &Totals {
    fn of(
        &mut self,
        experiment: &str,
        arm: &Arm,
        epoch: u64,
        _: u64,
    ) -> Result<Option<f64>, StoreError> {
        Ok(self.share(experiment, &arm.config_id, arm.role, epoch))
    }

    fn level(&self, arms: &Arms) -> u32 {
        let named = (arms.experiment.clone(), arms.strategy.clone());
        self.exposed.get(&named).map_or(0, |exposed| exposed.level())
    }

    fn losses(&mut self, _: &Plan, _: &Arms) -> Result<Vec<Loss>, StoreError> {
        Ok(self.losses.clone())
    }
}
