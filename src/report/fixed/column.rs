//! What was measured of many branches, one number of each.

use crate::{
    assign::Draws,
    stats::{JointSummary, Summary},
};
use std::collections::BTreeMap;

/// How many values of an arm and metric are kept, and how many units.
pub(super) const MOST: usize = 1_000_000;

/// Where the random numbers begin by which a sample is drawn.
const SEED: u64 = 0x5eed;

/// The values of one metric: their sums over all, and as many of them as there is room for.
#[derive(Debug)]
pub(super) struct Column<T> {
    /// Of all that are finite.
    pub(super) sums: Summary,
    /// By unit, where units are known.
    pub(super) units: Units,
    kept: Vec<T>,
    /// The units that they are of; what has none is one by itself.
    owners: Vec<u64>,
    seen: u64,
    dice: Draws,
}

impl<T> Default for Column<T> {
    fn default() -> Self {
        let (sums, units) = (Summary::default(), Units::default());
        Self { sums, units, kept: Vec::new(), owners: Vec::new(), seen: 0, dice: Draws::new(SEED) }
    }
}

impl<T> Column<T> {
    /// Takes a value, which comes to `number` in sums.
    pub(super) fn add(&mut self, value: T, number: f64, unit: Option<u64>) {
        self.keep(value, unit);
        self.sums = self.sums.merge(&Summary { count: 1, mean: number, variance: 0.0 });
        self.units.add(number, unit);
    }

    /// A uniform sample of all that came (Vitter, "Random sampling with a reservoir", ACM TOMS 11(1), 1985,
    /// algorithm R).
    fn keep(&mut self, value: T, unit: Option<u64>) {
        self.seen += 1;
        let owner = unit.unwrap_or_else(|| mixed(self.seen));
        if self.kept.len() < MOST {
            self.kept.push(value);
            self.owners.push(owner);
            return;
        }
        let place = (u128::from(self.dice.next()) * u128::from(self.seen)) >> 64;
        let Ok(place) = usize::try_from(place) else { return };
        if let (Some(kept), Some(of)) = (self.kept.get_mut(place), self.owners.get_mut(place)) {
            (*kept, *of) = (value, owner);
        }
    }

    /// How many values there were.
    pub(super) fn count(&self) -> u64 {
        self.seen
    }

    /// How many of them are kept, if not all.
    pub(super) fn sampled(&self) -> Option<u64> {
        let kept = self.kept.len() as u64;
        (kept < self.seen).then_some(kept)
    }

    pub(super) fn values(&self) -> &[T] {
        &self.kept
    }

    /// The same, each with its unit.
    pub(super) fn owned(&self) -> impl Iterator<Item = (u64, &T)> {
        self.owners.iter().copied().zip(&self.kept)
    }
}

/// How many numbers there were, and their sums by unit.
#[derive(Debug, Default)]
pub(super) struct Tallied {
    pub(super) units: Units,
    count: u64,
}

impl Tallied {
    pub(super) fn add(&mut self, number: f64, unit: Option<u64>) {
        self.count += 1;
        self.units.add(number, unit);
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }
}

/// Values summed up by the unit they are of: units are independent of one another, their values are not.
///
/// Of more units than are kept, those whose hash, mixed once more, begins with enough zero bits (adaptive sampling,
/// as in snapshots): which these are has nothing to do with what they did.
#[derive(Debug, Default)]
pub(super) struct Units {
    /// (Sum, how many), by unit.
    sums: BTreeMap<u64, (f64, f64)>,
    /// What has no unit is one by itself.
    alone: JointSummary,
    zeros: u32,
}

impl Units {
    fn add(&mut self, number: f64, unit: Option<u64>) {
        let Some(unit) = unit else {
            let one = JointSummary { count: 1, x_mean: number, y_mean: 1.0, ..Default::default() };
            self.alone = self.alone.merge(&one);
            return;
        };
        if mixed(unit).leading_zeros() < self.zeros {
            return;
        }
        let (sum, count) = self.sums.entry(unit).or_default();
        *sum += number;
        *count += 1.0;
        while self.sums.len() > MOST {
            self.zeros += 1;
            self.sums.retain(|unit, _| mixed(*unit).leading_zeros() >= self.zeros);
        }
    }

    /// Whether any are known.
    pub(super) fn are_known(&self) -> bool {
        !self.sums.is_empty()
    }

    /// One of how many is among them.
    pub(super) fn one_of(&self) -> u64 {
        1_u64.checked_shl(self.zeros).unwrap_or(u64::MAX)
    }

    /// Of each unit the sum of its values, and how many they are. (Where only some units are kept, what has none
    /// does not count.)
    pub(super) fn joint(&self) -> JointSummary {
        let units = JointSummary::of(self.sums.values().copied());
        if self.zeros > 0 { units } else { units.merge(&self.alone) }
    }
}

fn mixed(unit: u64) -> u64 {
    Draws::new(unit).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_more_values_than_there_is_room_for_a_fair_sample_is_kept_and_all_are_summed_up() {
        let mut column = Column::default();
        let all = 3 * MOST as u64;
        for value in 0..all {
            column.add(value as f64, value as f64, None);
        }
        assert_eq!((column.count(), column.sampled()), (all, Some(MOST as u64)));
        assert!((column.sums.mean - (all - 1) as f64 / 2.0).abs() < 1e-3);
        let kept = Summary::of(column.values().iter().copied());
        let error = (kept.variance / kept.count as f64).sqrt();
        assert!((kept.mean - column.sums.mean).abs() < 4.0 * error, "{kept:?}");
    }

    #[test]
    fn of_more_units_than_there_is_room_for_whole_units_are_kept() {
        let mut units = Units::default();
        for value in 0..3 {
            for unit in 0..MOST as u64 + 1 {
                units.add(f64::from(value), Some(unit.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            }
        }
        assert_eq!(units.one_of(), 2);
        let joint = units.joint();
        assert!((joint.count as f64 - MOST as f64 / 2.0).abs() < 4_000.0, "{joint:?}");
        assert_eq!((joint.x_mean, joint.y_mean, joint.x_variance), (3.0, 3.0, 0.0));
    }
}
