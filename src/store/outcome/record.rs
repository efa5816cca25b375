//! Recording outcomes.

#[cfg(any(feature = "server", feature = "proxy"))]
use super::OutcomeBatch;
use super::{
    Outcome, OutcomeError, OutcomeUnit,
    attribute::{self, Fact},
    known::{Known, MAX_NAMES, key_of, new_name, to_blob},
    removed_before,
    rules::{Spans, salts},
    sums::Sums,
};
use crate::{
    assign::Keyed,
    store::{SqliteStore, StoreError, snapshot},
};
use rusqlite::{Connection, params};
use serde::Serialize;
use std::time::{SystemTime, UNIX_EPOCH};

/// The most outcomes of one transaction, during which nobody else writes.
const MAX_BATCH: usize = 10_000;
/// And the most hashes of their units, one of each outcome under each salt.
const MAX_HASHES: usize = 40_000;

/// What became of a batch of outcomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OutcomesRecorded {
    /// Those that were not there before.
    pub new: u64,
    /// Those that were there already: nothing changed.
    pub known: u64,
    /// Of the new, those that follow an exposure, and count for it.
    pub attributed: u64,
    /// Of the new, those that follow none: their unit was not exposed, or too long before, or only after (so that they
    /// may count as what came before). If its exposure is recorded yet, they belong to it then.
    pub unattributed: u64,
}

impl OutcomesRecorded {
    /// Both together.
    #[must_use]
    pub const fn and(mut self, other: Self) -> Self {
        self.new += other.new;
        self.known += other.known;
        self.attributed += other.attributed;
        self.unattributed += other.unattributed;
        self
    }
}

impl SqliteStore {
    /// Keeps outcomes, all of a batch or none, and attributes them to the exposures of their units: in every
    /// experiment and epoch in which the unit was exposed for the first time within the
    /// [window](super::OutcomeRules) before. One whose id is there already changes nothing. They may come in any order,
    /// and before the branches of their unit. Up to 10,000 at once, and where experiments have or had more than four
    /// salts, up to 40,000 through their number. Blocks.
    ///
    /// ```
    /// use tower_spearmint::store::{Outcome, SqliteStore};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let file = std::env::temp_dir().join(format!("spearmint-doc-outcome-{}.db", std::process::id()));
    /// # let _ = std::fs::remove_file(&file);
    /// let store = SqliteStore::open(&file)?;
    /// # store.set_outcome_rules(&tower_spearmint::store::OutcomeRules::new("ranker"))?;
    /// let recorded = store.record_outcomes(&[
    ///     Outcome::new("order-1001", "ann", "purchase"),
    ///     Outcome::new("order-1001/total", "ann", "revenue").value(19.9),
    /// ])?;
    /// assert_eq!((recorded.new, recorded.known), (2, 0));
    /// # std::fs::remove_file(&file)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError::Outcome`], with its place, when one is not as it should be, or is another than that of the
    /// same id; when there are too many; and when the store was opened for reading, or the file cannot be written.
    pub fn record_outcomes(&self, outcomes: &[Outcome]) -> Result<OutcomesRecorded, StoreError> {
        let recorded = self.with_writer(|writer| {
            writer.transact(|connection, _| record(connection, outcomes, now_ms()))
        });
        recorded?.map_err(StoreError::Outcome)
    }

    /// Keeps those outcomes that are as they should be, and says what is wrong with the others. There may be any
    /// number of them: others can write in between. Of a `dry_run` nothing is kept. Otherwise as
    /// [`record_outcomes`](Self::record_outcomes). Blocks.
    ///
    /// # Errors
    ///
    /// When the store was opened for reading, or the file cannot be written; the first of them may be kept then.
    pub fn import_outcomes(
        &self,
        outcomes: &[Outcome],
        dry_run: bool,
    ) -> Result<(OutcomesRecorded, Vec<OutcomeError>), StoreError> {
        let (mut recorded, mut refused) = (OutcomesRecorded::default(), Vec::new());
        let mut done = 0;
        while let Some(rest) = outcomes.get(done..).filter(|rest| !rest.is_empty()) {
            let (count, here, wrong) = self.with_writer(|writer| {
                writer.transact(|connection, _| import(connection, rest, dry_run))
            })?;
            recorded = recorded.and(here);
            refused.extend(wrong.into_iter().map(|error| {
                let place = error.at + done as u64;
                error.at(place)
            }));
            done += count;
        }
        Ok((recorded, refused))
    }
}

/// As many of them as may come at once: how many these are, and what became of them.
fn import(
    connection: &Connection,
    outcomes: &[Outcome],
    dry_run: bool,
) -> rusqlite::Result<(usize, OutcomesRecorded, Vec<OutcomeError>)> {
    connection.execute_batch("SAVEPOINT import")?;
    let salts = salts(connection)?;
    let count = outcomes.len().min(at_once(&salts));
    let outcomes = outcomes.get(..count).unwrap_or(outcomes);
    let (recorded, refused) = each(connection, outcomes, salts, now_ms(), |_| true)?;
    connection.execute_batch(if dry_run { "ROLLBACK TO import" } else { "RELEASE import" })?;
    Ok((count, recorded, refused))
}

#[cfg(any(feature = "server", feature = "proxy"))]
impl OutcomeBatch {
    /// Keeps all of them, within a transaction, or none.
    pub(crate) fn record(
        &self,
        connection: &Connection,
    ) -> rusqlite::Result<Result<OutcomesRecorded, OutcomeError>> {
        let recorded = record(connection, &self.outcomes, now_ms())?;
        Ok(recorded.map_err(|error| {
            let place = usize::try_from(error.at).unwrap_or(0).checked_sub(1);
            let line = place.and_then(|place| self.lines.get(place).copied()).unwrap_or(0);
            error.at(line)
        }))
    }

    /// The same, of a store. Blocks.
    ///
    /// # Errors
    ///
    /// As [`SqliteStore::record_outcomes`]; places are lines.
    #[cfg(feature = "proxy")]
    pub(crate) fn record_in(&self, store: &SqliteStore) -> Result<OutcomesRecorded, StoreError> {
        let recorded =
            store.with_writer(|writer| writer.transact(|connection, _| self.record(connection)));
        recorded?.map_err(StoreError::Outcome)
    }
}

pub(super) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// Keeps all of them, within a transaction, or none.
fn record(
    connection: &Connection,
    outcomes: &[Outcome],
    now_ms: u64,
) -> rusqlite::Result<Result<OutcomesRecorded, OutcomeError>> {
    let salts = salts(connection)?;
    let most = at_once(&salts);
    if outcomes.len() > most {
        let (count, salts) = (outcomes.len(), salts.len());
        let why =
            if most < MAX_BATCH { format!(", as there are {salts} salts") } else { String::new() };
        let reason = format!("{count} outcomes at once; send at most {most}{why}");
        return Ok(Err(OutcomeError::too_many(reason)));
    }
    connection.execute_batch("SAVEPOINT outcomes")?;
    let (recorded, mut refused) = each(connection, outcomes, salts, now_ms, |_| false)?;
    let Some(refused) = refused.pop() else {
        connection.execute_batch("RELEASE outcomes")?;
        return Ok(Ok(recorded));
    };
    connection.execute_batch("ROLLBACK TO outcomes; RELEASE outcomes")?;
    Ok(Err(refused))
}

/// How many outcomes one transaction takes.
fn at_once(salts: &[Keyed]) -> usize {
    MAX_BATCH.min(MAX_HASHES / salts.len().max(1)).max(1)
}

/// Keeps one after the other, as long as `goes_on` after one that is refused.
fn each(
    connection: &Connection,
    outcomes: &[Outcome],
    salts: Vec<Keyed>,
    now_ms: u64,
    goes_on: impl Fn(&OutcomeError) -> bool,
) -> rusqlite::Result<(OutcomesRecorded, Vec<OutcomeError>)> {
    let mut recording = Recording {
        salts,
        removed_before: removed_before(connection)?,
        spans: Spans::default(),
        sums: Sums::default(),
        recorded: OutcomesRecorded::default(),
    };
    let mut refused = Vec::new();
    for (at, outcome) in outcomes.iter().enumerate() {
        if let Err(error) = recording.one(connection, outcome, now_ms)? {
            let error = error.at(at as u64 + 1);
            let ends = !goes_on(&error);
            refused.push(error);
            if ends {
                break;
            }
        }
    }
    recording.sums.write(connection)?;
    snapshot::grow(connection)?;
    Ok((recording.recorded, refused))
}

struct Recording {
    salts: Vec<Keyed>,
    removed_before: Option<i64>,
    spans: Spans,
    sums: Sums,
    recorded: OutcomesRecorded,
}

impl Recording {
    fn one(
        &mut self,
        connection: &Connection,
        outcome: &Outcome,
        now_ms: u64,
    ) -> rusqlite::Result<Result<(), OutcomeError>> {
        let value = match outcome.checked(now_ms) {
            Ok(value) => value,
            Err(error) => return Ok(Err(error)),
        };
        let units = match self.units(&outcome.unit) {
            Ok(units) => units,
            Err(error) => return Ok(Err(error)),
        };
        let at_ms = i64::try_from(outcome.at_ms.unwrap_or(now_ms)).unwrap_or(i64::MAX);
        let known_name = key_of(connection, &outcome.name)?;
        if let Some(known) = Known::find(connection, &outcome.id)? {
            let at_ms = outcome.at_ms.map(|_| at_ms);
            if let Some(other) = known.differs(known_name, value, at_ms, &units) {
                return Ok(Err(OutcomeError::conflict(format!(
                    "there is an outcome `{}` already, of another {other}; give this one an id of its own",
                    outcome.id
                ))));
            }
            self.recorded.known += 1;
            self.complete(connection, known, units)?;
            return Ok(Ok(()));
        }
        if let Some(before) = self.removed_before.filter(|before| at_ms < *before) {
            return Ok(Err(OutcomeError::new(format!(
                "it happened before {before} (ms since 1970): outcomes from before were removed, so that \
                 nothing tells whether this one was counted"
            ))));
        }
        // Only now: what is refused takes none of the names.
        let Some(name) =
            known_name.map_or_else(|| new_name(connection, &outcome.name), |key| Ok(Some(key)))?
        else {
            return Ok(Err(OutcomeError::new(format!(
                "`{}` would be the {}th name of outcomes; use one of those that are there",
                outcome.name,
                MAX_NAMES + 1
            ))));
        };
        let fact = Fact { name, value, at_ms };
        let key = connection
            .prepare_cached(
                "INSERT INTO outcome (id, name, value, at_ms, units) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .insert(params![outcome.id, name, value.0, at_ms, to_blob(&units)])?;
        let attributed = self.attribute(connection, key, &units, fact)?;
        self.recorded.new += 1;
        if attributed {
            self.recorded.attributed += 1;
        } else {
            self.recorded.unattributed += 1;
        }
        Ok(Ok(()))
    }

    /// The hashes of a unit.
    fn units(&self, unit: &OutcomeUnit) -> Result<Vec<i64>, OutcomeError> {
        match unit {
            OutcomeUnit::Hash(hash) => Ok(vec![hash.cast_signed()]),
            OutcomeUnit::Key(_) if self.salts.is_empty() => Err(OutcomeError::new(
                "the store knows no experiment yet, so that nothing says how a unit's key is hashed; start \
                 `spearmint serve` with it first, or name the experiment by `set_outcome_rules`",
            )),
            OutcomeUnit::Key(key) => {
                let hash = |salt: &Keyed| salt.unit(key.as_bytes()).hash.cast_signed();
                Ok(self.salts.iter().map(hash).collect())
            }
        }
    }

    fn attribute(
        &mut self,
        connection: &Connection,
        key: i64,
        units: &[i64],
        fact: Fact,
    ) -> rusqlite::Result<bool> {
        let mut attributed = false;
        for unit in units {
            let new = connection
                .prepare_cached("INSERT INTO outcome_unit VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
                .execute([*unit, key])?;
            if new > 0 {
                let (spans, sums) = (&mut self.spans, &mut self.sums);
                attributed |= attribute::add(connection, spans, sums, *unit, fact)?;
            }
        }
        Ok(attributed)
    }

    /// One that is there may be reported again when an experiment with another salt has come.
    fn complete(
        &mut self,
        connection: &Connection,
        known: Known,
        units: Vec<i64>,
    ) -> rusqlite::Result<()> {
        let missing: Vec<i64> =
            units.into_iter().filter(|unit| !known.units.contains(unit)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        self.attribute(connection, known.key, &missing, known.fact)?;
        let all: Vec<i64> = known.units.iter().chain(&missing).copied().collect();
        connection
            .prepare_cached("UPDATE outcome SET units = ?2 WHERE key = ?1")?
            .execute(params![known.key, to_blob(&all)])?;
        Ok(())
    }
}
