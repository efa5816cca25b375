//! What came of branches that were taken.

use super::Outbox;
use crate::{branch::BranchId, store::StoreError};
use rusqlite::params;
use std::time::{SystemTime, UNIX_EPOCH};

/// What came of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is there.
    Sent,
    /// It is there as this run, or in this trace; but an earlier try may have its effect yet.
    Doubtful(String),
    /// The server does not take it.
    Refused,
    /// It was removed from the store meanwhile.
    Removed,
}

/// A branch for which there may be two runs, or whose trace an earlier try may yet write over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Doubt {
    pub(crate) branch: BranchId,
    /// The run that counts, or the trace.
    pub(crate) run_id: String,
    pub(crate) since_ms: u64,
}

impl Outbox {
    /// Notes what came of branches. One that has changed since it was taken is sent again. Blocks.
    pub(crate) fn settle(&self, outcomes: &[(BranchId, Fate)]) -> Result<(), StoreError> {
        let now = now_ms();
        self.store().transact(|connection, _| {
            let (mut sent, mut refused, mut removed) = (0_i64, 0_i64, 0_i64);
            for (id, outcome) in outcomes {
                connection
                    .prepare_cached(
                        "DELETE FROM sync_unsent WHERE target = ?1 AND branch = ?2 AND tried = 1",
                    )?
                    .execute(params![self.key(), id.as_bytes()])?;
                match outcome {
                    Fate::Sent => sent += 1,
                    Fate::Refused => refused += 1,
                    Fate::Removed => removed += 1,
                    Fate::Doubtful(run_id) => {
                        sent += 1;
                        connection
                            .prepare_cached(
                                "INSERT OR REPLACE INTO sync_doubt (target, branch, run_id, since_ms)
                                 VALUES (?1, ?2, ?3, ?4)",
                            )?
                            .execute(params![self.key(), id.as_bytes(), run_id, now])?;
                    }
                }
            }
            connection
                .prepare_cached(
                    "UPDATE sync_target SET sent = sent + ?2, refused = refused + ?3,
                         removed = removed + ?4 WHERE key = ?1",
                )?
                .execute(params![self.key(), sent, refused, removed])?;
            Ok(())
        })
    }

    /// The doubts, the oldest first; at most `max`. Blocks.
    pub(crate) fn doubts(&self, max: usize) -> Result<Vec<Doubt>, StoreError> {
        let reader = self.store().reader()?;
        let read = || -> rusqlite::Result<Vec<Doubt>> {
            reader
                .connection
                .prepare(
                    "SELECT branch, run_id, since_ms FROM sync_doubt WHERE target = ?1
                     ORDER BY since_ms LIMIT ?2",
                )?
                .query_map(params![self.key(), max as i64], |row| {
                    Ok(Doubt {
                        branch: BranchId::from_bytes(row.get(0)?),
                        run_id: row.get(1)?,
                        since_ms: row.get::<_, i64>(2)?.unsigned_abs(),
                    })
                })?
                .collect()
        };
        read().map_err(|error| self.store().failed("read", error))
    }

    /// It is certain now. Blocks.
    pub(crate) fn resolve(&self, branch: BranchId) -> Result<(), StoreError> {
        self.store().transact(|connection, _| {
            connection
                .prepare_cached("DELETE FROM sync_doubt WHERE target = ?1 AND branch = ?2")?
                .execute(params![self.key(), branch.as_bytes()])?;
            Ok(())
        })
    }
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}
