//! Sums by bucket of the unit's hash.
//!
//! Requests of one unit (a user, a session) are not independent of one another, units are. So the
//! spread of an average is estimated from sums over units; and as there may be any number of
//! those, over a fixed number of buckets that each hold some of them.

use super::facts::{Arm, Facts};
use crate::branch::Status;
use rusqlite::{Row, Statement, params, types::Value};

/// How many buckets each config has.
pub(super) const BUCKETS: u32 = 4_096;

/// What version 6 adds: those without an end of their own.
pub(in crate::store) const VERSION_6: &str =
    "ALTER TABLE unit_bucket ADD COLUMN unfinished INTEGER NOT NULL DEFAULT 0;";

/// What version 7 adds.
pub(in crate::store) const VERSION_7: &str = "";

pub(super) const UNFINISHED_SINCE: i32 = 6;

/// What the branches of the units in one bucket come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Bucket {
    success: i64,
    failed: i64,
    timed_out: i64,
    duration_us: i64,
    duration_us_squares: i128,
    /// Skipped or cancelled: without an end of their own.
    unfinished: i64,
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
        self.timed_out += if facts.timed_out { by } else { 0 };
        // Whole microseconds: the squares of an hour in ns would not fit SQLite's integers.
        let duration = i64::try_from(facts.duration_ns / 1_000).unwrap_or(i64::MAX);
        self.duration_us = self.duration_us.saturating_add(duration.saturating_mul(by));
        let square = i128::from(duration).pow(2) * i128::from(by);
        self.duration_us_squares = self.duration_us_squares.saturating_add(square);
    }

    pub(super) const ADD: &'static str = "INSERT INTO unit_bucket
        (experiment, config, role, epoch, bucket, success, failed, timed_out, duration_us,
         duration_us_squares, unfinished)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO UPDATE SET
        success = success + excluded.success, failed = failed + excluded.failed,
        timed_out = timed_out + excluded.timed_out,
        duration_us = duration_us + excluded.duration_us,
        duration_us_squares = duration_us_squares + excluded.duration_us_squares,
        unfinished = unfinished + excluded.unfinished";

    /// By [`ADD`](Self::ADD).
    pub(super) fn write(
        self,
        statement: &mut Statement<'_>,
        arm: Arm,
        number: i64,
    ) -> rusqlite::Result<()> {
        if self == Self::default() {
            return Ok(());
        }
        // (SQLite does the same when a sum no longer fits.)
        let squares = i64::try_from(self.duration_us_squares)
            .map_or(Value::Real(self.duration_us_squares as f64), Value::Integer);
        statement.execute(params![
            arm.experiment,
            arm.config,
            arm.role,
            arm.epoch,
            number,
            self.success,
            self.failed,
            self.timed_out,
            self.duration_us,
            squares,
            self.unfinished,
        ])?;
        Ok(())
    }

    /// What [`read`](Self::read) reads; before version 6 nothing was known of what did not end.
    pub(super) fn select(version: i32) -> String {
        let unfinished = if version < UNFINISHED_SINCE { "0" } else { "unfinished" };
        format!(
            "SELECT experiment, config, role, epoch, bucket, success, failed, timed_out,
             duration_us, duration_us_squares, {unfinished} FROM unit_bucket"
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
        };
        Ok((arm, row.get(4)?, bucket))
    }

    /// As an older program counted.
    pub(super) const fn without_unfinished(mut self) -> Self {
        self.unfinished = 0;
        self
    }

    pub(super) const fn merge(&mut self, other: &Self) {
        self.success += other.success;
        self.failed += other.failed;
        self.timed_out += other.timed_out;
        self.duration_us = self.duration_us.saturating_add(other.duration_us);
        self.duration_us_squares =
            self.duration_us_squares.saturating_add(other.duration_us_squares);
        self.unfinished += other.unfinished;
    }

    /// Whether the two are one, but for the rounding of squares that are no whole number any more.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        let (one, two) = (self.duration_us_squares as f64, other.duration_us_squares as f64);
        let squares = Self { duration_us_squares: other.duration_us_squares, ..*self };
        squares == *other && (one - two).abs() <= 1e-9 * one.abs().max(two.abs())
    }
}
