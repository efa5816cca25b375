//! Making a file smaller.

use super::Progress;
use crate::store::{SqliteStore, StoreError, retention::shrink, rollup};
use rusqlite::Connection;
use serde::Serialize;
use std::time::SystemTime;

/// What compacting came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Compacted {
    /// The size on disk in bytes, with the write-ahead log, before.
    pub bytes_before: u64,
    /// The same after.
    pub bytes_after: u64,
    /// How many times minutes of an hour were merged into it.
    pub hours_merged: u64,
}

impl SqliteStore {
    /// Merges roll-ups of minutes that are older than two days into hours, and gives free pages
    /// back to the file system, in steps between which others can write. Blocks.
    ///
    /// # Errors
    ///
    /// When the store was opened for reading, or the file cannot be written.
    pub fn compact(&self, mut progress: impl FnMut(Progress)) -> Result<Compacted, StoreError> {
        let bytes_before = self.counts()?.bytes;
        let now = SystemTime::now();
        let (mut done_until, mut hours_merged) = (0, 0);
        loop {
            let merged = self.with_connection(|connection| {
                let hour = rollup::oldest_minutes(connection, &mut done_until, now)?;
                hour.map(|hour| {
                    let transaction = crate::store::open::immediate(connection)?;
                    rollup::into_hour(&transaction, hour)?;
                    transaction.commit()
                })
                .transpose()
            })?;
            if merged.is_none() {
                break;
            }
            hours_merged += 1;
            progress(Progress::new("merging minutes into hours", hours_merged, 0));
        }
        let free = |connection: &mut Connection| {
            connection
                .pragma_query_value(None, "freelist_count", |row| row.get::<_, i64>(0))
                .map(i64::unsigned_abs)
        };
        let total = self.with_connection(free)?;
        while self.with_connection(|connection| shrink(connection, 0))? {
            let left = self.with_connection(free)?;
            progress(Progress::new("giving pages back", total.saturating_sub(left), total));
        }
        let alone = self.log_left_alone()?;
        self.with_connection(|connection| {
            // A reader may hold it up: then the log is copied the next time.
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        })?;
        drop(alone);
        let bytes_after = self.counts()?.bytes;
        Ok(Compacted { bytes_before, bytes_after, hours_merged })
    }
}
