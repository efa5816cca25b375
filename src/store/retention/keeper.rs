//! Keeping a file within its bounds while it is written.

use super::{Cursor, Retention, Slice, cut, is_due, outcomes::OldOutcomes, remove, shrink};
use crate::store::{StoreOptions, open, rollup};
use rusqlite::{Connection, ErrorCode};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant, SystemTime},
};

/// How long a slice takes, about: with its commit it is to stay well below 50 ms.
const SLICE: Duration = Duration::from_millis(15);
/// How often it is looked whether there is something to do; after a fault, later.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const AFTER_FAULT: Duration = Duration::from_secs(60);

/// What the writer does between batches.
#[derive(Debug)]
pub(in crate::store) struct Keeper {
    /// For every experiment without a retention of its own.
    usual: Retention,
    own: BTreeMap<Box<str>, Retention>,
    /// How long a batch waits for another process.
    patience: Duration,
    /// Those that this process has written to: what others write is theirs to keep.
    experiments: BTreeMap<i64, (Retention, Cursor)>,
    /// Of the whole file: an outcome is of a unit, not of an experiment.
    outcomes: Option<OldOutcomes>,
    next_look: Option<Instant>,
    /// Roll-ups before this minute have been merged into hours.
    hours_until: i64,
}

impl Keeper {
    pub(in crate::store) fn new(options: &StoreOptions) -> Self {
        Self {
            usual: options.keep,
            own: options.keep_of.clone(),
            patience: options.busy_timeout,
            experiments: BTreeMap::new(),
            outcomes: options.keep_outcomes.map(OldOutcomes::new),
            next_look: None,
            hours_until: 0,
        }
    }

    /// Removes a slice of what is too old or too much, if there is any.
    pub(in crate::store) fn keep(&mut self, connection: &mut Connection, written: &BTreeSet<i64>) {
        let now = Instant::now();
        if self.next_look.is_some_and(|next| now < next) {
            return;
        }
        // Whoever else is writing goes first: there is time.
        let step =
            connection.busy_timeout(Duration::ZERO).and_then(|()| self.step(connection, written));
        let step = connection.busy_timeout(self.patience).and(step);
        let wait = match step {
            Ok(true) => None,
            Ok(false) => Some(LOOK_EVERY),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                Some(LOOK_EVERY)
            }
            Err(error) => {
                tracing::warn!(%error, "what is old could not be removed from the store");
                Some(AFTER_FAULT)
            }
        };
        self.next_look = wait.map(|wait| now + wait);
    }

    /// Whether there is more to do.
    fn step(
        &mut self,
        connection: &mut Connection,
        written: &BTreeSet<i64>,
    ) -> rusqlite::Result<bool> {
        let now = SystemTime::now();
        for experiment in written {
            if !self.experiments.contains_key(experiment) {
                let name: String = connection
                    .prepare_cached("SELECT name FROM experiment WHERE key = ?1")?
                    .query_row([experiment], |row| row.get(0))?;
                let retention = self.own.get(&*name).copied().unwrap_or(self.usual);
                self.experiments.insert(*experiment, (retention, Cursor::default()));
            }
        }
        let mut more = false;
        for (experiment, (retention, cursor)) in &mut self.experiments {
            if retention.is_none() || more {
                continue;
            }
            let cut = cut(*experiment, *retention, now);
            if !is_due(connection, cut)? {
                continue;
            }
            let transaction = open::immediate(connection)?;
            let mut moved = *cursor;
            let slice = remove(&transaction, cut, &mut moved, SLICE)?;
            transaction.commit()?;
            *cursor = moved;
            more |= slice.more;
        }
        if more {
            return Ok(true);
        }
        if let Some(outcomes) = &mut self.outcomes
            && outcomes.step(connection)?
        {
            return Ok(true);
        }
        if let Some(hour) = rollup::oldest_minutes(connection, &mut self.hours_until, now)? {
            let transaction = open::immediate(connection)?;
            rollup::into_hour(&transaction, hour)?;
            transaction.commit()?;
            return Ok(true);
        }
        let keeps_all = self.experiments.values().all(|(retention, _)| retention.is_none());
        if keeps_all && self.outcomes.is_none() {
            return Ok(false);
        }
        shrink(connection, Slice::FREE_PAGES)
    }
}
