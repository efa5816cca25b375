//! Had the sides been dealt out otherwise.

use super::Resampling;
use crate::stats::fixed::PValues;

/// What a permutation test says of a difference of means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Permutation {
    /// The treatment's mean minus the control's.
    pub difference: f64,
    /// If it did not matter who was treated.
    pub p: PValues,
    /// Whether every way to deal out the observations was tried, instead of some at random.
    pub exact: bool,
}

/// Sums that differ by less than this share of all absolute values are one: they differ by the
/// order of additions alone.
const SAME: f64 = 1e-13;

/// The permutation test of a difference of means (Fisher, "The Design of Experiments", 1935,
/// section 21).
///
/// If the treatment changes nothing, every way to deal the observations out to both sides was as
/// likely as the one that happened. p is the share of those with a difference at least as large;
/// two-sided, twice the smaller of the one-sided ones. All ways are tried if there are at most
/// [`rounds`](Resampling); else so many at random, and p is (1 + those as large)/(1 + rounds),
/// which is never 0 and keeps its level (Phipson and Smyth, "Permutation p-values should never be
/// zero", Stat. Appl. Genet. Mol. Biol. 9, 2010).
///
/// The time is that of the rounds times the smaller side. `None` if a side has no observations, if
/// one is not finite, or for rounds out of range.
///
/// ```
/// use tower_spearmint::stats::fixed::{Resampling, permutation};
///
/// let test = permutation(&[5.0, 7.0, 8.0], &[1.0, 2.0, 3.0], Resampling::default()).unwrap();
/// // The largest of twenty.
/// assert!(test.exact);
/// assert_eq!(test.p.greater, 0.05);
/// ```
pub fn permutation(
    treatment: &[f64],
    control: &[f64],
    resampling: Resampling,
) -> Option<Permutation> {
    let rounds = resampling.rounds()?;
    if treatment.is_empty() || control.is_empty() {
        return None;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let difference = mean(treatment) - mean(control);
    // The difference rises with the sum of the treatment, and falls with that of the control: the
    // smaller side's is enough. Around the mean of all, so that sums are small.
    let (few, many, rises) = if treatment.len() <= control.len() {
        (treatment, control, true)
    } else {
        (control, treatment, false)
    };
    let mut all: Vec<f64> = few.iter().chain(many).copied().collect();
    let center = mean(&all);
    all.iter_mut().for_each(|value| *value -= center);
    let size = few.len();
    let seen: f64 = all.iter().take(size).sum();
    let same = SAME * all.iter().map(|value| value.abs()).sum::<f64>();
    if !(difference.is_finite() && same.is_finite()) {
        return None;
    }
    let (mut at_least, mut at_most) = (0_u32, 0_u32);
    let mut count = |sum: f64| {
        at_least += u32::from(sum >= seen - same);
        at_most += u32::from(sum <= seen + same);
    };
    let ways = ways(all.len(), size).filter(|ways| *ways <= rounds);
    if ways.is_some() {
        every_sum(&all, size, &mut count);
    } else {
        let dice = resampling.dice();
        for _ in 0..rounds {
            // A random part of them comes to stand first (Fisher and Yates).
            for at in 0..size {
                let other = at + dice.below(all.len() - at);
                all.swap(at, other);
            }
            count(all.iter().take(size).sum());
        }
    }
    let share = |count: u32| match ways {
        Some(ways) => f64::from(count) / f64::from(ways),
        None => (f64::from(count) + 1.0) / (f64::from(rounds) + 1.0),
    };
    let (greater, less) = if rises { (at_least, at_most) } else { (at_most, at_least) };
    let (greater, less) = (share(greater), share(less));
    let two_sided = (2.0 * greater.min(less)).min(1.0);
    Some(Permutation { difference, p: PValues { two_sided, greater, less }, exact: ways.is_some() })
}

/// In how many ways `size` of `all` can be chosen; `None` beyond 32 bits.
fn ways(all: usize, size: usize) -> Option<u32> {
    let mut ways = 1_u64;
    for at in 0..size.min(all - size) {
        // Each is a number of ways itself, so the division leaves nothing.
        ways = ways.checked_mul(u64::try_from(all - at).ok()?)? / (at as u64 + 1);
        if ways > u64::from(u32::MAX) {
            return None;
        }
    }
    u32::try_from(ways).ok()
}

/// Calls `count` with the sum of every choice of `size` of the values, in lexicographic order.
fn every_sum(values: &[f64], size: usize, count: &mut impl FnMut(f64)) {
    let mut chosen: Vec<usize> = (0..size).collect();
    loop {
        count(chosen.iter().filter_map(|at| values.get(*at)).sum());
        // The last that can still move on, does; those behind it follow right after.
        let free = values.len() - size;
        let Some(moving) =
            (0..size).rev().find(|at| chosen.get(*at).is_some_and(|c| *c < at + free))
        else {
            return;
        };
        let next = chosen.get(moving).map_or(0, |at| at + 1);
        for (place, at) in chosen.iter_mut().skip(moving).zip(next..) {
            *place = at;
        }
    }
}
