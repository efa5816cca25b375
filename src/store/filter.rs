//! Which branches are meant.

use super::{StoreError, codes::Codes};
use crate::{
    assign::Reason,
    branch::{BranchId, Role, Status, TraceId},
};
use rusqlite::{Connection, types::Value};
use std::fmt::Write as _;

/// An id carries the time at which its branch was assigned; the branch's start is corrected
/// should the system's clock be adjusted while it runs. A second covers any slewing.
const CLOCK_SLACK_NS: u64 = 1_000_000_000;

/// Which branches are meant: all, until it is narrowed down. Conditions add up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Filter {
    /// The name of the experiment.
    pub experiment: Option<String>,
    /// The id of a config, or the beginning of just one.
    pub config: Option<String>,
    /// How they ended.
    pub status: Option<Status>,
    /// What they did for their request.
    pub role: Option<Role>,
    /// Why it was their config. (A file of a version before 3 has none.)
    pub reason: Option<Reason>,
    /// Only those that chance assigned ([`Reason::is_exposure`]), or of which no reason is known.
    pub by_chance: bool,
    /// The fingerprint of their epoch.
    pub epoch: Option<u64>,
    /// The request they belong to.
    pub request_id: Option<BranchId>,
    /// The trace they belong to: their caller's, or the one that began with their request. All
    /// branches of the time in question are looked at.
    pub trace: Option<TraceId>,
    /// They started at this time or later, in ns since the Unix epoch.
    pub since_ns: Option<u64>,
    /// They started before this time, in ns since the Unix epoch.
    pub until_ns: Option<u64>,
    /// At most so many. (Not for [`summary`](super::SqliteStore::summary).)
    pub limit: Option<u64>,
    /// From the last to the first.
    pub newest_first: bool,
}

impl Filter {
    /// All branches, from the first to the last.
    pub fn new() -> Self {
        Self::default()
    }

    /// Of the experiment of this name.
    #[must_use]
    pub fn experiment(mut self, name: impl Into<String>) -> Self {
        self.experiment = Some(name.into());
        self
    }

    /// Of the config with this id, or the only one whose id begins so.
    #[must_use]
    pub fn config(mut self, id: impl Into<String>) -> Self {
        self.config = Some(id.into());
        self
    }

    /// That ended so.
    #[must_use]
    pub const fn status(mut self, status: Status) -> Self {
        self.status = Some(status);
        self
    }

    /// In this role.
    #[must_use]
    pub const fn role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }

    /// Assigned for this reason.
    #[must_use]
    pub const fn reason(mut self, reason: Reason) -> Self {
        self.reason = Some(reason);
        self
    }

    /// Assigned by chance: those that tell configs apart.
    #[must_use]
    pub const fn by_chance(mut self) -> Self {
        self.by_chance = true;
        self
    }

    /// Assigned by the weights and rules with this [fingerprint](crate::assign::Epoch::fingerprint).
    #[must_use]
    pub const fn epoch(mut self, fingerprint: u64) -> Self {
        self.epoch = Some(fingerprint);
        self
    }

    /// Of this request.
    #[must_use]
    pub const fn request_id(mut self, id: BranchId) -> Self {
        self.request_id = Some(id);
        self
    }

    /// Of this trace.
    #[must_use]
    pub const fn trace(mut self, id: TraceId) -> Self {
        self.trace = Some(id);
        self
    }

    /// That started at `ns` since the Unix epoch, or later.
    #[must_use]
    pub const fn since_ns(mut self, ns: u64) -> Self {
        self.since_ns = Some(ns);
        self
    }

    /// That started before `ns` since the Unix epoch.
    #[must_use]
    pub const fn until_ns(mut self, ns: u64) -> Self {
        self.until_ns = Some(ns);
        self
    }

    /// At most `branches`.
    #[must_use]
    pub const fn limit(mut self, branches: u64) -> Self {
        self.limit = Some(branches);
        self
    }

    /// From the last to the first.
    #[must_use]
    pub const fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }
}

/// A filter in SQL, on the table `branch` as `b`.
#[derive(Debug, Clone)]
pub(super) struct Conditions {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

impl Conditions {
    /// Looks up what the filter names.
    pub(super) fn new(
        filter: &Filter,
        connection: &Connection,
        codes: &Codes,
        failed: impl Fn(rusqlite::Error) -> StoreError,
    ) -> Result<Self, StoreError> {
        let mut conditions = Self { sql: " WHERE 1".to_owned(), values: Vec::new() };
        if let Some(name) = &filter.experiment {
            conditions.any_of("b.experiment", &experiment_keys(connection, name, &failed)?);
        }
        if let Some(id) = &filter.config {
            conditions.any_of("b.config", &config_keys(connection, id, &failed)?);
        }
        // A name without a code has no branches: -1 is never one.
        if let Some(status) = filter.status {
            conditions.any_of("b.status", &[codes.status.of(status).unwrap_or(-1)]);
        }
        if let Some(role) = filter.role {
            conditions.any_of("b.role", &[codes.role.of(role).unwrap_or(-1)]);
        }
        // A file of an older version has neither, so that no branch is meant.
        let is_old = connection.prepare("SELECT reason, epoch FROM branch LIMIT 0").is_err();
        if is_old && (filter.reason.is_some() || filter.epoch.is_some()) {
            conditions.sql.push_str(" AND 0");
            return Ok(conditions);
        }
        if let Some(reason) = filter.reason {
            conditions.any_of("b.reason", &[codes.reason.of(reason).unwrap_or(-1)]);
        }
        if filter.by_chance && !is_old {
            conditions.sql += &format!(" AND {}", by_chance(codes, "b.reason"));
        }
        if let Some(fingerprint) = filter.epoch {
            conditions.any_of("b.epoch", &epoch_keys(connection, fingerprint, &failed)?);
        }
        if let Some(id) = filter.request_id {
            let id = Value::Blob(id.as_bytes().to_vec());
            conditions.and("(b.id = ? AND b.request IS NULL OR b.request = ?)", id.clone());
            conditions.values.push(id);
        }
        if let Some(id) = filter.trace {
            let has_traces = connection.prepare("SELECT trace FROM branch LIMIT 0").is_ok();
            let caller = if has_traces { "substr(b.trace, 1, 16), " } else { "" };
            conditions.and(
                &format!("coalesce({caller}b.request, b.id) = ?"),
                Value::Blob(id.as_bytes().to_vec()),
            );
        }
        // The id narrows it down to one stretch of the file; the start decides.
        if let Some(since) = filter.since_ns {
            conditions.and("b.id >= ?", id_at(since.saturating_sub(CLOCK_SLACK_NS)));
            conditions.and("b.start_ns >= ?", number(since));
        }
        if let Some(until) = filter.until_ns {
            conditions.and("b.id < ?", id_at(until.saturating_add(CLOCK_SLACK_NS)));
            conditions.and("b.start_ns < ?", number(until));
        }
        Ok(conditions)
    }

    pub(super) fn and(&mut self, condition: &str, value: Value) {
        let _ = write!(self.sql, " AND {condition}");
        self.values.push(value);
    }

    fn any_of(&mut self, name: &str, keys: &[i64]) {
        any_of(&mut self.sql, name, keys);
    }
}

/// Narrows `sql` down to rows whose column has one of these keys.
pub(super) fn any_of(sql: &mut String, column: &str, keys: &[i64]) {
    let keys: Vec<_> = keys.iter().map(i64::to_string).collect();
    let _ = write!(sql, " AND {column} IN ({})", keys.join(","));
}

/// The condition that chance decided by the reason in `column`, or that nothing is known of it.
pub(super) fn by_chance(codes: &Codes, column: &str) -> String {
    let aside = Reason::ALL.iter().filter(|reason| !reason.is_exposure());
    let keys: Vec<_> = aside.filter_map(|reason| codes.reason.of(*reason)).collect();
    let mut is_aside = String::from("1");
    any_of(&mut is_aside, column, &keys);
    format!("({column} IS NULL OR NOT ({is_aside}))")
}

/// The keys of the experiment of this name: one for each strategy.
pub(super) fn experiment_keys(
    connection: &Connection,
    name: &str,
    failed: impl Fn(rusqlite::Error) -> StoreError,
) -> Result<Vec<i64>, StoreError> {
    let keys = column(connection, "SELECT key FROM experiment WHERE name = ?1", [name])
        .map_err(&failed)?;
    if keys.is_empty() {
        let known = "SELECT DISTINCT name FROM experiment ORDER BY name LIMIT 10";
        let known = column(connection, known, []).map_err(&failed)?;
        return Err(StoreError::NoExperiment { name: name.to_owned(), known });
    }
    Ok(keys)
}

/// The keys of the config with this id, or the only one whose id begins so: one for each content.
pub(super) fn config_keys(
    connection: &Connection,
    id: &str,
    failed: impl Fn(rusqlite::Error) -> StoreError,
) -> Result<Vec<i64>, StoreError> {
    let id = whole_id(connection, id, &failed)?;
    let sql = "SELECT key FROM config WHERE config_id = ?1 AND content IS NOT NULL";
    column(connection, sql, [id]).map_err(&failed)
}

/// The keys of the epochs with this fingerprint.
pub(super) fn epoch_keys(
    connection: &Connection,
    fingerprint: u64,
    failed: impl Fn(rusqlite::Error) -> StoreError,
) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT key FROM epoch WHERE fingerprint = ?1";
    column(connection, sql, [fingerprint.cast_signed()]).map_err(&failed)
}

/// The id that `id` is, or is the beginning of.
fn whole_id(
    connection: &Connection,
    id: &str,
    failed: impl Fn(rusqlite::Error) -> StoreError,
) -> Result<String, StoreError> {
    let sql = "SELECT DISTINCT config_id FROM config WHERE content IS NOT NULL
               AND substr(config_id, 1, length(?1)) = ?1
               ORDER BY config_id <> ?1, config_id LIMIT 10";
    let mut matching: Vec<String> = column(connection, sql, [id]).map_err(&failed)?;
    match matching.first() {
        Some(first) if first == id || matching.len() == 1 => Ok(matching.swap_remove(0)),
        Some(_) => Err(StoreError::AmbiguousConfig { id: id.to_owned(), matching }),
        None => {
            let sql = "SELECT DISTINCT config_id FROM config WHERE content IS NOT NULL
                       ORDER BY config_id LIMIT 10";
            let known = column(connection, sql, []).map_err(&failed)?;
            Err(StoreError::NoConfig { id: id.to_owned(), known })
        }
    }
}

fn column<T: rusqlite::types::FromSql>(
    connection: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare(sql)?.query_map(values, |row| row.get(0))?.collect()
}

fn number(ns: u64) -> Value {
    Value::Integer(i64::try_from(ns).unwrap_or(i64::MAX))
}

/// The lowest id of that time: its first 48 bits are milliseconds.
pub(super) fn first_id(ns: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id[..6].copy_from_slice(&(ns / 1_000_000).to_be_bytes()[2..]);
    id
}

/// The same as a value.
pub(super) fn id_at(ns: u64) -> Value {
    Value::Blob(first_id(ns).to_vec())
}
