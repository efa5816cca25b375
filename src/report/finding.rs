//! One metric of one candidate.

use super::{Metric, MetricRole, Unit, sentence};
use crate::{branch::named, stats::Interval};
use serde::{Serialize, Serializer, ser::SerializeMap as _};

named! {
    /// Where a metric stands, as far as its interval tells.
    Standing {
        /// The candidate is better.
        Better = "better",
        /// It is no worse than its margin allows.
        Within = "within",
        /// It is worse: by more than its margin where it is a guardrail, and at all elsewhere.
        Worse = "worse",
        /// It can be no better than by less than what would be worth it.
        Short = "short",
        /// Nobody said whether more or less of it is better.
        Shown = "shown",
        /// None of this is certain yet.
        Open = "open",
    }
}

/// What one metric says of a candidate.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What is measured, and what for.
    #[serde(flatten)]
    pub metric: Metric,
    /// What the difference is counted in.
    pub unit: Unit,
    /// The baseline's value: a share, or ns.
    pub baseline: Option<f64>,
    /// The candidate's value: a share, or ns.
    pub candidate: Option<f64>,
    /// How many branches of the baseline this is from (of pairs: how many pairs).
    pub baseline_count: u64,
    /// How many of the candidate.
    pub candidate_count: u64,
    /// Whether these are units that were exposed, not branches.
    pub by_unit: bool,
    /// Of units: by what share the variance of the difference is less, since it was adjusted by what they did before
    /// they were exposed to anything (the values of both sides are not); `None` if it was not.
    pub variance_less: Option<f64>,
    /// By how much the candidate's value is above the baseline's.
    pub difference: Option<f64>,
    /// Where the true difference lies, however often this was looked at before; in JSON an end that is
    /// not known is null.
    #[serde(serialize_with = "known_ends")]
    pub interval: Interval,
    /// What the intervals of all looks that are kept have in common with this one: it decides. Without looks
    /// before, the interval.
    #[serde(serialize_with = "known_ends")]
    pub intersection: Interval,
    /// Since when (ns since the Unix epoch) the intervals of all looks have nothing in common. That happens by
    /// chance as seldom as an interval is wrong; else the truth is another one than it was, as when the service was
    /// changed under its name. From then on each look decides by its own interval.
    pub contradicted_ns: Option<u64>,
    /// The fingerprint of the only epoch this is from, where the others have other shares and only one can
    /// count. The looks before that were from another one do not count.
    pub epoch: Option<u64>,
    /// Why what speaks for the candidate does not count here, if so: it is `open` then. (Where nothing can be told, the
    /// interval has no ends.)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withheld: Option<String>,
    /// Whether that is enough to say something.
    pub standing: Standing,
    /// About how many more branches (or units) of the candidate decide it, if it goes on as it does.
    pub needed: Option<u64>,
    /// Nobody asked for it, and nothing tells how much of it is noise: it may hold, and is never worse.
    #[serde(skip)]
    pub(super) may_be_noise: bool,
    /// The interval of four times as much of the same, where it is computed.
    #[serde(skip)]
    pub(super) four_times: Option<Interval>,
    /// The same in words.
    pub sentence: String,
}

impl Finding {
    /// A difference that is found may be there without the candidate, too.
    pub(super) fn may_be_noise(&mut self) {
        self.may_be_noise = true;
        self.stand();
    }

    /// Whether it would be worse, if that were not noise.
    pub(super) fn is_noise_or_worse(&self) -> bool {
        self.may_be_noise && standing(&self.metric, self.intersection) == Standing::Worse
    }

    /// About how many observations of the candidate more decide it.
    fn needed(&self) -> Option<u64> {
        let metric = &self.metric;
        let sign = if metric.increase { -1.0 } else { 1.0 };
        let estimate = sign * self.difference?;
        // What the end of the interval still has to cross, on the side that the estimate is on.
        let bound = if metric.role == MetricRole::Guardrail { metric.margin } else { 0.0 };
        let below = estimate < bound;
        let width = |interval: Interval| {
            let Interval { low, high } = harm(metric, interval);
            if below { high - estimate } else { estimate - low }
        };
        let times =
            times(width(self.interval), self.four_times.map(width), (bound - estimate).abs());
        let more = self.candidate_count as f64 * (times - 1.0);
        (more.is_finite() && more > 0.0 && more < 1e15).then(|| more.ceil() as u64)
    }

    /// Says what the intersection comes to.
    pub(super) fn stand(&mut self) {
        self.standing = match standing(&self.metric, self.intersection) {
            Standing::Better | Standing::Within if self.withheld.is_some() => Standing::Open,
            Standing::Worse if self.may_be_noise => Standing::Open,
            standing => standing,
        };
        self.needed = self.needed().filter(|_| self.withheld.is_none());
        self.sentence = sentence::finding(self);
    }
}

/// Whether a success can bring no more than what is not worth it, even if it is better.
pub(super) fn is_short(finding: &Finding) -> bool {
    harm(&finding.metric, finding.intersection).low > -finding.metric.mde
}

/// Where a metric stands when the true difference lies in `interval`.
pub(super) fn standing(metric: &Metric, interval: Interval) -> Standing {
    let Interval { low, high } = harm(metric, interval);
    let Metric { margin, mde, .. } = *metric;
    match metric.role {
        _ if metric.undirected => Standing::Shown,
        _ if high < 0.0 => Standing::Better,
        MetricRole::Guardrail if low > margin => Standing::Worse,
        MetricRole::Guardrail if high <= margin => Standing::Within,
        MetricRole::Success | MetricRole::Quality if low > 0.0 => Standing::Worse,
        MetricRole::Success if low > -mde => Standing::Short,
        _ => Standing::Open,
    }
}

/// By how many times as many observations an end of the interval gets past a bound that is now nearer than it.
///
/// With `n` observations it is `a / √n + b / n` away: by the root where there is something that scatters, and of rates
/// near 0, where nothing does, by their number. Where the interval of four times as many is known, it tells both.
fn times(width: f64, of_four_times: Option<f64>, way: f64) -> f64 {
    let by_root = of_four_times.map_or(width, |four| (4.0 * four - width).clamp(0.0, width));
    let by_number = width - by_root;
    // Of `b x² + a x = way` with `x² = 1 / times`.
    let root = (by_root * by_root + 4.0 * by_number * way).sqrt();
    let x = if by_number > 0.0 { (root - by_root) / (2.0 * by_number) } else { way / by_root };
    (x * x).recip()
}

/// The interval with what is worse above zero.
fn harm(metric: &Metric, interval: Interval) -> Interval {
    if metric.increase { mirrored(interval) } else { interval }
}

/// Seen from the other side: what was more is less.
pub(super) fn mirrored(interval: Interval) -> Interval {
    Interval { low: -interval.high, high: -interval.low }
}

pub(super) fn known_ends<S: Serializer>(
    interval: &Interval,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let known = |end: f64| end.is_finite().then_some(end);
    let mut ends = serializer.serialize_map(Some(2))?;
    ends.serialize_entry("low", &known(interval.low))?;
    ends.serialize_entry("high", &known(interval.high))?;
    ends.end()
}

#[cfg(test)]
mod tests {
    use super::{super::Measure, *};

    #[test]
    fn a_metric_stands_where_its_whole_interval_lies() {
        let guardrail = Metric::guardrail(Measure::LatencyP95, 0.1);
        let success = Metric::success(Measure::LatencyP95, 0.1);
        let quality = Metric::quality(Measure::LatencyP95);
        let agreement = Metric::guardrail(Measure::Agreement, 0.1);
        for (metric, low, high, expected) in [
            (&guardrail, -0.3, -0.1, Standing::Better),
            (&guardrail, -0.3, 0.1, Standing::Within),
            (&guardrail, 0.05, 0.1, Standing::Within),
            (&guardrail, 0.05, 0.11, Standing::Open),
            (&guardrail, 0.11, 0.2, Standing::Worse),
            (&success, -0.3, -0.05, Standing::Better),
            (&success, -0.3, 0.05, Standing::Open),
            (&success, -0.05, 0.05, Standing::Short),
            (&success, 0.01, 0.05, Standing::Worse),
            (&quality, -0.05, 0.05, Standing::Open),
            (&quality, 0.01, 0.05, Standing::Worse),
            (&agreement, -0.2, -0.11, Standing::Worse),
            (&agreement, -0.1, 0.0, Standing::Within),
            (&agreement, 0.01, 0.2, Standing::Better),
        ] {
            assert_eq!(
                standing(metric, Interval { low, high }),
                expected,
                "{metric:?} {low} {high}"
            );
            let unknown = standing(metric, Interval::EVERYTHING);
            assert_eq!(unknown, Standing::Open);
        }
    }

    #[test]
    fn half_the_width_takes_four_times_as_many() {
        assert_eq!(times(0.04, None, 0.02), 4.0);
        assert_eq!(times(0.04, Some(0.02), 0.02), 4.0);
        assert!(times(f64::INFINITY, None, 0.02).is_infinite());
        assert!(times(0.04, None, 0.0).is_infinite());
    }

    #[test]
    fn of_a_rate_near_0_it_takes_twice_as_many() {
        let twice = times(0.04, Some(0.01), 0.02);
        assert!((twice - 2.0).abs() < 1e-12, "{twice}");
        // Between both.
        let between = times(0.04, Some(0.015), 0.02);
        assert!(between > 2.0 && between < 4.0, "{between}");
    }
}
