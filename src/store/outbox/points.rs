//! Roll-ups to be sent: what they come to minute by minute.

use super::Outbox;
use crate::store::{Rollup, StoreError, backend::Reader, rollup, row::Names};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;
use std::{collections::HashMap, sync::Arc};

/// For how many minutes it is known what was sent: as long as roll-ups are of minutes.
const REMEMBERED: i64 = 2 * 24 * 60;

/// Whose roll-ups go to one run: a config in a role of an experiment, under the same rules.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Arm {
    keys: [i64; 4],
    /// The same for ever, and another one in any other store.
    pub(crate) id: String,
    pub(crate) config: Arc<Value>,
    /// The run, if there is one.
    pub(crate) run_id: Option<String>,
}

/// A minute (or, of old ones, an hour) that was not sent, or has changed since.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub(crate) rollup: Rollup,
    /// How often it was sent before.
    pub(crate) revision: i64,
    minute: i64,
    span: i64,
}

impl Outbox {
    /// Up to `max` points whose time was over at `until_ns`, by arm, and in each from the first
    /// to the last. Blocks.
    pub(crate) fn points(
        &self,
        until_ns: u64,
        max: usize,
    ) -> Result<Vec<(Arm, Vec<Point>)>, StoreError> {
        let Reader { connection, codes, .. } = self.store().reader()?;
        let read = || -> rusqlite::Result<_> {
            let columns: Vec<_> =
                rollup::COLUMNS.split(',').map(|name| format!("r.{}", name.trim())).collect();
            let sql = format!(
                "SELECT {}, coalesce(p.revision + 1, 0), s.run_id FROM rollup r
                 LEFT JOIN sync_summary s ON s.target = ?1 AND s.experiment = r.experiment
                    AND s.config = r.config AND s.role = r.role AND s.epoch = r.epoch
                 LEFT JOIN sync_point p ON p.target = ?1 AND p.experiment = r.experiment
                    AND p.config = r.config AND p.role = r.role AND p.epoch = r.epoch
                    AND p.minute = r.minute
                 WHERE r.experiment IN (SELECT key FROM experiment WHERE name = ?2)
                    AND r.minute + r.span <= ?3 AND r.minute >= ?4
                    AND CASE WHEN r.span > 1 THEN r.minute + r.span - 1 > coalesce(s.until, -1)
                        ELSE r.minute > coalesce(s.until, -1) - {REMEMBERED}
                            AND (p.minute IS NULL OR p.branches
                                <> r.success + r.failed + r.skipped + r.cancelled) END
                 ORDER BY r.experiment, r.config, r.role, r.epoch, r.minute LIMIT ?5",
                columns.join(", ")
            );
            let until = i64::try_from(until_ns / 60_000_000_000).unwrap_or(i64::MAX);
            let values = params![
                self.key(),
                self.experiment(),
                until,
                self.first_minute(&connection)?,
                i64::try_from(max).unwrap_or(i64::MAX)
            ];
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.query(values)?;
            let mut names = Names::default();
            let mut found: Vec<(Arm, Vec<Point>)> = Vec::new();
            let mut at = HashMap::new();
            while let Some(row) = rows.next()? {
                let (arm, parts) = rollup::named(row, &connection, &codes, &mut names)?;
                // (A summary is of all of them, whoever assigned them.)
                let whole = parts.into_iter().reduce(|mut whole, part| {
                    whole.merge(&part);
                    whole
                });
                let Some(rollup) = whole else { continue };
                let keys = [arm.experiment, arm.config, arm.role, arm.epoch];
                let (minute, span) = (row.get(4)?, row.get(5)?);
                let point = Point { revision: row.get(11)?, minute, span, rollup };
                let index = *at.entry(keys).or_insert(found.len());
                if index == found.len() {
                    let (_, config) = names.config(&connection, arm.config)?;
                    let id = arm_id(&connection, keys[1], &point.rollup)?;
                    found.push((Arm { keys, id, config, run_id: row.get(12)? }, Vec::new()));
                }
                found[index].1.push(point);
            }
            Ok(found)
        };
        read().map_err(|error| self.store().failed("read", error))
    }

    fn first_minute(&self, connection: &Connection) -> rusqlite::Result<i64> {
        let cursor: Option<[u8; 16]> = connection
            .query_row("SELECT cursor FROM sync_target WHERE key = ?1", [self.key()], |row| {
                row.get(0)
            })
            .optional()?;
        Ok(cursor.map_or(0, |cursor| rollup::millis(&cursor) / 60_000))
    }

    /// Notes the run of an arm. Blocks.
    pub(crate) fn note_run(&self, arm: &Arm, run_id: &str) -> Result<(), StoreError> {
        let [experiment, config, role, epoch] = arm.keys;
        self.store().transact(|connection, _| {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO sync_summary
                     (target, experiment, config, role, epoch, run_id, until)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, -1)",
                )?
                .execute(params![self.key(), experiment, config, role, epoch, run_id])?;
            Ok(())
        })
    }

    /// The run of an arm is gone: all of it is to be sent again. Blocks.
    pub(crate) fn forget_run(&self, arm: &Arm) -> Result<(), StoreError> {
        let [experiment, config, role, epoch] = arm.keys;
        self.store().transact(|connection, _| {
            for table in ["sync_summary", "sync_point"] {
                let sql = format!(
                    "DELETE FROM {table} WHERE target = ?1 AND experiment = ?2 AND config = ?3
                     AND role = ?4 AND epoch = ?5"
                );
                connection.execute(&sql, params![self.key(), experiment, config, role, epoch])?;
            }
            Ok(())
        })
    }

    /// Notes points that were `sent`, or refused. Blocks.
    pub(crate) fn settle_points(
        &self,
        arm: &Arm,
        points: &[Point],
        sent: bool,
    ) -> Result<(), StoreError> {
        let [experiment, config, role, epoch] = arm.keys;
        self.store().transact(|connection, _| {
            let mut until = -1;
            for point in points {
                until = until.max(point.minute + point.span - 1);
                connection
                    .prepare_cached(
                        "INSERT OR REPLACE INTO sync_point
                         (target, experiment, config, role, epoch, minute, branches, revision)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    )?
                    .execute(params![
                        self.key(),
                        experiment,
                        config,
                        role,
                        epoch,
                        point.minute,
                        point.rollup.requests().cast_signed(),
                        point.revision
                    ])?;
            }
            connection
                .prepare_cached(
                    "UPDATE sync_summary SET until = max(until, ?6) WHERE target = ?1
                     AND experiment = ?2 AND config = ?3 AND role = ?4 AND epoch = ?5",
                )?
                .execute(params![self.key(), experiment, config, role, epoch, until])?;
            connection
                .prepare_cached(
                    "DELETE FROM sync_point WHERE target = ?1 AND experiment = ?2 AND config = ?3
                     AND role = ?4 AND epoch = ?5 AND minute <= (SELECT until FROM sync_summary
                        WHERE target = ?1 AND experiment = ?2 AND config = ?3 AND role = ?4
                        AND epoch = ?5) - ?6",
                )?
                .execute(params![self.key(), experiment, config, role, epoch, REMEMBERED])?;
            connection
                .prepare_cached(
                    "UPDATE sync_target SET sent = sent + ?2, refused = refused + ?3
                     WHERE key = ?1",
                )?
                .execute(params![
                    self.key(),
                    if sent { points.len() as i64 } else { 0 },
                    if sent { 0 } else { points.len() as i64 }
                ])?;
            Ok(())
        })
    }
}

/// By what its run is found again.
fn arm_id(connection: &Connection, config: i64, rollup: &Rollup) -> rusqlite::Result<String> {
    let store: [u8; 16] =
        connection.query_row("SELECT id FROM mlflow_artifact_owner", [], |row| row.get(0))?;
    let digest: Vec<u8> =
        connection
            .query_row("SELECT digest FROM config WHERE key = ?1", [config], |row| row.get(0))?;
    let mut hash = blake3::Hasher::new_derive_key("tower-spearmint mlflow summary v1");
    let epoch = rollup.epoch.map_or_else(String::new, |epoch| epoch.to_string());
    for part in [
        &store[..],
        rollup.experiment.as_bytes(),
        rollup.strategy.as_bytes(),
        rollup.config_id.as_str().as_bytes(),
        &digest,
        rollup.role.as_str().as_bytes(),
        epoch.as_bytes(),
    ] {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    Ok(hash.finalize().to_hex()[..32].to_owned())
}
