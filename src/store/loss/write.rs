//! Keeping what was not recorded.

use crate::{record::Loss, store::write::signed};
use rusqlite::{Connection, params};
use std::time::{SystemTime, UNIX_EPOCH};

/// Adds losses to those of this hour.
pub(in crate::store) fn add(connection: &Connection, losses: &[Loss]) -> rusqlite::Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let hour = signed(now.as_secs() / 3_600);
    let mut statement = connection.prepare_cached(
        "INSERT INTO loss (experiment, strategy, config_id, role, reason, hour, branches)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET branches = branches + excluded.branches",
    )?;
    for loss in losses {
        statement.execute(params![
            loss.experiment,
            loss.strategy,
            loss.config_id.as_str(),
            loss.role.as_str(),
            loss.reason.as_str(),
            hour,
            signed(loss.branches),
        ])?;
    }
    Ok(())
}
