//! What comes of a unit later: purchases, ratings, returns, reported by whoever learns of them.
//!
//! An outcome belongs to the unit's first exposure in each experiment and epoch, if that lies within a window
//! before it. Those of the time before the unit was exposed for the first time say what it did anyhow. What the outcomes of a unit come to is kept up while they are written, and what those of all units
//! of an arm come to as well, so that a report reads no single outcome.

mod attribute;
mod check;
mod event;
mod fact;
mod first;
mod known;
#[cfg(feature = "report")]
mod merged;
mod millionths;
mod moved;
mod prune;
mod read;
mod record;
mod refused;
mod rules;
mod sums;
mod tables;
mod text;
mod time;
mod total;
#[cfg(feature = "report")]
mod unit_totals;

pub use event::{Outcome, OutcomeUnit};
pub use read::{OutcomeRow, OutcomeSum};
pub use record::OutcomesRecorded;
pub use refused::OutcomeError;
pub use rules::OutcomeRules;

#[cfg(any(feature = "server", feature = "proxy"))]
pub(crate) use text::OutcomeBatch;

pub(super) use attribute::{add_before, exposed};
#[cfg(feature = "report")]
pub(crate) use unit_totals::UnitTotal;

pub(super) use check::disagreements;
#[cfg(feature = "report")]
pub(super) use fact::ArmNames;
pub(super) use fact::{ExperimentSpan, OutcomeFact, spans};
pub(super) use known::of_blob;
#[cfg(feature = "report")]
pub(super) use merged::{MergedSums, Met};
pub(super) use moved::exposed_otherwise;
pub(super) use prune::{before_ms, remove_outcomes};
#[cfg(feature = "report")]
pub(super) use rules::Span;
pub(super) use tables::{VERSION_6, VERSION_7};

use rusqlite::{Connection, OptionalExtension};

/// The first version with outcomes.
const SINCE_VERSION: i32 = 6;
/// The first that counts what came before an exposure.
const BEFORE_SINCE_VERSION: i32 = 7;

/// Outcomes of an earlier time were removed, in ms since the Unix epoch.
pub(super) fn removed_before(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT before_ms FROM outcome_removed")?
        .query_row([], |row| row.get(0))
        .optional()
}

/// How many there are, and were removed.
pub(super) fn counts(connection: &Connection, version: i32) -> rusqlite::Result<[u64; 2]> {
    if version < SINCE_VERSION {
        return Ok([0; 2]);
    }
    let count = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let there = count("SELECT count(*) FROM outcome")?;
    let removed = count("SELECT coalesce(sum(outcomes), 0) FROM outcome_removed")?;
    Ok([there, removed].map(i64::unsigned_abs))
}
