//! Which store this is among others, and how far it has come.

use rusqlite::Connection;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// What version 6 adds for it: one row. The id is the file's own, and stays as long as the file does; the
/// sequence grows with each transaction that changes what a snapshot holds, so that two states of one file
/// with the same sequence are the same state.
pub(in crate::store) const VERSION_6: &str = "
        CREATE TABLE replica (
            id BLOB NOT NULL,             -- 16 random bytes
            sequence INTEGER NOT NULL
        );
        INSERT INTO replica (id, sequence) VALUES (randomblob(16), 0);";

/// The first version with it.
pub(super) const SINCE_VERSION: i32 = 6;

/// The name of a store among others: 16 random bytes that were drawn when the file was created.
///
/// It goes with the file: a copy has the same, and counts as the same replica.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaId(u128);

#[cfg(feature = "report")]
impl ReplicaId {
    pub(in crate::store) const fn of_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    pub(in crate::store) const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for ReplicaId {
    /// As 32 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for ReplicaId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ReplicaId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map(Self).map_err(de::Error::custom)
    }
}

/// Id and sequence.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<(ReplicaId, u64)> {
    connection.query_row("SELECT id, sequence FROM replica", [], |row| {
        let id = u128::from_be_bytes(row.get(0)?);
        Ok((ReplicaId(id), row.get::<_, i64>(1)?.cast_unsigned()))
    })
}

/// This transaction changes what a snapshot holds.
pub(in crate::store) fn grow(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE replica SET sequence = sequence + 1")?.execute([])?;
    Ok(())
}
