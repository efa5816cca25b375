//! Which minutes are settled: of their requests none is under way any more.
//!
//! A branch is recorded when it ends, and counts in the minute in which it was dispatched. So of the last minutes
//! an arm has fewer branches the longer they take, and what was dispatched as it should be looks as if it was not.
//! A minute counts for the split only when it ended so long ago that whatever began in it has come to its end,
//! too: twice as long as the longest branch of any arm took or was waited for, and at least a minute (of what has
//! not ended yet nobody knows how long it takes). Nothing is waited for longer than a day, so that one response
//! that went on for a week does not keep the split from being checked.

use crate::{
    branch::Role,
    config::ConfigId,
    store::{Histogram, RECENT_NS, Rollup},
};
use std::{
    ops::{Add, Sub},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

const MINUTE_NS: u64 = 60_000_000_000;
const DAY_NS: u64 = 24 * 60 * MINUTE_NS;
/// Snapshots tell apart all that may be not settled.
const _: () = assert!(RECENT_NS >= DAY_NS);

/// The counts that show how requests were dispatched, and whether they came to an end of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) completions: u64,
    pub(super) unfinished: u64,
    pub(super) first_exposures: u64,
    /// Of those without an end of their own, the ones that were started.
    pub(super) cancelled: u64,
    /// Of those that ran beside a primary: both ended.
    pub(super) pairs: u64,
}

impl Tally {
    pub(super) const fn of(rollup: &Rollup) -> Self {
        Self {
            completions: rollup.success + rollup.failed,
            unfinished: rollup.skipped + rollup.cancelled,
            first_exposures: rollup.first_exposures,
            cancelled: rollup.cancelled,
            pairs: rollup.pairs.ended(),
        }
    }

    pub(super) const fn requests(self) -> u64 {
        self.completions + self.unfinished
    }
}

impl Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            completions: self.completions + other.completions,
            unfinished: self.unfinished + other.unfinished,
            first_exposures: self.first_exposures + other.first_exposures,
            cancelled: self.cancelled + other.cancelled,
            pairs: self.pairs + other.pairs,
        }
    }
}

impl Sub for Tally {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            completions: self.completions.saturating_sub(other.completions),
            unfinished: self.unfinished.saturating_sub(other.unfinished),
            first_exposures: self.first_exposures.saturating_sub(other.first_exposures),
            cancelled: self.cancelled.saturating_sub(other.cancelled),
            pairs: self.pairs.saturating_sub(other.pairs),
        }
    }
}

/// Experiment, strategy, config and epoch.
pub(super) type InEpochOf = (Arc<str>, Arc<str>, ConfigId, Option<u64>);

/// How a report tells apart what may still be under way.
pub(super) struct UnderWay {
    /// By the minutes of the roll-ups at this time.
    pub(super) clock: Clock,
    /// As it is told, where roll-ups have no minutes.
    pub(super) told: Vec<((InEpochOf, Role), Tally)>,
}

impl UnderWay {
    pub(super) const fn at(clock: Clock) -> Self {
        Self { clock, told: Vec::new() }
    }
}

/// What time it is for a report.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock(Option<u64>);

impl Clock {
    /// All is settled.
    pub(super) const NONE: Self = Self(None);

    /// That of the wall, whatever time a look is said to be at: a store that nobody writes to any more is settled.
    pub(super) fn wall() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(Some(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// That time, in ns since the Unix epoch.
    pub(super) const fn at(ns: u64) -> Self {
        Self(Some(ns))
    }

    /// Whether a minute may be not settled, if branches take long.
    pub(super) fn may_be_under_way(self, rollup: &Rollup) -> bool {
        self.is_within(DAY_NS, rollup.end_ns())
    }

    /// Whether a minute that ended then is not settled yet, where the longest branch took so long.
    pub(super) fn is_under_way(self, end_ns: u64, longest_ns: u64) -> bool {
        self.is_within(longest_ns.saturating_mul(2).clamp(MINUTE_NS, DAY_NS), end_ns)
    }

    fn is_within(self, last_ns: u64, end_ns: u64) -> bool {
        self.0.is_some_and(|now_ns| end_ns.saturating_add(last_ns) > now_ns)
    }
}

/// The longest time that a branch took or was waited for, in ns; 0 if none ended.
pub(super) fn longest_ns(duration: &Histogram) -> u64 {
    let ends = [duration.buckets().last(), duration.timeout_buckets().last()];
    let ends = ends.into_iter().flatten();
    ends.map(|(bucket, _)| *Histogram::values_of(bucket).end()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_settled_when_twice_the_longest_time_is_over_since_it_ended() {
        let clock = Clock(Some(10 * MINUTE_NS));
        for (end, longest_ns, is_under_way) in [
            (9, 0, false),
            (10, 0, true),
            (9, MINUTE_NS, true),
            (8, MINUTE_NS, false),
            (8, MINUTE_NS + 1, true),
            (11, 0, true),
        ] {
            let found = clock.is_under_way(end * MINUTE_NS, longest_ns);
            assert_eq!(found, is_under_way, "{end} {longest_ns}");
        }
        assert!(!Clock::NONE.is_under_way(u64::MAX, u64::MAX));
    }

    #[test]
    fn nothing_is_waited_for_longer_than_a_day() {
        let clock = Clock(Some(3 * DAY_NS));
        assert!(!clock.is_under_way(2 * DAY_NS, u64::MAX));
        assert!(clock.is_under_way(2 * DAY_NS + 1, u64::MAX));
    }

    #[test]
    fn time_outs_are_among_the_longest() {
        let mut duration = Histogram::new();
        assert_eq!(longest_ns(&duration), 0);
        duration.add(MINUTE_NS);
        duration.add_timeout(DAY_NS);
        assert!((DAY_NS..DAY_NS / 100 * 103).contains(&longest_ns(&duration)));
    }
}
