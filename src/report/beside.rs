//! How long both sides took of the requests that a shadow has in common with its primary.
//!
//! A primary whose caller left would have taken longer than it was waited for, nobody knows how much; and a shadow that
//! was left with it, too. Without them the slow requests would be missing on one side and not on the other. So an
//! end of an interval takes them to have ended when they were left, or never, whichever says less.

use super::{Measure, sentence::shown};
use crate::store::{Histogram, Rollup};

/// More than one in a thousand, and a percentile is another one.
const NEGLIGIBLE: f64 = 0.001;

/// How long the requests of one side took, of which some were left.
#[derive(Debug, Clone)]
pub(super) struct Times {
    /// What was left ended then.
    pub(super) least: Histogram,
    /// What was left never ended.
    pub(super) most: Histogram,
}

impl Times {
    fn new(ended: &Histogram, left: &Histogram) -> Self {
        let (mut least, mut most) = (ended.clone(), ended.clone());
        least.merge(left);
        most.merge_given_up(left);
        Self { least, most }
    }

    /// Of requests that all came to an end.
    pub(super) fn ended(times: &Histogram) -> Self {
        Self { least: times.clone(), most: times.clone() }
    }
}

/// Those of the primaries, and of the shadow.
///
/// # Errors
///
/// In words, where both sides are not known of the same requests: a store of an older version whose branches are gone.
pub(super) fn times(shadow: &Rollup) -> Result<[Times; 2], String> {
    let sides = [
        Times::new(&shadow.primary_duration, &shadow.primary_left),
        Times::new(&shadow.paired_duration, &shadow.paired_left),
    ];
    let [one, other] = sides.each_ref().map(|side| side.most.count());
    if one == other {
        return Ok(sides);
    }
    let (primaries, all) = (&shadow.primary_duration, &shadow.duration);
    let missing = all.count().abs_diff(primaries.count());
    if missing as f64 <= NEGLIGIBLE * all.count() as f64 {
        return Ok([Times::ended(primaries), Times::ended(all)]);
    }
    Err(format!(
        "it is not known of the same requests on both sides: {} of the shadows ended without a primary that did, and \
         their branches are gone; report `--since` later",
        shown(&Measure::ErrorRate, missing as f64 / all.count().max(1) as f64)
    ))
}
