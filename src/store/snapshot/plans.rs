//! The plans that a store keeps, as a snapshot has them.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

/// The first version with plans, and the first that says since when.
const SINCE_VERSION: i32 = 6;
const TIMES_SINCE_VERSION: i32 = 7;

/// By what a report on an experiment decides, as a text that whoever reports can read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptPlan {
    pub(crate) experiment: String,
    pub(crate) content: String,
    /// Since when it is that, in ns since the Unix epoch, if an older program did not keep it.
    pub(crate) kept_ns: Option<u64>,
}

/// By experiment.
pub(super) fn read(connection: &Connection, version: i32) -> rusqlite::Result<Vec<KeptPlan>> {
    if version < SINCE_VERSION {
        return Ok(Vec::new());
    }
    let kept_ns = if version < TIMES_SINCE_VERSION { "NULL" } else { "kept_ns" };
    let sql = format!("SELECT experiment, content, {kept_ns} FROM plan ORDER BY experiment");
    connection
        .prepare(&sql)?
        .query_map([], |row| {
            Ok(KeptPlan {
                experiment: row.get(0)?,
                content: row.get(1)?,
                kept_ns: row.get::<_, Option<i64>>(2)?.map(i64::unsigned_abs),
            })
        })?
        .collect()
}
