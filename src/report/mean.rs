//! The mean of a number that services say of their branches.
//!
//! Where each request goes to one arm, epochs are strata: in each, the split was another one. Requests of one
//! unit belong together, and units stand in 4,096 buckets that are independent of one another; a bucket is
//! the same in all epochs, as a unit may be. Of a shadow the pairs count, in which both have the metric.

use super::{
    arms::{Arm, InEpoch},
    effect::Effect,
    levels::Ends,
    ratio::{self, Together},
};
use crate::{
    branch::Role,
    stats::{Interval, Summary, sequential::means::Estimate},
    store::{MetricPairs, MetricSums},
};
use std::collections::{BTreeMap, BTreeSet};

/// A mean, and how far the values scatter that it is of.
#[derive(Debug, Clone, Copy)]
struct Side {
    mean: Estimate,
    /// How many values.
    count: u64,
    /// Their variance.
    variance: f64,
    /// So many of them tell no more than one.
    alike: f64,
}

/// Below this share of its mean, a deviation is rounding.
const ROUNDING: f64 = 1e-9;

/// The names of all that is said of the branches of these arms, by name.
pub(super) fn names<'a>(arms: impl Iterator<Item = &'a Arm>) -> BTreeSet<&'a str> {
    arms.flat_map(|arm| arm.whole.metrics.keys()).map(|name| &**name).collect()
}

/// By how much the candidate's mean is above the baseline's, as a share of that.
pub(super) fn mean(name: &str, baseline: &Arm, candidate: &Arm, ends: Ends) -> Effect {
    if candidate.role == Role::Shadow {
        if let Some(pairs) = candidate.whole.metric_pairs.get(name).filter(|p| p.count() > 0) {
            let [one, other, covariance] = paired(pairs, design_effect(candidate));
            return effect([one, other], Together::By(covariance.mean.value), ends);
        }
        // Nothing is known of any request on both sides.
        return shown(name, baseline, candidate);
    }
    let weights = weights(name, baseline, candidate);
    if weights.is_empty() {
        return shown(name, baseline, candidate);
    }
    let sides = [baseline, candidate].map(|arm| side(name, arm, &weights));
    let sides = evened(name, [baseline, candidate], &weights, sides);
    let apart = candidate.role == Role::Primary;
    effect(sides, if apart { Together::Apart } else { Together::Somehow }, ends)
}

fn effect([one, other]: [Side; 2], together: Together, ends: Ends) -> Effect {
    let interval = match floored(one, other) {
        Some([a, b]) => ends.of(|alpha| ratio::interval(&a, &b, together, alpha)),
        None => Interval::EVERYTHING,
    };
    Effect {
        baseline: Some(one.mean.value),
        candidate: Some(other.mean.value),
        counts: [one.count, other.count],
        difference: ratio::difference(&one.mean, &other.mean),
        interval,
        by_unit: false,
    }
}

/// In each epoch, the arm with fewer values scatters at least as the other.
fn evened(
    name: &str,
    arms: [&Arm; 2],
    weights: &[(Option<u64>, f64)],
    [mut one, mut other]: [Side; 2],
) -> [Side; 2] {
    for (epoch, weight) in weights {
        let [a, b] = [(arms[0], one.alike), (arms[1], other.alike)].map(|(arm, alike)| {
            let epoch = arm.epochs.get(epoch);
            in_epoch(epoch.and_then(|epoch| epoch.whole.metrics.get(name)), alike)
        });
        let [more_of_a, more_of_b] = ratio::evened(a, b);
        one.mean.variance += weight * weight * (more_of_a.variance - a.variance);
        other.mean.variance += weight * weight * (more_of_b.variance - b.variance);
    }
    [one, other]
}

/// The mean of these, of which so many tell no more than one.
fn in_epoch(sums: Option<&MetricSums>, alike: f64) -> Estimate {
    let sums = sums.copied().unwrap_or_default();
    Estimate::mean(&Summary {
        count: sums.count(),
        mean: sums.mean().unwrap_or_default(),
        variance: sums.variance().unwrap_or_default() * alike,
    })
}

/// Each mean at least as uncertain as if one of its values lay as far from the others as those of the arm that
/// scatters more: a hundred values that are alike do not say that all will be. `None` if nothing scatters.
fn floored(one: Side, other: Side) -> Option<[Estimate; 2]> {
    let scatters = |side: &Side| side.variance.sqrt() > ROUNDING * side.mean.value.abs();
    if !scatters(&one) && !scatters(&other) {
        return None;
    }
    let variance = one.variance.max(other.variance);
    Some([one, other].map(|side| {
        let least = variance / (side.count as f64 * side.count as f64);
        Estimate { variance: side.mean.variance + least, ..side.mean }
    }))
}

/// What is known where it is not enough to compare.
fn shown(name: &str, baseline: &Arm, candidate: &Arm) -> Effect {
    let [one, other] = [baseline, candidate].map(|arm| arm.whole.metrics.get(name));
    let mean = |sums: Option<&MetricSums>| sums.and_then(MetricSums::mean);
    let count = |sums: Option<&MetricSums>| sums.map_or(0, MetricSums::count);
    Effect {
        baseline: mean(one),
        candidate: mean(other),
        counts: [count(one), count(other)],
        ..Effect::NONE
    }
}

/// The primaries of pairs, those beside them, and how both go together.
fn paired(pairs: &MetricPairs, design_effect: f64) -> [Side; 3] {
    let count = pairs.count();
    let telling = count as f64 / design_effect;
    let of = |value: f64, variance: f64| Side {
        mean: Estimate {
            value,
            variance: variance / telling,
            count: telling as u64,
            smallest: telling as u64,
        },
        count,
        variance,
        alike: design_effect,
    };
    let side = |sums: &MetricSums| {
        of(sums.mean().unwrap_or_default(), sums.variance().unwrap_or_default())
    };
    let covariance = pairs.covariance().unwrap_or_default();
    [side(pairs.primary()), side(pairs.other()), of(covariance / telling, covariance)]
}

/// Of all epochs together.
fn design_effect(arm: &Arm) -> f64 {
    arm.epochs.values().map(InEpoch::design_effect).fold(1.0, f64::max)
}

/// The epochs in which both arms have the metric, and how much each weighs: `n m / (n + m)` for `n` and `m` values
/// (Cochran, *Some methods for strengthening the common χ² tests*, Biometrics 10(4), 1954). By the number of values of both, an epoch in
/// which the candidate had two that are alike would be certain and weigh most.
fn weights(name: &str, baseline: &Arm, candidate: &Arm) -> Vec<(Option<u64>, f64)> {
    let count = |arm: &Arm, epoch| {
        let sums = arm.epochs.get(epoch).and_then(|epoch| epoch.whole.metrics.get(name));
        sums.map_or(0, MetricSums::count)
    };
    let counts = baseline
        .epochs
        .keys()
        .map(|epoch| (*epoch, [count(baseline, epoch), count(candidate, epoch)]))
        .filter(|(_, counts)| counts.iter().all(|count| *count > 1))
        .map(|(epoch, counts)| (epoch, counts.map(|count| count as f64)))
        .map(|(epoch, [one, other])| (epoch, one * other / (one + other)));
    let mut weights: Vec<_> = counts.collect();
    let all: f64 = weights.iter().map(|(_, weight)| weight).sum();
    weights.iter_mut().for_each(|(_, weight)| *weight /= all);
    weights
}

/// The mean of an arm over these epochs.
fn side(name: &str, arm: &Arm, weights: &[(Option<u64>, f64)]) -> Side {
    let mut clusters = Some(Clusters::default());
    let (mut value, mut variance, mut spread, mut count) = (0.0, 0.0, 0.0, 0);
    // Of the mean, if requests were independent; and if all of a unit were alike.
    let mut alike = 0.0;
    for (epoch, weight) in weights {
        let Some(found) = arm.epochs.get(epoch) else { continue };
        let Some(sums) = found.whole.metrics.get(name) else { continue };
        let (mean, of_values) =
            (sums.mean().unwrap_or_default(), sums.variance().unwrap_or_default());
        let of_mean = weight * weight * of_values / sums.count() as f64;
        value += weight * mean;
        spread += of_values * weight;
        variance += of_mean;
        alike += of_mean * found.design_effect();
        count += sums.count();
        clusters = clusters.filter(|_| found.metric_count(name) == sums.count());
        if let Some(clusters) = &mut clusters {
            clusters.add(found, name, mean, *weight / sums.count() as f64);
        }
    }
    let (clustered, telling) = match &clusters {
        Some(clusters) => (clusters.variance(), clusters.telling()),
        None => (alike, count as f64 * if alike > 0.0 { variance / alike } else { 1.0 }),
    };
    let worse = variance.max(clustered);
    // How far what is known has come, in requests that tell something.
    let of_all = count as f64 * if worse > 0.0 { variance / worse } else { 1.0 };
    let mean = Estimate {
        value,
        variance: worse,
        count: of_all as u64,
        smallest: count.min(telling as u64),
    };
    let alike = if variance > 0.0 { worse / variance } else { 1.0 };
    Side { mean, count, variance: spread, alike }
}

/// What the buckets of units add to a mean.
#[derive(Debug, Default)]
struct Clusters(BTreeMap<u32, Cluster>);

#[derive(Debug, Default)]
struct Cluster {
    /// How far the mean would be moved without it.
    residual: f64,
    /// Its share in the values.
    share: f64,
}

impl Clusters {
    fn add(&mut self, epoch: &InEpoch, name: &str, mean: f64, weight: f64) {
        for (bucket, sums) in epoch.metric_units.get(name).into_iter().flatten() {
            let cluster = self.0.entry(*bucket).or_default();
            let count = sums.count as f64;
            cluster.residual += weight * (sums.sum - mean * count);
            cluster.share += weight * count;
        }
    }

    /// Of a ratio of sums over clusters, by the delta method (Deng, Knoblich & Lu, *Applying the delta method in
    /// metric analytics*, KDD 2018, section 3.1).
    fn variance(&self) -> f64 {
        let count = self.0.len() as f64;
        let squares: f64 = self.0.values().map(|cluster| cluster.residual.powi(2)).sum();
        if count > 1.0 { squares * count / (count - 1.0) } else { f64::INFINITY }
    }

    /// As many of equal size would say as much.
    fn telling(&self) -> f64 {
        let squares: f64 = self.0.values().map(|cluster| cluster.share.powi(2)).sum();
        squares.recip()
    }
}
