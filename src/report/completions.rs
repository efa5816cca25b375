//! Whether each arm's requests came to an end of their own as often as the others'.
//!
//! What is skipped or left by its caller is in no error rate and no percentile. Where an arm loses more of its
//! requests so than another, those that are left are not the same kind of requests: of a variant whose slow ones
//! never end, the fast ones remain.

use super::{
    ArmShare, Counted, SampleRatio,
    arms::{Arm, Arms},
    sample_ratio::{self, Share},
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
/// Those of one unit go to the same arm, and are counted as so many as tell something: with `e` of the `r` requests
/// of a bucket unfinished, and the share `c` of all, the residual `e − c r` is what the bucket's units
/// shift from one arm to another. So many independent requests would shift the sum of its squares as well as the
/// buckets do (the cluster-robust variance: Liang & Zeger, 1986). A unit keeps its arm from epoch to
/// epoch, and its residuals are added up first.
fn of_units(arms: &Arms) -> SampleRatio {
    let all: Vec<&Arm> = arms.split().collect();
    let epochs: BTreeSet<_> = all.iter().flat_map(|arm| arm.epochs.keys().copied()).collect();
    let mut unfinished = vec![0.0; all.len()];
    let mut expected = vec![0.0; all.len()];
    let mut residuals = vec![BTreeMap::<u32, f64>::new(); all.len()];
    for epoch in epochs {
        let of = |arm: &Arm| {
            let whole = arm.epochs.get(&epoch).map(|found| &found.whole);
            whole.map_or([0.0; 2], |whole| {
                [whole.requests() as f64, (whole.skipped + whole.cancelled) as f64]
            })
        };
        let counts: Vec<_> = all.iter().map(|arm| of(arm)).collect();
        let [requests, events] =
            [0, 1].map(|at| counts.iter().map(|count: &[f64; 2]| count[at]).sum::<f64>());
        if requests == 0.0 {
            continue;
        }
        let rate = events / requests;
        for (at, arm) in all.iter().enumerate() {
            unfinished[at] += counts[at][1];
            expected[at] += counts[at][0] * rate;
            let clusters = arm.epochs.get(&epoch).map(|found| &found.clusters.0);
            for (bucket, sums) in clusters.into_iter().flatten() {
                let residual = sums.unfinished - rate * sums.all;
                *residuals[at].entry(*bucket).or_default() += residual;
            }
        }
    }
    let total: f64 = unfinished.iter().sum();
    let squares: f64 = residuals.iter().flat_map(BTreeMap::values).map(|r| r * r).sum();
    let requests: f64 = all.iter().map(|arm| arm.whole.requests() as f64).sum();
    let independent = total * (1.0 - total / requests.max(1.0));
    let effect = if independent > 0.0 { (squares / independent).max(1.0) } else { 1.0 };
    let counts: Vec<_> = unfinished.iter().map(|count| (count / effect).round() as u64).collect();
    let found = evidence(&[Epoch { counts: &counts, shares: &expected }]);
    let log10_evidence = found.map_or(0.0, |found| found.ln() / std::f64::consts::LN_10);
    let arm = |(at, arm): (usize, &&Arm)| ArmShare {
        config_id: arm.config_id.clone(),
        share: if total > 0.0 { expected[at] / total } else { 0.0 },
        count: unfinished[at] as u64,
    };
    SampleRatio {
        counted: Counted::Unfinished,
        total: total as u64,
        one_of: 1,
        arms: all.iter().enumerate().map(arm).collect(),
        log10_evidence,
        broken: sample_ratio::is_broken(log10_evidence),
        unchecked_epochs: 0,
    }
}
