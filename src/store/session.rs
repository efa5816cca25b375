//! For those who bring their own SQL: the store's network face, and who sends branches elsewhere.

use super::{BranchRow, SCHEMA_VERSION, SqliteStore, StoreError, codes::Codes, row::Names, schema};
use crate::branch::BranchId;
use rusqlite::{Connection, OptionalExtension, params};

/// The most branches of a request that are read at once.
const MAX_OF_A_REQUEST: i64 = 1_000;

impl SqliteStore {
    /// Runs `work` in one transaction of the connection that writes, after the batch of branches
    /// that is under way. Blocks.
    pub(crate) fn transact<T>(
        &self,
        work: impl FnOnce(&Connection, &Codes) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.with_writer(|writer| writer.transact(work))
    }
}

/// The branch of that id, with all that belongs to it.
pub(crate) fn branch(
    connection: &Connection,
    codes: &Codes,
    id: BranchId,
) -> rusqlite::Result<Option<BranchRow>> {
    let sql = schema::select_branch(SCHEMA_VERSION) + " WHERE b.id = ?1";
    let mut names = Names::default();
    connection
        .prepare_cached(&sql)?
        .query_row([id.as_bytes()], |row| BranchRow::read(row, connection, codes, &mut names))
        .optional()
}

/// The branches of a request, the first first, up to a bound.
pub(crate) fn branches_of_request(
    connection: &Connection,
    codes: &Codes,
    id: BranchId,
) -> rusqlite::Result<Vec<BranchRow>> {
    let sql = schema::select_branch(SCHEMA_VERSION)
        + " WHERE b.id = ?1 AND b.request IS NULL OR b.request = ?1 ORDER BY b.id LIMIT ?2";
    let mut names = Names::default();
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![id.as_bytes(), MAX_OF_A_REQUEST])?;
    let mut branches = Vec::new();
    while let Some(row) = rows.next()? {
        branches.push(BranchRow::read(row, connection, codes, &mut names)?);
    }
    Ok(branches)
}
