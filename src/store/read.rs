//! Reading branches.

use super::{
    BranchRow, Filter, SqliteStore, StoreError, backend::Reader, filter::Conditions, rollup,
    row::Names, schema,
};
use crate::branch::BranchId;
use rusqlite::{params_from_iter, types::Value};
use serde::Serialize;
use std::{collections::VecDeque, fmt};

/// How many rows are held at a time: with outputs at their default limit, 16 MiB at most.
const PAGE: u64 = 256;

impl SqliteStore {
    /// The branches that a filter means, in the order of their ids. Blocks, here and at each
    /// 256th of them.
    ///
    /// However many there are, a few hundred are in memory at a time. Each page is read for
    /// itself, so that a slow reader does not hold up the file: branches that are written in the
    /// meantime are among the later ones, or not.
    ///
    /// # Errors
    ///
    /// When the filter names an experiment or a config that the store does not have, or the file
    /// cannot be read.
    pub fn branches(&self, filter: &Filter) -> Result<BranchRows, StoreError> {
        let reader = self.reader()?;
        let failed = |error| self.failed("read", error);
        let conditions = Conditions::new(filter, &reader.connection, &reader.codes, failed)?;
        Ok(BranchRows {
            store: self.clone(),
            reader,
            names: Names::default(),
            conditions,
            newest_first: filter.newest_first,
            left: filter.limit.unwrap_or(u64::MAX),
            last: None,
            page: VecDeque::new(),
            done: false,
        })
    }

    /// The version of the file's schema. One that is older than [`SCHEMA_VERSION`](super::SCHEMA_VERSION) becomes one of
    /// that version when it is opened for writing. Blocks.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn version(&self) -> Result<i32, StoreError> {
        Ok(self.reader()?.version)
    }

    /// How much the store holds. Blocks; counting the branches of a file of a version before 4
    /// reads it all.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn counts(&self) -> Result<StoreCounts, StoreError> {
        let Reader { connection, version, .. } = self.reader()?;
        let comparisons =
            if version < 2 { "0" } else { "(SELECT sum(compared) FROM comparison_count)" };
        let branches = if version < rollup::SINCE_VERSION {
            "SELECT count(*) FROM branch"
        } else {
            "SELECT coalesce(sum(branches), 0) FROM held"
        };
        let sql = format!(
            "SELECT ({branches}),
             (SELECT count(DISTINCT name) FROM experiment),
             (SELECT count(*) FROM config WHERE content IS NOT NULL),
             coalesce({comparisons}, 0)"
        );
        let (branches, experiments, configs, comparisons) = connection
            .query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .map_err(|error| self.failed("read", error))?;
        let mut log = self.path().as_os_str().to_owned();
        log.push("-wal");
        // A file that has just gone away has no bytes.
        let size = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |file| file.len());
        let bytes = size(self.path()) + size(log.as_ref());
        Ok(StoreCounts {
            branches: i64::cast_unsigned(branches),
            experiments: i64::cast_unsigned(experiments),
            configs: i64::cast_unsigned(configs),
            comparisons: i64::cast_unsigned(comparisons),
            bytes,
        })
    }
}

/// How much a store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoreCounts {
    /// Branches.
    pub branches: u64,
    /// Experiments, by name.
    pub experiments: u64,
    /// Configs; two contents under one id count twice.
    pub configs: u64,
    /// Comparisons of two branches.
    pub comparisons: u64,
    /// The size on disk in bytes, with the write-ahead log.
    pub bytes: u64,
}

/// The branches that a filter means; see [`SqliteStore::branches`]. After an error it ends.
pub struct BranchRows {
    store: SqliteStore,
    reader: Reader,
    names: Names,
    conditions: Conditions,
    newest_first: bool,
    left: u64,
    last: Option<BranchId>,
    page: VecDeque<BranchRow>,
    done: bool,
}

impl BranchRows {
    fn next_page(&mut self) -> rusqlite::Result<()> {
        let wanted = self.left.min(PAGE);
        let mut conditions = self.conditions.clone();
        let (beyond, order) =
            if self.newest_first { ("b.id < ?", "DESC") } else { ("b.id > ?", "ASC") };
        if let Some(last) = self.last {
            conditions.and(beyond, Value::Blob(last.as_bytes().to_vec()));
        }
        let sql = format!(
            "{}{} ORDER BY b.id {order} LIMIT {wanted}",
            schema::select_branch(self.reader.version),
            conditions.sql
        );
        let Reader { connection, codes, .. } = &self.reader;
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(conditions.values))?;
        while let Some(row) = rows.next()? {
            self.page.push_back(BranchRow::read(row, connection, codes, &mut self.names)?);
        }
        let found = self.page.len() as u64;
        self.left -= found;
        self.done = found < wanted || self.left == 0;
        self.last = self.page.back().map(|branch| branch.id);
        Ok(())
    }
}

impl Iterator for BranchRows {
    type Item = Result<BranchRow, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty()
            && !self.done
            && let Err(error) = self.next_page()
        {
            self.done = true;
            self.page.clear();
            return Some(Err(self.store.failed("read", error)));
        }
        self.page.pop_front().map(Ok)
    }
}

impl std::iter::FusedIterator for BranchRows {}

impl fmt::Debug for BranchRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BranchRows").field("store", &self.store).finish_non_exhaustive()
    }
}
