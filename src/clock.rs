//! One clock read gives both a monotonic instant and the wall time.
//!
//! A branch needs a start that can be compared with other machines and a duration that never
//! runs backwards. Reading two clocks would cost twice, so the wall clock is read once a second
//! and added to the monotonic one in between.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release},
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// Nanoseconds of the monotonic clock since the process first asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tick(u64);

static START: LazyLock<Instant> = LazyLock::new(Instant::now);
/// Wall time at `START`, in ns since the epoch, as last seen.
static OFFSET: AtomicU64 = AtomicU64::new(0);
/// The tick at which the wall clock is read again.
static NEXT_READ: AtomicU64 = AtomicU64::new(0);
const READ_EVERY: u64 = 1_000_000_000;

impl Tick {
    pub(crate) fn now() -> Self {
        // 2^64 ns are 584 years.
        let tick = Instant::now().saturating_duration_since(*START).as_nanos() as u64;
        // Whoever sees the time of the next read sees the offset of the last one.
        if tick >= NEXT_READ.load(Acquire) {
            read_wall_clock(tick);
        }
        Self(tick)
    }

    /// Nanoseconds since the epoch.
    pub(crate) fn wall(self) -> u64 {
        OFFSET.load(Relaxed) + self.0
    }

    /// Nanoseconds since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cold]
fn read_wall_clock(tick: u64) {
    // A clock set before 1970 counts as 1970: ids and records stay usable.
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
    OFFSET.store(wall.saturating_sub(tick), Relaxed);
    NEXT_READ.store(tick + READ_EVERY, Release);
}
