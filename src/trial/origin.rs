//! Where a request comes from.

use super::Place;
use crate::branch::TraceParent;

/// Where a request comes from, as far as it is known when it reaches a strategy.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Origin {
    /// The branch of an outer experiment, in which this one is nested.
    Branch(Place),
    /// The span of a caller.
    Caller(TraceParent),
}

impl Origin {
    /// The branch of an outer experiment.
    pub(super) const fn branch(&self) -> Option<&Place> {
        match self {
            Self::Branch(place) => Some(place),
            Self::Caller(_) => None,
        }
    }

    /// The caller's trace; that of a nested experiment is the outer one's.
    pub(super) fn trace(&self) -> Option<&TraceParent> {
        match self {
            Self::Branch(place) => place.trace(),
            Self::Caller(trace) => Some(trace),
        }
    }
}
