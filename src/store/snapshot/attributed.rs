//! What the outcomes come to that several replicas were told.

use super::{Snapshots, reported::Reported, sample::is_kept, totals::Totals};
use crate::store::outcome::{ArmNames, MergedSums, Met, OutcomeSum, Span};
use std::{collections::BTreeMap, sync::Arc};

/// Sums of outcomes, and of how many units they are.
#[derive(Debug, Default)]
pub(crate) struct Attributed {
    pub(crate) sums: Vec<OutcomeSum>,
    /// Units that were exposed, with an outcome or without.
    pub(crate) exposed: BTreeMap<ArmNames, u64>,
    /// Both are of one of 2 to the power of this many units.
    pub(crate) level: u32,
}

impl Totals {
    /// What the outcomes come to that followed exposures at this time or later, in ns since the Unix epoch: each of the first
    /// exposure of its unit, wherever that was, and wherever the outcome was reported.
    ///
    /// Of one sample of units for all: a unit is in it if nothing is left out of its exposures and its outcomes. Where some
    /// replica has removed outcomes, the units count that were exposed since.
    pub(crate) fn attributed(&self, snapshots: &Snapshots, since_ns: u64) -> Attributed {
        let mut reported = Reported::default();
        snapshots.iter().for_each(|snapshot| reported.merge(&snapshot.outcomes.reported));
        if reported.is_empty() {
            return Attributed::default();
        }
        let removed = snapshots.iter().filter_map(|snapshot| snapshot.outcomes.removed_before_ms);
        let removed_ms = removed.max().unwrap_or(i64::MIN);
        let since_ms = i64::try_from(since_ns.div_ceil(1_000_000)).unwrap_or(i64::MAX);
        let is_meant = |at_ms: i64| at_ms >= since_ms.max(removed_ms);
        let levels = self.exposed.values().map(|exposed| exposed.level());
        let level = levels.fold(reported.level, u32::max);
        let mut found = Attributed { level, ..Attributed::default() };
        let mut sums = MergedSums::default();
        for (unit, met) in self.units(&spans(snapshots), level) {
            for met in met.iter().filter(|met| is_meant(met.at_ms)) {
                *found.exposed.entry(met.arm.clone()).or_default() += 1;
            }
            sums.add(&met, reported.of(unit), is_meant);
        }
        found.sums = sums.into_rows();
        found
    }

    /// The first exposures of each unit of the sample, in all experiments.
    fn units(&self, spans: &BTreeMap<Arc<str>, Span>, level: u32) -> BTreeMap<u64, Vec<Met>> {
        let mut units: BTreeMap<u64, Vec<Met>> = BTreeMap::new();
        for ((experiment, strategy), exposed) in &self.exposed {
            // (Whoever knows the experiment has one for it.)
            let Some(span) = spans.get(experiment) else { continue };
            for (unit, epoch, ms, config) in exposed.iter().filter(|one| is_kept(one.0, level)) {
                let arm = (experiment.clone(), strategy.clone(), config.clone(), epoch);
                let at_ms = i64::try_from(ms).unwrap_or(i64::MAX);
                units.entry(unit).or_default().push(Met { arm, at_ms, span: *span });
            }
        }
        units
    }
}

/// As the snapshot says that was taken last, of those that know the experiment.
fn spans(snapshots: &Snapshots) -> BTreeMap<Arc<str>, Span> {
    let mut newest: BTreeMap<Arc<str>, ((u64, _), Span)> = BTreeMap::new();
    for snapshot in snapshots.iter() {
        let taken = (snapshot.taken_ns, snapshot.replica);
        for of in &snapshot.outcomes.spans {
            let known = newest.entry(of.experiment.clone()).or_insert((taken, of.span));
            if known.0 < taken {
                *known = (taken, of.span);
            }
        }
    }
    newest.into_iter().map(|(experiment, (_, span))| (experiment, span)).collect()
}
