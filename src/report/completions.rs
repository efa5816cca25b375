//! Whether each arm's requests came to an end of their own as often as the others'.
//!
//! What is skipped or left by its caller is in no error rate and no percentile. Where an arm loses more of its
//! requests so than another, those that are left are not the same kind of requests: of a variant whose slow ones
//! never end, the fast ones remain.

use super::{
    ArmShare, Counted, SampleRatio,
    arms::{Arm, Arms, InEpoch, share},
    sample_ratio::{self, Share},
    settled::Tally,
};
use crate::{
    stats::sequential::sample_ratio::{Epoch, evidence},
    store::{StoreError, UnitBucket},
};
use std::collections::{BTreeMap, BTreeSet};

/// What of the requests of the units in one bucket.
#[derive(Debug, Clone, Copy, Default)]
struct OfBucket {
    all: f64,
    unfinished: f64,
}

/// Requests by bucket of their units.
#[derive(Debug, Clone, Default)]
pub(super) struct Clusters(BTreeMap<u32, OfBucket>);

impl Clusters {
    pub(super) fn add(&mut self, bucket: &UnitBucket) {
        let sums = self.0.entry(bucket.bucket).or_default();
        sums.all += (bucket.success + bucket.failed + bucket.unfinished) as f64;
        sums.unfinished += bucket.unfinished as f64;
    }
}

/// `None` where every request has an end of its own, or there is no split.
pub(super) fn check(
    arms: &Arms,
    share: &mut impl Share,
) -> Result<Option<SampleRatio>, StoreError> {
    let unfinished = |arm: &Arm| arm.whole.skipped + arm.whole.cancelled;
    if !arms.are_split() || arms.split().all(|arm| unfinished(arm) == 0) {
        return Ok(None);
    }
    if arms.split().any(|arm| arm.whole.first_exposures > 0) {
        return Ok(Some(of_units(arms)));
    }
    sample_ratio::check(arms, Counted::Completions, share).map(Some)
}

/// Of units the requests are no sample ratio of their own: one may come more often because of what it got. So
/// those without an end are held against all that were dispatched, arm by arm.
///
/// Those of one unit go to the same arm, and are counted as so many as tell something ([`design_effect`]).
///
/// What is left or skipped early is recorded before what goes on, so both are counted in the minutes that are
/// settled. Buckets of units are of all times. They only say how much alike the requests of a unit are, and of more
/// requests of the same units each tells less, never more: the evidence errs to the side of none.
fn of_units(arms: &Arms) -> SampleRatio {
    let all: Vec<&Arm> = arms.split().collect();
    let mut unfinished = vec![0_u64; all.len()];
    let mut expected = vec![0.0; all.len()];
    let mut unsettled = 0;
    for epoch in epochs(&all) {
        let in_epoch: Vec<_> = all.iter().map(|arm| arm.epochs.get(&epoch)).collect();
        let of = |found: &Option<&InEpoch>| found.map(InEpoch::settled).unwrap_or_default();
        let counts: Vec<_> = in_epoch.iter().map(of).collect();
        unsettled += in_epoch.iter().flatten().map(|found| found.unsettled.unfinished).sum::<u64>();
        let Some(rate) = rate(&counts) else { continue };
        for (at, count) in counts.iter().enumerate() {
            unfinished[at] += count.unfinished;
            expected[at] += count.requests() as f64 * rate;
        }
    }
    let total: u64 = unfinished.iter().sum();
    let effect = design_effect(&all);
    let counts: Vec<_> =
        unfinished.iter().map(|count| (*count as f64 / effect).round() as u64).collect();
    let found = evidence(&[Epoch { counts: &counts, shares: &expected }]);
    let log10_evidence = found.map_or(0.0, |found| found.ln() / std::f64::consts::LN_10);
    let arm = |(at, arm): (usize, &&Arm)| ArmShare {
        config_id: arm.config_id.clone(),
        share: if total > 0 { expected[at] / total as f64 } else { 0.0 },
        count: unfinished[at],
    };
    SampleRatio {
        counted: Counted::Unfinished,
        total,
        one_of: 1,
        arms: all.iter().enumerate().map(arm).collect(),
        log10_evidence,
        broken: sample_ratio::is_broken(log10_evidence),
        unchecked_epochs: 0,
        unsettled,
    }
}

/// So many requests without an end tell no more than one.
///
/// With `e` of the `r` requests of a bucket unfinished, and the share `c` of all, the residual `e − c r` is what the
/// bucket's units shift from one arm to another. So many independent requests would shift the sum of its
/// squares as well as the buckets do (the cluster-robust variance: Liang & Zeger, 1986). A unit keeps its arm
/// from epoch to epoch, and its residuals are added up first.
fn design_effect(all: &[&Arm]) -> f64 {
    let mut residuals = vec![BTreeMap::<u32, f64>::new(); all.len()];
    for epoch in epochs(all) {
        let in_epoch: Vec<_> = all.iter().map(|arm| arm.epochs.get(&epoch)).collect();
        let counts = in_epoch.iter().flatten().map(|found| Tally::of(&found.whole));
        let Some(rate) = rate(&counts.collect::<Vec<_>>()) else { continue };
        for (residuals, found) in residuals.iter_mut().zip(in_epoch) {
            let clusters = found.map(|found| &found.clusters.0);
            for (bucket, sums) in clusters.into_iter().flatten() {
                *residuals.entry(*bucket).or_default() += sums.unfinished - rate * sums.all;
            }
        }
    }
    let squares: f64 = residuals.iter().flat_map(BTreeMap::values).map(|r| r * r).sum();
    let whole = all.iter().map(|arm| Tally::of(&arm.whole));
    let whole = whole.fold(Tally::default(), std::ops::Add::add);
    let share = rate(&[whole]).unwrap_or_default();
    let independent = whole.unfinished as f64 * (1.0 - share);
    if independent > 0.0 { (squares / independent).max(1.0) } else { 1.0 }
}

/// The share of the requests that did not come to an end; `None` if there are none.
fn rate(counts: &[Tally]) -> Option<f64> {
    let all = counts.iter().fold(Tally::default(), |sum, count| sum + *count);
    share(all.unfinished, all.requests())
}

fn epochs(all: &[&Arm]) -> BTreeSet<Option<u64>> {
    all.iter().flat_map(|arm| arm.epochs.keys().copied()).collect()
}
