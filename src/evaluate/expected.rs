//! What should have been answered.

/// Where it stands what a branch should have answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// For a shadow (and a control), it is what the primary answered to the same request. The shadow's branch waits for the
    /// end of that answer, within bounds.
    Primary,
    /// It comes with the request, at this JSON pointer: a labelled data set that is replayed, say.
    Request(String),
}
