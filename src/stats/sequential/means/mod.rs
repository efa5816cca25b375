//! Is the mean of one arm above that of the other?
//!
//! Nothing is assumed of the observations but that they have a variance. The price: what is said
//! here holds as the central limit theorem does, for many observations. So nothing is said before
//! each arm has [`ENOUGH`]; and with values of which a few are as large as all others together,
//! more are needed: ask [`quantiles`](super::quantiles) then. Of such values the arm that has far fewer
//! is the likelier to have none of the large ones, so that its mean and its variance are too small at once:
//! take its variance to be at least that of the other arm, as reports do.
//!
//! Whatever is made of means is asked in the same way, as an [`Estimate`] with a variance: one
//! mean, the difference of two, relative, or of several epochs. The [`Summary`](crate::stats::Summary)
//! that a mean comes from may itself be made of pairs: their differences
//! ([`JointSummary::minus`](crate::stats::JointSummary::minus)), what units have per request
//! ([`delta::ratio`](crate::stats::delta::ratio)), or outcomes that are freed of what was known before
//! ([`cuped`](crate::stats::cuped)).

mod estimate;

pub use estimate::Estimate;

use super::{EValue, checked};
use crate::stats::{Interval, special::normal_upper};

/// So many observations each arm must have before anything is said.
pub const ENOUGH: u64 = 100;

/// `n ρ²` at the number of observations for which the width is least, for an error probability of 5
/// %: `−W₋₁(−0.05² / e) − 1` with Lambert's W, where the derivative of the width in `ρ` is 0.
pub(super) const SHARPEST: f64 = 8.211_968_062_068_254;

/// A confidence sequence for what is estimated, with an error probability of `alpha`, sharpest at
/// `target` observations (clusters, if they are clustered) of all arms together:
///
/// `value ± √variance · √( 2 (n ρ² + 1) / (n ρ²) · ln( √(n ρ² + 1) / alpha ) )`
///
/// (Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, *Time-uniform central limit theory and
/// asymptotic confidence sequences*, Annals of Statistics 52(6), 2024, arXiv 2103.06476, theorem
/// 2.2, with the standard error `σ̂ / √n` written as `√variance`; for differences of means as for
/// average treatment effects in randomized experiments.) `ρ` follows from `target`, for an `alpha`
/// of 5 %.
///
/// Everything if an arm has less than [`ENOUGH`], or the observations do not vary. `None` if
/// `alpha` is not between 0 and 1, or `target` not positive and finite.
///
/// ```
/// use tower_spearmint::stats::{Summary, sequential::means::{Estimate, interval}};
///
/// let arm = |mean| Estimate::mean(&Summary { count: 5_000, mean, variance: 1.0 });
/// let difference = interval(&arm(3.1).minus(&arm(3.0)), 0.05, 10_000.0).unwrap();
/// assert!(difference.low > 0.0 && difference.contains(0.1));
/// ```
pub fn interval(estimate: &Estimate, alpha: f64, target: f64) -> Option<Interval> {
    let alpha = checked(alpha)?;
    let Some(told) = Told::by(estimate, target)? else { return Some(Interval::EVERYTHING) };
    let square = 2.0 / told.shrunk * (0.5 * told.spread.ln_1p() - alpha.ln());
    Some(Interval::around(estimate.value, (estimate.variance * square).sqrt()))
}

/// The evidence that the value is not `null`: of the normal mixture which [`interval`] is the
/// inversion of,
///
/// `(n ρ² + 1)^−½ · exp( z² / 2 · n ρ² / (n ρ² + 1) )` with `z = (value − null) / √variance`.
///
/// 1 if an arm has less than [`ENOUGH`], or the observations do not vary. `None` if `null` is not
/// finite, or `target` not positive and finite.
pub fn evidence(estimate: &Estimate, null: f64, target: f64) -> Option<EValue> {
    ask(estimate, null, target, |told, z| 0.5 * (z * z * told.shrunk - told.spread.ln_1p()))
}

/// The evidence that the value is above `null`, likewise: with the upper half of the mixture, which
/// is the same times `2 Φ( z √(n ρ² / (n ρ² + 1)) )` (Howard et al., arXiv 1810.08240, the
/// one-sided normal mixture).
///
/// ```
/// use tower_spearmint::stats::{Summary, sequential::means::{Estimate, above, below}};
///
/// let arm = |mean| Estimate::mean(&Summary { count: 5_000, mean, variance: 1.0 });
/// // Not more than a twentieth above, although it may be above.
/// let relative = arm(3.01).relative_to(&arm(3.0));
/// assert!(below(&relative, 0.05, 10_000.0).unwrap().rejects(0.05));
/// assert!(!above(&relative, 0.0, 10_000.0).unwrap().rejects(0.05));
/// ```
pub fn above(estimate: &Estimate, null: f64, target: f64) -> Option<EValue> {
    ask(estimate, null, target, |told, z| {
        let up = normal_upper(-z * told.shrunk.sqrt());
        0.5 * (z * z * told.shrunk - told.spread.ln_1p()) + (2.0 * up).ln()
    })
}

/// The evidence that the value is below `null`, likewise.
pub fn below(estimate: &Estimate, null: f64, target: f64) -> Option<EValue> {
    above(&Estimate { value: -estimate.value, ..*estimate }, -null, target)
}

fn ask(
    estimate: &Estimate,
    null: f64,
    target: f64,
    mixture: impl Fn(&Told, f64) -> f64,
) -> Option<EValue> {
    let told = Told::by(estimate, target)?;
    if !null.is_finite() {
        return None;
    }
    let z = (estimate.value - null) / estimate.variance.sqrt();
    // So far away that half the mixture vanishes against the other: there is nothing to be said for
    // it.
    told.map_or(Some(EValue::ONE), |told| {
        EValue::from_ln(mixture(&told, z)).or(EValue::from_ln(f64::NEG_INFINITY))
    })
}

/// What the number of observations makes of the mixture.
struct Told {
    /// `n ρ²`.
    spread: f64,
    /// `n ρ² / (n ρ² + 1)`.
    shrunk: f64,
}

impl Told {
    /// `None` if the target is none; nothing if there is not enough to tell.
    fn by(estimate: &Estimate, target: f64) -> Option<Option<Self>> {
        if !(target > 0.0 && target.is_finite()) {
            return None;
        }
        let spread = (SHARPEST / target * estimate.count as f64).clamp(f64::MIN_POSITIVE, 1e300);
        let enough = estimate.smallest >= ENOUGH
            && estimate.count >= ENOUGH
            && estimate.variance > 0.0
            && estimate.variance.is_finite()
            && estimate.value.is_finite();
        Some(enough.then(|| Self { spread, shrunk: spread / (spread + 1.0) }))
    }
}
