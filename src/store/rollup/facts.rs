//! What a branch contributes, in the integers of the file.

use crate::{
    assign::Reason,
    branch::{Branch, FailureKind, Role, Status},
    store::{
        codes::Codes,
        keys::BranchKeys,
        metric::{self, Values},
        row::value,
        write::{code, option_code},
    },
};
use rusqlite::{Connection, Row};

/// What the row of a failure, and of an output, takes beside its texts.
pub(in crate::store) const FAILURE_BYTES: u64 = 40;
pub(in crate::store) const OUTPUT_BYTES: u64 = 30;
/// What the trace of a caller adds to a row.
const TRACE_BYTES: u64 = 28;

/// A branch as far as roll-ups are concerned.
#[derive(Debug, Clone)]
pub(in crate::store) struct Facts {
    pub(in crate::store) id: [u8; 16],
    pub(super) request: [u8; 16],
    pub(super) parent: Option<[u8; 16]>,
    pub(super) arm: Arm,
    pub(super) role: Role,
    pub(super) status: Status,
    pub(super) failure: Option<i64>,
    pub(super) timed_out: bool,
    pub(super) skip: Option<i64>,
    pub(super) retries: u32,
    pub(super) duration_ns: u64,
    pub(super) first_byte_ns: Option<u64>,
    pub(super) bytes_in: Option<u64>,
    pub(super) bytes_out: Option<u64>,
    pub(super) unit: Option<i64>,
    /// The code of its reason where chance did not assign it: it is in no comparison.
    pub(super) aside: Option<i64>,
    /// The numbers of it that are rolled up.
    pub(super) metrics: Values,
    /// About how many bytes its row takes, and what belongs to it.
    pub(in crate::store) bytes: u64,
}

/// Whose it is: a config in a role of an experiment, assigned by the same rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::store) struct Arm {
    pub(in crate::store) experiment: i64,
    pub(in crate::store) config: i64,
    pub(in crate::store) role: i64,
    /// The first key of the epoch's fingerprint; 0 where it is not known.
    pub(in crate::store) epoch: i64,
}

/// How one of a pair ended, as far as it counts there.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub(super) status: Status,
    pub(super) duration_ns: u64,
    pub(super) timed_out: bool,
    pub(super) metrics: Values,
}

impl End {
    /// Whether it failed; `None` if it did not come to an end of its own.
    pub(super) const fn failed(&self) -> Option<bool> {
        match self.status {
            Status::Success => Some(false),
            Status::Failed => Some(true),
            Status::Skipped | Status::Cancelled => None,
        }
    }

    /// Whether its caller left.
    pub(super) const fn left(&self) -> bool {
        matches!(self.status, Status::Cancelled)
    }
}

impl Facts {
    pub(super) fn end(&self) -> End {
        let Self { status, duration_ns, timed_out, .. } = *self;
        End { status, duration_ns, timed_out, metrics: self.metrics.clone() }
    }

    /// The numbers of a branch that are rolled up, and how many rows it has of them.
    pub(in crate::store) fn add_metrics(&mut self, values: Values, rows: u64) {
        self.metrics = values;
        self.bytes += rows * metric::ROW_BYTES;
    }

    pub(in crate::store) const fn experiment(&self) -> i64 {
        self.arm.experiment
    }

    /// Adds the numbers of a branch that is there.
    pub(super) fn with_metrics(mut self, connection: &Connection) -> rusqlite::Result<Self> {
        let (values, rows) = metric::rolled_up_of(connection, &self.id)?;
        self.add_metrics(values, rows);
        Ok(self)
    }

    /// Of a branch that is about to be written. Its bytes are counted by the caller.
    pub(in crate::store) fn of(
        branch: &Branch,
        keys: BranchKeys,
        codes: &Codes,
    ) -> rusqlite::Result<Self> {
        let failure = branch.failure.as_ref().map(|failure| failure.kind);
        let mut facts = Self {
            id: *branch.id.as_bytes(),
            request: *branch.request_id.as_bytes(),
            parent: branch.parent.map(|parent| *parent.as_bytes()),
            arm: Arm {
                experiment: keys.experiment,
                config: keys.config,
                role: code(&codes.role, branch.role)?,
                epoch: keys.rules,
            },
            role: branch.role,
            status: branch.status,
            failure: option_code(&codes.failure, failure)?,
            timed_out: failure == Some(FailureKind::Timeout),
            skip: option_code(&codes.skip, branch.skip)?,
            retries: branch.retry_count,
            duration_ns: branch.duration_ns,
            first_byte_ns: branch.first_byte_ns,
            bytes_in: branch.bytes_in,
            bytes_out: branch.bytes_out,
            unit: branch.unit.map(u64::cast_signed),
            aside: match is_aside(branch.role, branch.reason) {
                true => Some(code(&codes.reason, branch.reason)?),
                false => None,
            },
            metrics: Values::default(),
            bytes: 0,
        };
        facts.bytes = facts.row_bytes() + branch.trace.map_or(0, |_| TRACE_BYTES);
        Ok(facts)
    }

    /// The columns that [`read`](Self::read) reads, of the table `branch` as `b`.
    pub(super) const COLUMNS: &'static str = "b.id, b.request, b.parent, b.experiment, b.config,
        b.role, coalesce((SELECT min(f.key) FROM epoch e JOIN epoch f USING (fingerprint)
            WHERE e.key = b.epoch), 0),
        b.status, b.failure, b.skip, b.retry_count, b.duration_ns, b.first_byte_ns, b.bytes_in,
        b.bytes_out, b.unit,
        coalesce((SELECT 40 + length(type) + length(message) + length(trace) FROM failure
            WHERE id = b.id), 0)
        + coalesce((SELECT 30 + length(content) FROM output WHERE id = b.id), 0)
        + iif(b.trace IS NULL, 0, 28), b.reason";

    /// Of a branch that is there, without its metrics.
    pub(super) fn read(row: &Row<'_>, codes: &Codes) -> rusqlite::Result<Self> {
        let measure = |column| -> rusqlite::Result<Option<u64>> {
            Ok(row.get::<_, Option<i64>>(column)?.map(i64::cast_unsigned))
        };
        let id = row.get(0)?;
        let (role_code, failure) = (row.get(5)?, row.get::<_, Option<i64>>(8)?);
        let role = value(&codes.role, 5, role_code)?;
        // (An older program told no reason.)
        let reason = row.get::<_, Option<i64>>(17)?;
        let is_aside = |code| codes.reason.value(code).is_some_and(|known| is_aside(role, known));
        let mut facts = Self {
            id,
            request: row.get::<_, Option<_>>(1)?.unwrap_or(id),
            parent: row.get(2)?,
            arm: Arm {
                experiment: row.get(3)?,
                config: row.get(4)?,
                role: role_code,
                epoch: row.get(6)?,
            },
            role,
            status: value(&codes.status, 7, row.get(7)?)?,
            failure,
            timed_out: is_timeout(codes, failure),
            skip: row.get(9)?,
            retries: row.get(10)?,
            duration_ns: row.get::<_, i64>(11)?.cast_unsigned(),
            first_byte_ns: measure(12)?,
            bytes_in: measure(13)?,
            bytes_out: measure(14)?,
            unit: row.get(15)?,
            aside: reason.filter(|code| is_aside(*code)),
            metrics: Values::default(),
            bytes: row.get::<_, i64>(16)?.cast_unsigned(),
        };
        facts.bytes += facts.row_bytes();
        Ok(facts)
    }

    /// As measured (see `benches/store`): with the page's share, and the index on `request`.
    fn row_bytes(&self) -> u64 {
        let request = if self.request == self.id { 0 } else { 52 };
        let parent = if self.parent.is_some() { 18 } else { 0 };
        let unit = if self.unit.is_some() { 9 } else { 0 };
        let measured = if self.bytes_in.is_some() { 9 } else { 0 };
        70 + request + parent + unit + measured
    }

    /// Whether it was started and came to an end of its own.
    pub(super) const fn ended(&self) -> bool {
        matches!(self.status, Status::Success | Status::Failed)
    }

    /// The minute of its id.
    pub(super) fn minute(&self) -> i64 {
        minute(&self.id)
    }

    /// Where the branches of one pair meet.
    pub(super) const fn meeting(&self) -> Meeting {
        (self.request, self.parent, self.arm.experiment)
    }
}

/// Whether a branch says nothing of its config in comparison with the others: it answered, but chance did not decide
/// that. What runs beside a primary is compared with that, whatever brought the request there.
pub(in crate::store) const fn is_aside(role: Role, reason: Reason) -> bool {
    matches!(role, Role::Primary | Role::Branch) && !reason.is_exposure()
}

/// The request, the branch it was nested in, and the experiment.
pub(super) type Meeting = ([u8; 16], Option<[u8; 16]>, i64);

/// The minute since 1970 of an id: its first 48 bits are milliseconds.
pub(in crate::store) fn minute(id: &[u8; 16]) -> i64 {
    millis(id) / 60_000
}

/// The lowest id of a minute.
pub(super) fn lowest_id(minute: i64) -> [u8; 16] {
    (u128::from(minute.unsigned_abs() * 60_000) << 80).to_be_bytes()
}

/// The time of an id, in ms since 1970.
pub(in crate::store) fn millis(id: &[u8; 16]) -> i64 {
    id[..6].iter().fold(0, |ms, byte| ms << 8 | i64::from(*byte))
}

/// Whether this code of a failure is that of a time-out.
pub(super) fn is_timeout(codes: &Codes, failure: Option<i64>) -> bool {
    failure.is_some() && failure == codes.failure.of(FailureKind::Timeout)
}
