//! Two shares of the same trials.

use super::fisher::falling;
use crate::stats::{
    Interval,
    fixed::PValues,
    interval::half_of,
    special::{ln_binomial, normal_upper_inverse},
};

/// More trials would take long, and the normal distribution is as good for them.
const MOST_PAIRS: u64 = 1_000_000_000;

/// Trials that both sides had: in how many something was true of one side only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Discordant {
    /// True of the treatment alone.
    pub only_treatment: u64,
    /// True of the control alone.
    pub only_control: u64,
    /// Of how many trials in all.
    pub pairs: u64,
}

/// What McNemar's test says of pairs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct McNemar {
    /// The treatment's share minus the control's.
    pub difference: f64,
    /// Where the true difference lies, except with chance `alpha`.
    pub interval: Interval,
    /// If there were no difference.
    pub p: PValues,
}

/// McNemar's exact test of two shares of the same trials: the discordant ones fall to either side as a fair coin would
/// have it (McNemar, Psychometrika 12, 1947; two-sided, twice the smaller tail, as in statsmodels and R's `exact2x2`).
///
/// The interval is Bonett and Price's (J. Educ. Behav. Stat. 37(4), 2012): Wald's with one more on each
/// discordant side and two more pairs, (q − r) ± z √((q + r − (q − r)²)/(n + 2)), q = (b + 1)/(n + 2). `alpha`
/// between 0 and 1. `None` without pairs, with more discordant ones than pairs, or for more than a billion.
///
/// ```
/// use tower_spearmint::stats::fixed::{Discordant, mcnemar};
///
/// // The shadow alone failed ten times, the primary alone twice.
/// let pairs = Discordant { only_treatment: 10, only_control: 2, pairs: 1_000 };
/// let test = mcnemar(pairs, 0.05).unwrap();
/// assert!((test.p.two_sided - 0.038_574_218_75).abs() < 1e-12);
/// assert_eq!(test.difference, 0.008);
/// ```
pub fn mcnemar(pairs: Discordant, alpha: f64) -> Option<McNemar> {
    let Discordant { only_treatment, only_control, pairs } = pairs;
    let discordant = only_treatment.checked_add(only_control)?;
    let z = normal_upper_inverse(half_of(alpha)?);
    if pairs == 0 || discordant > pairs || pairs > MOST_PAIRS {
        return None;
    }
    let (greater, less) =
        (at_least(only_treatment, discordant), at_least(only_control, discordant));
    let p = PValues { two_sided: (2.0 * greater.min(less)).min(1.0), greater, less };
    let all = pairs as f64 + 2.0;
    let (q, r) = ((only_treatment as f64 + 1.0) / all, (only_control as f64 + 1.0) / all);
    let half = z * ((q + r - (q - r).powi(2)) / all).sqrt();
    let around = Interval::around(q - r, half);
    let difference = (only_treatment as f64 - only_control as f64) / pairs as f64;
    Some(McNemar {
        difference,
        interval: Interval { low: around.low.max(-1.0), high: around.high.min(1.0) },
        p,
    })
}

/// The chance of at least so many heads of `n` fair coins.
fn at_least(heads: u64, n: u64) -> f64 {
    if 2 * heads <= n {
        // By the other tail, whose terms fall from its first on.
        return if heads == 0 { 1.0 } else { 1.0 - at_least(n - heads + 1, n) };
    }
    if heads > n {
        return 0.0;
    }
    let all = n as f64;
    let ratios = (heads..n).map(|x| (all - x as f64) / (x as f64 + 1.0));
    (ln_binomial(heads as f64, all, 0.5, 0.5).exp() * falling(ratios)).min(1.0)
}
