//! Writing.

mod rows;

use super::{
    codes::{Code, Coded, Codes},
    compared::{self, Compared},
    keys::Keys,
    loss,
    metric::{self, MetricNames},
    open, outbox, outcome,
    retention::Keeper,
    rollup::{self, Facts, Rollups},
    schema, snapshot,
};
use crate::{
    branch::{Branch, BranchId, Failure},
    compare::Comparison,
    record::Loss,
};
use rows::{insert, insert_details, insert_failure};
use rusqlite::{Connection, params};
#[cfg(feature = "server")]
use std::time::Duration;

/// The one connection that writes.
#[derive(Debug)]
pub(super) struct Writer {
    connection: Connection,
    memory: Memory,
    codes: Codes,
    limits: Limits,
    keeper: Keeper,
}

/// What was looked up before.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) keys: Keys,
    pub(super) compared: Compared,
    pub(super) rollups: Rollups,
    pub(super) metrics: MetricNames,
}

impl Memory {
    /// After a transaction that failed: what it inserted is not there.
    fn forget(&mut self) {
        self.keys.forget();
        self.compared = Compared::default();
        self.rollups = Rollups::default();
        self.metrics = MetricNames::default();
    }
}

/// What a transaction comes to, and whether what it wrote is kept.
#[cfg(feature = "server")]
pub(crate) enum Kept<T> {
    Yes(T),
    No(T),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) output: usize,
    pub(super) failure: usize,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        codes: Codes,
        limits: Limits,
        keeper: Keeper,
    ) -> Self {
        // As many as are used in one batch of branches or of calls.
        connection.set_prepared_statement_cache_capacity(128);
        Self { connection, memory: Memory::default(), codes, limits, keeper }
    }

    /// Keeps all of `batch` and what was lost before it, in one transaction, or none of it. A branch that is
    /// there already stays as it is.
    pub(super) fn write(&mut self, batch: &[Branch], losses: &[Loss]) -> rusqlite::Result<()> {
        let mut sorted: Vec<&Branch> = batch.iter().collect();
        // They come in the order in which they ended; appending costs least in that of the ids.
        sorted.sort_unstable_by_key(|branch| branch.id);
        self.transaction(|connection, memory, codes, limits| {
            // Looked up once a batch, not once a row.
            let mut statement = connection.prepare_cached(schema::INSERT_BRANCH)?;
            let mut new = Vec::with_capacity(sorted.len());
            for branch in sorted {
                let own = memory.keys.of(connection, branch)?;
                if insert(&mut statement, codes, own, branch)? {
                    let mut facts = Facts::of(branch, own, codes)?;
                    facts.bytes += insert_details(connection, limits, branch.id, branch)?;
                    if !branch.metrics.is_empty() {
                        let (names, id) = (&mut memory.metrics, branch.id.as_bytes());
                        let (values, rows) =
                            metric::insert(connection, names, own.experiment, id, &branch.metrics)?;
                        facts.add_metrics(values, rows);
                    }
                    new.push(facts);
                }
            }
            let exposed = memory.rollups.add(connection, codes, &new)?;
            outcome::exposed(connection, &exposed)?;
            loss::add(connection, losses)?;
            outbox::note_late(connection, &new)
        })
    }

    /// Keeps what was lost.
    pub(super) fn write_losses(&mut self, losses: &[Loss]) -> rusqlite::Result<()> {
        if losses.is_empty() {
            return Ok(());
        }
        self.transaction(|connection, _, _, _| {
            loss::add(connection, losses)?;
            snapshot::grow(connection)
        })
    }

    /// Keeps all of `batch`, in one transaction, or none of it. A comparison that is there
    /// already stays as it is, and is not counted again.
    pub(super) fn write_comparisons(&mut self, batch: &[Comparison]) -> rusqlite::Result<()> {
        let mut sorted: Vec<&Comparison> = batch.iter().collect();
        sorted.sort_unstable_by_key(|comparison| comparison.branch);
        self.transaction(|connection, memory, codes, _| {
            compared::insert(connection, memory, codes, &sorted)
        })
    }

    /// Changes how a branch ended. `false` when it is not there.
    pub(super) fn set_end(&mut self, id: BranchId, branch: &Branch) -> rusqlite::Result<bool> {
        self.transaction(|connection, memory, codes, limits| {
            let Some(before) = rollup::find(connection, codes, id.as_bytes())? else {
                return Ok(false);
            };
            let said = metric::of_branch(connection, id.as_bytes())?;
            if !branch.metrics.iter().eq(said.iter()) {
                let (names, experiment) = (&mut memory.metrics, before.experiment());
                metric::insert(connection, names, experiment, id.as_bytes(), &branch.metrics)?;
            }
            connection.prepare_cached(schema::UPDATE_BRANCH)?.execute(params![
                id.as_bytes(),
                code(&codes.status, branch.status)?,
                signed(branch.start_ns),
                signed(branch.duration_ns),
                option_code(&codes.failure, branch.failure.as_ref().map(|failure| failure.kind))?,
                option_code(&codes.skip, branch.skip)?,
                branch.retry_count,
                branch.first_byte_ns.map(signed),
                branch.bytes_in.map(signed),
                branch.bytes_out.map(signed),
            ])?;
            insert_details(connection, limits, id, branch)?;
            rollup::change(connection, codes, &before)?;
            outbox::note_change(connection, id.as_bytes())?;
            Ok(true)
        })
    }

    /// Adds the failure of a branch. `false` when the branch is not there.
    pub(super) fn set_failure(
        &mut self,
        id: BranchId,
        failure: &Failure,
    ) -> rusqlite::Result<bool> {
        self.transaction(|connection, _, codes, limits| {
            let Some(before) = rollup::find(connection, codes, id.as_bytes())? else {
                return Ok(false);
            };
            connection
                .prepare_cached("UPDATE branch SET failure = ?2 WHERE id = ?1")?
                .execute(params![id.as_bytes(), code(&codes.failure, failure.kind)?])?;
            insert_failure(connection, limits, id, failure)?;
            rollup::change(connection, codes, &before)?;
            outbox::note_change(connection, id.as_bytes())?;
            Ok(true)
        })
    }

    /// Runs what others want written: outcomes, the store's network face, and who sends branches elsewhere.
    pub(super) fn transact<T>(
        &mut self,
        work: impl FnOnce(&Connection, &Codes) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.transaction(|connection, _, codes, _| work(connection, codes))
    }

    /// The same, if nobody else writes to the file at this moment; `None` otherwise. What is not to
    /// be kept is rolled back.
    #[cfg(feature = "server")]
    pub(super) fn transact_at_once<T>(
        &mut self,
        patience: Duration,
        work: impl FnOnce(&Connection, &Codes) -> rusqlite::Result<Kept<T>>,
    ) -> Option<rusqlite::Result<T>> {
        if !self.connection.is_autocommit() || self.connection.busy_timeout(Duration::ZERO).is_err()
        {
            return None;
        }
        let begun =
            self.connection.prepare_cached("BEGIN IMMEDIATE").and_then(|mut s| s.execute([]));
        let patient = self.connection.busy_timeout(patience);
        begun.ok()?;
        let run = |sql| self.connection.prepare_cached(sql)?.execute([]).map(drop);
        let result =
            patient.and_then(|()| work(&self.connection, &self.codes)).and_then(
                |kept| match kept {
                    Kept::Yes(value) => run("COMMIT").map(|()| value),
                    Kept::No(value) => run("ROLLBACK").map(|()| value),
                },
            );
        if result.is_err() {
            self.memory.forget();
            // (What cannot be rolled back now is, before the next transaction.)
            let _ = run("ROLLBACK");
        }
        Some(result)
    }

    /// The connection, in no transaction.
    pub(super) fn connection(&mut self) -> rusqlite::Result<&mut Connection> {
        if !self.connection.is_autocommit() {
            // The disk failed so badly that the last batch could not even be rolled back.
            self.connection.execute_batch("ROLLBACK")?;
        }
        Ok(&mut self.connection)
    }

    /// A slice of what keeps the file within its bounds.
    pub(super) fn keep(&mut self) {
        if self.connection.is_autocommit() {
            self.keeper.keep(&mut self.connection, self.memory.keys.experiments());
        }
    }

    fn transaction<T>(
        &mut self,
        work: impl FnOnce(&Connection, &mut Memory, &Codes, Limits) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.connection()?;
        let result = open::immediate(&mut self.connection).and_then(|transaction| {
            let value = work(&transaction, &mut self.memory, &self.codes, self.limits)?;
            transaction.commit()?;
            Ok(value)
        });
        if let Err(error) = &result {
            self.memory.forget();
            if is_damage(error) {
                // What it has read must not outlive the damage: the file may have been mended.
                // There is nothing to do if that fails, and nothing lost.
                let _ = self.connection.release_memory();
            }
        }
        result
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

/// SQLite's integers are signed; this is enough for times until the year 2262.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn option_code<T: Coded>(
    codes: &Code<T>,
    value: Option<T>,
) -> rusqlite::Result<Option<i64>> {
    value.map(|value| code(codes, value)).transpose()
}

pub(super) fn code<T: Coded>(codes: &Code<T>, value: T) -> rusqlite::Result<i64> {
    // Opening a file for writing has given every name a code, so this does not happen.
    codes.of(value).ok_or_else(|| rusqlite::Error::InvalidParameterName(value.name().to_owned()))
}
