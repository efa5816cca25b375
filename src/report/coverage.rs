//! Whether the pairs of a shadow are those that it was to have.

use super::{
    arms::{Arm, Arms},
    sample_ratio::Share,
};
use crate::{
    branch::{Role, SkipReason},
    store::StoreError,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// More than this share without its other half, and the pairs are not those of the requests that there were.
const BOUND: f64 = 0.01;
/// So many of the minutes that are settled may be without all the same: where one began in them and the other later, or
/// where a process was killed.
const AT_THE_EDGES: u64 = 100;

/// What became of the shadows of an arm. Each request goes to the primary, so there is no split to check; but
/// each shadow that ends is to have a primary that ended, and each primary its shadow, as far as it was to have one.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Coverage {
    /// How many primaries were to have a shadow: all of them, times the share that was to be shadowed. `None` if that
    /// is not known. (Rules that exempt requests from shadowing are not known here, so it may be fewer.)
    pub due: Option<u64>,
    /// How many shadows there are, however they ended.
    pub shadows: u64,
    /// Those that were refused before they were started, by reason.
    pub skips: BTreeMap<SkipReason, u64>,
    /// Those that were given up before they came to an end.
    pub cancelled: u64,
    /// Those that ended by themselves.
    pub ended: u64,
    /// Those of them whose primary ended by itself, too: what rates and times are made of.
    pub pairs: u64,
    /// Ended shadows whose primary is missing: neither recorded as ended, nor as left by its caller or skipped. (Of the
    /// minutes that are settled: of the last ones, some primaries may be under way.)
    pub without_primary: u64,
    /// Shadows that were given up, beyond the primaries whose callers left.
    pub never_ended: u64,
    /// One of the two is more than one in a hundred of those that ended, and more than 100.
    pub broken: bool,
}

impl Coverage {
    /// Whether each request has the shadow it was to have, and each shadow ended beside its primary.
    pub fn is_whole(&self) -> bool {
        let are_there = self.due.is_none_or(|due| due <= self.shadows);
        are_there && self.ended == self.shadows && self.pairs == self.ended
    }
}

/// `None` if it is no shadow.
pub(super) fn of(
    arms: &Arms,
    arm: &Arm,
    share: &mut impl Share,
) -> Result<Option<Coverage>, StoreError> {
    if arm.role != Role::Shadow || arms.baseline.role != Role::Primary {
        return Ok(None);
    }
    let (shadow, primary) = (&arm.whole, &arms.baseline.whole);
    let (ended, pairs) = (shadow.success + shadow.failed, shadow.pairs.ended());
    let explained = primary.cancelled + primary.skipped;
    // Of the last minutes one of the two has ended, and the other is under way.
    let settled = arm.settled();
    let without_primary =
        settled.completions.saturating_sub(settled.pairs).saturating_sub(explained);
    let never_ended = settled.cancelled.saturating_sub(primary.cancelled);
    let beyond =
        |count: u64| count > AT_THE_EDGES && count as f64 > BOUND * settled.completions as f64;
    Ok(Some(Coverage {
        due: due(arms, arm, share)?,
        shadows: shadow.requests(),
        skips: shadow.skips.clone(),
        cancelled: shadow.cancelled,
        ended,
        pairs,
        without_primary,
        never_ended,
        broken: beyond(without_primary) || beyond(never_ended),
    }))
}

/// The primaries of each epoch, times the probability that its shadows recorded.
fn due(arms: &Arms, arm: &Arm, share: &mut impl Share) -> Result<Option<u64>, StoreError> {
    let mut due = 0.0;
    for (epoch, primaries) in &arms.baseline.epochs {
        let (Some(fingerprint), Some(shadows)) = (epoch, arm.epochs.get(epoch)) else {
            return Ok(None);
        };
        let known = share.of(&arms.experiment, arm, *fingerprint, shadows.until_ns)?;
        let Some(probability) = known else { return Ok(None) };
        due += probability * primaries.whole.requests() as f64;
    }
    Ok(Some(due.round() as u64))
}
