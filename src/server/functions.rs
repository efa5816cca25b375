//! What SQL has no words for.

use crate::as_run::output_metrics;
use rusqlite::{Connection, functions::FunctionFlags};

/// The number that the JSON of an output shows as a metric; NULL if there is none. (The name of a
/// metric is no path: keys may have dots in them, and what MLflow does not take was replaced.)
pub(super) const OUTPUT_METRIC: &str = "spearmint_output_metric";

/// Adds the functions to a connection.
pub(super) fn add(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function(OUTPUT_METRIC, 2, flags, |arguments| {
        let (content, key) = (arguments.get_raw(0).as_str_or_null(), arguments.get_raw(1).as_str());
        let (Ok(Some(content)), Ok(key)) = (content, key) else { return Ok(None) };
        // That of a large output was cut, and is none.
        let Ok(output) = serde_json::from_str(content) else { return Ok(None) };
        // Of two under one name the later is shown.
        let found = output_metrics(&output).into_iter().rev().find(|(known, _)| known == key);
        Ok(found.map(|(_, value)| value))
    })
}
