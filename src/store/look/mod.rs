//! Looks at experiments: what was found when, and what all looks at one question have in common.
//!
//! What a question is, what its answers mean and when a verdict is reached is not known here: that is for
//! whoever looks. Here it is kept, in one transaction for each look, so that of several who look at the same
//! time each one begins where the one before ended.

#[cfg(feature = "report")]
mod keep;
#[cfg(feature = "report")]
mod past;
mod read;
#[cfg(feature = "report")]
mod replicas;
mod tables;
#[cfg(feature = "report")]
mod thin;

pub use read::{Look, LookMetric};
#[cfg(feature = "report")]
pub(crate) use {
    keep::Question,
    past::{Common, Past, PastCandidate, Reached},
    replicas::LookedAt,
};

pub(super) use tables::{VERSION_6, VERSION_7};

/// The first version with looks.
pub(super) const SINCE_VERSION: i32 = 6;

/// An end of an interval, which may not be known, as it is kept.
#[cfg(feature = "report")]
fn known(end: f64) -> Option<f64> {
    end.is_finite().then_some(end)
}
