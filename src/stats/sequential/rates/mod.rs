//! Does one arm fail more often than the other?
//!
//! Only the events (failures, say) are looked at, and of each only in which arm it was. If both
//! arms have the same rate, each event falls to the second arm with the probability by which
//! requests are sent there, whatever the rate is, and however it changes over the day. So nothing
//! is assumed of the rates; a baseline without a single event is no special case.
//!
//! The share is the one by which requests are assigned (the weight among the two arms). Where
//! requests are assigned at random by it, all of this is exact; where they go round in a fixed
//! cycle, events are spread more evenly than by chance, and the answers are cautious. If only what
//! was dispatched is known, [`Split::of_dispatches`] takes the share from there.
//!
//! Each request goes to one of the arms. With a shadow it goes to both: ask [`pairs`](super::pairs)
//! then.
//!
//! Count what is rare: for a success rate of 99 %, the failures. What the requests without an event
//! would have to say is left out, and that is the more, the fewer they are.

mod difference;
mod ratio;
mod single;

pub use difference::difference;
pub use ratio::ratio;
pub use single::rate;

use super::{EValue, mixture};
use mixture::Chance;

/// The events of two arms while the share of the second was the same. Add up those with the same
/// share first: each further one costs some evidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// How many events the first arm had.
    pub first: u64,
    /// How many the second.
    pub second: u64,
    /// The share of the requests to either arm that goes to the second, between 0 and 1.
    pub share: f64,
}

impl Split {
    /// With the share of what was dispatched to the second arm, of all to both: pairs of (events,
    /// dispatched). `None` if an arm had none.
    pub fn of_dispatches(first: (u64, u64), second: (u64, u64)) -> Option<Self> {
        let (one, other) = (first.1 as f64, second.1 as f64);
        (one > 0.0 && other > 0.0).then(|| Self {
            first: first.0,
            second: second.0,
            share: other / (one + other),
        })
    }

    /// The odds that an event is the second's, if its rate is that of the first.
    fn odds(&self) -> Option<f64> {
        (self.share > 0.0 && self.share < 1.0).then(|| self.share / (1.0 - self.share))
    }

    fn counts(&self) -> (f64, f64) {
        (self.second as f64, self.first as f64)
    }
}

/// The evidence that the second arm's rate is not `ratio` times the first's (1: that they differ).
///
/// That of a split is the Bayes factor of a beta mixture against the binomial with the chance
/// `θ₀ = s r / (s r + 1 − s)` for the share `s` and ratio `r` (Robbins, *Statistical methods
/// related to the law of the iterated logarithm*, 1970; Howard et al., arXiv 1810.08240, the
/// two-sided beta-binomial mixture):
///
/// `B(κ θ₀ + x, κ (1 − θ₀) + y) / B(κ θ₀, κ (1 − θ₀)) · θ₀^−x (1 − θ₀)^−y`
///
/// for `x` events of the second arm and `y` of the first; `κ` follows from `target`, a number of
/// events. Those of several splits are multiplied. `None` if a share is not between 0 and 1, or the
/// ratio is not positive and finite.
///
/// ```
/// use tower_spearmint::stats::sequential::rates::{Split, evidence};
///
/// // A tenth of the requests goes to the candidate, which has 24 of the 66 failures.
/// let failures = Split { first: 42, second: 24, share: 0.1 };
/// assert!(evidence(&[failures], 1.0, 100.0).unwrap().rejects(0.01));
/// assert!(!evidence(&[failures], 5.0, 100.0).unwrap().rejects(0.01));
/// ```
pub fn evidence(splits: &[Split], ratio: f64, target: f64) -> Option<EValue> {
    product(splits, ratio, target, mixture::beta_binomial)
}

/// The evidence that the second arm's rate is more than `ratio` times the first's: against all that
/// it is at most that. As [`evidence`], with the part of the mixture above `θ₀`.
///
/// For "not worse by more than a tenth", ask [`below`] with 1.1.
///
/// ```
/// use tower_spearmint::stats::sequential::rates::{Split, above, below};
///
/// let failures = Split { first: 2_010, second: 1_990, share: 0.5 };
/// assert!(!above(&[failures], 1.0, 1e3).unwrap().rejects(0.05));
/// assert!(below(&[failures], 1.2, 1e3).unwrap().rejects(0.05));
/// ```
pub fn above(splits: &[Split], ratio: f64, target: f64) -> Option<EValue> {
    product(splits, ratio, target, mixture::beta_binomial_above)
}

/// The evidence that the second arm's rate is less than `ratio` times the first's, likewise.
pub fn below(splits: &[Split], ratio: f64, target: f64) -> Option<EValue> {
    product(splits, ratio, target, mixture::beta_binomial_below)
}

fn product(
    splits: &[Split],
    ratio: f64,
    target: f64,
    bayes_factor: fn(f64, f64, Chance, (f64, f64)) -> f64,
) -> Option<EValue> {
    if !(ratio > 0.0 && ratio.is_finite()) {
        return None;
    }
    let concentration = mixture::concentration(target);
    splits.iter().try_fold(EValue::ONE, |product, split| {
        let chance = Chance::with_odds(split.odds()? * ratio);
        let (hits, misses) = split.counts();
        let e = EValue::from_ln(bayes_factor(hits, misses, chance, chance.prior(concentration)))?;
        Some(product.times(&e))
    })
}
