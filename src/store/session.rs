//! The store's connections for those who bring their own SQL: its network face.

use super::{SqliteStore, StoreError, codes::Codes};
use rusqlite::Connection;

/// A connection, and the names of what the file holds as numbers.
pub(crate) struct Session {
    connection: Connection,
    codes: Codes,
}

impl SqliteStore {
    /// A connection of its own that only reads.
    pub(crate) fn reading_session(&self) -> Result<Session, StoreError> {
        let reader = self.reader()?;
        reader
            .connection
            .pragma_update(None, "query_only", true)
            .map_err(|error| self.failed("read", error))?;
        Ok(Session { connection: reader.connection, codes: reader.codes })
    }

    /// Runs `work` in one transaction of the connection that writes, after the batch of branches
    /// that is under way. Blocks.
    pub(crate) fn transact<T>(
        &self,
        work: impl FnOnce(&Connection, &Codes) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.with_writer(|writer| writer.transact(work))
    }
}

impl Session {
    pub(crate) const fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) const fn codes(&self) -> &Codes {
        &self.codes
    }
}
