//! Taking a snapshot.

use super::{
    Arm, Exposures, Snapshot,
    exposed::Exposed,
    plans,
    recent::{self, RecentMinute},
    replica,
    reported::Outcomes,
};
use crate::{
    assign::Reason,
    branch::Role,
    store::{
        Rollup, RollupFilter, SqliteStore, StoreError,
        backend::Reader,
        codes::Codes,
        filter::by_chance,
        loss,
        rollup::{self, millis},
        row::Names,
    },
};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;

const HOUR_NS: u64 = 3_600_000_000_000;

impl SqliteStore {
    /// All that this store has summed up so far. Blocks.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is of a version that had no name among replicas yet.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.snapshot_of(&RollupFilter::new())
    }

    /// The same of the minutes that begin at `ns` since the Unix epoch, or later. It is not cumulative: put together
    /// only such as begin at the same time. Units and first exposures are of all times. Blocks.
    ///
    /// # Errors
    ///
    /// As [`snapshot`](Self::snapshot).
    pub fn snapshot_since(&self, ns: u64) -> Result<Snapshot, StoreError> {
        self.snapshot_of(&RollupFilter::new().since_ns(ns))
    }

    fn snapshot_of(&self, filter: &RollupFilter) -> Result<Snapshot, StoreError> {
        let Reader { mut connection, codes, version } = self.reader()?;
        if version < replica::SINCE_VERSION {
            return Err(StoreError::NoReplica { path: self.path().to_owned(), found: version });
        }
        let mut read = || {
            // One state of the file for all that is read.
            let connection = connection.transaction()?;
            let (replica, sequence) = replica::read(&connection)?;
            let taken_ns = recent::now_ns();
            let mut names = Names::default();
            Ok(Snapshot {
                replica,
                sequence,
                taken_ns,
                arms: arms(&connection, &codes, filter, &mut names, taken_ns)?,
                unit_buckets: rollup::unit_buckets(&connection, &codes, version, "", &mut names)?,
                exposures: exposures(&connection, &mut names)?,
                losses: loss::read(&connection, version, filter)?,
                plans: plans::read(&connection, version)?,
                outcomes: Outcomes::read(&connection, version)?,
            })
        };
        read().map_err(|error| self.failed("read", error))
    }
}

/// The roll-ups of each arm, over all the time, and the last minutes.
fn arms(
    connection: &Connection,
    codes: &Codes,
    filter: &RollupFilter,
    names: &mut Names,
    taken_ns: u64,
) -> rusqlite::Result<Vec<Arm>> {
    let mut arms: BTreeMap<(rollup::Arm, Option<Reason>), Arm> = BTreeMap::new();
    let since = filter.since_ns.unwrap_or(0).div_ceil(60_000_000_000);
    let sql = format!("SELECT {} FROM rollup WHERE minute >= ?1", rollup::COLUMNS);
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([i64::try_from(since).unwrap_or(i64::MAX)])?;
    while let Some(row) = rows.next()? {
        let (arm, parts) = rollup::named(row, connection, codes, names)?;
        for rollup in parts {
            // (Of what answers the split is checked, and of what runs beside it the pairs.)
            let is_checked = matches!(rollup.role, Role::Primary | Role::Shadow);
            let recent = (is_checked && rollup.aside.is_none())
                .then(|| RecentMinute::of(&rollup, taken_ns))
                .flatten();
            match arms.get_mut(&(arm, rollup.aside)) {
                Some(known) => {
                    known.rollup.merge(&rollup);
                    known.recent.extend(recent);
                }
                None => {
                    let recent = recent.into_iter().collect();
                    arms.insert((arm, rollup.aside), Arm { rollup, share: None, recent });
                }
            }
        }
    }
    for ((of, _), arm) in arms.iter_mut().filter(|((_, aside), _)| aside.is_none()) {
        arm.share = share(connection, codes, *of, arm)?;
    }
    Ok(arms.into_values().collect())
}

/// As the last branch of the arm recorded it that chance assigned.
fn share(
    connection: &Connection,
    codes: &Codes,
    of: rollup::Arm,
    Arm { rollup, .. }: &Arm,
) -> rusqlite::Result<Option<f64>> {
    let Some((start_ns, end_ns)) = there(connection, of, rollup)? else { return Ok(None) };
    let id = |ns: u64| {
        let mut id = [0; 16];
        id[..6].copy_from_slice(&(ns / 1_000_000).to_be_bytes()[2..]);
        id
    };
    let sql = format!(
        "SELECT probability FROM branch WHERE id >= ?1 AND id < ?2
         AND experiment = ?3 AND config = ?4 AND role = ?5 AND epoch IN (
            SELECT key FROM epoch WHERE fingerprint =
            (SELECT fingerprint FROM epoch WHERE key = ?6))
         AND {} ORDER BY id DESC LIMIT 1",
        by_chance(codes, "reason")
    );
    let found: Option<Option<f64>> = connection
        .prepare_cached(&sql)?
        .query_row(
            params![id(start_ns), id(end_ns), of.experiment, of.config, of.role, of.epoch],
            |row| row.get(0),
        )
        .optional()?;
    Ok(found.flatten())
}

/// From when to when there may still be branches of an arm that say their share, in ns since the Unix epoch; `None`
/// if there are none: those of other arms from that time would all be read in search of them.
fn there(
    connection: &Connection,
    of: rollup::Arm,
    rollup: &Rollup,
) -> rusqlite::Result<Option<(u64, u64)>> {
    if of.epoch == 0 {
        return Ok(None);
    }
    let (start_ns, end_ns) = (rollup.start_ns, rollup.end_ns());
    let hour = |ns: u64| i64::try_from(ns / HOUR_NS).unwrap_or(i64::MAX);
    let hours: (Option<i64>, Option<i64>) = connection
        .prepare_cached(
            "SELECT min(hour), max(hour) FROM held
             WHERE experiment = ?1 AND hour BETWEEN ?2 AND ?3 AND branches > 0",
        )?
        .query_row(params![of.experiment, hour(start_ns), hour(end_ns)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let (Some(first), Some(last)) = hours else { return Ok(None) };
    let begin = |hour: i64| hour.unsigned_abs().saturating_mul(HOUR_NS);
    Ok(Some((start_ns.max(begin(first)), end_ns.min(begin(last.saturating_add(1))))))
}

/// Which config each unit met first, by experiment.
fn exposures(connection: &Connection, names: &mut Names) -> rusqlite::Result<Vec<Exposures>> {
    let mut found: BTreeMap<i64, Exposed> = BTreeMap::new();
    let mut statement =
        connection.prepare("SELECT unit, experiment, epoch, config, branch FROM exposure")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let unit = row.get::<_, i64>(0)?.cast_unsigned();
        let epoch = match row.get(2)? {
            0 => None,
            key => Some(names.epoch(connection, key)?.fingerprint()),
        };
        let (config, _) = names.config(connection, row.get(3)?)?;
        let ms = millis(&row.get(4)?).unsigned_abs();
        found.entry(row.get(1)?).or_default().add(unit, epoch, ms, config);
    }
    let mut exposures = Vec::with_capacity(found.len());
    for (key, exposed) in found {
        let (experiment, strategy) = names.experiment(connection, key)?;
        exposures.push(Exposures { experiment, strategy, exposed });
    }
    Ok(exposures)
}
