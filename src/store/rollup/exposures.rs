//! Which branch was the first to answer a unit.

use super::{
    facts::{Arm, Facts},
    gather::Gathered,
};
use crate::branch::Role;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;

/// How many units are remembered, so that the frequent ones cost no look-up.
const MAX_KNOWN: usize = 65_536;

/// A unit in an epoch of an experiment, whose first exposure this batch has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Exposed {
    pub(in crate::store) unit: i64,
    pub(in crate::store) experiment: i64,
    pub(in crate::store) epoch: i64,
}

/// First branches that were looked up or written before, by unit, experiment and epoch.
#[derive(Debug, Default)]
pub(super) struct Exposures {
    known: HashMap<[i64; 3], [u8; 16]>,
}

impl Exposures {
    /// Counts those of `branches` that are the first of their unit in their epoch, and says which.
    ///
    /// Only those whose answer the unit got: of a shadow it knows nothing. And only those that chance assigned: who was
    /// left out so far, and got the default, is exposed once it takes part.
    pub(super) fn settle(
        &mut self,
        connection: &Connection,
        gathered: &mut Gathered,
        branches: &[Facts],
    ) -> rusqlite::Result<Vec<Exposed>> {
        let mut exposed = Vec::new();
        let mut asked: Vec<([i64; 3], &Facts)> = Vec::new();
        let is_exposure = |facts: &&Facts| facts.role == Role::Primary && facts.aside.is_none();
        for facts in branches.iter().filter(is_exposure) {
            let Some(unit) = facts.unit else { continue };
            let key = [unit, facts.arm.experiment, facts.arm.epoch];
            if self.known.get(&key).is_none_or(|first| *first > facts.id) {
                asked.push((key, facts));
            }
        }
        // In the order of the table, and for each unit the first branch first.
        asked.sort_unstable_by_key(|(key, facts)| (*key, facts.id));
        asked.dedup_by_key(|(key, _)| *key);
        for (key, facts) in asked {
            let first = expose(connection, gathered, key, facts)?;
            if first == facts.id {
                let [unit, experiment, epoch] = key;
                exposed.push(Exposed { unit, experiment, epoch });
            }
            if self.known.len() >= MAX_KNOWN {
                self.known.clear();
            }
            self.known.insert(key, first);
        }
        Ok(exposed)
    }
}

/// The first branch of the unit, which may be this one from now on.
fn expose(
    connection: &Connection,
    gathered: &mut Gathered,
    [unit, experiment, epoch]: [i64; 3],
    facts: &Facts,
) -> rusqlite::Result<[u8; 16]> {
    let new = connection
        .prepare_cached(
            "INSERT INTO exposure (unit, experiment, epoch, config, branch)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
        )?
        .execute(params![unit, experiment, epoch, facts.arm.config, facts.id])?;
    if new > 0 {
        gathered.exposure(facts.arm, &facts.id, 1);
        return Ok(facts.id);
    }
    let known: Option<(i64, [u8; 16])> = connection
        .prepare_cached(
            "SELECT config, branch FROM exposure
             WHERE unit = ?1 AND experiment = ?2 AND epoch = ?3",
        )?
        .query_row(params![unit, experiment, epoch], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match known {
        Some((_, first)) if first <= facts.id => Ok(first),
        // It was assigned before the one that ended before it.
        Some((config, later)) => {
            connection
                .prepare_cached(
                    "UPDATE exposure SET config = ?4, branch = ?5
                     WHERE unit = ?1 AND experiment = ?2 AND epoch = ?3",
                )?
                .execute(params![unit, experiment, epoch, facts.arm.config, facts.id])?;
            gathered.exposure(Arm { config, ..facts.arm }, &later, -1);
            gathered.exposure(facts.arm, &facts.id, 1);
            Ok(facts.id)
        }
        None => Ok(facts.id),
    }
}
