//! Removing old branches when asked to.

use super::Progress;
use crate::store::{
    Retention, SqliteStore, StoreError,
    backend::Reader,
    filter::experiment_keys,
    open,
    retention::{Cursor, cut, remove},
};
use rusqlite::{Connection, params};
use serde::Serialize;
use std::time::{Duration, SystemTime};

/// How long a step takes, about, before others can write.
const STEP: Duration = Duration::from_millis(15);

/// What was removed, or would be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Pruned {
    /// Branches, with their outputs, failures and comparisons.
    pub branches: u64,
}

impl SqliteStore {
    /// How many branches [`prune`](Self::prune) would remove. Blocks, and reads as many.
    ///
    /// # Errors
    ///
    /// As [`prune`](Self::prune), but for writing.
    pub fn prunable(
        &self,
        older_than: Duration,
        experiment: Option<&str>,
    ) -> Result<Pruned, StoreError> {
        let Reader { connection, .. } = self.reader()?;
        let failed = |error| self.failed("read", error);
        let keys = self.keys(&connection, experiment)?;
        let before = cut(0, Retention::new().age(older_than), SystemTime::now()).before_id();
        let mut pruned = Pruned::default();
        for key in keys {
            let sql = "SELECT count(*) FROM branch WHERE id < ?1 AND experiment = ?2";
            let count: i64 = connection
                .query_row(sql, params![before, key], |row| row.get(0))
                .map_err(failed)?;
            pruned.branches += count.unsigned_abs();
        }
        Ok(pruned)
    }

    /// Removes branches that were dispatched longer ago than `older_than`, of one experiment or of
    /// all, with all that belongs to them, in steps between which others can write. What they come
    /// to by the minute stays. Blocks.
    ///
    /// # Errors
    ///
    /// When there is no such experiment, the store was opened for reading, or the file cannot be
    /// written.
    pub fn prune(
        &self,
        older_than: Duration,
        experiment: Option<&str>,
        mut progress: impl FnMut(Progress),
    ) -> Result<Pruned, StoreError> {
        let keys = {
            let Reader { connection, .. } = self.reader()?;
            self.keys(&connection, experiment)?
        };
        let now = SystemTime::now();
        let mut pruned = Pruned::default();
        for key in keys {
            let cut = cut(key, Retention::new().age(older_than), now);
            let mut cursor = Cursor::default();
            loop {
                let slice = self.with_connection(|connection| {
                    let transaction = open::immediate(connection)?;
                    let slice = remove(&transaction, cut, &mut cursor, STEP)?;
                    transaction.commit()?;
                    Ok(slice)
                })?;
                pruned.branches += slice.branches;
                progress(Progress::new("removing branches", pruned.branches, 0));
                if !slice.more {
                    break;
                }
            }
        }
        Ok(pruned)
    }

    fn keys(
        &self,
        connection: &Connection,
        experiment: Option<&str>,
    ) -> Result<Vec<i64>, StoreError> {
        let failed = |error| self.failed("read", error);
        if let Some(name) = experiment {
            return experiment_keys(connection, name, failed);
        }
        let all = || -> rusqlite::Result<Vec<i64>> {
            let mut statement = connection.prepare("SELECT key FROM experiment")?;
            statement.query_map([], |row| row.get(0))?.collect()
        };
        all().map_err(failed)
    }
}
