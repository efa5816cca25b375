//! Whether anything was written.

use super::{SqliteStore, StoreError, backend::Reader};
use std::fmt;

/// Says whether the file was written to, by whoever, since it was asked the last time.
pub(crate) struct StoreChanges {
    store: SqliteStore,
    reader: Reader,
    last: i64,
}

impl SqliteStore {
    /// From now on. Blocks.
    pub(crate) fn changes(&self) -> Result<StoreChanges, StoreError> {
        let reader = self.reader()?;
        let mut changes = StoreChanges { store: self.clone(), reader, last: 0 };
        changes.are_new()?;
        Ok(changes)
    }
}

impl StoreChanges {
    /// Blocks.
    ///
    /// Source: SQLite, `PRAGMA data_version`, which another connection's commits change.
    pub(crate) fn are_new(&mut self) -> Result<bool, StoreError> {
        let version = self
            .reader
            .connection
            .pragma_query_value(None, "data_version", |row| row.get(0))
            .map_err(|error| self.store.failed("read", error))?;
        Ok(std::mem::replace(&mut self.last, version) != version)
    }
}

impl fmt::Debug for StoreChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreChanges").field("store", &self.store).finish_non_exhaustive()
    }
}
