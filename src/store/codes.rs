//! Small integers for the names of roles, statuses, failures, skips, kinds of differences and
//! reasons of assignments.
//!
//! The file itself says which integer stands for which name: a version of this crate that knows
//! a new name adds it, and no order of the names in the source matters.

use crate::{
    assign::Reason,
    branch::{FailureKind, Role, SkipReason, Status},
    compare::DifferenceKind,
};
use rusqlite::{Connection, params};

/// A closed set of names that the file holds as integers.
pub(super) trait Coded: Copy + PartialEq + 'static {
    /// What the set is called in the table `code`.
    const WHAT: &'static str;
    const ALL: &'static [Self];
    fn name(self) -> &'static str;
}

macro_rules! coded {
    ($($type:ty = $what:literal),*) => { $(
        impl Coded for $type {
            const WHAT: &'static str = $what;
            const ALL: &'static [Self] = <$type>::ALL;
            fn name(self) -> &'static str {
                self.as_str()
            }
        }
    )* };
}
coded!(
    Role = "role",
    Status = "status",
    FailureKind = "failure",
    SkipReason = "skip",
    DifferenceKind = "difference",
    Reason = "reason"
);

/// The integers of one set.
#[derive(Debug, Clone)]
pub(super) struct Code<T>(Vec<(i64, T)>);

impl<T: Coded> Code<T> {
    /// Every name has its integer from the moment the file is opened for writing.
    pub(super) fn of(&self, value: T) -> Option<i64> {
        self.0.iter().find(|(_, known)| *known == value).map(|(code, _)| *code)
    }

    /// `None` for a name that only a newer version knows.
    pub(super) fn value(&self, code: i64) -> Option<T> {
        self.0.iter().find(|(known, _)| *known == code).map(|(_, value)| *value)
    }

    fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare("SELECT key, name FROM code WHERE what = ?1")?;
        let rows = statement.query_map([T::WHAT], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut codes = Vec::new();
        for row in rows {
            let (code, name): (i64, String) = row?;
            codes.extend(T::ALL.iter().find(|value| value.name() == name).map(|v| (code, *v)));
        }
        Ok(Self(codes))
    }

    fn is_complete(&self) -> bool {
        self.0.len() == T::ALL.len()
    }

    /// From 0 in a new file: SQLite keeps 0 and 1 in no bytes at all.
    fn add(connection: &Connection) -> rusqlite::Result<()> {
        for value in T::ALL {
            connection.execute(
                "INSERT INTO code (what, key, name)
                 SELECT ?1, 1 + coalesce(max(key), -1), ?2 FROM code WHERE what = ?1
                 ON CONFLICT DO NOTHING",
                params![T::WHAT, value.name()],
            )?;
        }
        Ok(())
    }
}

/// The integers of all sets.
#[derive(Debug, Clone)]
pub(crate) struct Codes {
    pub(super) role: Code<Role>,
    pub(super) status: Code<Status>,
    pub(super) failure: Code<FailureKind>,
    pub(super) skip: Code<SkipReason>,
    pub(super) difference: Code<DifferenceKind>,
    pub(super) reason: Code<Reason>,
}

impl Codes {
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            role: Code::load(connection)?,
            status: Code::load(connection)?,
            failure: Code::load(connection)?,
            skip: Code::load(connection)?,
            difference: Code::load(connection)?,
            reason: Code::load(connection)?,
        })
    }

    /// Whether the file has a code for every name this version knows.
    pub(super) fn is_complete(&self) -> bool {
        self.role.is_complete()
            && self.status.is_complete()
            && self.failure.is_complete()
            && self.skip.is_complete()
            && self.difference.is_complete()
            && self.reason.is_complete()
    }

    /// Gives every name a code that has none. Inside a transaction, so that two processes do
    /// not give out the same one.
    pub(super) fn add(connection: &Connection) -> rusqlite::Result<()> {
        Code::<Role>::add(connection)?;
        Code::<Status>::add(connection)?;
        Code::<FailureKind>::add(connection)?;
        Code::<SkipReason>::add(connection)?;
        Code::<DifferenceKind>::add(connection)?;
        Code::<Reason>::add(connection)
    }
}
