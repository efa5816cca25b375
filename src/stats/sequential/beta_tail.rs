//! How much of a beta distribution lies above a point.

use super::mixture::{deviance, stirling_error};
use statrs::function::beta::checked_beta_reg;

/// Up to this sum of parameters the continued fraction converges in time.
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
pub(super) fn ln_above(a: f64, b: f64, point: f64, rest: f64) -> f64 {
    if a + b <= FRACTION_UP_TO {
        return checked_beta_reg(b, a, rest)
            .map_or(f64::NEG_INFINITY, |above| above.clamp(0.0, 1.0).ln());
    }
    // Most of it is above: what is below is the smaller, and so the one to be computed.
    if point * (a + b) < a {
        return (-far_tail(b, a, rest, point).exp()).ln_1p();
    }
    far_tail(a, b, point, rest)
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
    let scale = 0.5 * ((a / total * b).ln() - std::f64::consts::TAU.ln());
    let corrections = stirling_error(total) - stirling_error(a) - stirling_error(b);
    (peak + (half * sum).ln() + scale + corrections).min(0.0)
}
