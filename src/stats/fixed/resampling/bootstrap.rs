//! Had other observations been drawn.

use super::{Dice, Resampling};
use crate::stats::{
    Interval,
    interval::half_of,
    special::{normal_upper, normal_upper_inverse},
};

/// Where a statistic lies, for all that its own data say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// Of the data as they are.
    pub estimate: f64,
    /// From the alpha/2 quantile of the redrawn statistics to that of 1 − alpha/2.
    pub percentile: Interval,
    /// The same, with quantiles that are corrected for bias and for a spread that depends on the
    /// value (Efron's BCa): the better one. `None` if all redrawn ones lie on one side of the
    /// estimate, or for more than 10,000 observations a side.
    pub bca: Option<Interval>,
}

/// The jackknife asks the statistic once per observation.
const MOST_LEFT_OUT: usize = 10_000;

/// The bootstrap interval of any statistic of one sample: the data are drawn again, as many, with
/// repetition, and the statistic is asked each time.
///
/// Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, sections 13.3 (percentile) and
/// 14.3 (BCa). `alpha` between 0 and 1; rounds should be many times 1/alpha.
///
/// The time is that of asking the statistic once per round, and once per observation. `None` if
/// there are fewer than two observations, if the statistic is ever not finite or always the same,
/// or for rounds or `alpha` out of range.
///
/// ```
/// use tower_spearmint::stats::fixed::{Resampling, bootstrap};
///
/// let times = [1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 5.0, 9.0, 12.0, 30.0];
/// let median = |values: &[f64]| {
///     let mut sorted = values.to_vec();
///     sorted.sort_by(f64::total_cmp);
///     (sorted[4] + sorted[5]) / 2.0
/// };
/// let interval = bootstrap(&times, median, 0.05, Resampling::default()).unwrap().percentile;
/// assert!(interval.contains(3.5) && !interval.contains(20.0));
/// ```
pub fn bootstrap(
    values: &[f64],
    statistic: impl Fn(&[f64]) -> f64,
    alpha: f64,
    resampling: Resampling,
) -> Option<Bootstrap> {
    if values.len() < 2 {
        return None;
    }
    interval(
        &[values],
        |drawn| drawn.first().map_or(f64::NAN, |values| statistic(values)),
        alpha,
        resampling,
    )
}

/// The same of two samples, each drawn again from itself: a difference or ratio of means, medians,
/// trimmed means.
///
/// ```
/// use tower_spearmint::stats::fixed::{Resampling, bootstrap_two};
///
/// let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
/// let (treatment, control) = ([5.0, 6.0, 9.0, 7.0, 6.5], [2.0, 3.0, 2.5, 4.0]);
/// let difference = |a: &[f64], b: &[f64]| mean(a) - mean(b);
/// let resampling = Resampling::default();
/// let found = bootstrap_two(&treatment, &control, difference, 0.05, resampling).unwrap();
/// assert!(found.bca.unwrap().low > 0.0);
/// ```
pub fn bootstrap_two(
    treatment: &[f64],
    control: &[f64],
    statistic: impl Fn(&[f64], &[f64]) -> f64,
    alpha: f64,
    resampling: Resampling,
) -> Option<Bootstrap> {
    if treatment.len() < 2 || control.len() < 2 {
        return None;
    }
    let statistic = |drawn: &[Vec<f64>]| match drawn {
        [treatment, control] => statistic(treatment, control),
        _ => f64::NAN,
    };
    interval(&[treatment, control], statistic, alpha, resampling)
}

fn interval(
    samples: &[&[f64]],
    statistic: impl Fn(&[Vec<f64>]) -> f64,
    alpha: f64,
    resampling: Resampling,
) -> Option<Bootstrap> {
    let (tail, rounds) = (half_of(alpha)?, resampling.rounds()?);
    let mut drawn: Vec<Vec<f64>> = samples.iter().map(|sample| sample.to_vec()).collect();
    let estimate = statistic(&drawn);
    if !estimate.is_finite() {
        return None;
    }
    let dice = resampling.dice();
    let mut redrawn = Vec::with_capacity(rounds as usize);
    for _ in 0..rounds {
        for (places, sample) in drawn.iter_mut().zip(samples) {
            draw(places, sample, &dice);
        }
        let value = statistic(&drawn);
        if !value.is_finite() {
            return None;
        }
        redrawn.push(value);
    }
    redrawn.sort_unstable_by(f64::total_cmp);
    if redrawn.first() == redrawn.last() {
        return None;
    }
    let between = |low: f64, high: f64| Interval {
        low: quantile(&redrawn, low),
        high: quantile(&redrawn, high),
    };
    let bca = bias(&redrawn, estimate).zip(acceleration(samples, &statistic)).and_then(
        |(bias, acceleration)| {
            let at = |z: f64| {
                let off = bias + z;
                normal_upper(-(bias + off / (1.0 - acceleration * off)))
            };
            let z = normal_upper_inverse(tail);
            let (low, high) = (at(-z), at(z));
            (low <= high).then(|| between(low, high))
        },
    );
    Some(Bootstrap { estimate, percentile: between(tail, 1.0 - tail), bca })
}

fn draw(places: &mut [f64], sample: &[f64], dice: &Dice) {
    for place in places {
        if let Some(value) = sample.get(dice.below(sample.len())) {
            *place = *value;
        }
    }
}

/// The normal deviate of the share of redrawn statistics below the estimate, ties half; `None` if
/// none are, or all.
fn bias(redrawn: &[f64], estimate: f64) -> Option<f64> {
    let below = redrawn.partition_point(|value| *value < estimate);
    let up_to = redrawn.partition_point(|value| *value <= estimate);
    let above = 2 * redrawn.len() - below - up_to;
    let bias = normal_upper_inverse(above as f64 / (2 * redrawn.len()) as f64);
    bias.is_finite().then_some(bias)
}

/// How the spread changes with the value, from the statistic without each observation in turn
/// (Efron and Tibshirani, equation 14.15; of several samples, Davison and Hinkley, "Bootstrap
/// Methods and their Application", 1997, equation 5.28).
fn acceleration(samples: &[&[f64]], statistic: impl Fn(&[Vec<f64>]) -> f64) -> Option<f64> {
    let mut influences = Vec::new();
    for (which, sample) in samples.iter().enumerate() {
        if sample.len() > MOST_LEFT_OUT {
            return None;
        }
        let mut left: Vec<Vec<f64>> = samples.iter().map(|sample| sample.to_vec()).collect();
        let mut without = Vec::with_capacity(sample.len());
        let mut out = left.get_mut(which)?.pop()?;
        // What is left out goes round, from the last to the first.
        for at in (0..sample.len()).rev() {
            without.push(statistic(&left));
            if let Some(place) = at.checked_sub(1).and_then(|at| left.get_mut(which)?.get_mut(at)) {
                std::mem::swap(place, &mut out);
            }
        }
        let n = sample.len() as f64;
        let mean = without.iter().sum::<f64>() / n;
        influences.extend(without.iter().map(|value| (n - 1.0) / n * (mean - value)));
    }
    // It does not depend on their scale: cubes of large ones would be more than a float holds.
    let largest =
        influences.iter().fold(0.0_f64, |largest, influence| largest.max(influence.abs()));
    let sum = |power: i32| -> f64 {
        influences.iter().map(|influence| (influence / largest).powi(power)).sum()
    };
    let acceleration = sum(3) / (6.0 * sum(2).powf(1.5));
    acceleration.is_finite().then_some(acceleration)
}

/// With linear interpolation (type 7 of Hyndman and Fan, "Sample quantiles in statistical
/// packages", The American Statistician 50, 1996).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let value = |at: f64| sorted.get(at as usize).copied().unwrap_or(f64::NAN);
    let (low, high) = (value(place.floor()), value(place.ceil()));
    let part = place - place.floor();
    // Not the difference of both, which may be more than a float holds.
    if low == high { low } else { low * (1.0 - part) + high * part }
}
