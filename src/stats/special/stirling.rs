//! What Stirling's formula leaves out.

use statrs::function::gamma;
use std::f64::consts::PI;

/// ln Γ(x) − ((x − ½) ln x − x + ½ ln 2π), for x > 0: from the asymptotic series (DLMF 5.11.1) from
/// 15 on.
///
/// With it, ratios of gamma functions are written such that the large terms cancel before they are
/// rounded (Loader, "Fast and accurate computation of binomial probabilities", 2000).
pub fn stirling_error(x: f64) -> f64 {
    if x < 15.0 {
        return gamma::ln_gamma(x) - ((x - 0.5) * x.ln() - x + 0.5 * (2.0 * PI).ln());
    }
    // B₂ₖ / (2k (2k − 1)), from the last to the first.
    const TERMS: [f64; 7] = [
        1.0 / 156.0,
        -691.0 / 360_360.0,
        1.0 / 1_188.0,
        -1.0 / 1_680.0,
        1.0 / 1_260.0,
        -1.0 / 360.0,
        1.0 / 12.0,
    ];
    let square = x * x;
    TERMS.iter().fold(0.0, |sum, term| sum / square + term) / x
}

/// ln Γ(x), for x > 0.
pub fn ln_gamma(x: f64) -> f64 {
    if x < 15.0 {
        return gamma::ln_gamma(x);
    }
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * PI).ln() + stirling_error(x)
}
