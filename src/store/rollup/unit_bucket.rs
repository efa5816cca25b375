//! Sums by bucket of the unit's hash.
//!
//! Requests of one unit (a user, a session) are not independent of one another, units are. So the
//! spread of an average is estimated from sums over units; and as there may be any number of
//! those, over a fixed number of buckets that each hold some of them.

use super::{
    facts::{Arm, Facts},
    unit_latencies::UnitLatencies,
};
use crate::branch::Status;
use rusqlite::{Row, Statement, params, types::Value};

/// How many buckets each config has.
pub(super) const BUCKETS: u32 = 4_096;

/// What version 6 adds: those without an end of their own.
pub(in crate::store) const VERSION_6: &str =
    "ALTER TABLE unit_bucket ADD COLUMN unfinished INTEGER NOT NULL DEFAULT 0;";

/// What version 7 adds: how long those took that ended by themselves.
pub(in crate::store) const VERSION_7: &str =
    "ALTER TABLE unit_bucket ADD COLUMN latencies BLOB NOT NULL DEFAULT x'';";

pub(super) const UNFINISHED_SINCE: i32 = 6;
pub(super) const LATENCIES_SINCE: i32 = 7;

/// What the branches of the units in one bucket come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bucket {
    success: i64,
    failed: i64,
    timed_out: i64,
    duration_us: i64,
    duration_us_squares: i128,
    /// Skipped or cancelled: without an end of their own.
    unfinished: i64,
    /// Of those that did not time out.
    latencies: UnitLatencies,
}

/// The bucket of a unit. Mixed, because the bits that a variant was chosen by are not spread
/// evenly among the units of one variant.
pub(super) const fn bucket_of(unit: i64) -> i64 {
    let mixed = unit.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (u64::BITS - BUCKETS.trailing_zeros())).cast_signed()
}

impl Bucket {
    /// Adds a branch, or takes it back.
    pub(super) fn change(&mut self, facts: &Facts, by: i64) {
        if !facts.ended() {
            self.unfinished += by;
            return;
        }
        if facts.status == Status::Failed {
            self.failed += by;
        } else {
            self.success += by;
        }
        if facts.timed_out {
            self.timed_out += by;
        } else {
            self.latencies.change(facts.duration_ns, by);
        }
        // Whole microseconds: the squares of an hour in ns would not fit SQLite's integers.
        let duration = i64::try_from(facts.duration_ns / 1_000).unwrap_or(i64::MAX);
        self.duration_us = self.duration_us.saturating_add(duration.saturating_mul(by));
        let square = i128::from(duration).pow(2) * i128::from(by);
        self.duration_us_squares = self.duration_us_squares.saturating_add(square);
    }

    pub(super) const ADD: &'static str = "INSERT INTO unit_bucket
        (experiment, config, role, epoch, bucket, success, failed, timed_out, duration_us,
         duration_us_squares, unfinished, latencies)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO UPDATE SET
        success = success + excluded.success, failed = failed + excluded.failed,
        timed_out = timed_out + excluded.timed_out,
        duration_us = duration_us + excluded.duration_us,
        duration_us_squares = duration_us_squares + excluded.duration_us_squares,
        unfinished = unfinished + excluded.unfinished, latencies = excluded.latencies";

    /// The latencies that are there already, which those that come are added to before.
    pub(super) const LATENCIES: &'static str = "SELECT latencies FROM unit_bucket
        WHERE experiment = ?1 AND config = ?2 AND role = ?3 AND epoch = ?4 AND bucket = ?5";

    /// By [`ADD`](Self::ADD) and [`LATENCIES`](Self::LATENCIES).
    pub(super) fn write(
        mut self,
        [statement, known]: [&mut Statement<'_>; 2],
        arm: Arm,
        number: i64,
    ) -> rusqlite::Result<()> {
        if self == Self::default() {
            return Ok(());
        }
        let Arm { experiment, config, role, epoch } = arm;
        let mut known = known.query(params![experiment, config, role, epoch, number])?;
        if let Some(row) = known.next()? {
            // (Those that cannot be read are begun anew, as roll-ups are.)
            let known = UnitLatencies::decode(row.get_ref(0)?.as_blob()?).unwrap_or_default();
            self.latencies.merge(&known);
        }
        // (SQLite does the same when a sum no longer fits.)
        let squares = i64::try_from(self.duration_us_squares)
            .map_or(Value::Real(self.duration_us_squares as f64), Value::Integer);
        statement.execute(params![
            experiment,
            config,
            role,
            epoch,
            number,
            self.success,
            self.failed,
            self.timed_out,
            self.duration_us,
            squares,
            self.unfinished,
            self.latencies.encode(),
        ])?;
        Ok(())
    }

    /// What [`read`](Self::read) reads; before version 6 nothing was known of what did not end, and
    /// before version 7 nothing of how long each took.
    pub(super) fn select(version: i32) -> String {
        let unfinished = if version < UNFINISHED_SINCE { "0" } else { "unfinished" };
        let latencies = if version < LATENCIES_SINCE { "x''" } else { "latencies" };
        format!(
            "SELECT experiment, config, role, epoch, bucket, success, failed, timed_out,
             duration_us, duration_us_squares, {unfinished}, {latencies} FROM unit_bucket"
        )
    }

    /// By [`select`](Self::select).
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<(Arm, i64, Self)> {
        let arm = Arm {
            experiment: row.get(0)?,
            config: row.get(1)?,
            role: row.get(2)?,
            epoch: row.get(3)?,
        };
        let squares = match row.get(9)? {
            Value::Integer(squares) => i128::from(squares),
            Value::Real(squares) => squares as i128,
            _ => 0,
        };
        let bucket = Self {
            success: row.get(5)?,
            failed: row.get(6)?,
            timed_out: row.get(7)?,
            duration_us: row.get(8)?,
            duration_us_squares: squares,
            unfinished: row.get(10)?,
            latencies: Self::latencies(row)?,
        };
        Ok((arm, row.get(4)?, bucket))
    }

    /// The latencies of a row that is read by [`select`](Self::select). None where they cannot be read.
    pub(super) fn latencies(row: &Row<'_>) -> rusqlite::Result<UnitLatencies> {
        Ok(UnitLatencies::decode(row.get_ref(11)?.as_blob()?).unwrap_or_default())
    }

    /// As a program of an older version counted.
    pub(super) fn as_of(&mut self, version: i32) {
        if version < UNFINISHED_SINCE {
            self.unfinished = 0;
        }
        if version < LATENCIES_SINCE {
            self.latencies = UnitLatencies::new();
        }
    }

    /// The latencies, and nothing of all else.
    pub(super) fn latencies_alone(self) -> Self {
        Self { latencies: self.latencies, ..Self::default() }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.success += other.success;
        self.failed += other.failed;
        self.timed_out += other.timed_out;
        self.duration_us = self.duration_us.saturating_add(other.duration_us);
        self.duration_us_squares =
            self.duration_us_squares.saturating_add(other.duration_us_squares);
        self.unfinished += other.unfinished;
        self.latencies.merge(&other.latencies);
    }

    /// Whether the two are one, but for the rounding of squares that are no whole number any more.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        let (one, two) = (self.duration_us_squares as f64, other.duration_us_squares as f64);
        let squares = Self { duration_us_squares: other.duration_us_squares, ..self.clone() };
        squares == *other && (one - two).abs() <= 1e-9 * one.abs().max(two.abs())
    }
}
