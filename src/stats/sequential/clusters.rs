//! Does one arm fail more often than the other, where whole units were assigned to an arm?
//!
//! The requests of one unit (a user, a session) may be alike, units are independent of one another. So
//! what scatters is what a unit has more of failures than its requests would have on average. A unit
//! with many requests that fail as often as those of all others adds nothing to that: this is by far
//! sharper than to take all requests of a unit for one, where failures are spread over the units; where
//! a few units have most of the failures, it says as little as it should.
//!
//! Units may be added up in buckets first, as long as it does not depend on the arm in which.

use super::checked;
use crate::stats::Interval;
use std::collections::BTreeMap;

/// What the units of one bucket come to while the share of the second arm was the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cluster {
    /// Which bucket.
    pub bucket: u32,
    /// Which epoch: in each, the share of the second arm is another one.
    pub epoch: usize,
    /// (Failures, requests) of its units in the first arm.
    pub first: (u64, u64),
    /// Of those in the second.
    pub second: (u64, u64),
}

/// `n ρ²` where the width is least, as in [`means`](super::means).
const SHARPEST: f64 = super::means::SHARPEST;

/// The failures and requests of two arms, by buckets of units.
#[derive(Debug, Clone, Copy)]
pub struct Clusters {
    /// How often anything fails.
    rate: f64,
    /// By how much the second arm's rate is above the first's.
    difference: f64,
    /// The variance of that, by what the buckets have, where the truth is `x` less.
    apart: Parabola,
    /// The same if the units of each bucket were in either arm with the probability that it has.
    by_shares: Parabola,
}

impl Clusters {
    /// Of these. An epoch in which an arm has no requests tells nothing. `None` if there are more failures than
    /// requests.
    pub fn of(clusters: &[Cluster]) -> Option<Self> {
        let sound = clusters.iter().all(|c| c.first.0 <= c.first.1 && c.second.0 <= c.second.1);
        if !sound {
            return None;
        }
        let epochs = Epochs::of(clusters);
        let mut by_bucket: Vec<&Cluster> = clusters.iter().collect();
        by_bucket.sort_by_key(|cluster| cluster.bucket);
        let (mut apart, mut by_shares) = (Parabola::default(), Parabola::default());
        let share = epochs.all.share();
        for bucket in by_bucket.chunk_by(|one, other| one.bucket == other.bucket) {
            let [first, second] = [0, 1].map(|arm| epochs.excess(bucket, arm));
            apart = apart.plus(&second[1].plus(first[0].times(-1.0)), 1.0);
            for [in_first, in_second] in [first, second] {
                by_shares = by_shares.plus(&in_first, 1.0 - share).plus(&in_second, share);
            }
        }
        Some(Self { rate: epochs.rate(), difference: epochs.difference(), apart, by_shares })
    }

    /// A confidence sequence for the second arm's rate minus the first's, with an error probability of
    /// `alpha`, sharpest when it is as certain as `target` independent requests of each arm would make it.
    ///
    /// In each epoch the difference of the rates is taken, and of all of them the mean, weighted by requests. A
    /// difference `d` is refuted when `(found − d)² / V(d)` is beyond the boundary of the normal mixture (as in
    /// [`means::interval`](super::means::interval)), where `V(d)` is the sum of squares of what each bucket has
    /// more of failures than `d` lets it have (the variance of the score test for clustered data, which needs no
    /// estimate of what it refutes: Boos, *On generalized score tests*, The American Statistician 46(4), 1992).
    /// Where a coin decides about a unit's arm, such a sum over the root of its squares has tails no heavier
    /// than the normal distribution's however few the units are and whatever they do (de la Peña, *A general
    /// class of exponential inequalities for martingales and ratios*, Annals of Probability 27(1), 1999). For
    /// a split that is less even, `V` is also computed as if each bucket's units had been spread over both arms
    /// by their shares, and the larger counts: an arm that is small may by chance have none of the units that
    /// fail in bursts.
    ///
    /// With few units, or a few that have most of the requests, it has no ends. `None` if `alpha` is not
    /// between 0 and 1, or `target` not positive and finite.
    ///
    /// ```
    /// use tower_spearmint::stats::sequential::clusters::{Cluster, Clusters};
    ///
    /// // 400 units with 500 requests each, of which 2 % fail; 3 % in the second arm.
    /// let units: Vec<_> = (0..400_u32)
    ///     .map(|unit| {
    ///         let own = |percent: u64| (5 * percent + u64::from(unit % 3), 500);
    ///         let at = Cluster { bucket: unit, ..Cluster::default() };
    ///         if unit % 2 == 0 { Cluster { first: own(2), ..at } } else { Cluster { second: own(3), ..at } }
    ///     })
    ///     .collect();
    /// let difference = Clusters::of(&units).unwrap().difference(0.05, 2e4).unwrap();
    /// assert!(difference.contains(0.01) && difference.low > 0.008, "{difference:?}");
    /// ```
    pub fn difference(&self, alpha: f64, target: f64) -> Option<Interval> {
        let alpha = checked(alpha)?;
        if !(target > 0.0 && target.is_finite()) {
            return None;
        }
        Some(self.within(alpha, target).unwrap_or(Interval::EVERYTHING))
    }

    /// `None` if there is too little to tell.
    fn within(&self, alpha: f64, target: f64) -> Option<Interval> {
        let variance = self.apart.constant.max(self.by_shares.constant);
        let at_target = 2.0 * self.rate * (1.0 - self.rate) / target;
        let spread = SHARPEST * at_target / variance;
        if !(spread > 0.0 && spread.is_finite()) {
            return None;
        }
        let boundary = 2.0 * (1.0 + spread.recip()) * (0.5 * spread.ln_1p() - alpha.ln());
        let (one, other) = (self.apart.reach(boundary)?, self.by_shares.reach(boundary)?);
        let less = Interval::new(one.low.min(other.low), one.high.max(other.high))?;
        Interval::new(self.difference - less.high, self.difference - less.low)
    }
}

/// The sums of one epoch: (failures, requests) of either arm.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    failed: [f64; 2],
    all: [f64; 2],
}

impl Sums {
    fn rates(&self) -> [f64; 2] {
        [0, 1].map(|arm| self.failed[arm] / self.all[arm])
    }

    fn requests(&self) -> f64 {
        self.all[0] + self.all[1]
    }

    /// The share of the requests that the second arm has.
    fn share(&self) -> f64 {
        self.all[1] / self.requests()
    }
}

/// The epochs in which both arms have requests.
struct Epochs {
    sums: BTreeMap<usize, Sums>,
    all: Sums,
}

impl Epochs {
    fn of(clusters: &[Cluster]) -> Self {
        let mut sums = BTreeMap::<usize, Sums>::new();
        for cluster in clusters {
            let sums = sums.entry(cluster.epoch).or_default();
            for (arm, (failed, all)) in [cluster.first, cluster.second].into_iter().enumerate() {
                sums.failed[arm] += failed as f64;
                sums.all[arm] += all as f64;
            }
        }
        sums.retain(|_, sums| sums.all[0] > 0.0 && sums.all[1] > 0.0);
        let mut all = Sums::default();
        for epoch in sums.values() {
            for arm in [0, 1] {
                all.failed[arm] += epoch.failed[arm];
                all.all[arm] += epoch.all[arm];
            }
        }
        Self { sums, all }
    }

    /// How often anything fails.
    fn rate(&self) -> f64 {
        (self.all.failed[0] + self.all.failed[1]) / self.all.requests()
    }

    /// What part of all an epoch is.
    fn weight(&self, epoch: &Sums) -> f64 {
        epoch.requests() / self.all.requests()
    }

    /// The mean of what the arms differ by.
    fn difference(&self) -> f64 {
        let of = |epoch: &Sums| {
            let [one, other] = epoch.rates();
            self.weight(epoch) * (other - one)
        };
        self.sums.values().map(of).sum()
    }

    /// What a bucket's units in an arm have more of failures than is to be expected, where the arms differ by
    /// `x` less than is found: as a part of all requests, and as if they were in the first arm, and in the
    /// second.
    fn excess(&self, bucket: &[&Cluster], arm: usize) -> [Line; 2] {
        bucket.iter().fold([Line::default(); 2], |sum, cluster| {
            let Some(epoch) = self.sums.get(&cluster.epoch) else { return sum };
            let (failed, all) = [cluster.first, cluster.second][arm];
            let (failed, all) = (failed as f64, all as f64);
            // Expected is the rate of both arms together, with the difference between them.
            let by = if arm == 0 { -epoch.share() } else { 1.0 - epoch.share() };
            let line = Line { constant: failed - all * epoch.rates()[arm], slope: all * by };
            let weight = self.weight(epoch);
            [0, 1].map(|arm| sum[arm].plus(line.times(weight / epoch.all[arm])))
        })
    }
}

/// `constant + slope · x`.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    constant: f64,
    slope: f64,
}

impl Line {
    fn times(self, by: f64) -> Self {
        Self { constant: self.constant * by, slope: self.slope * by }
    }

    fn plus(self, other: Self) -> Self {
        Self { constant: self.constant + other.constant, slope: self.slope + other.slope }
    }
}

/// `constant + linear · x + square · x²`.
#[derive(Debug, Clone, Copy, Default)]
struct Parabola {
    constant: f64,
    linear: f64,
    square: f64,
}

impl Parabola {
    /// With so much of the line's square.
    fn plus(self, line: &Line, weight: f64) -> Self {
        let Line { constant, slope } = *line;
        Self {
            constant: self.constant + weight * constant * constant,
            linear: self.linear + weight * 2.0 * constant * slope,
            square: self.square + weight * slope * slope,
        }
    }

    /// Between which `x` it is that `x²` is at most `boundary` times this; `None` if there is no end.
    fn reach(&self, boundary: f64) -> Option<Interval> {
        let leading = 1.0 - boundary * self.square;
        if leading.is_nan() || leading <= 0.0 {
            return None;
        }
        let (half, constant) = (0.5 * boundary * self.linear, boundary * self.constant);
        let root = (half * half + leading * constant).sqrt();
        Interval::new((half - root) / leading, (half + root) / leading)
    }
}
