//! The id of a run, which is 16 bytes in the store and 32 digits for clients.

use crate::{branch::BranchId, clock::Tick};
use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef},
};
use serde::{Serialize, Serializer};
use std::fmt;
use uuid::Uuid;

/// The id of a run, be it a client's or a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::server) struct RunId([u8; 16]);

impl RunId {
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

impl FromSql for RunId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 16]>::column_result(value).map(Self)
    }
}
