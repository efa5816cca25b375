//! Sets aside what chance did not assign, in the roll-ups of a version that did not look at reasons.

use super::{
    exposures::Exposures,
    facts::{Arm, Facts},
    gather::{Gathered, add_state},
};
use crate::{
    branch::Role,
    store::{codes::Codes, filter::by_chance, metric, write::code},
};
use rusqlite::{Connection, params};
use std::collections::{BTreeSet, HashSet};

/// The first version that does.
pub(super) const SINCE_VERSION: i32 = 7;

/// How many branches are in memory at a time: some 10 MiB.
const CHUNK: usize = 50_000;

/// A unit in an epoch of an experiment.
type Exposed = [i64; 3];

/// Moves the branches that are there, of versions 4 to 6, and forgets the first exposures that are none: those units
/// were exposed with their first branch by chance, if they have one. What was removed stays as it was counted.
///
/// Says which units are exposed otherwise now.
pub(in crate::store) fn set_aside(
    connection: &Connection,
    codes: &Codes,
) -> rusqlite::Result<BTreeSet<i64>> {
    let answering = [Role::Primary, Role::Branch].map(|role| codes.role.of(role).unwrap_or(-1));
    let sql = format!(
        "SELECT {} FROM branch b WHERE b.role IN (?1, ?2) AND NOT {} ORDER BY b.id",
        Facts::COLUMNS,
        by_chance(codes, "b.reason")
    );
    let has_metrics = metric::any(connection, metric::SINCE_VERSION)?;
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query(answering)?;
    let mut moved = Gathered::default();
    while let Some(row) = rows.next()? {
        let mut facts = Facts::read(row, codes)?;
        if has_metrics {
            facts = facts.with_metrics(connection)?;
        }
        moved.set_aside(&facts);
        if moved.is_large() {
            write(connection, std::mem::take(&mut moved))?;
        }
    }
    write(connection, moved)?;
    // Of units that nothing is left of there is no bucket.
    connection.execute_batch(
        "DELETE FROM unit_bucket WHERE success = 0 AND failed = 0 AND unfinished = 0;
         DELETE FROM unit_metric WHERE count = 0;",
    )?;
    expose_anew(connection, codes)
}

fn expose_anew(connection: &Connection, codes: &Codes) -> rusqlite::Result<BTreeSet<i64>> {
    let mut gathered = Gathered::default();
    let anew = forget(connection, codes, &mut gathered)?;
    if anew.is_empty() {
        return Ok(BTreeSet::new());
    }
    let sql = format!(
        "SELECT {} FROM branch b WHERE b.role = ?1 AND b.unit IS NOT NULL AND {} ORDER BY b.id",
        Facts::COLUMNS,
        by_chance(codes, "b.reason")
    );
    let mut exposures = Exposures::default();
    let mut chunk = Vec::new();
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([code(&codes.role, Role::Primary)?])?;
    while let Some(row) = rows.next()? {
        let facts = Facts::read(row, codes)?;
        let unit = facts.unit.unwrap_or_default();
        if anew.contains(&[unit, facts.arm.experiment, facts.arm.epoch]) {
            chunk.push(facts);
        }
        if chunk.len() >= CHUNK {
            exposures.settle(connection, &mut gathered, &chunk)?;
            chunk.clear();
        }
    }
    exposures.settle(connection, &mut gathered, &chunk)?;
    write(connection, gathered)?;
    Ok(anew.into_iter().map(|[unit, ..]| unit).collect())
}

/// Removes the first exposures whose branches are there and were not assigned by chance.
fn forget(
    connection: &Connection,
    codes: &Codes,
    gathered: &mut Gathered,
) -> rusqlite::Result<HashSet<Exposed>> {
    let role = code(&codes.role, Role::Primary)?;
    let sql = format!(
        "SELECT e.unit, e.experiment, e.epoch, e.config, e.branch
         FROM exposure e JOIN branch b ON b.id = e.branch WHERE NOT {}",
        by_chance(codes, "b.reason")
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut found = HashSet::new();
    while let Some(row) = rows.next()? {
        let (experiment, epoch) = (row.get(1)?, row.get(2)?);
        let arm = Arm { experiment, config: row.get(3)?, role, epoch };
        gathered.exposure(arm, &row.get(4)?, -1);
        found.insert([row.get(0)?, experiment, epoch]);
    }
    let mut delete = connection
        .prepare("DELETE FROM exposure WHERE unit = ?1 AND experiment = ?2 AND epoch = ?3")?;
    for of in &found {
        delete.execute(*of)?;
    }
    Ok(found)
}

/// Adds it to the rows that hold these minutes: old ones are a part of their hour.
fn write(connection: &Connection, mut gathered: Gathered) -> rusqlite::Result<()> {
    let mut holding = connection.prepare_cached(
        "SELECT minute, span FROM rollup
         WHERE experiment = ?1 AND config = ?2 AND role = ?3 AND epoch = ?4
         AND (minute = ?5 AND span = 1 OR minute = ?6 AND span > 1) ORDER BY span LIMIT 1",
    )?;
    for ((arm, minute), state) in std::mem::take(&mut gathered.states) {
        let Arm { experiment, config, role, epoch } = arm;
        let hour = minute - minute.rem_euclid(60);
        let mut rows = holding.query(params![experiment, config, role, epoch, minute, hour])?;
        let (minute, span) = match rows.next()? {
            Some(row) => (row.get(0)?, row.get(1)?),
            None => (minute, 1),
        };
        add_state(connection, arm, minute, span, &state)?;
    }
    gathered.write(connection)
}
