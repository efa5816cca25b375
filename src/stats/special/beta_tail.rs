//! How much of a beta distribution lies above a point.

use super::{
    beta_fraction::beta_fraction,
    stirling::{deviance, stirling_error},
};

/// Up to this sum of parameters the continued fraction converges in some hundred steps.
const FRACTION_UP_TO: f64 = 3_000.0;

/// Nodes from the middle, and weights, of the Gauss-Legendre rule with ten points (Abramowitz and
/// Stegun, table 25.4).
const NODES: [(f64, f64); 5] = [
    (0.148_874_338_981_631_22, 0.295_524_224_714_752_87),
    (0.433_395_394_129_247_2, 0.269_266_719_309_996_35),
    (0.679_409_568_299_024_4, 0.219_086_362_515_982_04),
    (0.865_063_366_688_984_5, 0.149_451_349_150_580_6),
    (0.973_906_528_517_171_7, 0.066_671_344_308_688_14),
];

/// `ln P(X > point)` for `X` of Beta(`a`, `b`), both positive, and a point between 0 and 1, of
/// which `rest` is `1 − point`.
pub(crate) fn ln_beta_upper(a: f64, b: f64, point: f64, rest: f64) -> f64 {
    let few = a + b <= FRACTION_UP_TO;
    // Most of it is above: what is below is the smaller, and so the one to be computed.
    let mostly = if few { point * (a + b + 2.0) < a + 1.0 } else { point * (a + b) < a };
    let tail = if few { near_tail } else { far_tail };
    if mostly { (-tail(b, a, rest, point).exp()).ln_1p() } else { tail(a, b, point, rest) }
}

/// The tail by its continued fraction: I_rest(b, a) = pointᵃ restᵇ / (b B(a, b)) · that (DLMF
/// 8.17.22), where what stands before it is written around its maximum.
fn near_tail(a: f64, b: f64, point: f64, rest: f64) -> f64 {
    let total = a + b;
    let decay = deviance(a, total * point) + deviance(b, total * rest);
    (scale(a, b) - decay - b.ln() + beta_fraction(b, a, rest).ln()).min(0.0)
}

/// −ln B(a, b), but for the decay.
fn scale(a: f64, b: f64) -> f64 {
    let total = a + b;
    let corrections = stirling_error(total) - stirling_error(a) - stirling_error(b);
    0.5 * ((a / total * b).ln() - std::f64::consts::TAU.ln()) + corrections
}

/// The tail away from the mean, by integration over `s`, where the odds of the value are those of
/// the point times `exp(s)`: there the density is log-concave, and has no pole.
fn far_tail(a: f64, b: f64, point: f64, rest: f64) -> f64 {
    const PANELS: u32 = 32;
    let total = a + b;
    let ln_density = |s: f64| {
        let spread = 1.0 + point * s.exp_m1();
        -deviance(a, total * point * s.exp() / spread) - deviance(b, total * rest / spread)
    };
    let peak = ln_density(0.0);
    // Beyond, nothing is left that a float could hold beside what came before.
    let (mut near, mut far) = (0.0, 700.0);
    for _ in 0..60 {
        let middle = 0.5 * (near + far);
        if ln_density(middle) > peak - 45.0 { near = middle } else { far = middle }
    }
    let half = 0.5 * far / f64::from(PANELS);
    let sum: f64 = (0..PANELS)
        .flat_map(|panel| {
            let middle = half * f64::from(2 * panel + 1);
            NODES.into_iter().map(move |(node, weight)| {
                weight
                    * [middle - half * node, middle + half * node]
                        .map(|s| (ln_density(s) - peak).exp())
                        .iter()
                        .sum::<f64>()
            })
        })
        .sum();
    (peak + (half * sum).ln() + scale(a, b)).min(0.0)
}
