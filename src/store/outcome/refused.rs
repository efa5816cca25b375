//! Why an outcome was not kept.

use std::fmt;

/// Why an outcome was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutcomeError {
    /// Which one it is: its place in the batch, or the line of the text, from 1; 0 where that is not known.
    pub at: u64,
    /// What is wrong, and what would be right.
    pub reason: String,
    /// There is another outcome of that id already.
    pub is_conflict: bool,
    /// There are more than may come at once: none of them was looked at.
    pub are_too_many: bool,
}

impl OutcomeError {
    /// Why; of which one, [`at`](Self::at) says.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { at: 0, reason: reason.into(), is_conflict: false, are_too_many: false }
    }

    pub(super) fn conflict(reason: impl Into<String>) -> Self {
        Self { is_conflict: true, ..Self::new(reason) }
    }

    pub(super) fn too_many(reason: impl Into<String>) -> Self {
        Self { are_too_many: true, ..Self::new(reason) }
    }

    /// The same, of the one at this place.
    #[must_use]
    pub fn at(mut self, place: u64) -> Self {
        self.at = place;
        self
    }
}

impl fmt::Display for OutcomeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            0 => f.write_str(&self.reason),
            at => write!(f, "outcome {at}: {}", self.reason),
        }
    }
}

impl std::error::Error for OutcomeError {}
