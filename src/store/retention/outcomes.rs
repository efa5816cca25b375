//! Outcomes that are old enough to go.

use crate::store::outcome;
use rusqlite::Connection;
use std::time::{Duration, Instant};

/// How often all outcomes are looked through: nothing sorts them by when they happened.
const MOST_BETWEEN: Duration = Duration::from_secs(3_600);
const LEAST_BETWEEN: Duration = Duration::from_secs(1);
/// How much older than its age one becomes, as a share of it.
const SHARE_OF_AGE: u32 = 20;

/// How far the outcomes of a store were looked through.
#[derive(Debug)]
pub(super) struct OldOutcomes {
    age: Duration,
    /// The last that was looked at.
    cursor: i64,
    /// When it begins anew.
    next: Option<Instant>,
}

impl OldOutcomes {
    pub(super) const fn new(age: Duration) -> Self {
        Self { age, cursor: 0, next: None }
    }

    /// Removes a slice of them. Whether there is more to do.
    pub(super) fn step(&mut self, connection: &mut Connection) -> rusqlite::Result<bool> {
        let now = Instant::now();
        if self.next.is_some_and(|next| now < next) {
            return Ok(false);
        }
        let before = outcome::before_ms(self.age);
        let slice = outcome::remove_outcomes(connection, before, &mut self.cursor)?;
        if !slice.more {
            let pause = (self.age / SHARE_OF_AGE).clamp(LEAST_BETWEEN, MOST_BETWEEN);
            (self.cursor, self.next) = (0, Some(now + pause));
        }
        Ok(slice.more)
    }
}
