//! Numbers of units that come later: purchases, ratings, returns.
//!
//! Units are independent of one another, so each counts once in an epoch: with the total of its outcomes, or with
//! 0 where it has none. Totals grow for as long as outcomes come, in the same way on both sides, since units of both are
//! exposed at the same times; for values that only add up, what was seen earlier is as close to what is seen
//! later as it is for means of ever more units, or closer, which is all that a confidence sequence needs.

use super::{
    HOUR_NS,
    arms::{Arm, InEpoch},
    effect::Effect,
    levels::Ends,
    sampled,
    settled::InEpochOf,
    unit_means::{Means, Units},
};
use crate::{
    branch::Role,
    stats::JointSummary,
    store::{OutcomeSum, Rollup},
};
use std::{collections::BTreeMap, sync::Arc};

/// What followed the first exposures in one epoch.
#[derive(Debug, Clone, Default)]
pub(super) struct Followed {
    /// Units that were exposed.
    exposed: u64,
    /// One of 2 to the power of this many was counted.
    pub(super) level: u32,
    by_name: BTreeMap<Arc<str>, Totals>,
}

/// What the units with an outcome come to.
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    units: u64,
    negative: u64,
    sum: f64,
    squares: f64,
    units_before: u64,
    sum_before: f64,
    squares_before: f64,
    products: f64,
}

/// Outcomes on their way to the arms, with the units that were exposed at the same hours.
pub(super) struct Outcomes {
    sums: Vec<OutcomeSum>,
    since_ns: u64,
    followed: BTreeMap<InEpochOf, Followed>,
}

/// Units are told apart by the hour of their exposure, so the first that counts is the next.
pub(super) fn since_hour_ns(since_ns: Option<u64>) -> u64 {
    since_ns.unwrap_or(0).div_ceil(HOUR_NS).saturating_mul(HOUR_NS)
}

impl Outcomes {
    /// `since_ns`: where a report begins.
    pub(super) fn new(sums: Vec<OutcomeSum>, since_ns: Option<u64>) -> Self {
        Self { sums, since_ns: since_hour_ns(since_ns), followed: BTreeMap::new() }
    }

    /// Of units that were counted elsewhere, one of 2 to the power of `level`.
    pub(super) fn told(
        sums: Vec<OutcomeSum>,
        exposed: impl IntoIterator<Item = (InEpochOf, u64)>,
        level: u32,
    ) -> Self {
        let of = |exposed| Followed { exposed, level, ..Followed::default() };
        let followed = exposed.into_iter().map(|(key, exposed)| (key, of(exposed))).collect();
        Self { sums, since_ns: u64::MAX, followed }
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
    pub(super) fn by_arm(self) -> impl Iterator<Item = (InEpochOf, Followed)> {
        let mut followed = self.followed;
        for sum in self.sums {
            let key = (sum.experiment, sum.strategy, sum.config_id, sum.epoch);
            // (One whose exposures are not there is not of this time.)
            if let Some(followed) = followed.get_mut(&key) {
                let totals = followed.by_name.entry(sum.name).or_default();
                totals.units += sum.units;
                totals.negative += sum.negative;
                totals.sum += sum.total;
                totals.squares += sum.squares;
                totals.units_before += sum.units_before;
                totals.sum_before += sum.total_before;
                totals.squares_before += sum.squares_before;
                totals.products += sum.products;
            }
        }
        followed.into_iter()
    }
}

impl Followed {
    /// What came after the exposures of these units, under this name, and before.
    fn units(&self, name: &str) -> Units {
        let Totals { sum, squares, units_before, sum_before, squares_before, products, .. } =
            self.by_name.get(name).copied().unwrap_or_default();
        let joint = JointSummary::from_sums(
            self.exposed,
            sum,
            sum_before,
            squares,
            products,
            squares_before,
        );
        Units { joint: joint.unwrap_or_default(), units_before }
    }
}

/// Of the epochs of an arm, what some of its units come to.
fn of<'a>(arm: &'a Arm, name: &'a str) -> impl Iterator<Item = &'a Totals> {
    arm.epochs.values().filter_map(|epoch| epoch.followed.by_name.get(name))
}

/// What an outcome says, and how it came to be so sure.
pub(super) struct Outcome {
    pub(super) effect: Effect,
    /// By what share the variance is less, by what came before.
    pub(super) variance_less: Option<f64>,
}

/// By how much the mean of the outcomes of this name is above the baseline's, as a share of that; `None` if
/// neither arm has any.
pub(super) fn mean(name: &str, baseline: &Arm, candidate: &Arm, ends: Ends) -> Option<Outcome> {
    let arms = [baseline, candidate];
    let ends = sampled::ends(ends, arms);
    let have = arms.iter().any(|arm| of(arm, name).any(|totals| totals.units > 0));
    if candidate.role != Role::Primary || !have {
        return None;
    }
    let both: Vec<[Units; 2]> = baseline
        .epochs
        .iter()
        .filter_map(|(epoch, one)| {
            let units = |arm: &InEpoch| arm.followed.units(name);
            Some([units(one), units(candidate.epochs.get(epoch)?)])
        })
        .filter(|arms| arms.iter().all(|arm| arm.joint.count > 1))
        .collect();
    if both.is_empty() {
        let effect = Effect { by_unit: true, ..Effect::NONE };
        return Some(Outcome { effect, variance_less: None });
    }
    let positive = !arms.iter().any(|arm| of(arm, name).any(|totals| totals.negative > 0));
    let means = Means::of(&both);
    let within = |alpha| means.relative(positive, alpha);
    let [one, other] = &means.plain;
    let effect = Effect {
        baseline: Some(one.value),
        candidate: Some(other.value),
        counts: [one.count, other.count],
        difference: means.difference(),
        interval: ends.of(within),
        by_unit: true,
    };
    Some(Outcome { effect, variance_less: means.variance_less() })
}
