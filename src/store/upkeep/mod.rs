//! Looking after a store: what is in it, whether it is whole, and making it smaller.

mod check;
mod compact;
mod prune;
mod stat;

pub use check::CheckReport;
pub use compact::Compacted;
pub use prune::Pruned;
pub use stat::{ExperimentStat, StoreStat, TableStat};

/// How far long work has come: what is done, and how much of how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// What is being done.
    pub step: &'static str,
    /// How much of it is done.
    pub done: u64,
    /// How much there is; 0 where it is not known.
    pub total: u64,
}

impl Progress {
    pub(super) const fn new(step: &'static str, done: u64, total: u64) -> Self {
        Self { step, done, total }
    }
}
