//! How far from an exposure outcomes count, and what unit keys are hashed with.

use super::{BEFORE_SINCE_VERSION, attribute, removed_before};
use crate::{
    assign::{Keyed, Salt},
    store::{SCHEMA_VERSION, SqliteStore, StoreError, backend::Reader, snapshot},
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, time::Duration};

/// So long after the first exposure outcomes count, where nothing else is said: a week, in ms.
const WINDOW_MS: i64 = 7 * 86_400_000;
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
    /// And so long before a unit was exposed at all, as what it did anyhow; 0: never [default: as long as the window].
    pub before: Option<Duration>,
}

impl OutcomeRules {
    /// Those of an experiment of which nothing is said.
    pub fn new(experiment: impl Into<String>) -> Self {
        let window = Duration::from_millis(WINDOW_MS.unsigned_abs());
        Self { experiment: experiment.into(), salt: None, window, before: None }
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

    /// Outcomes of so long before a unit was exposed for the first time say what it did anyhow; of 0 none do.
    #[must_use]
    pub const fn before(mut self, before: Duration) -> Self {
        self.before = Some(before);
        self
    }

    fn keyed(&self) -> Salt {
        Salt::new(self.salt.as_deref().unwrap_or(&self.experiment))
    }

    fn window_ms(&self) -> i64 {
        ms(self.window)
    }

    fn before_ms(&self) -> Option<i64> {
        self.before.map(ms)
    }

    fn span(&self) -> Span {
        Span::of(self.window_ms(), self.before_ms())
    }
}

fn ms(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

impl SqliteStore {
    /// Says what counts as an outcome of an experiment: from now on, and, if the window (or the time before) is another
    /// than it was, of all outcomes that are there, which are attributed anew in one transaction. To be said before the
    /// experiment begins. An earlier salt of it is not forgotten: its units still have outcomes. What the store knows
    /// already is only read. Blocks.
    ///
    /// # Errors
    ///
    /// When something is new, and the store was opened for reading, or the file cannot be written; when the window (or
    /// the time before) is another and outcomes were removed, which nothing can attribute anew; and when there are 256 salts already.
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
                && span(&connection, name, version)? == rules.span())
        };
        has().map_err(|error| self.failed("read", error))
    }
}

fn set(connection: &Connection, rules: &OutcomeRules) -> rusqlite::Result<Result<(), String>> {
    let name = &rules.experiment;
    if !add_salt(connection, name, rules.keyed().key())? {
        return Ok(Err(format!("it has {MAX_SALTS} salts of experiments already")));
    }
    let (known, new) = (span(connection, name, SCHEMA_VERSION)?, rules.span());
    let is_other = known != new && attribute::has_outcomes(connection)?;
    if is_other && removed_before(connection)?.is_some() {
        let (what, key, ms) = if known.window_ms == new.window_ms {
            ("time before exposures", "before", known.before_ms)
        } else {
            ("window", "window", known.window_ms)
        };
        let seconds = ms / 1_000;
        return Ok(Err(format!(
            "the {what} of outcomes of `{name}` stays {seconds} s: outcomes were removed, which cannot be attributed \
             anew; write `outcomes: {{ {key}: {seconds}s }}`"
        )));
    }
    connection.execute(
        "INSERT OR REPLACE INTO outcome_window (experiment, window_ms, before_ms) VALUES (?1, ?2, ?3)",
        params![name, rules.window_ms(), rules.before_ms()],
    )?;
    if is_other {
        attribute::anew(connection, name)?;
    }
    snapshot::grow(connection)?;
    Ok(Ok(()))
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

/// How far from an exposure outcomes count, in ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct Span {
    /// After it.
    pub(super) window_ms: i64,
    /// Before the unit was exposed at all; 0 if none do.
    pub(super) before_ms: i64,
}

impl Span {
    fn of(window_ms: i64, before_ms: Option<i64>) -> Self {
        Self { window_ms, before_ms: before_ms.unwrap_or(window_ms) }
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self::of(row.get(0)?, row.get(1)?))
    }

    /// What it comes to in a store of this version, if this is what is said there.
    fn in_version(said: Option<Self>, version: i32) -> Self {
        let span = said.unwrap_or_else(|| Self::of(WINDOW_MS, None));
        let counts_before = version >= BEFORE_SINCE_VERSION;
        Self { before_ms: if counts_before { span.before_ms } else { 0 }, ..span }
    }

    const fn columns(version: i32) -> &'static str {
        if version < BEFORE_SINCE_VERSION { "window_ms, NULL" } else { "window_ms, before_ms" }
    }
}

pub(super) fn span(connection: &Connection, name: &str, version: i32) -> rusqlite::Result<Span> {
    let columns = Span::columns(version);
    let said = connection
        .prepare_cached(&format!("SELECT {columns} FROM outcome_window WHERE experiment = ?1"))?
        .query_row([name], Span::read)
        .optional()?;
    Ok(Span::in_version(said, version))
}

/// The spans of experiments by their keys, each looked up once in a transaction.
#[derive(Debug)]
pub(super) struct Spans {
    version: i32,
    known: HashMap<i64, Span>,
}

impl Default for Spans {
    fn default() -> Self {
        Self::of_version(SCHEMA_VERSION)
    }
}

impl Spans {
    /// In a store of this version.
    pub(super) fn of_version(version: i32) -> Self {
        Self { version, known: HashMap::new() }
    }

    pub(super) fn of(
        &mut self,
        connection: &Connection,
        experiment: i64,
    ) -> rusqlite::Result<Span> {
        if let Some(known) = self.known.get(&experiment) {
            return Ok(*known);
        }
        let sql = format!(
            "SELECT {} FROM outcome_window
             WHERE experiment = (SELECT name FROM experiment WHERE key = ?1)",
            Span::columns(self.version)
        );
        let said =
            connection.prepare_cached(&sql)?.query_row([experiment], Span::read).optional()?;
        let span = Span::in_version(said, self.version);
        self.known.insert(experiment, span);
        Ok(span)
    }
}
