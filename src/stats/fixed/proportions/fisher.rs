//! Are two shares the same? For small counts.

use super::Proportion;
use crate::stats::{fixed::PValues, special::ln_binomial};

/// More would take longer than they are worth; the pooled z test is as good long before.
const MOST_TRIALS: u64 = 1_000_000_000;
/// Tables whose chances differ by less (relatively) count as equally likely, as in R.
const SAME: f64 = 1e-7;

/// Fisher's exact test: given how many succeeded on both sides together, the chance that at least
/// (at most) so many of them are the treatment's; two-sided, the chance of all tables that are no
/// more likely than the one seen (Fisher, "The logic of inductive inference", J. R. Stat. Soc. 98,
/// 1935; Agresti, "Categorical Data Analysis", section 3.5).
///
/// It never exceeds its level, and for small counts stays well below it. `None` if a side has no
/// trials, or for more than a billion together ([`pooled_z`](super::pooled_z) is for those).
///
/// ```
/// use tower_spearmint::stats::fixed::{Proportion, fisher_exact};
///
/// // The lady tasting tea.
/// let milk_first = Proportion { successes: 3, trials: 4 };
/// let tea_first = Proportion { successes: 1, trials: 4 };
/// let p = fisher_exact(milk_first, tea_first).unwrap();
/// assert!((p.greater - 17.0 / 70.0).abs() < 1e-12);
/// ```
pub fn fisher_exact(treatment: Proportion, control: Proportion) -> Option<PValues> {
    treatment.share()?;
    control.share()?;
    let all = treatment.trials.checked_add(control.trials)?;
    if all > MOST_TRIALS {
        return None;
    }
    let tables = Tables {
        trials: treatment.trials,
        others: control.trials,
        successes: treatment.successes + control.successes,
    };
    let seen = treatment.successes;
    let mode = tables.mode();
    let chance = tables.ln_chance(seen).exp();
    let (lowest, highest) = (tables.lowest(), tables.highest());
    let likely = tables.ln_chance(seen) + SAME;
    // The tail away from the mode is added up, so that it keeps its digits.
    let (p, two_sided) = if seen >= mode {
        let greater = tables.at_least(seen);
        let other = below(lowest, mode, |count| tables.ln_chance(count) <= likely);
        let other = other.map_or(0.0, |count| tables.at_most(count));
        ((greater, 1.0 - greater + chance), greater + other)
    } else {
        let less = tables.at_most(seen);
        let other = above(mode, highest, |count| tables.ln_chance(count) <= likely);
        let other = other.map_or(0.0, |count| tables.at_least(count));
        ((1.0 - less + chance, less), less + other)
    };
    // The mode itself, or one as likely: all tables are no more likely.
    let two_sided = if tables.ln_chance(mode) <= likely { 1.0 } else { two_sided };
    let (greater, less) = p;
    let within = |p: f64| p.clamp(0.0, 1.0);
    Some(PValues { two_sided: within(two_sided), greater: within(greater), less: within(less) })
}

/// Two-by-two tables with the same margins, by the treatment's successes.
struct Tables {
    trials: u64,
    others: u64,
    successes: u64,
}

impl Tables {
    fn lowest(&self) -> u64 {
        self.successes.saturating_sub(self.others)
    }

    fn highest(&self) -> u64 {
        self.successes.min(self.trials)
    }

    /// The likeliest.
    fn mode(&self) -> u64 {
        let all = u128::from(self.trials) + u128::from(self.others);
        let mode = u128::from(self.trials + 1) * u128::from(self.successes + 1) / (all + 2);
        u64::try_from(mode).unwrap_or(u64::MAX).clamp(self.lowest(), self.highest())
    }

    /// The hypergeometric chance, as a quotient of binomial ones.
    fn ln_chance(&self, count: u64) -> f64 {
        let (n, m) = (self.trials as f64, self.others as f64);
        let (x, both) = (count as f64, self.successes as f64);
        let (p, q) = (both / (n + m), (n + m - both) / (n + m));
        ln_binomial(x, n, p, q) + ln_binomial(both - x, m, p, q) - ln_binomial(both, n + m, p, q)
    }

    fn at_least(&self, count: u64) -> f64 {
        let (n, m, both) = (self.trials as f64, self.others as f64, self.successes as f64);
        let up = |x: f64| (n - x) / (x + 1.0) * ((both - x) / (m - both + x + 1.0));
        let terms = (count..self.highest()).map(|x| up(x as f64));
        self.ln_chance(count).exp() * falling(terms)
    }

    fn at_most(&self, count: u64) -> f64 {
        let (n, m, both) = (self.trials as f64, self.others as f64, self.successes as f64);
        let down = |x: f64| x / (n - x + 1.0) * ((m - both + x) / (both - x + 1.0));
        let terms = (self.lowest() + 1..=count).rev().map(|x| down(x as f64));
        self.ln_chance(count).exp() * falling(terms)
    }
}

/// 1 + r₁ + r₁r₂ + …, until nothing is added.
pub(super) fn falling(ratios: impl Iterator<Item = f64>) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for ratio in ratios {
        term *= ratio;
        sum += term;
        if term < 1e-18 * sum {
            break;
        }
    }
    sum
}

/// The largest number from `low` to before `high` that `holds`, which holds up to some number.
fn below(low: u64, high: u64, holds: impl Fn(u64) -> bool) -> Option<u64> {
    let (mut from, mut to) = (low, high);
    while from < to {
        let middle = from + (to - from) / 2;
        if holds(middle) { from = middle + 1 } else { to = middle }
    }
    (from > low).then(|| from - 1)
}

/// The smallest number after `low` and up to `high` that `holds`, which holds from some number on.
fn above(low: u64, high: u64, holds: impl Fn(u64) -> bool) -> Option<u64> {
    let (mut from, mut to) = (low, high);
    while from < to {
        let middle = from + (to - from).div_ceil(2);
        if holds(middle) { to = middle - 1 } else { from = middle }
    }
    (to < high).then_some(to + 1)
}
