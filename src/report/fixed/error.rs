//! What can go wrong with a look at complete data.

use crate::{branch::BranchId, store::StoreError};

/// Why there is no answer, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FixedError {
    /// The store does not have it, or cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value was said to lie within bounds, and does not.
    #[error(
        "`{name}` is {value} in branch {branch}, and was said to lie within {low}..{high}: what is betted on \
         scores holds within their bounds alone; say wider ones, or none"
    )]
    OutOfBounds {
        /// The name of the metric.
        name: String,
        /// Its value.
        value: f64,
        /// The lowest it was said to have.
        low: f64,
        /// The highest.
        high: f64,
        /// The branch that has it.
        branch: BranchId,
    },
    /// Bounds are of a metric that nobody said of a branch.
    #[error("no branch has a metric named `{name}`: correct the name of the bounds")]
    NoMetric {
        /// The name.
        name: String,
    },
    /// Bounds that nothing lies within.
    #[error(
        "the bounds {low}..{high} of `{name}` have nothing between them; write the lower one first"
    )]
    NoBounds {
        /// The name.
        name: String,
        /// The lower one.
        low: f64,
        /// The upper one.
        high: f64,
    },
    /// The same store is named twice.
    #[error("{path} is a copy of another store that is named; name each once")]
    Twice {
        /// Its file.
        path: std::path::PathBuf,
    },
}
