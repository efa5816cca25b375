//! The last minutes of an arm: requests that began in them may still be under way where a snapshot is taken.

use crate::store::Rollup;
use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};

/// The minutes that ended so long before a snapshot was taken, or later, are told apart in it, in ns.
pub(crate) const RECENT_NS: u64 = 24 * 60 * MINUTE_NS;
const MINUTE_NS: u64 = 60_000_000_000;

/// What began in a minute: the minute since 1970, and what there is of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RecentMinute(pub(super) u64, pub(super) Began);

/// Branches with an end of their own; those without; of these the cancelled; and of those beside a primary the pairs in
/// which both ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Began(pub(crate) u64, pub(crate) u64, pub(crate) u64, pub(crate) u64);

impl RecentMinute {
    /// `None` if it is long over at this time.
    pub(super) fn of(rollup: &Rollup, now_ns: u64) -> Option<Self> {
        let began = Began(
            rollup.success + rollup.failed,
            rollup.skipped + rollup.cancelled,
            rollup.cancelled,
            rollup.pairs.ended(),
        );
        (rollup.end_ns().saturating_add(RECENT_NS) > now_ns)
            .then_some(Self(rollup.start_ns / MINUTE_NS, began))
    }

    /// Where it ends, in ns since the Unix epoch.
    #[cfg(feature = "report")]
    pub(super) const fn end_ns(self) -> u64 {
        self.0.saturating_add(1).saturating_mul(MINUTE_NS)
    }
}

/// Where the minute ends to which a time in ms belongs, in ns since the Unix epoch.
#[cfg(feature = "report")]
pub(super) const fn minute_end_ns(ms: u64) -> u64 {
    RecentMinute(ms / 60_000, Began(0, 0, 0, 0)).end_ns()
}

/// What time it is by this machine's clock, in ns since the Unix epoch.
pub(super) fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
