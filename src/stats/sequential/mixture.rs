//! How much likelier the counts are under unknown shares than under given ones.

use crate::stats::special::{deviance, ln_beta_upper, stirling_error};

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
    let above = |(a, b)| ln_beta_upper(a, b, chance.hit, chance.miss);
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
