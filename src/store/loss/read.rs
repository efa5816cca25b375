//! Reading what was not recorded.

use super::tables::SINCE_VERSION;
use crate::{
    config::ConfigId,
    record::Loss,
    store::{RollupFilter, SqliteStore, StoreError, backend::Reader},
};
use rusqlite::{Connection, named_params};

impl SqliteStore {
    /// What was not recorded although it ended, of the experiment, config and role that a filter means and
    /// from the hour of its `since_ns` on: as far as the recorder in front of this store, and the store
    /// itself, know. (What a process had not told when it was killed is not known.) Blocks.
    ///
    /// ```
    /// use tower_spearmint::store::{RollupFilter, SqliteStore};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let file = std::env::temp_dir().join(format!("spearmint-doc-loss-{}.db", std::process::id()));
    /// # let _ = std::fs::remove_file(&file);
    /// let store = SqliteStore::open(&file)?;
    /// assert!(store.losses(&RollupFilter::new())?.is_empty());
    /// # std::fs::remove_file(&file)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn losses(&self, filter: &RollupFilter) -> Result<Vec<Loss>, StoreError> {
        let Reader { connection, version, .. } = self.reader()?;
        read(&connection, version, filter).map_err(|error| self.failed("read", error))
    }
}

/// Roles and reasons that only a newer version knows are left out.
pub(in crate::store) fn read(
    connection: &Connection,
    version: i32,
    filter: &RollupFilter,
) -> rusqlite::Result<Vec<Loss>> {
    if version < SINCE_VERSION {
        return Ok(Vec::new());
    }
    let since = filter.since_ns.unwrap_or(0) / 3_600_000_000_000;
    let mut statement = connection.prepare(
        "SELECT experiment, strategy, config_id, role, reason, sum(branches) FROM loss
         WHERE hour >= :since AND (:experiment IS NULL OR experiment = :experiment)
         AND (:role IS NULL OR role = :role)
         AND (:config IS NULL OR substr(config_id, 1, length(:config)) = :config)
         GROUP BY experiment, strategy, config_id, role, reason",
    )?;
    let mut rows = statement.query(named_params! {
        ":since": i64::try_from(since).unwrap_or(i64::MAX),
        ":experiment": filter.experiment,
        ":role": filter.role.map(crate::branch::Role::as_str),
        ":config": filter.config,
    })?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let names = (row.get_ref(3)?.as_str()?.parse(), row.get_ref(4)?.as_str()?.parse());
        let (Ok(role), Ok(reason)) = names else { continue };
        let config_id = ConfigId::named(row.get_ref(2)?.as_str()?);
        let (experiment, strategy): (String, String) = (row.get(0)?, row.get(1)?);
        let branches = row.get::<_, i64>(5)?.unsigned_abs();
        found.push(Loss::new(experiment, strategy, config_id, role, reason, branches));
    }
    Ok(found)
}
