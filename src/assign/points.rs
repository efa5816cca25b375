//! Points drawn without a lock, one atomic addition each.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// 2⁶⁴ divided by the golden ratio: its multiples spread over the line as evenly as can be
/// (Knuth, The Art of Computer Programming, vol. 3, section 6.4).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// 0, 1, …, n−1, 0, 1, …: exactly, however many threads draw.
#[derive(Debug, Default)]
pub(crate) struct Cycle(AtomicUsize);

impl Cycle {
    /// The counter wraps after 2⁶⁴ draws; only there a cycle may be cut short.
    pub(crate) fn next(&self, count: usize) -> usize {
        self.0.fetch_add(1, Relaxed) % count
    }
}

/// As good as random, and the same sequence for the same seed.
///
/// Source: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014, doi 10.1145/2660193.2660195).
#[derive(Debug)]
pub(crate) struct Draws(AtomicU64);

impl Draws {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    pub(crate) fn next(&self) -> u64 {
        let state = self.0.fetch_add(GOLDEN, Relaxed).wrapping_add(GOLDEN);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Evenly spread, never in bursts: for sampling. Of any run of draws, a share lies inside the
/// first `share` of the line that differs from it by only a few draws.
#[derive(Debug)]
pub(crate) struct Spread(AtomicU64);

impl Default for Spread {
    /// Begins in the middle of the line, so that the first draws of a small share are not all
    /// inside.
    fn default() -> Self {
        Self(AtomicU64::new(1 << 63))
    }
}

impl Spread {
    pub(crate) fn next(&self) -> u64 {
        self.0.fetch_add(GOLDEN, Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assign::inside;

    #[test]
    fn draws_follow_the_published_sequence() {
        let draws = Draws::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| draws.next()).collect();
        assert_eq!(
            first,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn sampling_is_spread_evenly_over_any_window() {
        for share in [0.01, 0.1, 0.2, 0.5] {
            let spread = Spread::default();
            let hits: Vec<bool> = (0..10_000).map(|_| inside(spread.next(), share)).collect();
            for window in hits.chunks(1_000) {
                let count = window.iter().filter(|hit| **hit).count() as f64;
                assert!((count - share * 1_000.0).abs() <= 4.0, "{share}: {count}");
            }
        }
    }
}
