//! What branches become at MLflow: each a run, or those of a request a trace.

use super::pass::Pass;
use crate::{
    branch::BranchId,
    mlflow::MlflowError,
    store::{BranchRow, Doubt, Fate, StoreError},
};
use std::hash::Hash;

/// Branches that are sent as one, and how far they have come.
pub(super) trait Parcel: Sized {
    /// Parcels of the same key are not begun together.
    type Key: Clone + Eq + Hash;
    /// What it is, in the log.
    const WHAT: &str;
    /// Whether the next one of its key waits until it is there, or only until it has begun.
    const WAITS_FOR_END: bool;

    /// Puts together what is sent as one. Of each branch it is known whether an earlier try may
    /// have had its effect.
    fn pack(branches: Vec<(BranchRow, bool)>) -> Vec<Self>;

    fn key(&self) -> &Self::Key;

    /// The branches that are dealt with when it is there; one at least.
    fn branches(&self) -> &[BranchId];

    fn has_begun(&self) -> bool;

    /// Tries once to do what makes it be there.
    async fn begin(&mut self, pass: &Pass<'_>) -> Result<(), Trouble>;

    /// Tries once to do the rest, which may be done already.
    async fn finish(&mut self, pass: &Pass<'_>) -> Result<(), Trouble>;

    /// What was begun is gone.
    fn start_again(&mut self);

    /// What came of it, when it is finished.
    fn outcome(&self) -> Fate;

    /// Tries once to make sure that what was sent earlier has left nothing wrong. How many runs
    /// were deleted.
    async fn resolve(pass: &Pass<'_>, doubt: &Doubt) -> Result<u64, Trouble>;
}

/// Why a try failed.
#[derive(Debug)]
pub(super) enum Trouble {
    Mlflow(MlflowError),
    Store(StoreError),
}

impl From<MlflowError> for Trouble {
    fn from(error: MlflowError) -> Self {
        Self::Mlflow(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
