//! Is one sample larger than another?

use super::{TwoSamples, null};
use crate::stats::{fixed::PValues, special::normal_upper};

/// What the Mann–Whitney test says of two samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannWhitney {
    /// In how many pairs the treatment's observation is above the control's; a tie counts half.
    pub u: f64,
    /// The same as a share of all pairs: 0.5 if neither is larger.
    pub superiority: f64,
    /// If both came from the same distribution.
    pub p: PValues,
}

/// The Mann–Whitney U test (Wilcoxon's rank sum test), by the normal approximation, with the
/// correction for ties and for continuity: fit for histograms of any size.
///
/// z = (U − nm/2 ∓ ½)/σ, σ² = nm/12 · (N + 1 − Σ(t³ − t)/(N(N−1))), N = n + m, t the sizes of ties
/// (Mann and Whitney, Ann. Math. Statist. 18, 1947; Lehmann, "Nonparametrics", 1975, section 1.4).
///
/// `None` if a side has no observations, or if all are equal.
///
/// ```
/// use tower_spearmint::stats::fixed::{TwoSamples, mann_whitney};
///
/// // Milliseconds: at most 10, at most 20, at most 40, timed out.
/// let samples = TwoSamples::from_buckets([
///     (10.0, 800, 600), (20.0, 150, 300), (40.0, 45, 80), (f64::INFINITY, 5, 20),
/// ]);
/// let test = mann_whitney(&samples.unwrap()).unwrap();
/// assert!(test.superiority < 0.5 && test.p.less < 1e-9);
/// ```
pub fn mann_whitney(samples: &TwoSamples) -> Option<MannWhitney> {
    let (n, m) = (samples.treatment() as f64, samples.control() as f64);
    let (u, superiority, excess) = statistic(samples)?;
    // N³ − N − Σ(t³ − t), from (a + t)³ = a³ + t³ + 3at(a + t): nothing cancels if nearly all are
    // tied.
    let mut before = 0.0;
    let mut spread = 0.0;
    for bucket in samples.buckets() {
        let tied = bucket.treatment as f64 + bucket.control as f64;
        spread += 3.0 * before * tied * (before + tied);
        before += tied;
    }
    let variance = n * m / 12.0 * (spread / (before * (before - 1.0)));
    if !(variance > 0.0 && variance.is_finite()) {
        return None;
    }
    let tail = |excess: f64| normal_upper((excess - 0.5) / variance.sqrt());
    let p = PValues {
        two_sided: (2.0 * tail(excess.abs())).min(1.0),
        greater: tail(excess),
        less: tail(-excess),
    };
    Some(MannWhitney { u, superiority, p })
}

/// The same from the exact distribution of U, for few observations without ties (as with
/// `method="exact"` in scipy).
///
/// `None` if a side has no observations, if two are equal, or for more than 2,500 pairs.
///
/// ```
/// use tower_spearmint::stats::fixed::{TwoSamples, mann_whitney_exact};
///
/// let samples = TwoSamples::of(&[5.0, 7.0, 8.0], &[1.0, 2.0, 3.0]).unwrap();
/// let test = mann_whitney_exact(&samples).unwrap();
/// assert_eq!(test.u, 9.0);
/// // One of the twenty orders.
/// assert!((test.p.greater - 0.05).abs() < 1e-15);
/// ```
pub fn mann_whitney_exact(samples: &TwoSamples) -> Option<MannWhitney> {
    let (u, superiority, _) = statistic(samples)?;
    if samples.buckets().iter().any(|bucket| bucket.treatment + bucket.control > 1) {
        return None;
    }
    let chances = null::distribution(samples.treatment(), samples.control())?;
    let pairs = chances.len() - 1;
    let u_whole = (u as usize).min(pairs);
    // Its distribution is symmetric: at least u is as likely as at most nm − u.
    let at_least = |u: usize| chances.iter().take(pairs - u + 1).sum::<f64>().min(1.0);
    let p = PValues {
        two_sided: (2.0 * at_least(u_whole.max(pairs - u_whole))).min(1.0),
        greater: at_least(u_whole),
        less: at_least(pairs - u_whole),
    };
    Some(MannWhitney { u, superiority, p })
}

/// U, U/nm, and U − nm/2.
fn statistic(samples: &TwoSamples) -> Option<(f64, f64, f64)> {
    let pairs = samples.pairs();
    if pairs == 0 {
        return None;
    }
    let (mut below, mut twice) = (0_u128, 0_u128);
    for bucket in samples.buckets() {
        let control = u128::from(bucket.control);
        twice += u128::from(bucket.treatment) * (2 * below + control);
        below += control;
    }
    let u = 0.5 * twice as f64;
    let excess = if twice >= pairs { (twice - pairs) as f64 } else { -((pairs - twice) as f64) };
    Some((u, u / pairs as f64, 0.5 * excess))
}
