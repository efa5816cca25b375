//! By what a report on an experiment decides: kept as a text that whoever reports can read.

use super::{SqliteStore, StoreError, backend::Reader, look::SINCE_VERSION, snapshot};
use rusqlite::params;
use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

impl SqliteStore {
    /// Keeps the plan of an experiment, in place of the one before. Blocks.
    pub(crate) fn keep_plan_text(&self, experiment: &str, content: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO plan (experiment, content, kept_ns) VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET content = excluded.content, kept_ns = excluded.kept_ns
            WHERE content != excluded.content";
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_ns = i64::try_from(since.as_nanos()).unwrap_or(i64::MAX);
        self.with_writer(|writer| {
            writer.transact(|connection, _| {
                let kept = connection.execute(sql, params![experiment, content, now_ns])?;
                if kept > 0 { snapshot::grow(connection) } else { Ok(()) }
            })
        })
    }

    /// The plans that are kept, by experiment. Blocks.
    pub(crate) fn plan_texts(&self) -> Result<BTreeMap<String, String>, StoreError> {
        let Reader { connection, version, .. } = self.reader()?;
        if version < SINCE_VERSION {
            return Ok(BTreeMap::new());
        }
        let read = || -> rusqlite::Result<_> {
            let mut statement = connection.prepare("SELECT experiment, content FROM plan")?;
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        read().map_err(|error| self.failed("read", error))
    }
}
