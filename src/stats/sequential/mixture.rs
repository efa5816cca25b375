//! How much likelier the counts are under unknown shares than under given ones.

use super::beta_tail::ln_above;

/// `ln Γ(x) − ((x − ½) ln x − x + ½ ln 2π)`: what Stirling's formula leaves out (NIST DLMF 5.11.1),
/// by its series from 16 on, where five terms are exact to the last digit, and below by the
/// recurrence of Γ. `x` is positive.
pub(super) fn stirling_error(x: f64) -> f64 {
    const SERIES_FROM: f64 = 16.0;
    let x = x.max(f64::MIN_POSITIVE);
    let (mut y, mut product) = (x, 1.0);
    while y < SERIES_FROM {
        product *= y;
        y += 1.0;
    }
    let square = (y * y).recip();
    let series = 1.0 / 1680.0 - square / 1188.0;
    let series = 1.0 / 1260.0 - square * series;
    let series = 1.0 / 360.0 - square * series;
    let series = (1.0 / 12.0 - square * series) / y;
    if y == x {
        series
    } else {
        series + (y - 0.5) * y.ln() - (x - 0.5) * x.ln() - (y - x) - product.ln()
    }
}

/// `x ln(x / mean) + mean − x`, which keeps its digits where the two are close together. So does
/// everything that is made of it, up to counts of 10¹² and more, where differences of `ln Γ` would
/// be noise. After C. Loader, *Fast and accurate computation of binomial probabilities* (2000).
pub(super) fn deviance(x: f64, mean: f64) -> f64 {
    let difference = x - mean;
    if difference.abs() >= 0.1 * (x + mean) {
        return if x > 0.0 { x * (x / mean).ln() - difference } else { mean };
    }
    // ln(x / mean) = 2 atanh(ratio), whose series converges quickly here.
    let ratio = difference / (x + mean);
    let (mut sum, mut power) = (difference * ratio, 2.0 * x * ratio);
    for odd in (3..100).step_by(2) {
        power *= ratio * ratio;
        let before = sum;
        sum += power / f64::from(odd);
        if sum == before {
            break;
        }
    }
    sum
}

/// The Bayes factor of the Dirichlet-multinomial against the multinomial, as a logarithm:
///
/// `ln [ Γ(Σα) / Γ(Σα + n) · Π Γ(αᵢ + xᵢ) / Γ(αᵢ) ] − Σ xᵢ ln θᵢ`
///
/// for counts `x` whose shares are `θ` under the null, and drawn from Dirichlet(α) under the
/// alternative. (Lindon & Malek, arXiv 2011.03567.) Each of `(prior, count, share)` is positive,
/// but for the count, which may be 0; the shares sum to 1.
pub(super) fn dirichlet_multinomial(arms: impl Iterator<Item = (f64, f64, f64)> + Clone) -> f64 {
    // With Stirling's formula for each Γ, both ends are the same function of the parameters.
    let at = |parameter: fn((f64, f64, f64)) -> (f64, f64)| {
        let total: f64 = arms.clone().map(|arm| parameter(arm).0).sum();
        let arms: f64 = arms
            .clone()
            .map(|arm| {
                let (shape, share) = parameter(arm);
                deviance(shape, total * share) - 0.5 * shape.ln() + stirling_error(shape)
            })
            .sum();
        arms + 0.5 * total.ln() - stirling_error(total)
    };
    at(|(prior, count, share)| (prior + count, share)) - at(|(prior, _, share)| (prior, share))
}

/// The probability of a hit and that of a miss, which sum to 1 and are each known to the last
/// digit.
#[derive(Clone, Copy)]
pub(super) struct Chance {
    pub(super) hit: f64,
    pub(super) miss: f64,
}

impl Chance {
    /// Of a hit; the miss has the rest.
    pub(super) fn of(hit: f64) -> Self {
        Self { hit, miss: 1.0 - hit }.inside()
    }

    /// Of a miss; the hit has the rest.
    pub(super) fn of_miss(miss: f64) -> Self {
        Self::of(miss).turned()
    }

    /// That a hit is `odds` times as probable as a miss.
    pub(super) fn with_odds(odds: f64) -> Self {
        Self { hit: (1.0 + odds.recip()).recip(), miss: (1.0 + odds).recip() }.inside()
    }

    /// Neither is 0.
    fn inside(self) -> Self {
        Self { hit: self.hit.max(f64::MIN_POSITIVE), miss: self.miss.max(f64::MIN_POSITIVE) }
    }

    /// The parameters of a beta distribution around it.
    pub(super) fn prior(self, concentration: f64) -> (f64, f64) {
        (concentration * self.hit, concentration * self.miss)
    }

    fn turned(self) -> Self {
        Self { hit: self.miss, miss: self.hit }
    }
}

/// [`dirichlet_multinomial`] with two arms: `hits` and `misses` with this chance under the null,
/// and one of Beta(`prior`) under the alternative.
pub(super) fn beta_binomial(hits: f64, misses: f64, chance: Chance, prior: (f64, f64)) -> f64 {
    dirichlet_multinomial([(prior.0, hits, chance.hit), (prior.1, misses, chance.miss)].into_iter())
}

/// [`beta_binomial`] against the null that a hit has this chance *or a smaller one*: the part of
/// the prior above the chance is all of the alternative. (Each of its likelihood ratios is at most
/// 1 in expectation for smaller chances, too.)
pub(super) fn beta_binomial_above(
    hits: f64,
    misses: f64,
    chance: Chance,
    prior: (f64, f64),
) -> f64 {
    let above = |(a, b)| ln_above(a, b, chance.hit, chance.miss);
    beta_binomial(hits, misses, chance, prior) + above((prior.0 + hits, prior.1 + misses))
        - above(prior)
}

/// The same against this chance or a larger one.
pub(super) fn beta_binomial_below(
    hits: f64,
    misses: f64,
    chance: Chance,
    prior: (f64, f64),
) -> f64 {
    beta_binomial_above(misses, hits, chance.turned(), (prior.1, prior.0))
}

/// How firmly a prior is to sit on its mean (the sum of its parameters) to be sharpest at `target`
/// observations: that the beta mixture is, for many observations, the normal mixture which is
/// optimal there for an error probability of 5 % (Howard et al., arXiv 1810.08240, on conjugate
/// mixtures and their tuning), which is `target / (2 ln 20 + ln(1 + 2 ln 20)) − 1`, and at least
/// 0.001.
pub(super) fn concentration(target: f64) -> f64 {
    let twice = 2.0 * 20_f64.ln();
    let wanted = target / (twice + twice.ln_1p()) - 1.0;
    if wanted > 1e-3 { wanted.min(1e15) } else { 1e-3 }
}
