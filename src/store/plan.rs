//! By what a report on an experiment decides: kept as a text that whoever reports can read.

use super::{SqliteStore, StoreError, backend::Reader, look::SINCE_VERSION};
use rusqlite::params;
use std::collections::BTreeMap;

impl SqliteStore {
    /// Keeps the plan of an experiment, in place of the one before. Blocks.
    pub(crate) fn keep_plan_text(&self, experiment: &str, content: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO plan (experiment, content) VALUES (?1, ?2)
            ON CONFLICT DO UPDATE SET content = excluded.content
            WHERE content != excluded.content";
        self.with_writer(|writer| {
            writer.transact(|connection, _| {
                connection.execute(sql, params![experiment, content]).map(drop)
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
