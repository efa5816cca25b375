//! Numbers of units that come later: purchases, ratings, returns.
//!
//! Units are independent of one another, so each counts once in an epoch: with the total of its outcomes, or with
//! 0 where it has none. Totals grow for as long as outcomes come, in the same way on both sides, since units of both are
//! exposed at the same times; for values that only add up, what was seen earlier is as close to what is seen
//! later as it is for means of ever more units, or closer, which is all that a confidence sequence needs.

use super::{
    arms::{Arm, InEpoch},
    effect::{Effect, Ends},
    ratio::{self, Together},
};
use crate::{
    branch::Role,
    config::ConfigId,
    stats::{Interval, Summary, sequential::means::Estimate},
    store::{OutcomeSum, Rollup},
};
use std::{collections::BTreeMap, sync::Arc};

const HOUR_NS: u64 = 3_600_000_000_000;

/// What followed the first exposures in one epoch.
#[derive(Debug, Clone, Default)]
pub(super) struct Followed {
    /// Units that were exposed.
    exposed: u64,
    by_name: BTreeMap<Arc<str>, Totals>,
}

/// What the units with an outcome come to.
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    sum: f64,
    squares: f64,
    negative: u64,
}

/// Outcomes on their way to the arms, with the units that were exposed at the same hours.
pub(super) struct Outcomes {
    sums: Vec<OutcomeSum>,
    since_ns: u64,
    followed: BTreeMap<Key, Followed>,
}

/// Experiment, strategy, config and epoch.
type Key = (Arc<str>, Arc<str>, ConfigId, Option<u64>);

impl Outcomes {
    /// `since_ns`: where a report begins. Units are told apart by the hour of their exposure, so the first that
    /// counts is the next.
    pub(super) fn new(sums: Vec<OutcomeSum>, since_ns: Option<u64>) -> Self {
        let since_ns = since_ns.unwrap_or(0).div_ceil(HOUR_NS).saturating_mul(HOUR_NS);
        Self { sums, since_ns, followed: BTreeMap::new() }
    }

    /// Counts the units that were exposed in these minutes.
    pub(super) fn see(&mut self, rollup: &Rollup) {
        if self.sums.is_empty() || rollup.first_exposures == 0 || rollup.start_ns < self.since_ns {
            return;
        }
        let key = (
            rollup.experiment.clone(),
            rollup.strategy.clone(),
            rollup.config_id.clone(),
            rollup.epoch,
        );
        self.followed.entry(key).or_default().exposed += rollup.first_exposures;
    }

    /// What belongs to which arm of which experiment.
    pub(super) fn by_arm(self) -> impl Iterator<Item = (Key, Followed)> {
        let mut followed = self.followed;
        for sum in self.sums {
            let key = (sum.experiment, sum.strategy, sum.config_id, sum.epoch);
            // (One whose exposures are not there is not of this time.)
            if let Some(followed) = followed.get_mut(&key) {
                let totals = followed.by_name.entry(sum.name).or_default();
                totals.sum += sum.total;
                totals.squares += sum.squares;
                totals.negative += sum.negative;
            }
        }
        followed.into_iter()
    }
}

impl Followed {
    fn mean(&self, name: &str) -> Estimate {
        let Totals { sum, squares, .. } = self.by_name.get(name).copied().unwrap_or_default();
        let count = self.exposed;
        let mean = if count > 0 { sum / count as f64 } else { 0.0 };
        let variance =
            if count > 1 { ((squares - mean * sum) / (count - 1) as f64).max(0.0) } else { 0.0 };
        Estimate::mean(&Summary { count, mean, variance })
    }
}

/// Whether the total of some unit is below 0.
fn may_be_negative(arm: &Arm, name: &str) -> bool {
    let negative = |epoch: &InEpoch| epoch.followed.by_name.get(name).map(|of| of.negative);
    arm.epochs.values().filter_map(negative).any(|count| count > 0)
}

fn has(arm: &Arm, name: &str) -> bool {
    arm.epochs.values().any(|epoch| epoch.followed.by_name.contains_key(name))
}

/// By how much the mean of the outcomes of this name is above the baseline's, as a share of that; `None` if
/// neither arm has any.
pub(super) fn mean(name: &str, baseline: &Arm, candidate: &Arm, ends: Ends) -> Option<Effect> {
    if candidate.role != Role::Primary || !(has(baseline, name) || has(candidate, name)) {
        return None;
    }
    let both: Vec<[Estimate; 2]> = baseline
        .epochs
        .iter()
        .filter_map(|(epoch, one)| {
            let of = |arm: &InEpoch| arm.followed.mean(name);
            Some([of(one), of(candidate.epochs.get(epoch)?)])
        })
        .filter(|arms| arms.iter().all(|arm| arm.count > 1))
        .collect();
    let [one, other] = weighted(&both);
    if one.count == 0 {
        return Some(Effect { by_unit: true, ..Effect::NONE });
    }
    let positive = ![baseline, candidate].iter().any(|arm| may_be_negative(arm, name));
    let difference = (one.value > 0.0).then(|| other.value / one.value - 1.0);
    Some(Effect {
        baseline: Some(one.value),
        candidate: Some(other.value),
        counts: [one.count, other.count],
        difference,
        interval: difference.map_or(Interval::EVERYTHING, |_| Interval {
            low: relative(&one, &other, positive, ends.low).low,
            high: relative(&one, &other, positive, ends.high).high,
        }),
        by_unit: true,
    })
}

/// The mean of each arm over all epochs, in each of which the split was another one: both weighted by how many
/// units of both there are.
///
/// A unit that comes back keeps its arm, and its outcomes follow its exposures in several epochs. How many do is
/// not known, so the means of epochs may depend on one another in any way: standard errors are added up, and
/// the units are those of the epoch that has the most.
fn weighted(epochs: &[[Estimate; 2]]) -> [Estimate; 2] {
    let count = |arms: &[Estimate; 2]| arms[0].count.saturating_add(arms[1].count);
    let all: f64 = epochs.iter().map(|arms| count(arms) as f64).sum();
    let largest = epochs.iter().max_by_key(|arms| count(arms));
    std::array::from_fn(|at| {
        let units = largest.map_or(0, |arms| arms[at].count);
        let (value, error) = epochs.iter().fold((0.0, 0.0), |(value, error), arms| {
            let (share, arm) = (count(arms) as f64 / all, &arms[at]);
            (value + share * arm.value, error + share * arm.variance.sqrt())
        });
        Estimate { value, variance: error * error, count: units, smallest: units }
    })
}

/// The relative differences that are not refuted, but with probability `alpha`. Of arms in which nothing scatters
/// nothing is said.
fn relative(one: &Estimate, other: &Estimate, positive: bool, alpha: f64) -> Interval {
    if one.variance > 0.0 && other.variance > 0.0 {
        let together = if positive { Together::ApartAndPositive } else { Together::Apart };
        ratio::interval(one, other, together, alpha)
    } else {
        Interval::EVERYTHING
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{report::effect::TRIALS, stats::sequential::means};

    fn arm(count: u64, value: f64, variance: f64) -> Estimate {
        Estimate { value, variance: variance / count as f64, count, smallest: count }
    }

    /// The same numbers from 0 to 1 on every machine (SplitMix64).
    fn chances(mut state: u64) -> impl FnMut() -> f64 {
        move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed ^ mixed >> 31) as f64 / 2_f64.powi(64)
        }
    }

    #[test]
    fn of_few_observations_or_near_zero_nothing_is_said() {
        for (one, other) in [
            (arm(99, 10.0, 25.0), arm(5_000, 20.0, 25.0)),
            (arm(5_000, 0.0, 0.0), arm(5_000, 0.1, 0.09)),
        ] {
            assert_eq!(relative(&one, &other, true, 0.05), Interval::EVERYTHING);
        }
        // One purchase of the baseline's, ten of the candidate's.
        let (one, other) = (arm(5_000, 0.000_2, 0.000_2), arm(5_000, 0.002, 0.002));
        assert!(relative(&one, &other, true, 0.05).contains(0.0));
    }

    #[test]
    fn of_a_baseline_that_may_be_zero_there_is_no_most() {
        // Two purchases of the baseline's, a hundred of the candidate's.
        let (one, other) = (arm(5_000, 0.000_4, 0.000_4), arm(5_000, 0.02, 0.019_6));
        let Interval { low, high } = relative(&one, &other, true, 0.05);
        assert!(low > 1.0 && low < 49.0 && high.is_infinite(), "{low} {high}");
        // Nor a least, if the baseline's may be below 0.
        assert_eq!(relative(&one, &other, false, 0.05), Interval::EVERYTHING);
        // At the end, `b − q a` is as far from 0 as it may be.
        let q = low + 1.0;
        let rest = Estimate {
            value: other.value - q * one.value,
            variance: other.variance + q * q * one.variance,
            count: 10_000,
            smallest: 5_000,
        };
        let end = means::interval(&rest, 0.05, TRIALS).unwrap().low;
        assert!(end.abs() < 1e-9, "{end}");
    }

    /// Units come at every look, and buy with a delay, some of them again and again.
    #[test]
    fn units_that_go_on_buying_make_something_of_nothing_in_few_experiments() {
        const EXPERIMENTS: u32 = 1_000;
        let mut chance = chances(5);
        let mut wrong = 0;
        for _ in 0..EXPERIMENTS {
            let mut arms: [Followed; 2] = Default::default();
            // Of each unit its arm, how often it buys at a look, and what it bought so far.
            let mut units: Vec<(usize, f64, f64)> = Vec::new();
            let said = (0..40).any(|_| {
                for _ in 0..50 {
                    let arm = usize::from(chance() < 0.5);
                    units.push((arm, chance().powi(8) * 0.3, 0.0));
                    arms[arm].exposed += 1;
                }
                for (arm, buying, bought) in &mut units {
                    if chance() < *buying {
                        let totals = arms[*arm].by_name.entry("n".into()).or_default();
                        totals.sum += 1.0;
                        totals.squares += (*bought + 1.0).powi(2) - bought.powi(2);
                        *bought += 1.0;
                    }
                }
                let [one, other] = arms.each_ref().map(|arm| arm.mean("n"));
                !relative(&one, &other, true, 0.05).contains(0.0)
            });
            wrong += u32::from(said);
        }
        assert!(wrong <= EXPERIMENTS / 20, "{wrong} of {EXPERIMENTS}");
    }

    /// The weights change three times, and every unit comes again each time, in its arm.
    #[test]
    fn units_that_come_back_in_every_epoch_are_no_more_units() {
        const EXPERIMENTS: u32 = 1_000;
        const EPOCHS: usize = 4;
        let mut chance = chances(9);
        let mut wrong = 0;
        for _ in 0..EXPERIMENTS {
            let units: Vec<_> = (0..1_000)
                .map(|_| (usize::from(chance() < 0.5), f64::from(u8::from(chance() < 0.3))))
                .collect();
            let mut epochs: Vec<[Followed; 2]> = Vec::new();
            let said = (0..EPOCHS).any(|_| {
                epochs.push(Default::default());
                units.chunks(100).any(|some| {
                    for (arm, bought) in some {
                        let arms = epochs.last_mut().unwrap();
                        arms[*arm].exposed += 1;
                        let totals = arms[*arm].by_name.entry("n".into()).or_default();
                        totals.sum += bought;
                        totals.squares += bought * bought;
                    }
                    let both: Vec<_> = epochs
                        .iter()
                        .map(|arms| arms.each_ref().map(|arm| arm.mean("n")))
                        .collect();
                    let [one, other] = weighted(&both);
                    assert!(one.count + other.count <= 1_000);
                    !relative(&one, &other, true, 0.05).contains(0.0)
                })
            });
            wrong += u32::from(said);
        }
        assert!(wrong <= EXPERIMENTS / 20, "{wrong} of {EXPERIMENTS}");
    }

    #[test]
    fn epochs_weigh_as_much_on_both_sides() {
        // A tenth in an epoch in which all buy much, half in one in which few do; no config is better.
        let epochs =
            [[arm(900, 5.0, 1.0), arm(100, 5.0, 1.0)], [arm(500, 1.0, 1.0), arm(500, 1.0, 1.0)]];
        let [one, other] = weighted(&epochs);
        assert_eq!((one.value, other.value), (3.0, 3.0));
    }

    #[test]
    fn what_scatters_in_every_epoch_scatters_in_all_together() {
        let epochs = [[arm(900, 5.0, 4.0), arm(100, 5.0, 4.0)]; 4];
        let [one, other] = weighted(&epochs);
        let [[alone, beside], ..] = epochs;
        assert!((one.variance - alone.variance).abs() < 1e-12, "{one:?}");
        assert!((other.variance - beside.variance).abs() < 1e-12, "{other:?}");
    }

    #[test]
    fn units_are_counted_in_the_epoch_that_has_the_most() {
        let epochs =
            [[arm(900, 5.0, 1.0), arm(100, 5.0, 1.0)], [arm(600, 1.0, 1.0), arm(600, 1.0, 1.0)]];
        let [one, other] = weighted(&epochs);
        assert_eq!((one.count, other.count), (600, 600));
        assert_eq!((one.smallest, other.smallest), (600, 600));
    }
}
