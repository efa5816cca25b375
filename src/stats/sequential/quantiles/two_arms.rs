//! What speaks against the quantiles of two arms being equal.

use super::Buckets;
use super::arm::Arms;
use crate::stats::sequential::{EValue, Requests};

/// The evidence that the second arm's `p`-quantile is not `ratio` times the first's (1: that they
/// differ), sharpest at `target` values of each arm.
///
/// If it is, there is a value `x` such that `x` is the first's quantile and `ratio · x` the
/// second's: the evidence is the least of any `x`, of the product of both arms' beta-binomial
/// evidence against that (Howard & Ramdas, arXiv 1906.09712, on A/B testing). For shared requests
/// it is their mean, which allows for any dependence.
///
/// `None` if `p` is not between 0 and 1, or the ratio not positive and finite.
///
/// ```
/// use tower_spearmint::stats::sequential::{Requests::Apart, quantiles::{Buckets, evidence}};
///
/// let slow: Vec<_> = (1..=100).map(|edge| (f64::from(edge), 10)).collect();
/// let fast: Vec<_> = (1..=100).map(|edge| (f64::from(edge) * 0.8, 10)).collect();
/// let (slow, fast) = (Buckets::new(&slow).unwrap(), Buckets::new(&fast).unwrap());
/// assert!(evidence(&fast, &slow, Apart, 0.5, 1.0, 1e3).unwrap().rejects(0.01));
/// assert!(!evidence(&fast, &slow, Apart, 0.5, 1.25, 1e3).unwrap().rejects(0.01));
/// ```
pub fn evidence(
    first: &Buckets<'_>,
    second: &Buckets<'_>,
    requests: Requests,
    p: f64,
    ratio: f64,
    target: f64,
) -> Option<EValue> {
    let arms = Arms::of([first, second], requests, p, target).filter(|_| is_ratio(ratio))?;
    EValue::from_ln(least_together(&arms, ratio))
}

/// The evidence that the second arm's `p`-quantile is more than `ratio` times the first's: the
/// least of [`evidence`] against any ratio up to this one.
///
/// For "not slower by more than a tenth", ask [`below`] with 1.1.
pub fn above(
    first: &Buckets<'_>,
    second: &Buckets<'_>,
    requests: Requests,
    p: f64,
    ratio: f64,
    target: f64,
) -> Option<EValue> {
    let arms = Arms::of([first, second], requests, p, target).filter(|_| is_ratio(ratio))?;
    // Is there a smaller ratio for which nothing at all speaks against both?
    let nothing = arms.second.likeliest() <= ratio * arms.first.likeliest();
    let least = if nothing {
        requests.together(arms.first.least_of_all(), arms.second.least_of_all())
    } else {
        least_together(&arms, ratio)
    };
    EValue::from_ln(least)
}

/// The evidence that the second arm's `p`-quantile is less than `ratio` times the first's,
/// likewise.
///
/// ```
/// use tower_spearmint::stats::sequential::{Requests::Apart, quantiles::{Buckets, below}};
///
/// let counts: Vec<_> = (1..=100).map(|edge| (f64::from(edge), 100)).collect();
/// let alike = Buckets::new(&counts).unwrap();
/// assert!(below(&alike, &alike, Apart, 0.95, 1.1, 1e4).unwrap().rejects(0.05));
/// assert!(!below(&alike, &alike, Apart, 0.95, 1.0, 1e4).unwrap().rejects(0.05));
/// ```
pub fn below(
    first: &Buckets<'_>,
    second: &Buckets<'_>,
    requests: Requests,
    p: f64,
    ratio: f64,
    target: f64,
) -> Option<EValue> {
    above(second, first, requests, p, ratio.recip(), target)
}

fn is_ratio(ratio: f64) -> bool {
    ratio > 0.0 && ratio.is_finite()
}

/// The least that speaks against any value `x` being the first's quantile and `ratio · x` the
/// second's.
fn least_together(Arms { first, second, requests }: &Arms<'_>, ratio: f64) -> f64 {
    let mut least = f64::INFINITY;
    // On either side of what is likeliest for both, more and more speaks against.
    let likeliest = [ratio * first.likeliest(), second.likeliest()];
    let (from, to) = (likeliest[0].min(likeliest[1]), likeliest[0].max(likeliest[1]));
    let (mut one, mut other) =
        (first.values.steps(ratio).peekable(), second.values.steps(1.0).peekable());
    let (mut in_one, mut in_other) = (0, 0);
    // From edge to edge of either: what lies between two is no better than the edges themselves.
    while let Some(edge) = smaller(one.peek(), other.peek()) {
        let (from_one, from_other) = (in_one, in_other);
        while let Some((_, _, up_to)) = one.next_if(|step| step.0 <= edge) {
            in_one = up_to;
        }
        while let Some((_, _, up_to)) = other.next_if(|step| step.0 <= edge) {
            in_other = up_to;
        }
        if edge >= from {
            let spoken = (first.least(from_one, in_one), second.least(from_other, in_other));
            least = least.min(requests.together(spoken.0, spoken.1));
        }
        if edge >= to {
            break;
        }
    }
    // Without any values, nothing speaks against.
    if least == f64::INFINITY { 0.0 } else { least }
}

fn smaller(one: Option<&(f64, u64, u64)>, other: Option<&(f64, u64, u64)>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.0.min(other.0)),
        (one, other) => one.or(other).map(|step| step.0),
    }
}
