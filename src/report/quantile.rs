//! By how much a candidate's quantile of times is above the baseline's.

use super::{
    Measure,
    arms::{Arm, InEpoch},
    beside::{self, Times},
    effect::{Effect, OF_UNITS, TRIALS},
    failing,
    levels::Ends,
    unit_times,
};
use crate::{
    branch::Role,
    stats::sequential::{
        Interval, Requests,
        quantiles::{self, Buckets, clusters},
    },
    store::{Histogram, Rollup},
};

/// Of epochs with other shares the times are not those of one load: the one that tells most stands for all.
/// `None` where all epochs count.
pub(super) fn telling_epoch<'a>(
    measure: &Measure,
    baseline: &'a Arm,
    candidate: &'a Arm,
) -> Option<(Option<u64>, [&'a InEpoch; 2])> {
    if measure.quantile().is_none() || candidate.role != Role::Primary {
        return None;
    }
    let both = baseline.epochs.iter().filter_map(|(epoch, one)| {
        let arms = [one, candidate.epochs.get(epoch)?];
        Some((*epoch, arms, arms.map(|arm| times(measure, &arm.whole).count())))
    });
    let most = both.max_by_key(|(.., counts)| counts[0].min(counts[1]))?;
    Some((most.0, most.1))
}

const fn times<'a>(measure: &Measure, whole: &'a Rollup) -> &'a Histogram {
    if measure.is_first_byte() { &whole.first_byte } else { &whole.duration }
}

/// How much longer the candidate takes, as a share of the baseline's time.
pub(super) fn quantile(measure: &Measure, baseline: &Arm, candidate: &Arm, ends: Ends) -> Effect {
    let Some(q) = measure.quantile() else { return Effect::NONE };
    let of = |whole: &Rollup| Times::ended(times(measure, whole));
    let paired = candidate.role == Role::Shadow;
    if paired && measure.is_first_byte() {
        // Those of the primaries of the same requests are not kept; of all its requests would be no answer.
        return Effect::NONE;
    }
    let apart = candidate.role == Role::Primary;
    let by_units = by_units(measure, baseline, candidate);
    // Beside a primary that answers others as well: the same requests on both sides.
    let (one, other, effects) = if paired {
        // (Where they are not known of the same requests, nothing is said of them.)
        let known = beside::times(&candidate.whole);
        let [one, other] = known.unwrap_or_else(|_| [of(&baseline.whole), of(&candidate.whole)]);
        (one, other, [1.0; 2])
    } else if apart {
        let Some((_, [one, other])) = telling_epoch(measure, baseline, candidate) else {
            return Effect::NONE;
        };
        let effects = [one, other].map(|arm| arm.design_effect());
        (of(&one.whole), of(&other.whole), effects)
    } else {
        (of(&baseline.whole), of(&candidate.whole), [1.0; 2])
    };
    let excess = || failing::excess(baseline, candidate, ends, [&one.most, &other.most]);
    let value = |times: &Times| times.most.quantile(q).map(|ns| ns as f64);
    let values = (value(&one), value(&other));
    let counts = [one.most.count(), other.most.count()];
    let difference = match values {
        (Some(one), Some(other)) if one > 0.0 => Some(other / one - 1.0),
        _ => None,
    };
    let interval = if difference.is_none() {
        Interval::EVERYTHING
    } else if let Some([one, other]) = by_units {
        let within = |other: &clusters::Arm, alpha| {
            let found = clusters::ratio(&one, other, q, alpha, OF_UNITS);
            found.unwrap_or(Interval::EVERYTHING)
        };
        let Interval { low, mut high } = ends.of(|alpha| within(&other, alpha));
        let excess = excess();
        if excess > 0.0 {
            let mut longest = other;
            failing::units_as_longest(&mut longest, excess);
            high = within(&longest, ends.high).high.max(high);
        }
        Interval { low: low - 1.0, high: high - 1.0 }
    } else {
        let requests = if apart { Requests::Apart } else { Requests::Shared };
        // Either may lie anywhere in its bucket.
        let ends_of =
            |times: &Times, effect| (lower(&times.least, effect), upper(&times.most, effect));
        let excess = excess();
        let (one, mut other) = (ends_of(&one, effects[0]), ends_of(&other, effects[1]));
        failing::as_longest(&mut other.1, excess);
        let ratio = |one: &[(f64, u64)], other: &[(f64, u64)], alpha: f64| {
            let (one, other) = (Buckets::new(one)?, Buckets::new(other)?);
            quantiles::ratio(&one, &other, requests, q, alpha, TRIALS)
        };
        let low = ratio(&one.1, &other.0, ends.low).unwrap_or(Interval::EVERYTHING).low;
        let high = ratio(&one.0, &other.1, ends.high).unwrap_or(Interval::EVERYTHING).high;
        Interval { low: low - 1.0, high: high - 1.0 }
    };
    let (baseline, candidate) = values;
    Effect { baseline, candidate, counts, difference, interval, by_unit: false }
}

/// How long the requests of units took on either side, where that is known of all.
fn by_units(measure: &Measure, baseline: &Arm, candidate: &Arm) -> Option<[clusters::Arm; 2]> {
    if measure.is_first_byte() {
        return None;
    }
    let (_, [one, other]) = telling_epoch(measure, baseline, candidate)?;
    Some([unit_times::by_units(one)?, unit_times::by_units(other)?])
}

/// The values by the lower ends of their buckets.
fn lower(histogram: &Histogram, effect: f64) -> Vec<(f64, u64)> {
    by(histogram, effect, |bucket| *Histogram::values_of(bucket).start() as f64)
}

/// The values by the upper ends of their buckets.
fn upper(histogram: &Histogram, effect: f64) -> Vec<(f64, u64)> {
    by(histogram, effect, |bucket| *Histogram::values_of(bucket).end() as f64)
}

/// Each `effect`-th of the values, in their order. What timed out may take for ever.
fn by(histogram: &Histogram, effect: f64, end: impl Fn(usize) -> f64) -> Vec<(f64, u64)> {
    let ended = histogram.buckets().map(|(bucket, count)| (end(bucket), count));
    let mut seen = 0_u64;
    let mut kept = 0_u64;
    ended
        .chain([(f64::INFINITY, histogram.timeouts())])
        .map(|(end, count)| {
            seen += count;
            let up_to = (seen as f64 / effect).round() as u64;
            let count = up_to.saturating_sub(kept);
            kept = up_to;
            (end, count)
        })
        .collect()
}
