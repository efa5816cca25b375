//! How many more, and for how long.

use super::{Design, size_for_means};
use crate::stats::Summary;
use std::time::Duration;

/// What is still to be observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StillNeeded {
    /// So many more observations of the treatment.
    pub treatment: u64,
    /// And of the control.
    pub control: u64,
    /// How long that takes, if they keep coming as fast.
    pub time: Duration,
}

/// How many more observations, and how much more time, until a difference of means of this size is
/// found with this power, if the data go on as they came: in the same proportion, with the same
/// scatter, as many per time.
///
/// `elapsed`: how long it took to come so far. [`Design::ratio`] is replaced by the one observed.
/// The difference should be one that matters: the one observed is mostly too large where it stands
/// out (Gelman and Carlin, "Beyond power calculations", Perspectives on Psychological Science 9,
/// 2014).
///
/// The scatter of the larger side counts more, as in Welch's test. `None` if a side has fewer than
/// two observations, if neither scatters, if it would take more than 10¹⁵, and as for
/// [`size_for_means`].
///
/// ```
/// use std::time::Duration;
/// use tower_spearmint::stats::{Summary, fixed::{Design, still_needed}};
///
/// let treatment = Summary { count: 500, mean: 10.2, variance: 4.0 };
/// let control = Summary { count: 500, mean: 10.0, variance: 4.0 };
/// let hour = Duration::from_secs(3_600);
/// let more = still_needed(Design::default(), treatment, control, 0.2, 0.8, hour).unwrap();
/// assert_eq!(more.treatment, 1_571 - 500);
/// assert_eq!(more.time.as_secs() / 60, 128);
/// ```
pub fn still_needed(
    design: Design,
    treatment: Summary,
    control: Summary,
    difference: f64,
    power: f64,
    elapsed: Duration,
) -> Option<StillNeeded> {
    if treatment.count < 2 || control.count < 2 {
        return None;
    }
    let ratio = control.count as f64 / treatment.count as f64;
    // The common variance that would give the difference the standard error that it has.
    let variance = (treatment.variance * ratio + control.variance) / (1.0 + ratio);
    let effect = difference / variance.sqrt();
    if !effect.is_finite() {
        return None;
    }
    let size = size_for_means(Design { ratio, ..design }, effect, power)?;
    let more = |wanted: f64, there: u64| (wanted.ceil() as u64).saturating_sub(there);
    let more_treatment = more(size, treatment.count);
    let time = elapsed.as_secs_f64() * more_treatment as f64 / treatment.count as f64;
    Some(StillNeeded {
        treatment: more_treatment,
        control: more(size * ratio, control.count),
        time: Duration::try_from_secs_f64(time).ok()?,
    })
}
