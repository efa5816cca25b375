//! By how much a candidate's share of failures, or of equal answers, is above the baseline's.

use super::{
    Measure, Metric,
    arms::{Arm, InEpoch, share},
    effect::{Effect, OF_UNITS, TRIALS},
    finding::mirrored,
    levels::Ends,
    sentence, units,
};
use crate::{
    branch::Role,
    stats::sequential::{
        Interval, Requests,
        rates::{self, Split},
    },
    store::Rollup,
};

const EVENTS: f64 = 200.0;

/// Some of so many.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    events: u64,
    of: u64,
}

impl Counts {
    fn share(self) -> Option<f64> {
        share(self.events, self.of)
    }

    const fn times(self, times: u64) -> Self {
        Self { events: self.events.saturating_mul(times), of: self.of.saturating_mul(times) }
    }

    /// Where the true share lies, but with probability `alpha`.
    fn within(self, alpha: f64) -> Interval {
        let all = Interval { low: 0.0, high: 1.0 };
        rates::rate(self.events, self.of, alpha, TRIALS).unwrap_or(all)
    }
}

/// Of pairs those decide in which only one side failed; of two arms that each answered requests of their
/// own, all.
pub(super) fn error_rate(baseline: &Arm, candidate: &Arm, ends: Ends) -> Effect {
    errors(baseline, candidate, ends, 1)
}

/// Where the interval of a rate would be of four times as much of the same; `None` of what is no rate.
pub(super) fn of_four_times(
    metric: &Metric,
    baseline: &Arm,
    control: Option<&Arm>,
    candidate: &Arm,
    ends: Ends,
) -> Option<Interval> {
    match &metric.measure {
        Measure::ErrorRate => Some(errors(baseline, candidate, ends, 4).interval),
        Measure::Agreement => Some(agreements(control, candidate, ends, 4).interval),
        _ => None,
    }
}

/// The error rates of so many times the same.
fn errors(baseline: &Arm, candidate: &Arm, ends: Ends, times: u64) -> Effect {
    if candidate.role != Role::Shadow {
        let ended = |arm: &Arm| {
            let Rollup { failed, success, .. } = arm.whole;
            Counts { events: failed, of: failed + success }
        };
        let shown = [ended(baseline), ended(candidate)];
        if candidate.role != Role::Primary {
            return together(shown.map(|counts| counts.times(times)), ends);
        }
        let by_requests = between(&strata(baseline, candidate, times), shown, ends);
        let effect = standardised(by_requests, baseline, candidate);
        return narrowed(effect, baseline, candidate, ends, times);
    }
    let pairs = &candidate.whole.pairs;
    let of = |events| Counts { events, of: pairs.ended() };
    let alone = [of(pairs.primary_failed), of(pairs.other_failed)];
    let shown = alone.map(|one| of(one.events + pairs.both_failed));
    between(&[alone.map(|counts| counts.times(times))], shown, ends)
}

/// What people see of epochs in which the splits were others: what the rates of both arms would be over all requests, by
/// the ratio that they have within epochs (Mantel & Haenszel, *Statistical aspects of the analysis of data from
/// retrospective studies*, JNCI 22(4), 1959). The rates of all requests together would say of two that are equal in each epoch that
/// they differ, if there were more errors while the candidate had few (Simpson's paradox).
fn standardised(effect: Effect, baseline: &Arm, candidate: &Arm) -> Effect {
    let of = |found: &InEpoch| {
        let Rollup { failed, success, .. } = found.whole;
        [failed as f64, (failed + success) as f64]
    };
    let both = baseline.epochs.iter().filter_map(|(epoch, one)| {
        let [one, other] = [of(one), of(candidate.epochs.get(epoch)?)];
        (one[1] > 0.0 && other[1] > 0.0).then_some([one, other])
    });
    let both: Vec<_> = both.collect();
    let sum = |part: fn(&[[f64; 2]; 2]) -> f64| both.iter().map(part).sum::<f64>();
    let all = sum(|[one, other]| one[1] + other[1]);
    let of_baseline = sum(|[one, other]| one[0] * other[1] / (one[1] + other[1]));
    let of_candidate = sum(|[one, other]| other[0] * one[1] / (one[1] + other[1]));
    if both.len() < 2 || of_baseline + of_candidate == 0.0 {
        return effect;
    }
    // In an epoch, all that failed is what the one rate makes of its requests, and the other of its own.
    let per_request = both.iter().map(|[one, other]| {
        let expected = one[1] * of_baseline + other[1] * of_candidate;
        (one[1] + other[1]) * (one[0] + other[0]) / expected
    });
    let per_request = per_request.sum::<f64>() / all;
    let [one, other] = [of_baseline, of_candidate].map(|part| part * per_request);
    let (baseline, candidate, difference) = (Some(one), Some(other), Some(other - one));
    Effect { baseline, candidate, difference, ..effect }
}

/// Units tell more than their requests, each taken to be like the others of its unit. What bounds the difference
/// by requests errs on one side with at most three quarters of its `alpha`, so that a quarter is left.
fn narrowed(effect: Effect, baseline: &Arm, candidate: &Arm, ends: Ends, times: u64) -> Effect {
    let Some(by_unit) = units::failures(baseline, candidate) else { return effect };
    let within = |alpha| by_unit.difference(alpha / 2.0, OF_UNITS).unwrap_or(Interval::EVERYTHING);
    let mut by_units = ends.of(within);
    if let (Some(middle), true) = (effect.difference, times > 1) {
        let nearer = |end: f64| middle + (end - middle) / (times as f64).sqrt();
        by_units = Interval { low: nearer(by_units.low), high: nearer(by_units.high) };
    }
    let interval = effect.interval.intersect(&by_units).unwrap_or(effect.interval);
    Effect { interval, ..effect }
}

/// What ended of both arms, epoch by epoch: in each, the split was another one. Requests that belong to
/// one unit count as so many as tell something.
fn strata(baseline: &Arm, candidate: &Arm, times: u64) -> Vec<[Counts; 2]> {
    let of = |arm: &Arm, epoch| {
        let Some(found) = arm.epochs.get(epoch) else { return Counts::default() };
        let (whole, effect) = (&found.whole, found.design_effect());
        let fewer = |count: u64| (count as f64 * times as f64 / effect).round() as u64;
        Counts { events: fewer(whole.failed), of: fewer(whole.failed + whole.success) }
    };
    let both = baseline.epochs.keys().map(|epoch| [of(baseline, epoch), of(candidate, epoch)]);
    both.filter(|counts| counts.iter().all(|counts| counts.of > 0)).collect()
}

/// The share of answers that are equal; where there is a control, beside that of its own.
pub(super) fn agreement(control: Option<&Arm>, candidate: &Arm, ends: Ends) -> Effect {
    agreements(control, candidate, ends, 1)
}

/// The same of so many times as many.
fn agreements(control: Option<&Arm>, candidate: &Arm, ends: Ends, times: u64) -> Effect {
    let of = |arm: &Arm| {
        let pairs = &arm.whole.pairs;
        Counts { events: pairs.different, of: pairs.equal + pairs.different }.times(times)
    };
    let other = of(candidate);
    // Counted are those that differ: more of them is less agreement.
    let mirror = Ends { low: ends.high, high: ends.low };
    let mut effect = match control.map(of).filter(|noise| noise.of > 0) {
        Some(noise) => together([noise, other], mirror),
        None => alone(other, mirror),
    };
    let agreeing = |differing: f64| 1.0 - differing;
    effect.baseline = effect.baseline.map(agreeing);
    effect.candidate = effect.candidate.map(agreeing);
    effect.difference = effect.difference.map(|more| -more);
    effect.interval = mirrored(effect.interval);
    if effect.baseline.is_some_and(|agrees| agrees < sentence::TELLING) {
        // Where nearly all differs anyhow, a wrong answer is not seen.
        effect.interval = Interval::EVERYTHING;
    }
    effect
}

/// A share that should be 0.
fn alone(counts: Counts, ends: Ends) -> Effect {
    let rate = counts.share();
    let interval = ends.of(|alpha| counts.within(alpha));
    Effect {
        baseline: rate.map(|_| 0.0),
        candidate: rate,
        counts: [counts.of; 2],
        difference: rate,
        interval,
        by_unit: false,
    }
}

/// The difference of two shares, and what people see of both; in strata, in each of which the split
/// is another one.
fn between(strata: &[[Counts; 2]], shown: [Counts; 2], ends: Ends) -> Effect {
    let [baseline, candidate] = shown.map(Counts::share);
    let difference = baseline.zip(candidate).map(|(one, other)| other - one);
    let interval = ends.of(|alpha| difference_within(strata, alpha));
    let counts = shown.map(|counts| counts.of);
    Effect { baseline, candidate, counts, difference, interval, by_unit: false }
}

/// The same of arms that had the same requests, so that one may depend on the other in any way.
fn together([one, other]: [Counts; 2], ends: Ends) -> Effect {
    let [baseline, candidate] = [one.share(), other.share()];
    let within = |alpha| {
        let (one, other) = ((one.events, one.of), (other.events, other.of));
        rates::difference(one, other, Requests::Shared, alpha, TRIALS)
            .unwrap_or(Interval::EVERYTHING)
    };
    Effect {
        baseline,
        candidate,
        counts: [one.of, other.of],
        difference: baseline.zip(candidate).map(|(one, other)| other - one),
        interval: ends.of(within),
        by_unit: false,
    }
}

/// Where the difference lies, but with probability `alpha`.
///
/// Half of that is for the question which arm an event fell to, given that there was one: the answer bounds
/// the ratio `r` of the two rates, and holds however the rate of both drifts and the split changes. The other half
/// is for how often there is one at all. With the share `s` of the candidate, events at the rate `e` in all are
/// at `e / (1 − s + s r)` in the baseline, and the difference is `r − 1` times that. In each stratum `s` is another one, and
/// `e`: of all together, weighted by their requests, it lies between what the smallest `s` and the largest make of it.
fn difference_within(strata: &[[Counts; 2]], alpha: f64) -> Interval {
    let splits = strata.iter().filter_map(|[one, other]| {
        Split::of_dispatches((one.events, one.of), (other.events, other.of))
    });
    let Some(ratio) = rates::ratio(&splits.collect::<Vec<_>>(), alpha / 2.0, EVENTS) else {
        return Interval::EVERYTHING;
    };
    let [one, other] = all(strata);
    let both = Counts { events: one.events + other.events, of: one.of + other.of };
    let rate = both.within(alpha / 2.0);
    let shares = strata.iter().map(|[one, other]| other.of as f64 / (one.of + other.of) as f64);
    let shares =
        shares.fold((1.0_f64, 0.0_f64), |(least, most), share| (least.min(share), most.max(share)));
    let difference = |r: f64, share: f64| {
        let by = if r.is_finite() { (r - 1.0) / (1.0 - share + share * r) } else { 1.0 / share };
        [rate.low * by, rate.high * by]
    };
    let of = |r: f64| [difference(r, shares.0), difference(r, shares.1)].into_iter().flatten();
    Interval {
        low: of(ratio.low).fold(f64::INFINITY, f64::min),
        high: of(ratio.high).fold(f64::NEG_INFINITY, f64::max),
    }
}

fn all(strata: &[[Counts; 2]]) -> [Counts; 2] {
    strata.iter().fold([Counts::default(); 2], |sum, counts| {
        std::array::from_fn(|at| Counts {
            events: sum[at].events + counts[at].events,
            of: sum[at].of + counts[at].of,
        })
    })
}
