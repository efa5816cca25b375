//! Ids that sort by time and cost one clock read.

use crate::clock::Tick;
use serde::Serialize;
use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    str::FromStr,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};
use uuid::Uuid;

/// The id of a branch: a UUID version 7 (RFC 9562), so that ids sort by time.
///
/// The bits: 48 of Unix milliseconds, 12 of the fraction below (a step is 244 ns; RFC 9562
/// section 6.2, method 3), 32 of a counter, 30 of chance drawn once per process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct BranchId(Uuid);

static COUNTER: AtomicU32 = AtomicU32::new(0);
/// `RandomState` is seeded by the operating system: enough to keep processes apart.
static CHANCE: LazyLock<u64> =
    LazyLock::new(|| RandomState::new().hash_one(std::process::id()) & ((1 << 30) - 1));

impl BranchId {
    pub(crate) fn at(tick: Tick) -> Self {
        let wall = tick.wall();
        let millis = wall / 1_000_000;
        let fraction = ((wall % 1_000_000) << 12) / 1_000_000;
        let high = (millis << 16) | (0x7 << 12) | fraction;
        let low = (0b10 << 62) | (u64::from(COUNTER.fetch_add(1, Relaxed)) << 30) | *CHANCE;
        Self(Uuid::from_u64_pair(high, low))
    }

    /// The id as 16 bytes, in the order that sorts by time.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id from its 16 bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for BranchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for BranchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for BranchId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_7_and_sort_by_time() {
        let ids: Vec<_> = (0..10_000).map(|_| BranchId::at(Tick::now())).collect();
        assert!(ids.is_sorted());
        assert_eq!(ids[0].0.get_version_num(), 7);
        assert_eq!(ids[0].0.get_variant(), uuid::Variant::RFC4122);
        let text = ids[7].to_string();
        assert_eq!(text.parse::<BranchId>().unwrap(), ids[7]);
    }
}
