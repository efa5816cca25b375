//! What is there of outcomes: one by its id, the names, and how the hashes of a unit are written.

use super::{attribute::Fact, millionths::Millionths};
use rusqlite::{Connection, OptionalExtension};

/// Names of outcomes in a store.
pub(super) const MAX_NAMES: i64 = 256;

/// An outcome that is there.
pub(super) struct Known {
    pub(super) key: i64,
    pub(super) fact: Fact,
    pub(super) units: Vec<i64>,
}

impl Known {
    pub(super) fn find(connection: &Connection, id: &str) -> rusqlite::Result<Option<Self>> {
        connection
            .prepare_cached("SELECT key, name, value, at_ms, units FROM outcome WHERE id = ?1")?
            .query_row([id], |row| {
                let value = Millionths(row.get(2)?);
                let fact = Fact { name: row.get(1)?, value, at_ms: row.get(3)? };
                Ok(Self { key: row.get(0)?, fact, units: of_blob(row.get_ref(4)?.as_blob()?) })
            })
            .optional()
    }

    /// In what. (Of one that was reported without a time, each report has another.)
    pub(super) fn differs(
        &self,
        name: Option<i64>,
        value: Millionths,
        at_ms: Option<i64>,
        units: &[i64],
    ) -> Option<&'static str> {
        if name != Some(self.fact.name) {
            return Some("name");
        }
        if value != self.fact.value {
            return Some("value");
        }
        if at_ms.is_some_and(|at_ms| at_ms != self.fact.at_ms) {
            return Some("time");
        }
        let same_unit = units.iter().any(|unit| self.units.contains(unit));
        (!same_unit).then_some("unit")
    }
}

pub(super) fn key_of(connection: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT key FROM outcome_name WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// `None` if there is no room for it.
pub(super) fn new_name(connection: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT count(*) FROM outcome_name";
    if connection.query_row(sql, [], |row| row.get::<_, i64>(0))? >= MAX_NAMES {
        return Ok(None);
    }
    let new =
        connection.prepare_cached("INSERT INTO outcome_name (name) VALUES (?1)")?.insert([name])?;
    Ok(Some(new))
}

pub(super) fn to_blob(units: &[i64]) -> Vec<u8> {
    units.iter().flat_map(|unit| unit.to_be_bytes()).collect()
}

pub(in crate::store) fn of_blob(bytes: &[u8]) -> Vec<i64> {
    let (units, _) = bytes.as_chunks();
    units.iter().map(|unit| i64::from_be_bytes(*unit)).collect()
}
