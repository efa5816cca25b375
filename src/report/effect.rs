//! How far a candidate is from the baseline, metric by metric.

use super::{
    Finding, Measure, Metric, MetricRole, Standing,
    arms::{Arm, InEpoch, share},
    beside::{self, Times},
    failing,
    finding::mirrored,
    mean, outcome, sentence, unit_times, units,
    withheld::{self, Withheld},
};
use crate::{
    branch::Role,
    stats::sequential::{
        Interval, Requests,
        quantiles::{self, Buckets, clusters},
        rates::{self, Split},
    },
    store::{Histogram, Rollup},
};

/// How often at most something false is said of an experiment in which nothing differs, however often
/// one looks.
pub(super) const ALPHA: f64 = 0.05;

/// What of [`ALPHA`] each single bound may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Levels {
    /// To call a metric of a candidate worse: all of them share it.
    harm: f64,
    /// To call a success better: all candidates and all successes share it.
    success: f64,
    /// To call a guardrail within its margin: all candidates share it.
    guardrail: f64,
}

impl Levels {
    pub(super) fn over(candidates: usize, metrics: &[Metric]) -> Self {
        let of = |counts: fn(&Metric) -> bool| {
            (candidates * metrics.iter().filter(|metric| counts(metric)).count()).max(1) as f64
        };
        Self {
            harm: ALPHA / of(|metric| metric.role != MetricRole::Quality),
            success: ALPHA / of(|metric| metric.role == MetricRole::Success),
            guardrail: ALPHA / candidates.max(1) as f64,
        }
    }

    /// All of them halved so often.
    pub(super) fn halved(self, times: u32) -> Self {
        let by = 2_f64.powi(times as i32);
        let Self { harm, success, guardrail } = self;
        Self { harm: harm / by, success: success / by, guardrail: guardrail / by }
    }

    /// For the ends of an interval on the side of harm, and of gain. All guardrails of a candidate have to hold, so
    /// they do not share their part.
    fn ends(self, metric: &Metric) -> Ends {
        let (harm, gain) = match metric.role {
            MetricRole::Success => (self.harm, self.success),
            MetricRole::Guardrail => (self.harm, self.guardrail),
            MetricRole::Quality => (ALPHA / 2.0, ALPHA / 2.0),
        };
        if metric.increase {
            Ends { low: gain, high: harm }
        } else {
            Ends { low: harm, high: gain }
        }
    }
}

/// How often at most each end of an interval may be wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Ends {
    /// The interval that has either end from `within`, which is asked once where both may be wrong as often.
    fn of(self, within: impl Fn(f64) -> Interval) -> Interval {
        let low = within(self.low);
        let high = if self.low == self.high { low } else { within(self.high) };
        Interval { low: low.low, high: high.high }
    }
}

/// How many observations the intervals are sharpest at: enough to decide most questions.
pub(super) const TRIALS: f64 = 20_000.0;
const EVENTS: f64 = 200.0;
/// The same of requests of units, which tell less.
const OF_UNITS: f64 = 1_000.0;

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

/// A difference as it is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effect {
    pub(super) baseline: Option<f64>,
    pub(super) candidate: Option<f64>,
    pub(super) counts: [u64; 2],
    pub(super) difference: Option<f64>,
    pub(super) interval: Interval,
    /// Units are counted, not branches.
    pub(super) by_unit: bool,
}

pub(super) fn finding(
    metric: &Metric,
    baseline: &Arm,
    control: Option<&Arm>,
    candidate: &Arm,
    levels: Levels,
) -> Finding {
    let ends = levels.ends(metric);
    let mut variance_less = None;
    let effect = match &metric.measure {
        Measure::ErrorRate => error_rate(baseline, candidate, ends),
        Measure::Agreement => agreement(control, candidate, ends, 1),
        Measure::Mean(name) => match outcome::mean(name, baseline, candidate, ends) {
            Some(found) => {
                variance_less = found.variance_less;
                found.effect
            }
            None => mean::mean(name, baseline, candidate, ends),
        },
        measure => quantile(measure, baseline, candidate, ends),
    };
    let withheld = withheld::of(metric, baseline, candidate);
    let Effect { difference, mut interval, .. } = effect;
    if matches!(withheld, Some(Withheld::All(_))) {
        interval = Interval::EVERYTHING;
    }
    let mut finding = Finding {
        metric: metric.clone(),
        unit: metric.measure.unit(),
        baseline: effect.baseline,
        candidate: effect.candidate,
        baseline_count: effect.counts[0],
        candidate_count: effect.counts[1],
        by_unit: effect.by_unit,
        variance_less,
        difference,
        interval,
        intersection: interval,
        contradicted_ns: None,
        epoch: telling_epoch(&metric.measure, baseline, candidate).and_then(|(epoch, _)| epoch),
        withheld: withheld.map(Withheld::into_reason),
        standing: Standing::Open,
        needed: None,
        may_be_noise: false,
        four_times: None,
        sentence: String::new(),
    };
    finding.stand();
    if finding.standing == Standing::Open {
        finding.four_times = of_four_times(metric, baseline, control, candidate, ends);
        finding.stand();
    }
    finding
}

/// Of pairs those decide in which only one side failed; of two arms that each answered requests of their
/// own, all.
pub(super) fn error_rate(baseline: &Arm, candidate: &Arm, ends: Ends) -> Effect {
    errors(baseline, candidate, ends, 1)
}

/// Where the interval of a rate would be of four times as much of the same; `None` of what is no rate.
fn of_four_times(
    metric: &Metric,
    baseline: &Arm,
    control: Option<&Arm>,
    candidate: &Arm,
    ends: Ends,
) -> Option<Interval> {
    match &metric.measure {
        Measure::ErrorRate => Some(errors(baseline, candidate, ends, 4).interval),
        Measure::Agreement => Some(agreement(control, candidate, ends, 4).interval),
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
        let effect = narrowed(by_requests, baseline, candidate, ends, times);
        return standardised(effect, baseline, candidate);
    }
    let pairs = &candidate.whole.pairs;
    let of = |events| Counts { events, of: pairs.ended() };
    let alone = [of(pairs.primary_failed), of(pairs.other_failed)];
    let shown = alone.map(|one| of(one.events + pairs.both_failed));
    between(&[alone.map(|counts| counts.times(times))], shown, ends)
}

/// What people see of epochs in which the splits were others: rates in which both arms weigh each epoch alike, by how
/// much it tells, `n m / (n + m)`. The rates of all requests together would say of two that are equal in each that they
/// differ, if there were more errors while the candidate had few (Simpson's paradox).
fn standardised(effect: Effect, baseline: &Arm, candidate: &Arm) -> Effect {
    let of = |found: &InEpoch| {
        let Rollup { failed, success, .. } = found.whole;
        Counts { events: failed, of: failed + success }
    };
    let both = baseline.epochs.iter().filter_map(|(epoch, one)| {
        let arms = [of(one), of(candidate.epochs.get(epoch)?)];
        let [one, other] = arms.map(|counts| counts.of as f64);
        let weight = one * other / (one + other);
        (weight > 0.0).then_some((weight, arms.map(|counts| counts.share().unwrap_or_default())))
    });
    let both: Vec<_> = both.collect();
    if both.len() < 2 {
        return effect;
    }
    let all: f64 = both.iter().map(|(weight, _)| weight).sum();
    let [one, other] =
        [0, 1].map(|at| both.iter().map(|(weight, rates)| weight * rates[at]).sum::<f64>() / all);
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
fn agreement(control: Option<&Arm>, candidate: &Arm, ends: Ends, times: u64) -> Effect {
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

/// Of epochs with other shares the times are not those of one load: the one that tells most stands for all.
/// `None` where all epochs count.
fn telling_epoch<'a>(
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
fn quantile(measure: &Measure, baseline: &Arm, candidate: &Arm, ends: Ends) -> Effect {
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

impl Effect {
    pub(super) const NONE: Self = Self {
        baseline: None,
        candidate: None,
        counts: [0; 2],
        difference: None,
        interval: Interval::EVERYTHING,
        by_unit: false,
    };
}
