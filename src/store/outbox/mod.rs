//! What is to be sent elsewhere, and what was: a line of branches for each target.
//!
//! Ids are in the order of starts, and branches are written in the order of ends, so that one with
//! a lower id may come after one with a higher id was taken. A cursor alone would pass it over.
//! Here everything that moves is one transaction of the file, and those come one after another:
//!
//! - Taking branches moves the cursor over all that are there, and notes each that is to be sent
//!   in `sync_unsent`.
//! - Writing a branch at or before a cursor notes it in `sync_unsent` as well.
//! - What was sent leaves `sync_unsent`.
//!
//! So a branch is in `sync_unsent`, or beyond the cursor, or it was dealt with; whatever the order
//! in which branches are written, and whoever is killed when.

#[cfg(feature = "mlflow")]
mod claim;
mod late;
#[cfg(feature = "mlflow")]
mod lease;
#[cfg(feature = "mlflow")]
mod points;
#[cfg(feature = "mlflow")]
mod settle;
mod stat;
mod tables;
#[cfg(feature = "mlflow")]
mod target;

pub(super) use late::{note_change, note_late};
pub(super) use stat::targets;
pub(super) use tables::VERSION_4;

pub use stat::SyncStat;
#[cfg(feature = "mlflow")]
pub(crate) use {
    claim::Claimed,
    lease::Lease,
    points::{Arm, Point},
    settle::{Doubt, Fate},
    target::Outbox,
};
