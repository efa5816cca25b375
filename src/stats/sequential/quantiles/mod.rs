//! Is the 95th percentile of one arm above that of the other?
//!
//! If the split between the arms changed, compare each epoch for itself, and multiply the evidence
//! ([`EValue::times`](super::EValue::times)): added up, an arm that had more of the requests while
//! all was slow looks slow.
//!
//! Where units were assigned to the arms, ask [`clusters`].
//!
//! Nothing is assumed of the values but that they are independent and alike: only how many of them
//! lie on either side is counted. So a few that are enormous, or never end, do no harm.

mod arm;
mod buckets;
pub mod clusters;
mod region;
mod two_arms;

pub use buckets::Buckets;
pub use region::{difference, ratio};
pub use two_arms::{above, below, evidence};

use super::checked;
use super::mixture::{self, Chance};
use crate::stats::Interval;

/// A confidence sequence for the `p`-quantile with an error probability of `alpha`, sharpest at
/// `target` values.
///
/// The number of values below the quantile is binomial with the chance `p`. The interval has all
/// values that no more and no fewer lie below than the beta mixture allows (Howard & Ramdas,
/// *Sequential estimation of quantiles with applications to A/B testing and best-arm
/// identification*, Bernoulli 28(3), 2022, arXiv 1906.09712, for a fixed quantile). An end that
/// cannot be told yet is infinite: at a level of 5 %, the upper one of the 99th percentile needs
/// 502 values with a target of 1,000, and 2,954 with one of 100,000.
///
/// `None` if `p` or `alpha` is not between 0 and 1.
///
/// ```
/// use tower_spearmint::stats::sequential::quantiles::{Buckets, interval};
///
/// let counts: Vec<_> = (1..=100).map(|edge| (f64::from(edge), 100)).collect();
/// let p95 = interval(&Buckets::new(&counts).unwrap(), 0.95, 0.05, 1e4).unwrap();
/// assert!(p95.contains(95.0) && p95.width() <= 3.0, "{p95:?}");
/// ```
pub fn interval(values: &Buckets<'_>, p: f64, alpha: f64, target: f64) -> Option<Interval> {
    let (chance, alpha) = (Chance::of(checked(p)?), checked(alpha)?);
    let (total, prior) = (values.total(), chance.prior(mixture::concentration(target)));
    let refuted = |below: u64| {
        mixture::beta_binomial(below as f64, (total - below) as f64, chance, prior) >= -alpha.ln()
    };
    let expected = (p * total as f64) as u64;
    Some(between(values, p, ranks_beyond(total, expected, refuted)))
}

/// A confidence sequence for the `p`-quantile that is not tuned: it keeps narrowing by
/// `√(log log n / n)`, the fastest that is possible, for ever, and is wider than [`interval`] at
/// usual sizes. `from` is the number of values from which on it is worth reading (it is true
/// before, too).
///
/// More than `p n + S` values, or fewer than `p n − S`, are not below the quantile, where `S` is
/// the polynomial stitched boundary for the variance `v = p (1 − p) n` and, upwards, the scale
/// `c = max(0, (1 − 2p) / 3)` (downwards with `1 − p` for `p`):
///
/// `S = √(k₁² v ℓ + k₂² c² ℓ²) + k₂ c ℓ`, `ℓ = s ln ln(η v / m) + ln(2 ζ(s) / (alpha lnˢ η))`,
///
/// `k₁ = (η^¼ + η^−¼) / √2`, `k₂ = (√η + 1) / 2`, `m = p (1 − p) from`, with `η = 2.04` and
/// `s = 1.4` (Howard & Ramdas, arXiv 1906.09712, theorem 1, without the rounding of its constants;
/// Howard et al., arXiv 1810.08240, theorem 1).
///
/// `None` if `p` or `alpha` is not between 0 and 1, or `from` is less than 1 or infinite.
///
/// ```
/// use tower_spearmint::stats::sequential::quantiles::{Buckets, stitched};
///
/// let counts: Vec<_> = (1..=100).map(|edge| (f64::from(edge), 100)).collect();
/// let p95 = stitched(&Buckets::new(&counts).unwrap(), 0.95, 0.05, 100.0).unwrap();
/// assert!(p95.contains(95.0) && p95.width() <= 4.0, "{p95:?}");
/// ```
pub fn stitched(values: &Buckets<'_>, p: f64, alpha: f64, from: f64) -> Option<Interval> {
    let (p, alpha) = (checked(p)?, checked(alpha)?);
    if !(from >= 1.0 && from.is_finite()) {
        return None;
    }
    let total = values.total();
    let expected = p * total as f64;
    let (more, less) =
        (stitched_boundary(total, p, alpha, from), stitched_boundary(total, 1.0 - p, alpha, from));
    let refuted = |below: u64| {
        let excess = below as f64 - expected;
        if excess > 0.0 { excess >= more } else { -excess >= less }
    };
    Some(between(values, p, ranks_beyond(total, expected as u64, refuted)))
}

/// `S` of [`stitched`] for deviations upwards, with half of `alpha`.
fn stitched_boundary(total: u64, p: f64, alpha: f64, from: f64) -> f64 {
    const ETA: f64 = 2.04;
    const S: f64 = 1.4;
    /// Riemann's ζ(1.4).
    const ZETA: f64 = 3.105_547_277_977_581;
    let times = (total as f64 / from).max(1.0);
    let variance = p * (1.0 - p) * from * times;
    let scale = ((1.0 - 2.0 * p) / 3.0).max(0.0);
    let k1 = (ETA.powf(0.25) + ETA.powf(-0.25)) / std::f64::consts::SQRT_2;
    let k2 = 0.5 * (ETA.sqrt() + 1.0);
    let l = S * (ETA * times).ln().ln() + (2.0 * ZETA / (alpha * ETA.ln().powf(S))).ln();
    (k1 * k1 * variance * l + (k2 * scale * l).powi(2)).sqrt() + k2 * scale * l
}

/// The largest count below `expected`, and the smallest above it, that is refuted, if there is one:
/// what is refuted is all beyond some count on either side.
fn ranks_beyond(
    total: u64,
    expected: u64,
    refuted: impl Fn(u64) -> bool,
) -> (Option<u64>, Option<u64>) {
    let few = (expected > 0 && refuted(0)).then(|| {
        let (mut out, mut within) = (0, expected);
        while within - out > 1 {
            let middle = out + (within - out) / 2;
            if refuted(middle) { out = middle } else { within = middle }
        }
        out
    });
    let many = (expected < total && refuted(total)).then(|| {
        let (mut within, mut out) = (expected, total);
        while out - within > 1 {
            let middle = within + (out - within) / 2;
            if refuted(middle) { out = middle } else { within = middle }
        }
        out
    });
    (few, many)
}

/// From the first value that more lie below than are too few, to the last that fewer lie below than
/// are too many; the estimate is never left out.
fn between(values: &Buckets<'_>, p: f64, (few, many): (Option<u64>, Option<u64>)) -> Interval {
    let low = few.and_then(|few| values.at_rank(few + 1)).unwrap_or(f64::NEG_INFINITY);
    let high = many.and_then(|many| values.at_rank(many)).unwrap_or(f64::INFINITY);
    let estimate = values.quantile(p).unwrap_or(high);
    Interval { low: low.min(estimate), high: high.max(estimate) }
}
