//! How long to wait before asking again.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

/// The first pause is up to this long; each further one up to twice as long as the one before …
const FIRST: Duration = Duration::from_millis(100);
/// … but never longer than this.
const LONGEST: Duration = Duration::from_secs(5);

/// Pauses that grow, with full jitter: any pause up to the limit is as likely as any other.
#[derive(Debug)]
pub(crate) struct Pauses {
    next: Duration,
}

impl Pauses {
    pub(crate) const fn new() -> Self {
        Self { next: FIRST }
    }

    /// The next one: at least as long as the server asked for.
    pub(crate) fn next(&mut self, asked: Duration) -> Duration {
        let pause = self.next.mul_f64(chance()).max(asked);
        self.next = (self.next * 2).min(LONGEST);
        pause
    }
}

/// A number from 0 to 1.
pub(crate) fn chance() -> f64 {
    // Each `RandomState` has keys of its own, drawn from the system's randomness.
    RandomState::new().hash_one(0_u8) as f64 / u64::MAX as f64
}
