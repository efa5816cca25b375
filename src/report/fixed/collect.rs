//! What the branches of an experiment show, gathered one by one.

use super::{
    super::arms::{Arm, Arms},
    bets::{Bets, Bounds},
    column::{Column, Tallied},
    error::FixedError,
};
use crate::{
    branch::{Role, Status},
    config::ConfigId,
    stats::Summary,
    store::{Ended, Observed},
};
use std::{collections::BTreeMap, sync::Arc};

/// A number that branches have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Quantity {
    Duration,
    FirstByte,
    Named(Arc<str>),
}

/// Of branches each of which had a request of its own.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// 1 where one failed.
    pub(super) failures: Tallied,
    pub(super) failed: u64,
    pub(super) values: BTreeMap<Quantity, Column<f64>>,
    pub(super) bets: Bets,
}

/// Of pairs that had the same request: the baseline's before the candidate's.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    pub(super) failures: Both,
    /// Whether the answer differs from the primary's: of the control, and of the candidate.
    pub(super) differing: Both,
    /// The same of all that were compared, whether there is a control or not.
    pub(super) compared: u64,
    pub(super) different: u64,
    pub(super) values: BTreeMap<Quantity, PairedValues>,
    /// Of either side, the baseline's first.
    pub(super) bets: [Bets; 2],
}

/// What was measured of both sides of pairs: in sums, the differences.
#[derive(Debug, Default)]
pub(super) struct PairedValues {
    pub(super) both: Column<[f64; 2]>,
    /// The baseline's, as they are in sums.
    pub(super) baseline: Summary,
}

/// What may be true of either side of a pair.
#[derive(Debug, Default)]
pub(super) struct Both {
    pub(super) both: u64,
    pub(super) only_baseline: u64,
    pub(super) only_candidate: u64,
    /// 1 where it is true of the candidate alone, −1 where of the baseline.
    pub(super) differences: Tallied,
}

impl Both {
    fn add(&mut self, baseline: bool, candidate: bool, unit: Option<u64>) {
        match (baseline, candidate) {
            (true, true) => self.both += 1,
            (true, false) => self.only_baseline += 1,
            (false, true) => self.only_candidate += 1,
            (false, false) => {}
        }
        let number = f64::from(u8::from(candidate)) - f64::from(u8::from(baseline));
        self.differences.add(number, unit);
    }
}

/// An arm in an epoch.
type SideKey = (ConfigId, Role, Option<u64>);

/// Where the branches of an experiment are gathered.
#[derive(Debug)]
pub(super) struct Collected<'a> {
    bounds: &'a BTreeMap<Arc<str>, Bounds>,
    sides: BTreeMap<SideKey, Side>,
    pairs: BTreeMap<(ConfigId, Role), Pairs>,
}

impl<'a> Collected<'a> {
    /// For the arms that are compared.
    pub(super) fn of(arms: &Arms, bounds: &'a BTreeMap<Arc<str>, Bounds>) -> Self {
        let (mut sides, mut pairs) = (BTreeMap::new(), BTreeMap::new());
        for candidate in &arms.candidates {
            if candidate.role == Role::Primary {
                let Some(epoch) = epoch(arms, candidate) else { continue };
                for arm in [&arms.baseline, candidate] {
                    let key = (arm.config_id.clone(), arm.role, epoch);
                    sides.entry(key).or_insert_with(Side::default);
                }
            } else {
                pairs.insert((candidate.config_id.clone(), candidate.role), Pairs::default());
            }
        }
        Self { bounds, sides, pairs }
    }

    pub(super) fn add(&mut self, observed: &Observed) -> Result<(), FixedError> {
        let Observed { config_id, role, epoch, unit, end, .. } = observed;
        if let Some(pairs) = self.pairs.get_mut(&(config_id.clone(), *role)) {
            return pairs.add(observed, self.bounds);
        }
        let Some(side) = self.sides.get_mut(&(config_id.clone(), *role, *epoch)) else {
            return Ok(());
        };
        if !has_ended(end) {
            return Ok(());
        }
        let failed = end.status == Status::Failed;
        side.failed += u64::from(failed);
        side.failures.add(f64::from(u8::from(failed)), *unit);
        for (quantity, [value, number]) in numbers(end) {
            if let Quantity::Named(name) = &quantity {
                side.bets.observe(self.bounds, name, value, end.id)?;
            }
            side.values.entry(quantity).or_default().add(value, number, *unit);
        }
        Ok(())
    }

    /// Both sides of a candidate that has requests of its own, the baseline's first.
    pub(super) fn sides(&self, arms: &Arms, candidate: &Arm) -> Option<[&Side; 2]> {
        let epoch = epoch(arms, candidate)?;
        let side = |arm: &Arm| self.sides.get(&(arm.config_id.clone(), arm.role, epoch));
        Some([side(&arms.baseline)?, side(candidate)?])
    }

    /// The pairs of a candidate that shares its requests with the baseline.
    pub(super) fn pairs(&self, candidate: &Arm) -> Option<&Pairs> {
        self.pairs.get(&(candidate.config_id.clone(), candidate.role))
    }
}

/// The epoch with the most requests on both sides: in each, the split was another one, and so may the load be.
pub(super) fn epoch(arms: &Arms, candidate: &Arm) -> Option<Option<u64>> {
    let both = arms.baseline.epochs.iter().filter_map(|(epoch, one)| {
        let other = candidate.epochs.get(epoch)?;
        Some((*epoch, one.whole.requests().min(other.whole.requests())))
    });
    both.max_by_key(|(_, requests)| *requests).map(|(epoch, _)| epoch)
}

impl Pairs {
    fn add(
        &mut self,
        observed: &Observed,
        bounds: &BTreeMap<Arc<str>, Bounds>,
    ) -> Result<(), FixedError> {
        let Observed { unit, end, .. } = observed;
        if let Some(equal) = end.equal {
            self.compared += 1;
            self.different += u64::from(!equal);
            if let Some(of_control) = observed.control_equal {
                self.differing.add(!of_control, !equal, *unit);
            }
        }
        let Some(baseline) = observed.baseline.as_ref().filter(|baseline| has_ended(baseline))
        else {
            return Ok(());
        };
        if !has_ended(end) {
            return Ok(());
        }
        let failed = |end: &Ended| end.status == Status::Failed;
        self.failures.add(failed(baseline), failed(end), *unit);
        let of_baseline: BTreeMap<_, _> = numbers(baseline).into_iter().collect();
        for (quantity, [value, number]) in numbers(end) {
            let Some([other, of_other]) = of_baseline.get(&quantity) else { continue };
            if let Quantity::Named(name) = &quantity {
                let both = [(*other, baseline.id), (value, end.id)];
                for (bets, (value, branch)) in self.bets.iter_mut().zip(both) {
                    bets.observe(bounds, name, value, branch)?;
                }
            }
            let values = self.values.entry(quantity).or_default();
            values.both.add([*other, value], number - of_other, *unit);
            let one = Summary { count: 1, mean: *of_other, variance: 0.0 };
            values.baseline = values.baseline.merge(&one);
        }
        Ok(())
    }
}

fn has_ended(end: &Ended) -> bool {
    matches!(end.status, Status::Success | Status::Failed)
}

/// Beyond this the square of a value is no number any more.
const LARGEST: f64 = 1e100;

/// What was measured: as it is in order, where a time-out is longer than all that ended; and as it is in sums, where it is
/// as long as was waited.
fn numbers(end: &Ended) -> Vec<(Quantity, [f64; 2])> {
    let in_order = |ns: u64| if end.timed_out { f64::INFINITY } else { ns as f64 };
    let duration = end.duration_ns;
    let mut numbers = vec![(Quantity::Duration, [in_order(duration), duration as f64])];
    match end.first_byte_ns {
        Some(ns) => numbers.push((Quantity::FirstByte, [ns as f64; 2])),
        // The head of the response never came.
        None if end.timed_out && end.over_http => {
            numbers.push((Quantity::FirstByte, [f64::INFINITY, duration as f64]));
        }
        None => {}
    }
    let named = end.metrics.iter().filter(|(_, value)| value.abs() <= LARGEST);
    numbers.extend(named.map(|(name, value)| (Quantity::Named(name.clone()), [*value; 2])));
    numbers
}
