//! Small keys for the names of metrics.

use rusqlite::{Connection, OptionalExtension, params};
use std::{collections::HashMap, sync::Arc};

/// How many names of an experiment are rolled up.
const MAX_ROLLED_UP: u64 = 64;
/// How many names of an experiment there are at all.
const MAX_NAMES: u64 = 1_024;
/// How many are remembered.
const MAX_KNOWN: usize = 16_384;

/// What was looked up before, by experiment.
#[derive(Debug, Default)]
pub(in crate::store) struct MetricNames {
    experiments: HashMap<i64, HashMap<Arc<str>, Option<Key>>>,
}

/// The key of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) key: i64,
    pub(super) rolled_up: bool,
}

impl MetricNames {
    /// The key of a name, which is new to the experiment or not; `None` if there are too many.
    pub(super) fn key(
        &mut self,
        connection: &Connection,
        experiment: i64,
        name: &str,
    ) -> rusqlite::Result<Option<Key>> {
        if let Some(known) = self.experiments.get(&experiment).and_then(|names| names.get(name)) {
            return Ok(*known);
        }
        if self.experiments.values().map(HashMap::len).sum::<usize>() >= MAX_KNOWN {
            self.experiments.clear();
        }
        let key = match find(connection, experiment, name)? {
            Some(key) => Some(key),
            None => insert(connection, experiment, name)?,
        };
        self.experiments.entry(experiment).or_default().insert(name.into(), key);
        Ok(key)
    }
}

fn find(connection: &Connection, experiment: i64, name: &str) -> rusqlite::Result<Option<Key>> {
    connection
        .prepare_cached(
            "SELECT key, rolled_up FROM metric_name WHERE experiment = ?1 AND name = ?2",
        )?
        .query_row(params![experiment, name], |row| {
            Ok(Key { key: row.get(0)?, rolled_up: row.get(1)? })
        })
        .optional()
}

fn insert(connection: &Connection, experiment: i64, name: &str) -> rusqlite::Result<Option<Key>> {
    let count: i64 = connection
        .prepare_cached("SELECT count(*) FROM metric_name WHERE experiment = ?1")?
        .query_row([experiment], |row| row.get(0))?;
    let count = count.unsigned_abs();
    if count >= MAX_NAMES {
        return Ok(None);
    }
    let rolled_up = count < MAX_ROLLED_UP;
    let key = connection
        .prepare_cached(
            "INSERT INTO metric_name (experiment, name, rolled_up) VALUES (?1, ?2, ?3)",
        )?
        .insert(params![experiment, name, rolled_up])?;
    Ok(Some(Key { key, rolled_up }))
}
