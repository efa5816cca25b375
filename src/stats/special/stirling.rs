//! What Stirling's formula leaves out, and what a count is off by.

/// ln Γ(x) − ((x − ½) ln x − x + ½ ln 2π), for x > 0: from 15 on by the asymptotic series (DLMF
/// 5.11.1), below by the recurrence of Γ.
///
/// With it, ratios of gamma functions are written such that the large terms cancel before they are
/// rounded (Loader, "Fast and accurate computation of binomial probabilities", 2000).
pub fn stirling_error(x: f64) -> f64 {
    const SERIES_FROM: f64 = 15.0;
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
    let x = x.max(f64::MIN_POSITIVE);
    let (mut y, mut product) = (x, 1.0);
    while y < SERIES_FROM {
        product *= y;
        y += 1.0;
    }
    let square = y * y;
    let series = TERMS.iter().fold(0.0, |sum, term| sum / square + term) / y;
    if y == x {
        series
    } else {
        series + (y - 0.5) * y.ln() - (x - 0.5) * x.ln() - (y - x) - product.ln()
    }
}

/// x ln(x/m) + m − x, which keeps its digits where x and m are close. So does everything that is made
/// of it, up to counts of 10¹² and more, where differences of ln Γ would be noise (Loader 2000).
pub(crate) fn deviance(x: f64, m: f64) -> f64 {
    let off = x - m;
    if off.abs() >= 0.1 * (x + m) {
        return if x > 0.0 { x * (x / m).ln() - off } else { m };
    }
    // With v = (x − m)/(x + m): ln(x/m) = 2 (v + v³/3 + v⁵/5 + …), which converges quickly here.
    let v = off / (x + m);
    let (mut sum, mut power) = (off * v, 2.0 * x * v);
    for odd in (3..100).step_by(2) {
        power *= v * v;
        let before = sum;
        sum += power / f64::from(odd);
        if sum == before {
            break;
        }
    }
    sum
}
