//! A report on what several replicas recorded.

use super::{
    Plan, Report,
    arms::{Arm, Arms},
    kept::Plans,
    outcome::Outcomes,
    sample_ratio::Share,
    settled::Clock,
};
use crate::{
    branch::Role,
    record::Loss,
    store::{Snapshots, StoreError, Totals},
};

impl Report {
    /// A report of each experiment that the plan means, from the snapshots of several stores, as if one store had
    /// recorded it all. Counts, histograms and sums are exact, and a unit that several replicas saw
    /// counts once, with its first answer.
    ///
    /// A snapshot knows no minutes, so that all counts for the split, what it lacks because it is still under way as well: while
    /// requests take long and are few, that may look `broken`. No looks are kept of several stores, so it passes.
    ///
    /// `since_ns` of the plan is about first exposures only: what snapshots hold besides was summed up
    /// ([`SqliteStore::snapshot_since`](crate::store::SqliteStore::snapshot_since) begins later).
    ///
    /// # Errors
    ///
    /// When there is no such experiment or baseline.
    pub fn merged(snapshots: &Snapshots, plan: &Plan) -> Result<Vec<Self>, StoreError> {
        let mut totals = Totals::of(snapshots);
        let wanted = |name: &str| plan.experiment.as_deref().is_none_or(|wanted| wanted == name);
        let mut rollups: Vec<_> = std::mem::take(&mut totals.rollups).into_values().collect();
        if let Some(name) = plan.experiment.as_deref()
            && !rollups.iter().any(|rollup| *rollup.experiment == *name)
        {
            let known: std::collections::BTreeSet<_> =
                rollups.iter().map(|rollup| rollup.experiment.to_string()).collect();
            let known = known.into_iter().collect();
            return Err(StoreError::NoExperiment { name: name.to_owned(), known });
        }
        rollups.retain(|rollup| wanted(&rollup.experiment));
        for ((experiment, strategy), exposed) in &totals.exposed {
            let mut counts = exposed.counts(plan.since_ns);
            for rollup in &mut rollups {
                if rollup.role == Role::Primary
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
        let none = Outcomes::new(Vec::new(), None);
        let (rollups, plans) = (rollups.into_iter().map(Ok), Plans::only(plan));
        Self::over(rollups, buckets, none, &plans, &mut &totals, Clock::NONE)
    }
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
