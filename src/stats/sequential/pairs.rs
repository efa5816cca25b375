//! Does one of two fail where the other does not?
//!
//! A shadow gets the requests of its primary, so each request is a pair. Pairs in which both
//! failed, or neither, say nothing about which is better; of the others (the *discordant* ones)
//! each is the first's or the second's with equal probability if both are equally good. That is the
//! test of McNemar (Psychometrika 12, 1947), which may be looked at at any time.
//!
//! The same tells whether a candidate's answers differ from the primary's more than a control's (a
//! second copy of the primary) do: of the requests that all three got, those where only the control
//! differed are `first`, those where only the candidate did are `second`. What is random in the
//! answers (times, ids) then counts on both sides. If the control got other requests than the
//! candidate, ask [`rates`](super::rates) with the dispatched comparisons instead.

use super::mixture::{self, Chance};
use super::rates::rate;
use super::{EValue, checked, search};
use crate::stats::Interval;

/// The pairs of which exactly one has the event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Discordant {
    /// How many in which it is the first: the primary, or the control.
    pub first: u64,
    /// How many in which it is the second: the shadow, or the candidate.
    pub second: u64,
}

/// Every share of the second among the discordant pairs is as likely as any other.
const UNIFORM: (f64, f64) = (1.0, 1.0);

/// The evidence that a discordant pair is not the second's `ratio` times as often as the first's
/// (1: that one has the event more often).
///
/// `B(1 + x, 1 + y) · θ₀^−x (1 − θ₀)^−y` with `θ₀ = ratio / (1 + ratio)`, for `x` pairs of the
/// second and `y` of the first (Robbins 1970, with the uniform mixture). `None` if the ratio is not
/// positive and finite.
///
/// ```
/// use tower_spearmint::stats::sequential::pairs::{Discordant, evidence};
///
/// // Of 100,000 pairs 40 are discordant.
/// assert!(evidence(Discordant { first: 8, second: 32 }, 1.0).unwrap().rejects(0.05));
/// assert!(!evidence(Discordant { first: 17, second: 23 }, 1.0).unwrap().rejects(0.05));
/// ```
pub fn evidence(pairs: Discordant, ratio: f64) -> Option<EValue> {
    ask(pairs, ratio, mixture::beta_binomial)
}

/// The evidence that it is the second's more than `ratio` times as often, with the part of the
/// mixture above `θ₀`.
pub fn above(pairs: Discordant, ratio: f64) -> Option<EValue> {
    ask(pairs, ratio, mixture::beta_binomial_above)
}

/// The evidence that it is the second's less than `ratio` times as often, likewise.
///
/// ```
/// use tower_spearmint::stats::sequential::pairs::{Discordant, below};
///
/// // The candidate's answers differ where the control's do not at most half as often again.
/// assert!(below(Discordant { first: 410, second: 402 }, 1.5).unwrap().rejects(0.05));
/// ```
pub fn below(pairs: Discordant, ratio: f64) -> Option<EValue> {
    ask(pairs, ratio, mixture::beta_binomial_below)
}

fn ask(
    pairs: Discordant,
    ratio: f64,
    bayes_factor: fn(f64, f64, Chance, (f64, f64)) -> f64,
) -> Option<EValue> {
    if !(ratio > 0.0 && ratio.is_finite()) {
        return None;
    }
    EValue::from_ln(bayes_factor(
        pairs.second as f64,
        pairs.first as f64,
        Chance::with_odds(ratio),
        UNIFORM,
    ))
}

/// A confidence sequence for how many times as often as the first's a discordant pair is the
/// second's. `None` if `alpha` is not between 0 and 1.
///
/// ```
/// use tower_spearmint::stats::sequential::pairs::{Discordant, ratio};
///
/// let ratio = ratio(Discordant { first: 8, second: 32 }, 0.05).unwrap();
/// assert!(ratio.low > 1.0 && ratio.contains(4.0));
/// ```
pub fn ratio(pairs: Discordant, alpha: f64) -> Option<Interval> {
    let alpha = checked(alpha)?;
    let (hits, misses) = (pairs.second as f64, pairs.first as f64);
    if hits + misses == 0.0 {
        return Interval::new(0.0, f64::INFINITY);
    }
    let excess =
        |chance: Chance| mixture::beta_binomial(hits, misses, chance, UNIFORM) + alpha.ln();
    let (hit, miss) = (hits / (hits + misses), misses / (hits + misses));
    let smallest_hit = search::end(hit, 0.0, |hit| excess(Chance::of(hit)));
    let smallest_miss = search::end(miss, 0.0, |miss| excess(Chance::of_miss(miss)));
    Interval::new(smallest_hit / (1.0 - smallest_hit), (1.0 - smallest_miss) / smallest_miss)
}

/// A confidence sequence for the second's rate minus the first's, of `all` pairs, discordant or
/// not, sharpest at `target` pairs: the rates of both kinds of discordant pairs, each with half of
/// `alpha`. `None` if there are more discordant pairs than pairs, or `alpha` is not between 0 and
/// 1.
///
/// ```
/// use tower_spearmint::stats::sequential::pairs::{Discordant, difference};
///
/// let difference = difference(Discordant { first: 8, second: 32 }, 100_000, 0.05, 1e5).unwrap();
/// assert!(difference.contains(0.000_24) && difference.high < 0.001);
/// ```
pub fn difference(pairs: Discordant, all: u64, alpha: f64, target: f64) -> Option<Interval> {
    let half = 0.5 * checked(alpha)?;
    pairs.first.checked_add(pairs.second).filter(|discordant| *discordant <= all)?;
    Some(rate(pairs.second, all, half, target)?.minus(&rate(pairs.first, all, half, target)?))
}
