//! A quantile of a sample, and how sure it is.
//!
//! A sample's quantile is as far from the true one as the share of values below that is off, over their density there
//! (Bahadur, Ann. Math. Statist. 37, 1966). So its standard error is taken from the values at the shares that lie as far
//! off as chance has it (Woodruff, J. Am. Stat. Assoc. 47, 1952).

use super::{ALPHA, column::Column};
use crate::stats::{JointSummary, Summary, delta, special::normal_upper_inverse};
use std::collections::BTreeMap;

/// Fewer values or units than these beyond it, or below, tell nothing of how it scatters.
const FEWEST: f64 = 10.0;

/// A quantile: the smallest value that the share does not exceed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    pub(super) value: f64,
    /// Its standard error.
    pub(super) error: f64,
    /// The share of the values that are not above it.
    pub(super) below: f64,
}

impl Placed {
    /// Of values that are independent of one another. `None` with too few beyond it, or where time-outs lie at its
    /// ends.
    pub(super) fn of(sorted: &[f64], share: f64) -> Option<Self> {
        let n = sorted.len() as f64;
        let enough = n * share.min(1.0 - share) >= FEWEST;
        enough.then(|| Self::between(sorted, share, (share * (1.0 - share) / n).sqrt()))?
    }

    /// Where the share below is off by this standard error.
    fn between(sorted: &[f64], share: f64, off: f64) -> Option<Self> {
        let n = sorted.len() as f64;
        let at = |share: f64| {
            let place = ((share * n).ceil() as usize).clamp(1, sorted.len().max(1));
            sorted.get(place - 1).copied().filter(|value| value.is_finite())
        };
        let z = normal_upper_inverse(ALPHA / 2.0);
        let (value, low, high) = (at(share)?, at(share - z * off)?, at(share + z * off)?);
        let below = sorted.partition_point(|other| *other <= value) as f64 / n;
        Some(Self { value, error: 0.5 * (high - low) / z, below })
    }
}

/// The same of values that belong to units: the share below is a ratio of sums of units (Deng, Knoblich and Lu, KDD 2018,
/// doi 10.1145/3219819.3219919, section 4). As if it were a mean of so many units, for a test of means.
pub(super) fn of_units(column: &Column<f64>, share: f64) -> Option<Summary> {
    let mut sorted = column.values().to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let place = ((share * sorted.len() as f64).ceil() as usize).max(1) - 1;
    let quantile = sorted.get(place)?;
    let mut units: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for (unit, value) in column.owned() {
        let (below, all) = units.entry(unit).or_default();
        *below += f64::from(u8::from(value <= quantile));
        *all += 1.0;
    }
    let some_below = units.values().filter(|(below, _)| *below > 0.0).count();
    let some_beyond = units.values().filter(|(below, all)| below < all).count();
    if (some_below.min(some_beyond) as f64) < FEWEST {
        return None;
    }
    let below = delta::ratio(&JointSummary::of(units.into_values()))?;
    let placed = Placed::between(&sorted, share, below.variance_of_mean()?.sqrt())?;
    let variance = placed.error.powi(2) * below.count as f64;
    Some(Summary { count: below.count, mean: placed.value, variance })
}
