//! The end of a branch, and where it goes.

use super::Place;
use crate::{
    branch::{Branch, Failure, SkipReason, Status},
    clock::Tick,
    compare::Comparison,
};
use serde_json::Value;
use std::fmt;

/// How a branch ended.
#[derive(Debug)]
pub(crate) enum End<T = Value> {
    Success(Option<T>),
    Failed(Box<Failure>),
    Skipped(SkipReason),
    Cancelled,
}

impl<T> End<T> {
    pub(crate) const fn status(&self) -> Status {
        match self {
            Self::Success(_) => Status::Success,
            Self::Failed(_) => Status::Failed,
            Self::Skipped(_) => Status::Skipped,
            Self::Cancelled => Status::Cancelled,
        }
    }
}

/// A finished branch in its compact form: what the queue holds.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) place: Place,
    pub(crate) ended: Tick,
    pub(crate) end: CompactEnd,
}

/// [`End`] with the rare large output behind a pointer.
#[derive(Debug, Clone)]
pub(crate) enum CompactEnd {
    Success(Option<Box<Value>>),
    Failed(Box<Failure>),
    Skipped(SkipReason),
    Cancelled,
}

impl Record {
    pub(crate) fn new(place: Place, end: End) -> Self {
        let end = match end {
            End::Success(output) => CompactEnd::Success(output.map(Box::new)),
            End::Failed(failure) => CompactEnd::Failed(failure),
            End::Skipped(reason) => CompactEnd::Skipped(reason),
            End::Cancelled => CompactEnd::Cancelled,
        };
        Self { place, ended: Tick::now(), end }
    }

    pub(crate) const fn status(&self) -> Status {
        match self.end {
            CompactEnd::Success(_) => Status::Success,
            CompactEnd::Failed(_) => Status::Failed,
            CompactEnd::Skipped(_) => Status::Skipped,
            CompactEnd::Cancelled => Status::Cancelled,
        }
    }

    pub(crate) fn into_branch(self) -> Branch {
        let end = match self.end {
            CompactEnd::Success(output) => End::Success(output.map(|output| *output)),
            CompactEnd::Failed(failure) => End::Failed(failure),
            CompactEnd::Skipped(reason) => End::Skipped(reason),
            CompactEnd::Cancelled => End::Cancelled,
        };
        self.place.branch(self.ended, end)
    }

    /// A copy, as a branch.
    pub(crate) fn to_branch(&self) -> Branch {
        let (place, ended, end) = (self.place.clone(), self.ended, self.end.clone());
        Self { place, ended, end }.into_branch()
    }
}

/// Takes finished branches, and never waits: what the branches here know of the recorder that a
/// logging layer below them brought along.
pub(crate) trait Sink: fmt::Debug + Send + Sync {
    /// Takes one.
    fn record(&self, record: Record);

    /// Takes one that went another way first.
    fn branch(&self, branch: Branch);

    /// Takes what came of comparing two branches.
    fn compared(&self, comparison: Comparison);
}
