//! What branches come to, summed up while they are written: so that a report over a month reads
//! minutes, not branches.
//!
//! A batch gathers what it adds in memory and writes it in its own transaction, so that roll-ups
//! and branches always agree. What cannot be told from a branch alone is settled once the batch is
//! there: which pairs it completes, and which branches are the first of their unit.

mod buckets;
mod check;
mod counts;
mod encoding;
mod exposures;
mod facts;
mod filter;
mod gather;
mod histogram;
mod hours;
mod metric_pairs;
mod metric_sums;
mod migrate;
mod moments;
mod pairs;
mod read;
mod row;
mod set_aside;
mod state;
mod tables;
mod unit_bucket;
mod unit_latencies;
mod unit_metric;
mod units;
mod whole;

pub use filter::RollupFilter;
pub use histogram::Histogram;
pub use metric_pairs::MetricPairs;
pub use metric_sums::MetricSums;
pub use moments::Moments;
pub use read::RollupRows;
pub use row::{Pairs, Rollup};
pub use unit_latencies::UnitLatencies;
pub use unit_metric::UnitSums;
pub use units::{Exposure, UnitBucket};

pub(super) use check::disagreements;
pub(super) use exposures::Exposed;
#[cfg(feature = "report")]
pub(super) use facts::is_aside;
pub(super) use facts::{Arm, FAILURE_BYTES, Facts, OUTPUT_BYTES, millis};
pub(super) use gather::Gathered;
pub(super) use hours::{into_hour, oldest_minutes};
pub(super) use migrate::{add_latencies, add_paired, add_primaries, add_unfinished, fill};
pub(super) use read::{COLUMNS, SINCE_VERSION, each, named};
pub(super) use set_aside::set_aside;
pub(super) use state::{State, status_index};
pub(super) use tables::VERSION_4;
pub(super) use unit_bucket::{VERSION_6, VERSION_7};
pub(super) use units::unit_buckets;
pub(super) use whole::Whole;

use super::codes::Codes;
use exposures::Exposures;
use rusqlite::{Connection, OptionalExtension};

/// What was looked up before.
#[derive(Debug, Default)]
pub(super) struct Rollups {
    exposures: Exposures,
    pairs: pairs::Paired,
}

impl Rollups {
    /// Adds branches that this transaction has inserted. Which first exposures are new, or other ones
    /// now?
    pub(super) fn add(
        &mut self,
        connection: &Connection,
        codes: &Codes,
        branches: &[Facts],
    ) -> rusqlite::Result<Vec<Exposed>> {
        let mut gathered = Gathered::default();
        branches.iter().for_each(|facts| gathered.add(facts));
        self.pairs.settle(connection, codes, &mut gathered, branches)?;
        let exposed = self.exposures.settle(connection, &mut gathered, branches)?;
        gathered.write(connection)?;
        Ok(exposed)
    }
}

/// A branch that is there, as it counts now; `None` if it is not there.
pub(super) fn find(
    connection: &Connection,
    codes: &Codes,
    id: &[u8; 16],
) -> rusqlite::Result<Option<Facts>> {
    let sql = format!("SELECT {} FROM branch b WHERE b.id = ?1", Facts::COLUMNS);
    let found = connection
        .prepare_cached(&sql)?
        .query_row([id], |row| Facts::read(row, codes))
        .optional()?;
    found.map(|facts| facts.with_metrics(connection)).transpose()
}

/// Moves the counts of a branch that this transaction has changed.
pub(super) fn change(
    connection: &Connection,
    codes: &Codes,
    before: &Facts,
) -> rusqlite::Result<()> {
    let Some(now) = find(connection, codes, &before.id)? else { return Ok(()) };
    // What goes is written before what comes: of a mean that nothing is left of, nothing is known.
    let (mut out, mut gathered) = (Gathered::default(), Gathered::default());
    out.change(before, -1);
    gathered.change(&now, 1);
    gathered.grew(&now, now.bytes, before.bytes);
    pairs::change(connection, codes, [&mut out, &mut gathered], before, &now)?;
    out.write(connection)?;
    gathered.write(connection)
}
