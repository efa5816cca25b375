//! Two quantiles, had other observations been drawn.

use super::{Dice, Resampling};
use crate::stats::{Interval, fixed::PValues, interval::half_of};
use std::f64::consts::PI;

/// A difference of two quantiles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileDifference {
    /// The treatment's quantile: the smallest value that the share does not exceed.
    pub treatment: f64,
    /// The control's.
    pub control: f64,
    /// Their difference, treatment − control.
    pub difference: f64,
    /// From the alpha/2 quantile of the redrawn differences to that of 1 − alpha/2.
    pub interval: Interval,
    /// At which level the interval would end at 0.
    pub p: PValues,
}

/// The bootstrap interval (percentiles) of a difference of quantiles, of any number of observations.
///
/// Nothing is drawn but which of the sorted observations a redrawn sample has at the quantile's place: the k-th
/// smallest of n draws from n places is ⌈n B⌉, B of the beta distribution with k and n − k + 1 (David and Nagaraja,
/// "Order Statistics", 2003, section 2.1). So a round costs the same for a million observations as for ten (as in
/// Schultzberg and Ankargren, "Resampling-free bootstrap inference for quantiles", arXiv 2202.10992, who
/// approximate it).
///
/// `share` and `alpha` between 0 and 1. Observations may be infinite (a request that timed out lasted longer than any),
/// and so may be the ends. `None` for fewer than two observations on a side, NaN among them, where all redrawn
/// differences are the same or one is of two infinite quantiles, or for arguments out of range.
///
/// ```
/// use tower_spearmint::stats::fixed::{Resampling, bootstrap_quantiles};
///
/// let times = |base: f64| (0..1_000).map(|n| base + f64::from(n % 100)).collect::<Vec<_>>();
/// let resampling = Resampling::default();
/// let slower = bootstrap_quantiles(&times(120.0), &times(100.0), 0.5, 0.05, resampling).unwrap();
/// assert_eq!((slower.treatment, slower.control), (169.0, 149.0));
/// assert!(slower.interval.contains(20.0) && slower.interval.low > 10.0);
/// ```
pub fn bootstrap_quantiles(
    treatment: &[f64],
    control: &[f64],
    share: f64,
    alpha: f64,
    resampling: Resampling,
) -> Option<QuantileDifference> {
    let (tail, rounds) = (half_of(alpha)?, resampling.rounds()?);
    let sides = [Sorted::of(treatment, share)?, Sorted::of(control, share)?];
    let dice = resampling.dice();
    let mut redrawn = Vec::with_capacity(rounds as usize);
    for _ in 0..rounds {
        let [treatment, control] = sides.each_ref().map(|side| side.redrawn(&dice));
        let difference = treatment - control;
        if difference.is_nan() {
            return None;
        }
        redrawn.push(difference);
    }
    redrawn.sort_unstable_by(f64::total_cmp);
    if redrawn.first() == redrawn.last() {
        return None;
    }
    let [treatment, control] = sides.map(|side| side.quantile());
    let difference = treatment - control;
    // The ⌊(rounds + 1) tail⌋-th, from either end.
    let place = ((f64::from(rounds) + 1.0) * tail).floor().max(1.0) as usize - 1;
    let interval = Interval {
        low: *redrawn.get(place)?,
        high: *redrawn.get(redrawn.len().checked_sub(place + 1)?)?,
    };
    let at_most = redrawn.partition_point(|value| *value <= 0.0);
    let below = redrawn.partition_point(|value| *value < 0.0);
    let of = |count: usize| (count as f64 + 1.0) / (f64::from(rounds) + 1.0);
    let (greater, less) = (of(at_most), of(redrawn.len() - below));
    let p = PValues { two_sided: (2.0 * greater.min(less)).min(1.0), greater, less };
    (!difference.is_nan()).then_some(QuantileDifference {
        treatment,
        control,
        difference,
        interval,
        p,
    })
}

/// A sample, and the place of the quantile in it, from 1.
struct Sorted {
    values: Vec<f64>,
    place: usize,
}

impl Sorted {
    fn of(values: &[f64], share: f64) -> Option<Self> {
        let fits = share > 0.0 && share < 1.0 && values.len() > 1;
        if !fits || values.iter().any(|value| value.is_nan()) {
            return None;
        }
        let mut values = values.to_vec();
        values.sort_unstable_by(f64::total_cmp);
        let place = (share * values.len() as f64).ceil() as usize;
        let place = place.clamp(1, values.len());
        Some(Self { values, place })
    }

    fn at(&self, place: usize) -> f64 {
        let last = self.values.len() - 1;
        self.values.get(place.saturating_sub(1).min(last)).copied().unwrap_or(f64::NAN)
    }

    fn quantile(&self) -> f64 {
        self.at(self.place)
    }

    /// The quantile of as many values drawn from these.
    fn redrawn(&self, dice: &Dice) -> f64 {
        let n = self.values.len();
        let (below, above) =
            (gamma(dice, self.place as f64), gamma(dice, (n - self.place + 1) as f64));
        self.at((n as f64 * (below / (below + above))).ceil() as usize)
    }
}

/// Of the gamma distribution with this shape, at least 1 (Marsaglia and Tsang, "A simple method for generating gamma
/// variables", ACM TOMS 26(3), 2000).
fn gamma(dice: &Dice, shape: f64) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let z = normal(dice);
        let v = (1.0 + c * z).powi(3);
        if v > 0.0 && dice.unit().ln() < 0.5 * z * z + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

/// A standard normal one (Box and Muller, Ann. Math. Statist. 29, 1958).
fn normal(dice: &Dice) -> f64 {
    (-2.0 * dice.unit().ln()).sqrt() * (2.0 * PI * dice.unit()).cos()
}
