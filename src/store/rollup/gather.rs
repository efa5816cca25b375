//! What a batch adds to the roll-ups, gathered before it is written: one row is touched once.

use super::{
    facts::{Arm, End, Facts, minute},
    histogram::Histogram,
    state::State,
    unit_bucket::{Bucket, bucket_of},
    unit_metric::UnitMetrics,
};
use crate::store::{snapshot, write::signed};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;

/// The rows that are touched, and what they gain.
#[derive(Debug, Default)]
pub(in crate::store) struct Gathered {
    /// By arm and minute.
    pub(super) states: HashMap<(Arm, i64), State>,
    /// By arm and bucket of the unit's hash.
    pub(super) buckets: HashMap<(Arm, i64), Bucket>,
    pub(super) unit_metrics: UnitMetrics,
    /// By experiment and hour.
    pub(super) held: HashMap<(i64, i64), Held>,
}

/// Branches and bytes that came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) branches: i64,
    pub(super) bytes: i64,
}

impl Gathered {
    /// A branch that is new.
    pub(super) fn add(&mut self, facts: &Facts) {
        self.change(facts, 1);
        let hour = (facts.arm.experiment, facts.minute().div_euclid(60));
        let held = self.held.entry(hour).or_default();
        held.branches += 1;
        held.bytes += signed(facts.bytes);
    }

    /// Adds a branch to what the branches come to (`by` is 1), or takes it back (−1).
    pub(super) fn change(&mut self, facts: &Facts, by: i64) {
        self.state(facts.arm, facts.minute()).change(facts, by);
        // (Buckets are for comparisons alone.)
        if facts.aside.is_none() {
            self.bucket(facts, by);
        }
    }

    /// Moves a branch that was counted with those that chance assigned.
    pub(super) fn set_aside(&mut self, facts: &Facts) {
        let state = self.state(facts.arm, facts.minute());
        state.change(&Facts { aside: None, ..facts.clone() }, -1);
        state.change(facts, 1);
        self.bucket(facts, -1);
    }

    /// The same to the bucket of its unit alone, if it has one, whoever assigned it.
    pub(super) fn bucket(&mut self, facts: &Facts, by: i64) {
        if let Some(unit) = facts.unit {
            let bucket = bucket_of(unit);
            self.buckets.entry((facts.arm, bucket)).or_default().change(facts, by);
            self.unit_metrics.change(facts, bucket, by);
        }
    }

    /// A pair, in the row of the one that ran beside the primary.
    pub(super) fn pair(&mut self, arm: Arm, id: &[u8; 16], primary: &End, other: &End, by: i64) {
        let times = |histogram: &mut Histogram, end: &End| {
            histogram.change(end.duration_ns, end.timed_out, by);
        };
        match (primary.failed(), other.failed()) {
            (Some(first), Some(second)) => {
                let state = self.state(arm, minute(id));
                state.pairs[usize::from(first) + 2 * usize::from(second)] += by;
                times(&mut state.primary_duration, primary);
                times(&mut state.paired_duration, other);
                for (key, value) in other.metrics.as_slice() {
                    if let Some(first) = primary.metrics.get(*key) {
                        state.metric_pairs.entry(*key).or_default().change(first, *value, by);
                    }
                }
            }
            (None, Some(_)) if primary.left() => {
                let state = self.state(arm, minute(id));
                times(&mut state.primary_left, primary);
                times(&mut state.paired_duration, other);
            }
            (None, None) if primary.left() && other.left() => {
                let state = self.state(arm, minute(id));
                times(&mut state.primary_left, primary);
                times(&mut state.paired_left, other);
            }
            // Of a shadow that was given up while the primary ended it is asked whether there are too many.
            _ => {}
        }
    }

    /// A comparison of the branch `id` with the primary.
    pub(in crate::store) fn compared(&mut self, arm: Arm, id: &[u8; 16], equal: bool) {
        self.state(arm, minute(id)).compared[usize::from(!equal)] += 1;
    }

    /// A row that took `before` bytes takes `now`.
    pub(super) fn grew(&mut self, facts: &Facts, now: u64, before: u64) {
        let hour = (facts.arm.experiment, facts.minute().div_euclid(60));
        self.held.entry(hour).or_default().bytes += signed(now) - signed(before);
    }

    /// Whether it should be written before more is gathered: an hour of some arms.
    pub(super) fn is_large(&self) -> bool {
        self.states.len() >= 1_024
    }

    pub(super) fn exposure(&mut self, arm: Arm, id: &[u8; 16], by: i64) {
        self.state(arm, minute(id)).exposures += by;
    }

    fn state(&mut self, arm: Arm, minute: i64) -> &mut State {
        self.states.entry((arm, minute)).or_default()
    }

    /// Adds it all to the file.
    pub(in crate::store) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        snapshot::grow(connection)?;
        for ((arm, minute), state) in &self.states {
            if !state.is_empty() {
                add_state(connection, *arm, *minute, 1, state)?;
            }
        }
        let mut buckets: Vec<_> = self.buckets.into_iter().collect();
        // In the order of the table: neighbours are on one page.
        buckets.sort_unstable_by_key(|(key, _)| *key);
        let mut statement = connection.prepare_cached(Bucket::ADD)?;
        let mut known = connection.prepare_cached(Bucket::LATENCIES)?;
        for ((arm, number), bucket) in buckets {
            bucket.write([&mut statement, &mut known], arm, number)?;
        }
        self.unit_metrics.write(connection)?;
        let mut statement = connection.prepare_cached(
            "INSERT INTO held (experiment, hour, branches, bytes, removed)
             VALUES (?1, ?2, ?3, ?4, 0) ON CONFLICT DO UPDATE SET
             branches = branches + excluded.branches, bytes = bytes + excluded.bytes",
        )?;
        for ((experiment, hour), held) in self.held {
            statement.execute(params![experiment, hour, held.branches, held.bytes])?;
        }
        Ok(())
    }
}

/// Adds to the row of an arm that begins with `minute` and has that span.
pub(super) fn add_state(
    connection: &Connection,
    arm: Arm,
    minute: i64,
    span: i64,
    state: &State,
) -> rusqlite::Result<()> {
    let Arm { experiment, config, role, epoch } = arm;
    let known = connection
        .prepare_cached(
            "SELECT key, success, failed, skipped, cancelled, state FROM rollup
             WHERE experiment = ?1 AND config = ?2 AND role = ?3 AND epoch = ?4 AND minute = ?5
             AND span = ?6",
        )?
        .query_row(params![experiment, config, role, epoch, minute, span], |row| {
            let statuses = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
            let stored = State::decode(statuses, row.get_ref(5)?.as_blob()?);
            Ok((row.get::<_, i64>(0)?, stored))
        })
        .optional()?;
    let Some((key, stored)) = known else {
        let [success, failed, skipped, cancelled] = state.all_statuses();
        connection
            .prepare_cached(
                "INSERT INTO rollup (experiment, config, role, epoch, minute, span, success,
                 failed, skipped, cancelled, state)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                experiment,
                config,
                role,
                epoch,
                minute,
                span,
                success,
                failed,
                skipped,
                cancelled,
                state.encode(),
            ])?;
        return Ok(());
    };
    // One that cannot be read is begun anew: a fault of one minute (`store check` finds it) must
    // not keep branches from being recorded.
    let mut sum = stored.unwrap_or_default();
    sum.merge(state);
    let [success, failed, skipped, cancelled] = sum.all_statuses();
    connection
        .prepare_cached(
            "UPDATE rollup SET success = ?2, failed = ?3, skipped = ?4, cancelled = ?5,
             state = ?6 WHERE key = ?1",
        )?
        .execute(params![key, success, failed, skipped, cancelled, sum.encode()])?;
    Ok(())
}
