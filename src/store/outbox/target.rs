//! Where branches of an experiment go.

use crate::store::{
    SqliteStore, StoreError,
    filter::{experiment_keys, id_at},
};
use rusqlite::{params, types::Value};

/// The line of one experiment's branches to one target.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    store: SqliteStore,
    key: i64,
    experiment: String,
}

impl Outbox {
    /// Opens it, as a new one where there is none: of all branches, or of those that started at
    /// `since_ns` (since 1970) or later. One that is there skips what is older. Blocks.
    ///
    /// # Errors
    ///
    /// When the store was opened for reading, or cannot be written.
    pub(crate) fn open(
        store: &SqliteStore,
        address: &str,
        experiment: &str,
        mode: &str,
        since_ns: Option<u64>,
    ) -> Result<Self, StoreError> {
        let cursor = since_ns.map_or_else(|| Value::Blob(vec![0; 16]), id_at);
        let key = store.transact(|connection, _| {
            connection.execute(
                "INSERT INTO sync_target (address, experiment, mode, cursor) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET cursor = max(cursor, excluded.cursor)",
                params![address, experiment, mode, cursor],
            )?;
            connection.query_row(
                "SELECT key FROM sync_target WHERE address = ?1 AND experiment = ?2 AND mode = ?3",
                params![address, experiment, mode],
                |row| row.get(0),
            )
        })?;
        Ok(Self { store: store.clone(), key, experiment: experiment.to_owned() })
    }

    pub(crate) const fn store(&self) -> &SqliteStore {
        &self.store
    }

    pub(super) const fn key(&self) -> i64 {
        self.key
    }

    /// The name of the experiment.
    pub(crate) fn experiment(&self) -> &str {
        &self.experiment
    }
}

impl SqliteStore {
    /// The names of the experiments: all, or the one that is asked for. Blocks.
    pub(crate) fn experiment_names(&self, only: Option<&str>) -> Result<Vec<String>, StoreError> {
        let reader = self.reader()?;
        let failed = |error| self.failed("read", error);
        if let Some(name) = only {
            experiment_keys(&reader.connection, name, failed)?;
            return Ok(vec![name.to_owned()]);
        }
        let read = || -> rusqlite::Result<Vec<String>> {
            let sql = "SELECT DISTINCT name FROM experiment ORDER BY name";
            reader.connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
        };
        read().map_err(failed)
    }
}
