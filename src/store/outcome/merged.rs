//! What outcomes come to that several stores recorded: attributed in memory, by the same rules.

use super::{
    fact::{ArmNames, OutcomeFact},
    first::side,
    read::OutcomeSum,
    rules::Span,
    sums::Sum,
    total::Total,
};
use std::{collections::BTreeMap, sync::Arc};

/// A first exposure of a unit.
#[derive(Debug, Clone)]
pub(in crate::store) struct Met {
    pub(in crate::store) arm: ArmNames,
    pub(in crate::store) at_ms: i64,
    pub(in crate::store) span: Span,
}

/// Sums by arm, name and hour of the exposure.
#[derive(Debug, Default)]
pub(in crate::store) struct MergedSums(BTreeMap<(ArmNames, Arc<str>, i64), Sum>);

impl MergedSums {
    /// Adds a unit with all of its first exposures, of which those count that `is_meant` says, and all of its outcomes.
    pub(in crate::store) fn add<'a>(
        &mut self,
        unit: &[Met],
        outcomes: impl Iterator<Item = &'a OutcomeFact> + Clone,
        is_meant: impl Fn(i64) -> bool,
    ) {
        let Some(earliest_ms) = unit.iter().map(|met| met.at_ms).min() else { return };
        for met in unit.iter().filter(|met| is_meant(met.at_ms)) {
            let mut totals: BTreeMap<&Arc<str>, Total> = BTreeMap::new();
            for fact in outcomes.clone() {
                if let Some(when) = side(met.span, met.at_ms, earliest_ms, fact.at_ms) {
                    totals.entry(&fact.name).or_default().add(when, fact.value);
                }
            }
            let hour = met.at_ms.div_euclid(3_600_000);
            for (name, total) in totals {
                let key = (met.arm.clone(), name.clone(), hour);
                self.0.entry(key).or_default().add(&total);
            }
        }
    }

    pub(in crate::store) fn into_rows(self) -> Vec<OutcomeSum> {
        let rows = self.0.into_iter();
        rows.map(|((arm, name, hour), sum)| OutcomeSum::of(arm, name, hour, &sum)).collect()
    }
}
