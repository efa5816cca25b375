//! The store's connections for its network face.

use super::{Kept, Owner, SqliteStore, StoreError, codes::Codes, rollup::State};
use rusqlite::Connection;
use std::ops::RangeInclusive;

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
        reader.connection.set_prepared_statement_cache_capacity(64);
        Ok(Session { connection: reader.connection, codes: reader.codes })
    }

    /// What the directory of its artifacts has to have in its file `store`.
    pub(crate) fn artifacts_owner(&self) -> Result<Owner, StoreError> {
        self.reading_session()?
            .connection
            .query_row("SELECT id FROM mlflow_artifact_owner", [], |row| row.get(0).map(Owner::new))
            .map_err(|error| self.failed("read", error))
    }

    /// As [`transact`](Self::transact), but at once, on this thread, if nobody else writes to the
    /// file at this moment and nothing has to wait for the disk; `None` otherwise.
    pub(crate) fn transact_at_once<T>(
        &self,
        work: impl FnOnce(&Connection, &Codes) -> rusqlite::Result<Kept<T>>,
    ) -> Option<Result<T, StoreError>> {
        let done = self.try_writer(|writer, patience| writer.transact_at_once(patience, work))?;
        Some(done.map_err(|error| self.failed("write", error)))
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

/// Whether branches that lasted so long, in ns, can be among those that a row of the roll-ups stands for. One
/// that cannot be read may stand for any.
pub(crate) fn can_have_lasted(
    statuses: [i64; 4],
    state: &[u8],
    durations: &RangeInclusive<u64>,
) -> bool {
    State::decode(statuses, state).is_none_or(|state| state.can_have_lasted(durations))
}
