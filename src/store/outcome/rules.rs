//! How long after an exposure outcomes count, and what unit keys are hashed with.

use super::{attribute, removed_before};
use crate::{
    assign::{Keyed, Salt},
    store::{SqliteStore, StoreError, backend::Reader},
};
use rusqlite::{Connection, OptionalExtension, params};
use std::{collections::HashMap, time::Duration};

/// So long after the first exposure outcomes count, where nothing else is said: a week, in ms.
pub(super) const WINDOW_MS: i64 = 7 * 86_400_000;
/// Salts of all experiments, now and earlier: each outcome of a plain key takes a row for each.
const MAX_SALTS: i64 = 256;

/// What counts as an outcome of an experiment.
///
/// Not needed where the salt is the experiment's name and a week is right. `spearmint serve` says it of its
/// file's experiment.
///
/// ```
/// use std::time::Duration;
/// use tower_spearmint::store::{OutcomeRules, SqliteStore};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let file = std::env::temp_dir().join(format!("spearmint-doc-rules-{}.db", std::process::id()));
/// # let _ = std::fs::remove_file(&file);
/// let store = SqliteStore::open(&file)?;
/// let rules = OutcomeRules::new("ranker").salt("2026").window(Duration::from_secs(3 * 86_400));
/// store.set_outcome_rules(&rules)?;
/// # std::fs::remove_file(&file)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutcomeRules {
    /// The name of the experiment.
    pub experiment: String,
    /// The salt that its units are assigned with [default: its name].
    pub salt: Option<String>,
    /// So long after a unit's first exposure an outcome counts [default: 7 days].
    pub window: Duration,
}

impl OutcomeRules {
    /// Those of an experiment of which nothing is said.
    pub fn new(experiment: impl Into<String>) -> Self {
        let window = Duration::from_millis(WINDOW_MS.unsigned_abs());
        Self { experiment: experiment.into(), salt: None, window }
    }

    /// Its units are assigned with this salt.
    #[must_use]
    pub fn salt(mut self, salt: impl Into<String>) -> Self {
        self.salt = Some(salt.into());
        self
    }

    /// Outcomes count for so long after the first exposure.
    #[must_use]
    pub const fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    fn keyed(&self) -> Salt {
        Salt::new(self.salt.as_deref().unwrap_or(&self.experiment))
    }

    fn window_ms(&self) -> i64 {
        i64::try_from(self.window.as_millis()).unwrap_or(i64::MAX)
    }
}

impl SqliteStore {
    /// Says what counts as an outcome of an experiment: from now on, and, if the window is another than before,
    /// of all outcomes that are there, which are attributed anew in one transaction. To be said before the
    /// experiment begins. An earlier salt of it is not forgotten: its units still have outcomes. What the store knows
    /// already is only read. Blocks.
    ///
    /// # Errors
    ///
    /// When something is new, and the store was opened for reading, or the file cannot be written; when the window is
    /// another and outcomes were removed, which nothing can attribute anew; and when there are 256 salts already.
    pub fn set_outcome_rules(&self, rules: &OutcomeRules) -> Result<(), StoreError> {
        // Whoever writes need not be waited for then. (What cannot be read, cannot be written.)
        if self.has_outcome_rules(rules).unwrap_or(false) {
            return Ok(());
        }
        let set =
            self.with_writer(|writer| writer.transact(|connection, _| set(connection, rules)));
        match set? {
            Ok(()) => Ok(()),
            Err(reason) => Err(StoreError::OutcomeRules { path: self.path().to_owned(), reason }),
        }
    }

    fn has_outcome_rules(&self, rules: &OutcomeRules) -> Result<bool, StoreError> {
        let Reader { connection, version, .. } = self.reader()?;
        let has = || {
            let name = &rules.experiment;
            Ok(version >= super::SINCE_VERSION
                && has_salt(&connection, name, rules.keyed().key())?
                && window_ms(&connection, name)? == rules.window_ms())
        };
        has().map_err(|error| self.failed("read", error))
    }
}

fn set(connection: &Connection, rules: &OutcomeRules) -> rusqlite::Result<Result<(), String>> {
    let name = &rules.experiment;
    if !add_salt(connection, name, rules.keyed().key())? {
        return Ok(Err(format!("it has {MAX_SALTS} salts of experiments already")));
    }
    let before = window_ms(connection, name)?;
    let now = rules.window_ms();
    if before != now && attribute::has_outcomes(connection)? {
        if removed_before(connection)?.is_some() {
            return Ok(Err(format!(
                "the window of outcomes of `{name}` stays {} s: outcomes were removed, which cannot be \
                 attributed anew",
                before / 1_000
            )));
        }
        write_window(connection, name, now)?;
        attribute::anew(connection, name)?;
    } else {
        write_window(connection, name, now)?;
    }
    Ok(Ok(()))
}

fn write_window(connection: &Connection, name: &str, window_ms: i64) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT OR REPLACE INTO outcome_window VALUES (?1, ?2)",
        params![name, window_ms],
    )?;
    Ok(())
}

fn has_salt(connection: &Connection, name: &str, key: &Keyed) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM outcome_salt WHERE experiment = ?1 AND key = ?2")?
        .exists(params![name, key.as_bytes()])
}

/// `false` if there is no room for it.
fn add_salt(connection: &Connection, name: &str, key: &Keyed) -> rusqlite::Result<bool> {
    let new = connection
        .prepare_cached("INSERT INTO outcome_salt VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![name, key.as_bytes()])?;
    if new == 0 {
        return Ok(true);
    }
    let sql = "SELECT count(*) FROM outcome_salt";
    let count: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    if count > MAX_SALTS {
        let sql = "DELETE FROM outcome_salt WHERE experiment = ?1 AND key = ?2";
        connection.execute(sql, params![name, key.as_bytes()])?;
    }
    Ok(count <= MAX_SALTS)
}

/// What keys of units are hashed with: once for each salt that some experiment has or had.
pub(super) fn salts(connection: &Connection) -> rusqlite::Result<Vec<Keyed>> {
    let unsaid: Vec<String> = {
        let mut statement = connection.prepare_cached(
            "SELECT DISTINCT name FROM experiment
             WHERE name NOT IN (SELECT experiment FROM outcome_salt)",
        )?;
        statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?
    };
    for name in unsaid {
        // One that finds no room any more has no outcomes of plain keys.
        add_salt(connection, &name, Salt::new(&name).key())?;
    }
    let mut statement = connection.prepare_cached("SELECT DISTINCT key FROM outcome_salt")?;
    let keys = statement.query_map([], |row| row.get(0).map(Keyed::of_bytes))?;
    keys.collect()
}

fn window_ms(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    let known = connection
        .prepare_cached("SELECT window_ms FROM outcome_window WHERE experiment = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    Ok(known.unwrap_or(WINDOW_MS))
}

/// The windows of experiments by their keys, each looked up once in a transaction.
#[derive(Debug, Default)]
pub(super) struct Windows(HashMap<i64, i64>);

impl Windows {
    pub(super) fn ms(&mut self, connection: &Connection, experiment: i64) -> rusqlite::Result<i64> {
        if let Some(known) = self.0.get(&experiment) {
            return Ok(*known);
        }
        let ms = connection
            .prepare_cached(
                "SELECT w.window_ms FROM experiment e JOIN outcome_window w ON w.experiment = e.name
                 WHERE e.key = ?1",
            )?
            .query_row([experiment], |row| row.get(0))
            .optional()?
            .unwrap_or(WINDOW_MS);
        self.0.insert(experiment, ms);
        Ok(ms)
    }
}
