//! The id of a run, which is 16 bytes in the store and 32 digits for clients.

use crate::{branch::BranchId, clock::Tick};
use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlResult, ToSqlOutput, Value, ValueRef},
};
use serde::{Serialize, Serializer};
use std::fmt;
use uuid::Uuid;

/// The id of a run, be it a client's or a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::server) struct RunId([u8; 16]);

impl RunId {
    pub(super) const FIRST: Self = Self([0; 16]);
    pub(super) const LAST: Self = Self([0xff; 16]);

    /// A new one. It sorts by time as those of branches do, and is none of theirs.
    pub(in crate::server) fn now() -> Self {
        Self(*BranchId::at(Tick::now()).as_bytes())
    }

    pub(in crate::server) fn of_branch(id: BranchId) -> Self {
        Self(*id.as_bytes())
    }

    /// The time in it, in milliseconds since the Unix epoch.
    pub(in crate::server) fn time_ms(self) -> i64 {
        let mut ms = [0; 8];
        ms[2..].copy_from_slice(&self.0[..6]);
        i64::from_be_bytes(ms)
    }

    /// The lowest id of that time, in milliseconds since the Unix epoch.
    pub(in crate::server) fn first_at(ms: i64) -> Self {
        Self::at(ms, 0)
    }

    /// The highest id of that time.
    pub(in crate::server) fn last_at(ms: i64) -> Self {
        Self::at(ms, 0xff)
    }

    /// The first 48 bits are milliseconds.
    fn at(ms: i64, rest: u8) -> Self {
        let ms = ms.clamp(0, (1 << 48) - 1).to_be_bytes();
        let mut id = [rest; 16];
        id[..6].copy_from_slice(&ms[2..]);
        Self(id)
    }

    /// The id right before it.
    pub(super) fn before(self) -> Option<Self> {
        let before = u128::from_be_bytes(self.0).checked_sub(1)?;
        Some(Self(before.to_be_bytes()))
    }

    /// The id right after it.
    pub(super) fn after(self) -> Option<Self> {
        let after = u128::from_be_bytes(self.0).checked_add(1)?;
        Some(Self(after.to_be_bytes()))
    }

    pub(in crate::server) const fn as_branch(self) -> BranchId {
        BranchId::from_bytes(self.0)
    }

    /// `None` where no run can have that id.
    pub(in crate::server) fn parse(text: &str) -> Option<Self> {
        let plain = text.len() == 32 && !text.bytes().any(|byte| byte.is_ascii_uppercase());
        if !plain {
            return None;
        }
        Uuid::try_parse(text).ok().map(|id| Self(id.into_bytes()))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Uuid::from_bytes(self.0).simple().encode_lower(&mut [0; 32]))
    }
}

impl Serialize for RunId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(Uuid::from_bytes(self.0).simple().encode_lower(&mut [0; 32]))
    }
}

impl ToSql for RunId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

impl From<RunId> for Value {
    fn from(id: RunId) -> Self {
        Self::Blob(id.0.to_vec())
    }
}

impl FromSql for RunId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 16]>::column_result(value).map(Self)
    }
}
