//! Did each arm get the share it was to get?
//!
//! If not, something took requests from an arm (a crash before they were recorded, a cache, a
//! filter), and whatever the arms are compared by is compared on different populations. So this is
//! asked first.

use super::{EValue, mixture};

/// How many there are of each arm while the shares were the same.
#[derive(Debug, Clone, Copy)]
pub struct Epoch<'a> {
    /// The count of each arm: of what was assigned independently, so with sticky assignment of
    /// units, not of their requests.
    pub counts: &'a [u64],
    /// The share that each was to get, in the same order; only their ratios matter. An arm may have
    /// 0.
    pub shares: &'a [f64],
}

/// How firmly the alternatives sit on the expected shares. A large value finds small deviations in
/// many observations, a small one large deviations in few; the mean of all three finds both.
const CONCENTRATIONS: [f64; 3] = [10.0, 1_000.0, 100_000.0];

/// The evidence that the counts do not have the shares, over all epochs; 1 if there are no counts.
///
/// That of an epoch is the Bayes factor of the sequential multinomial test: the shares are drawn
/// from a Dirichlet distribution around the expected ones under the alternative (Lindon & Malek,
/// *Anytime-valid inference for multinomial count data*, NeurIPS 2022, arXiv 2011.03567):
///
/// `Γ(κ) / Γ(κ + n) · Π Γ(κ θᵢ + xᵢ) / Γ(κ θᵢ) · Π θᵢ^−xᵢ`
///
/// Those of several epochs are multiplied, as each is 1 in expectation given the ones before: so
/// nothing may be counted in two of them, as units that come back are. Of three concentrations `κ`
/// (10, 10³ and 10⁵) the mean is taken. A count in an arm whose share is 0 cannot be: its evidence
/// is infinite.
///
/// Which of `k` arms it is, [`rates::rate`](super::rates::rate) tells: of the arm's count in all,
/// with `alpha / k`, the share it got.
///
/// `None` if an epoch has not as many shares as counts, a share is negative or not finite, or all
/// are 0.
///
/// ```
/// use tower_spearmint::stats::sequential::sample_ratio::{Epoch, evidence};
///
/// let even = evidence(&[Epoch { counts: &[50_210, 49_790], shares: &[1.0, 1.0] }]).unwrap();
/// assert!(!even.rejects(0.05));
/// // 0.9 % of the second arm are missing: it takes 600,000 to be sure.
/// let lost = evidence(&[Epoch { counts: &[301_355, 298_645], shares: &[1.0, 1.0] }]).unwrap();
/// assert!(lost.rejects(0.05));
/// // Nobody was to get the second.
/// let leak = evidence(&[Epoch { counts: &[1_000, 1], shares: &[1.0, 0.0] }]).unwrap();
/// assert_eq!(leak.ln(), f64::INFINITY);
/// ```
pub fn evidence(epochs: &[Epoch<'_>]) -> Option<EValue> {
    let mut each = [EValue::ONE; CONCENTRATIONS.len()];
    for (e, concentration) in each.iter_mut().zip(CONCENTRATIONS) {
        for epoch in epochs {
            *e = e.times(&bayes_factor(epoch, concentration)?);
        }
    }
    Some(EValue::mean(&each))
}

/// The Bayes factor of one epoch with one concentration, see [`evidence`]; `None` also if the
/// concentration is not positive and finite.
pub fn bayes_factor(epoch: &Epoch<'_>, concentration: f64) -> Option<EValue> {
    let Epoch { counts, shares } = *epoch;
    let total: f64 = shares.iter().sum();
    let sound = counts.len() == shares.len()
        && shares.iter().all(|share| *share >= 0.0)
        && total > 0.0
        && total.is_finite()
        && concentration > 0.0
        && concentration.is_finite();
    if !sound {
        return None;
    }
    let arms = counts.iter().zip(shares).map(|(count, share)| (*count as f64, share / total));
    // A share so small that a float cannot hold it is none.
    if arms.clone().any(|(count, share)| share * concentration < f64::MIN_POSITIVE && count > 0.0) {
        return Some(EValue::INFINITE);
    }
    let arms = arms.filter(|(_, share)| share * concentration >= f64::MIN_POSITIVE);
    EValue::from_ln(mixture::dirichlet_multinomial(
        arms.map(|(count, share)| (concentration * share, count, share)),
    ))
}
