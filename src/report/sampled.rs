//! Outcomes of a sample of units: of several stores together not all are held.

use super::{
    arms::{Arm, Arms},
    levels::Ends,
};

/// Of these arms one unit of 2 to the power of this many was counted.
fn level<'a>(arms: impl IntoIterator<Item = &'a Arm>) -> u32 {
    let epochs = arms.into_iter().flat_map(|arm| arm.epochs.values());
    epochs.map(|epoch| epoch.followed.level).max().unwrap_or(0)
}

/// One of so many units was counted.
pub(super) fn one_of(arms: &Arms) -> u64 {
    1 << level(arms.split()).min(63)
}

/// Each further sample is another one to look at: those of all levels together are wrong at most `1 + 1/2 + 1/4 + …`
/// times as often as one.
pub(super) fn ends(ends: Ends, arms: [&Arm; 2]) -> Ends {
    let one_of = 2_f64.powf(f64::from(level(arms)));
    Ends { low: ends.low / one_of, high: ends.high / one_of }
}
