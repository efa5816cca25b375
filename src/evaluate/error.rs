//! What is wrong with what was to be evaluated.

use crate::branch::BranchMetrics;

/// What is wrong with an evaluator, or with several together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluatorError {
    /// It would be recorded under what is no name of a metric.
    #[error(
        "`{0}` is not the name of a metric; write 1 to {max} letters, digits, `_`, `.`, `/` or `-`",
        max = BranchMetrics::MAX_NAME
    )]
    Name(String),
    /// Two have the same name.
    #[error("`{0}` is measured twice; give each metric a name of its own")]
    Twice(String),
    /// More than a branch may have.
    #[error("{0} metrics; a branch has at most {max}", max = BranchMetrics::MAX)]
    TooMany(usize),
    /// Not a JSON pointer.
    #[error(
        "`{0}` is not a JSON pointer; write a path that begins with a slash, as in /usage/total_tokens"
    )]
    Pointer(String),
    /// Not a price.
    #[error("{0} is not a price; write what a million tokens cost, as in 0.15")]
    Price(String),
    /// Not a pattern.
    #[error("not a regular expression: {0}")]
    Pattern(String),
}
