//! What can be wrong with a snapshot.

/// Why some JSON is not a snapshot.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// A newer program wrote it.
    #[error(
        "a snapshot of version {found}, and this program knows version 2; use a newer one, at least as new as \
         the one that wrote it"
    )]
    Newer {
        /// Its version.
        found: u64,
    },
    /// An older program wrote it.
    #[error(
        "a snapshot of version {found}, which lacks what this program needs; make it anew with `spearmint store \
         snapshot` of the same version as this one"
    )]
    Older {
        /// Its version.
        found: u64,
    },
    /// It is no JSON, or not a snapshot's.
    #[error("not a snapshot, as `spearmint store snapshot` writes it")]
    NotOne(#[source] serde_json::Error),
    /// Something in it cannot be.
    #[error("a damaged snapshot: {what}; make a new one with `spearmint store snapshot`")]
    Damaged {
        /// What it is.
        what: &'static str,
    },
}
