//! Writing comparisons: a small row for each, and what they come to by path.

use super::{
    bounded,
    codes::Codes,
    keys::ArmOf,
    rollup::{self, Gathered},
    schema,
    write::{Memory, code, signed},
};
use crate::compare::{Comparison, Difference};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{HashMap, hash_map::Entry};

/// How many paths of one experiment are counted each for itself.
const MAX_PATHS: u64 = 10_000;
/// What all further paths count as. (A comparison's own paths never begin so.)
pub(super) const OTHER: &str = "…other";
/// The most bytes of a path.
const MAX_PATH: usize = 512;
/// How many examples of a path are kept.
const MAX_EXAMPLES: u64 = 20;
/// Beyond these, a new one takes the place of the oldest when the newest is so old: examples
/// stay fresh, and a path that always differs costs one row a minute.
const REFRESH_MS: u64 = 60_000;
/// How many paths, and how many paths' examples, are remembered.
const MAX_KNOWN: usize = 32_768;

/// Experiment, config and role.
type Arm = [i64; 3];

/// What was looked up before.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// By experiment.
    paths: HashMap<i64, Paths>,
    examples: HashMap<(Arm, i64), Examples>,
}

/// The paths of one experiment.
#[derive(Debug)]
struct Paths {
    keys: HashMap<Box<str>, i64>,
    /// How many there are.
    count: u64,
}

/// The examples of one path.
#[derive(Debug)]
struct Examples {
    count: u64,
    newest_ms: u64,
}

/// What the comparisons of a batch come to.
#[derive(Debug, Default)]
struct Tally {
    arms: HashMap<Arm, Total>,
    /// Pairs by path and kind.
    paths: HashMap<(Arm, i64, i64), u64>,
}

#[derive(Debug, Default)]
struct Total {
    compared: u64,
    different: u64,
    uncounted: u64,
}

/// Inserts those that are new, and counts them.
pub(super) fn insert(
    connection: &Connection,
    memory: &mut Memory,
    codes: &Codes,
    batch: &[&Comparison],
) -> rusqlite::Result<()> {
    let Memory { keys, compared, .. } = memory;
    let mut statement = connection.prepare_cached(schema::INSERT_COMPARISON)?;
    let mut tally = Tally::default();
    let mut gathered = Gathered::default();
    for comparison in batch {
        let (experiment, config) = keys.of_arm(connection, ArmOf::comparison(comparison))?;
        let arm = [experiment, config, code(&codes.role, comparison.role)?];
        let (_, epoch) = keys.epoch(connection, comparison.epoch)?;
        let (list, more) = (comparison.differences.list(), comparison.differences.more());
        let new = statement.execute(params![
            comparison.branch.as_bytes(),
            (comparison.primary != comparison.request_id).then(|| comparison.primary.as_bytes()),
            experiment,
            config,
            arm[2],
            signed(list.len() as u64 + more),
            epoch,
        ])?;
        if new == 0 {
            continue;
        }
        let rolled_up = rollup::Arm { experiment, config, role: arm[2], epoch };
        gathered.compared(rolled_up, comparison.branch.as_bytes(), comparison.is_equal());
        let total = tally.arms.entry(arm).or_default();
        total.compared += 1;
        total.different += u64::from(!comparison.is_equal());
        total.uncounted += more;
        if !comparison.is_equal() {
            compared.insert_paths(connection, codes, arm, comparison, &mut tally)?;
        }
    }
    gathered.write(connection)?;
    tally.write(connection)
}

impl Compared {
    /// Counts the paths at which a pair differs, each once, and keeps what stands there.
    fn insert_paths(
        &mut self,
        connection: &Connection,
        codes: &Codes,
        arm: Arm,
        comparison: &Comparison,
        tally: &mut Tally,
    ) -> rusqlite::Result<()> {
        let mut seen = Vec::new();
        for difference in comparison.differences.list() {
            let (path, is_other) = self.path(connection, arm[0], &difference.path)?;
            if seen.contains(&path) {
                continue;
            }
            seen.push(path);
            let kind = code(&codes.difference, difference.kind)?;
            *tally.paths.entry((arm, path, kind)).or_default() += 1;
            if !is_other {
                self.insert_example(connection, arm, path, kind, comparison, difference)?;
            }
        }
        Ok(())
    }

    /// The key of a path, and whether it stands for all that found no place of their own.
    fn path(
        &mut self,
        connection: &Connection,
        experiment: i64,
        path: &str,
    ) -> rusqlite::Result<(i64, bool)> {
        if self.paths.values().map(|paths| paths.keys.len()).sum::<usize>() >= MAX_KNOWN {
            self.paths.clear();
        }
        let paths = match self.paths.entry(experiment) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let count = connection
                    .prepare_cached("SELECT count(*) FROM path WHERE experiment = ?1")?
                    .query_row([experiment], |row| row.get::<_, i64>(0))?;
                new.insert(Paths { keys: HashMap::new(), count: count.cast_unsigned() })
            }
        };
        let cut;
        let path = if path.len() <= MAX_PATH {
            path
        } else {
            cut = bounded::cut(path, MAX_PATH);
            &*cut
        };
        if let Some(known) = paths.keys.get(path) {
            return Ok((*known, false));
        }
        if let Some(key) = find_path(connection, experiment, path)? {
            paths.keys.insert(path.into(), key);
            return Ok((key, false));
        }
        if paths.count >= MAX_PATHS {
            let key = match find_path(connection, experiment, OTHER)? {
                Some(key) => key,
                None => insert_path(connection, experiment, OTHER)?,
            };
            return Ok((key, true));
        }
        let key = insert_path(connection, experiment, path)?;
        paths.count += 1;
        paths.keys.insert(path.into(), key);
        Ok((key, false))
    }

    fn insert_example(
        &mut self,
        connection: &Connection,
        arm: Arm,
        path: i64,
        kind: i64,
        comparison: &Comparison,
        difference: &Difference,
    ) -> rusqlite::Result<()> {
        let [experiment, config, role] = arm;
        let key = params![experiment, config, role, path];
        if self.examples.len() >= MAX_KNOWN {
            self.examples.clear();
        }
        let at_ms = millis(comparison.branch.as_bytes());
        let kept = match self.examples.entry((arm, path)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let sql = "SELECT count(*), max(branch) FROM difference
                           WHERE experiment = ?1 AND config = ?2 AND role = ?3 AND path = ?4";
                new.insert(connection.prepare_cached(sql)?.query_row(key, |row| {
                    let newest: Option<[u8; 16]> = row.get(1)?;
                    let count = row.get::<_, i64>(0)?.cast_unsigned();
                    Ok(Examples { count, newest_ms: newest.map_or(0, |id| millis(&id)) })
                })?)
            }
        };
        if kept.count >= MAX_EXAMPLES {
            if at_ms < kept.newest_ms.saturating_add(REFRESH_MS) {
                return Ok(());
            }
            connection.prepare_cached(schema::DELETE_DIFFERENCE)?.execute(key)?;
            kept.count -= 1;
        }
        kept.count += 1;
        kept.newest_ms = kept.newest_ms.max(at_ms);
        connection.prepare_cached(schema::INSERT_DIFFERENCE)?.execute(params![
            experiment,
            config,
            role,
            path,
            comparison.branch.as_bytes(),
            comparison.primary.as_bytes(),
            kind,
            difference.primary,
            difference.shadow,
        ])?;
        Ok(())
    }
}

impl Tally {
    fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(schema::ADD_COMPARISON_COUNT)?;
        for ([experiment, config, role], total) in self.arms {
            statement.execute(params![
                experiment,
                config,
                role,
                signed(total.compared),
                signed(total.different),
                signed(total.uncounted),
            ])?;
        }
        let mut statement = connection.prepare_cached(schema::ADD_PATH_COUNT)?;
        for (([experiment, config, role], path, kind), pairs) in self.paths {
            statement.execute(params![experiment, config, role, path, kind, signed(pairs)])?;
        }
        Ok(())
    }
}

fn find_path(
    connection: &Connection,
    experiment: i64,
    path: &str,
) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT key FROM path WHERE experiment = ?1 AND path = ?2")?
        .query_row(params![experiment, path], |row| row.get(0))
        .optional()
}

fn insert_path(connection: &Connection, experiment: i64, path: &str) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("INSERT INTO path (experiment, path) VALUES (?1, ?2)")?
        .insert(params![experiment, path])
}

/// The time of an id: its first 48 bits are milliseconds.
fn millis(id: &[u8; 16]) -> u64 {
    id[..6].iter().fold(0, |ms, byte| ms << 8 | u64::from(*byte))
}
