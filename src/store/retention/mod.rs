//! How long branches and outcomes are kept: roll-ups stay, branches go once they are old or too many, outcomes once
//! they are old.
//!
//! Removing is done in slices of a few milliseconds, between batches, so that recording never
//! waits for it. It begins at the oldest branch, and goes hour by hour, as `held` counts them; and through the
//! outcomes in the order in which they were recorded.

mod keeper;
mod outcomes;
mod slice;

pub(super) use keeper::Keeper;
pub(super) use slice::{Cursor, Slice, cut, is_due, remove, shrink};

use std::time::Duration;

/// How long the branches of an experiment are kept; for ever, unless it is narrowed down.
///
/// ```
/// use std::time::Duration;
/// use tower_spearmint::store::Retention;
///
/// let month = Retention::new().age(Duration::from_secs(30 * 86_400)).size(10 << 30);
/// assert_ne!(month, Retention::default());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// Those that were dispatched longer ago are removed.
    pub age: Option<Duration>,
    /// The oldest are removed while all of the experiment take more bytes than this: about what
    /// their rows, outputs and failures take in the file, roll-ups aside.
    pub size: Option<u64>,
}

impl Retention {
    /// For ever.
    pub const fn new() -> Self {
        Self { age: None, size: None }
    }

    /// At most for this time.
    #[must_use]
    pub const fn age(mut self, age: Duration) -> Self {
        self.age = Some(age);
        self
    }

    /// At most so many bytes.
    #[must_use]
    pub const fn size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }

    pub(super) const fn is_none(&self) -> bool {
        self.age.is_none() && self.size.is_none()
    }
}
