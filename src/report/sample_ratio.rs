//! Whether the traffic was split as it should have been.

use super::{
    Plan,
    arms::{Arm, Arms, InEpoch},
    returning,
    settled::Tally,
};
use crate::{
    branch::named,
    config::ConfigId,
    record::Loss,
    stats::sequential::sample_ratio::{Epoch, evidence},
    store::{Filter, RollupFilter, SqliteStore, StoreError},
};
use serde::Serialize;

named! {
    /// What is counted.
    Counted {
        /// Requests, each of which is assigned for itself.
        Requests = "requests",
        /// Units (users, sessions), when they were answered for the first time in an epoch: the requests of
        /// one go to the same config, so that only units are independent.
        FirstExposures = "first exposures",
        /// Requests that came to an end of their own: neither skipped nor left by their callers.
        Completions = "completions",
        /// Under sticky assignment those that did not.
        Unfinished = "requests without an end",
    }
}

impl Counted {
    /// What shows how requests were dispatched: of a unit only the first, as all go to the same arm.
    pub(super) fn dispatched(arms: &Arms) -> Self {
        let sticky = arms.split().any(|arm| arm.whole.first_exposures > 0);
        if sticky { Self::FirstExposures } else { Self::Requests }
    }

    const fn of(self, tally: Tally) -> u64 {
        match self {
            Self::Requests => tally.requests(),
            Self::FirstExposures => tally.first_exposures,
            Self::Completions => tally.completions,
            Self::Unfinished => tally.unfinished,
        }
    }
}

/// Evidence of one in a thousand: so often at most a split that is right is called broken, however often
/// one looks.
const BROKEN_FROM: f64 = 1_000.0;

/// How the traffic was split, and how it should have been.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct SampleRatio {
    /// What is counted.
    pub counted: Counted,
    /// All of them, in epochs whose shares are known and minutes that are settled: none of their requests can be under
    /// way any more.
    pub total: u64,
    /// One of so many was counted, drawn by a hash that knows nothing of the assignment: 1 where all were.
    /// (Of several stores' units at most 65,536 are held.)
    pub one_of: u64,
    /// By config.
    pub arms: Vec<ArmShare>,
    /// The logarithm (base 10) of the evidence against the shares: 3 says that such counts are a thousand
    /// times likelier under another split. It may be looked at at any time. Of epochs it is the product, but of
    /// first exposures, which may be those of the same units, that of the epoch with the most once it is
    /// divided by `k (k + 1)` for the `k`-th. In JSON null: beyond all bounds, as a config got requests
    /// that should get none.
    pub log10_evidence: f64,
    /// The evidence is 1,000 or more.
    pub broken: bool,
    /// Epochs whose shares are not known (the branches are gone, or have shares that make no whole); they are not looked at.
    pub unchecked_epochs: u64,
    /// Those of the last minutes, beside `total`: they are not looked at yet, as others that began with them may
    /// still be under way, more of them in one arm than in another.
    pub unsettled: u64,
}

/// The part of one config.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ArmShare {
    /// The id of the config.
    pub config_id: ConfigId,
    /// What it should have got of all.
    pub share: f64,
    /// How much it got.
    pub count: u64,
}

/// Asks `share` what an arm was to get in an epoch.
pub(super) fn check(
    arms: &Arms,
    counted: Counted,
    share: &mut impl Share,
) -> Result<SampleRatio, StoreError> {
    let all: Vec<&Arm> = arms.split().collect();
    let mut found = SampleRatio {
        counted,
        total: 0,
        one_of: match counted {
            Counted::FirstExposures => 1 << share.level(arms).min(63),
            _ => 1,
        },
        arms: Vec::new(),
        log10_evidence: 0.0,
        broken: false,
        unchecked_epochs: 0,
        unsettled: 0,
    };
    let mut expected = vec![0.0; all.len()];
    let mut counts = vec![0_u64; all.len()];
    let mut known = Vec::new();
    for (place, epoch) in by_time(&all).into_iter().enumerate() {
        let in_epoch: Vec<Option<&InEpoch>> =
            all.iter().map(|arm| arm.epochs.get(&epoch)).collect();
        let Some(shares) = shares(arms, &all, &in_epoch, epoch, share)? else {
            found.unchecked_epochs += 1;
            continue;
        };
        let count = |arm: &Option<&InEpoch>| arm.map_or(0, |arm| counted.of(arm.settled()));
        let unsettled = in_epoch.iter().flatten().map(|arm| counted.of(arm.unsettled));
        found.unsettled += unsettled.sum::<u64>();
        let observed: Vec<_> = in_epoch.iter().map(count).collect();
        let total: u64 = observed.iter().sum();
        found.total += total;
        for (at, (share, count)) in shares.iter().zip(&observed).enumerate() {
            expected[at] += share * total as f64;
            counts[at] += count;
        }
        known.push((place, observed, shares));
    }
    let known = known.iter().map(|(place, counts, shares)| (*place, Epoch { counts, shares }));
    let against = match counted {
        Counted::FirstExposures => returning::evidence(known),
        _ => evidence(&known.map(|(_, epoch)| epoch).collect::<Vec<_>>()),
    };
    // (Shares that add up to 1 are sound.)
    found.log10_evidence = against.map_or(0.0, |evidence| evidence.ln() / std::f64::consts::LN_10);
    // Each further sample is another one to look at: those of all levels together say `broken` of at most
    // 1 + 1/2 + 1/4 + … in a thousand.
    found.log10_evidence -= (found.one_of as f64).log10();
    let total = found.total;
    found.arms = all
        .iter()
        .zip(expected.iter().zip(&counts))
        .map(|(arm, (expected, count))| ArmShare {
            config_id: arm.config_id.clone(),
            share: if total == 0 { 0.0 } else { expected / total as f64 },
            count: *count,
        })
        .collect();
    found.broken = is_broken(found.log10_evidence);
    Ok(found)
}

/// The epochs of these arms, by their first minute: what comes later changes no one's place.
fn by_time(arms: &[&Arm]) -> Vec<Option<u64>> {
    let mut first = std::collections::BTreeMap::new();
    for (epoch, found) in arms.iter().flat_map(|arm| &arm.epochs) {
        let start_ns = first.entry(*epoch).or_insert(found.whole.start_ns);
        *start_ns = found.whole.start_ns.min(*start_ns);
    }
    let mut epochs: Vec<_> = first.into_iter().map(|(epoch, start_ns)| (start_ns, epoch)).collect();
    epochs.sort_unstable();
    epochs.into_iter().map(|(_, epoch)| epoch).collect()
}

pub(super) fn is_broken(log10_evidence: f64) -> bool {
    log10_evidence >= BROKEN_FROM.log10()
}

/// Who knows what share of the requests a config was to get.
pub(super) trait Share {
    /// The share of `arm` of `experiment` in the epoch with this fingerprint, in which it has branches, the
    /// last of them before `until_ns`; `None` if nobody knows.
    fn of(
        &mut self,
        experiment: &str,
        arm: &Arm,
        epoch: u64,
        until_ns: u64,
    ) -> Result<Option<f64>, StoreError>;

    /// Of the first exposures of these arms, one of 2 to the power of this many was counted.
    fn level(&self, _: &Arms) -> u32 {
        0
    }

    /// What was not recorded of these arms, as far as it is known.
    fn losses(&mut self, _: &Plan, _: &Arms) -> Result<Vec<Loss>, StoreError> {
        Ok(Vec::new())
    }
}

/// As somebody says.
pub(super) struct Told<F>(pub(super) F);

impl<F: FnMut(&ConfigId, u64) -> Option<f64>> Share for Told<F> {
    fn of(&mut self, _: &str, arm: &Arm, epoch: u64, _: u64) -> Result<Option<f64>, StoreError> {
        Ok(self.0(&arm.config_id, epoch))
    }
}

/// As the last branch in the epoch recorded it that chance assigned: others are sure to get what they get.
impl Share for &SqliteStore {
    fn of(
        &mut self,
        experiment: &str,
        arm: &Arm,
        epoch: u64,
        until_ns: u64,
    ) -> Result<Option<f64>, StoreError> {
        let mut filter = Filter::new().experiment(experiment).config(arm.config_id.as_str());
        filter.epoch = Some(epoch);
        filter.role = Some(arm.role);
        filter.by_chance = true;
        filter.until_ns = Some(until_ns);
        filter.limit = Some(1);
        filter.newest_first = true;
        let last = self.branches(&filter)?.next().transpose()?;
        Ok(last.map(|branch| branch.probability))
    }

    fn losses(&mut self, plan: &Plan, arms: &Arms) -> Result<Vec<Loss>, StoreError> {
        let mut filter = RollupFilter::new().experiment(&*arms.experiment);
        filter.since_ns = plan.since_ns;
        (*self).losses(&filter)
    }
}

fn shares(
    arms: &Arms,
    all: &[&Arm],
    in_epoch: &[Option<&InEpoch>],
    epoch: Option<u64>,
    share: &mut impl Share,
) -> Result<Option<Vec<f64>>, StoreError> {
    let Some(epoch) = epoch else { return Ok(None) };
    let mut shares = Vec::with_capacity(all.len());
    for (arm, seen) in all.iter().zip(in_epoch) {
        let Some(seen) = seen else {
            shares.push(None);
            continue;
        };
        match share.of(&arms.experiment, arm, epoch, seen.until_ns)? {
            Some(known) => shares.push(Some(known)),
            None => return Ok(None),
        }
    }
    Ok(complete(&shares))
}

/// An arm without branches gets what the others leave, if it is the only one.
fn complete(shares: &[Option<f64>]) -> Option<Vec<f64>> {
    const NEAR: f64 = 1e-6;
    let known: f64 = shares.iter().flatten().sum();
    let missing = shares.iter().filter(|share| share.is_none()).count();
    let left = 1.0 - known;
    let whole = match missing {
        0 => left.abs() < NEAR,
        _ => left > -NEAR && (missing == 1 || left < NEAR),
    };
    whole.then(|| shares.iter().map(|share| share.unwrap_or(left.max(0.0))).collect())
}

#[cfg(test)]
mod tests {
    use super::complete;

    #[test]
    fn shares_that_do_not_add_up_are_not_known() {
        assert_eq!(complete(&[Some(0.9), Some(0.1)]), Some(vec![0.9, 0.1]));
        assert_eq!(complete(&[Some(0.75), None]), Some(vec![0.75, 0.25]));
        assert_eq!(complete(&[Some(1.0), None, None]), Some(vec![1.0, 0.0, 0.0]));
        assert_eq!(complete(&[Some(0.5), None, None]), None);
        assert_eq!(complete(&[Some(0.5), Some(0.4)]), None);
        assert_eq!(complete(&[Some(1.0), Some(1.0)]), None);
    }
}
