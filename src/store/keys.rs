//! The integer keys of experiments and configs, remembered.

use crate::{
    assign::Epoch,
    branch::Branch,
    compare::Comparison,
    config::{Config, ConfigId},
};
use rusqlite::{Connection, OptionalExtension, params};
use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    sync::Arc,
};

/// More than any pool has; a program that makes a config for every request starts anew each
/// time, and pays for looking its keys up.
const MAX_KNOWN: usize = 4_096;

/// The keys that a branch's row refers to.
#[derive(Debug, Clone, Copy)]
pub(super) struct BranchKeys {
    pub(super) experiment: i64,
    pub(super) config: i64,
    pub(super) parent_config: Option<i64>,
    pub(super) epoch: i64,
    /// The first key of the epoch's fingerprint: the same rules, whatever the number.
    pub(super) rules: i64,
}

/// A config of an experiment, as a record names it.
#[derive(Clone, Copy)]
pub(super) struct ArmOf<'a> {
    experiment: &'a Arc<str>,
    strategy: &'a Arc<str>,
    config_id: &'a ConfigId,
    config: &'a Config,
}

impl<'a> ArmOf<'a> {
    fn branch(of: &'a Branch) -> Self {
        let (experiment, strategy) = (&of.experiment, &of.strategy);
        Self { experiment, strategy, config_id: &of.config_id, config: &of.config }
    }

    pub(super) fn comparison(of: &'a Comparison) -> Self {
        let (experiment, strategy) = (&of.experiment, &of.strategy);
        Self { experiment, strategy, config_id: &of.config_id, config: &of.config }
    }
}

/// Keys that were found or given before, so that a row costs no look-up.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// By the addresses of the experiment's name, its strategy's name and the config's content:
    /// all three are shared by every branch of an arm, and as long as a clone of the branch is
    /// held here, nothing else can come to stand at these addresses.
    arms: HashMap<[usize; 3], Arm>,
    parents: HashMap<ConfigId, i64>,
    experiments: BTreeSet<i64>,
    /// Their keys, and the first keys of their fingerprints.
    epochs: HashMap<Epoch, (i64, i64)>,
}

#[derive(Debug)]
struct Arm {
    experiment: i64,
    config: i64,
    /// Holds the addresses.
    _holder: (Arc<str>, Arc<str>, Config),
}

impl Keys {
    /// The keys of a branch; what is new is inserted by `connection`'s transaction.
    pub(super) fn of(
        &mut self,
        connection: &Connection,
        branch: &Branch,
    ) -> rusqlite::Result<BranchKeys> {
        let (experiment, config) = self.of_arm(connection, ArmOf::branch(branch))?;
        let parent_config = match &branch.parent_config_id {
            None => None,
            Some(id) => Some(self.parent(connection, id)?),
        };
        let (epoch, rules) = self.epoch(connection, branch.epoch)?;
        Ok(BranchKeys { experiment, config, parent_config, epoch, rules })
    }

    /// The keys of an experiment and of a config in it.
    pub(super) fn of_arm(
        &mut self,
        connection: &Connection,
        arm: ArmOf<'_>,
    ) -> rusqlite::Result<(i64, i64)> {
        let address = [
            Arc::as_ptr(arm.experiment).cast::<u8>() as usize,
            Arc::as_ptr(arm.strategy).cast::<u8>() as usize,
            std::ptr::from_ref(arm.config.redacted()) as usize,
        ];
        // A branch may have been given another id than its config has: then nothing is shared.
        let own_id = arm.config_id == arm.config.id();
        if own_id && let Some(known) = self.arms.get(&address) {
            return Ok((known.experiment, known.config));
        }
        let keys = (experiment_key(connection, arm)?, config_key(connection, arm)?);
        if self.experiments.len() >= MAX_KNOWN {
            self.experiments.clear();
        }
        self.experiments.insert(keys.0);
        if own_id {
            self.remember(address, arm, keys);
        }
        Ok(keys)
    }

    /// After a transaction that failed: what it inserted is not there.
    pub(super) fn forget(&mut self) {
        self.arms.clear();
        self.parents.clear();
        self.experiments.clear();
        self.epochs.clear();
    }

    /// The experiments that were written to.
    pub(super) const fn experiments(&self) -> &BTreeSet<i64> {
        &self.experiments
    }

    fn remember(&mut self, address: [usize; 3], arm: ArmOf<'_>, (experiment, config): (i64, i64)) {
        if self.arms.len() >= MAX_KNOWN {
            self.arms.clear();
        }
        let _holder = (arm.experiment.clone(), arm.strategy.clone(), arm.config.clone());
        self.arms.insert(address, Arm { experiment, config, _holder });
    }

    /// The key of an epoch, and the first key of its fingerprint.
    pub(super) fn epoch(
        &mut self,
        connection: &Connection,
        epoch: Epoch,
    ) -> rusqlite::Result<(i64, i64)> {
        if let Some(known) = self.epochs.get(&epoch) {
            return Ok(*known);
        }
        if self.epochs.len() >= MAX_KNOWN {
            self.epochs.clear();
        }
        let key = epoch_key(connection, epoch)?;
        let rules = connection
            .prepare_cached("SELECT min(key) FROM epoch WHERE fingerprint = ?1")?
            .query_row([epoch.fingerprint().cast_signed()], |row| row.get(0))?;
        self.epochs.insert(epoch, (key, rules));
        Ok((key, rules))
    }

    /// The config of an outer branch: only its id is known here.
    fn parent(&mut self, connection: &Connection, id: &ConfigId) -> rusqlite::Result<i64> {
        if self.parents.len() >= MAX_KNOWN {
            self.parents.clear();
        }
        match self.parents.entry(id.clone()) {
            Entry::Occupied(known) => Ok(*known.get()),
            Entry::Vacant(new) => {
                let key = insert_config(connection, id.as_str(), &[], None)?;
                Ok(*new.insert(key))
            }
        }
    }
}

fn epoch_key(connection: &Connection, epoch: Epoch) -> rusqlite::Result<i64> {
    let values = params![
        i64::try_from(epoch.number()).unwrap_or(i64::MAX),
        epoch.fingerprint().cast_signed()
    ];
    let known = connection
        .prepare_cached("SELECT key FROM epoch WHERE number = ?1 AND fingerprint = ?2")?
        .query_row(values, |row| row.get(0))
        .optional()?;
    match known {
        Some(key) => Ok(key),
        None => connection
            .prepare_cached("INSERT INTO epoch (number, fingerprint) VALUES (?1, ?2)")?
            .insert(values),
    }
}

fn experiment_key(connection: &Connection, arm: ArmOf<'_>) -> rusqlite::Result<i64> {
    let names = params![&**arm.experiment, &**arm.strategy];
    let known = connection
        .prepare_cached("SELECT key FROM experiment WHERE name = ?1 AND strategy = ?2")?
        .query_row(names, |row| row.get(0))
        .optional()?;
    match known {
        Some(key) => Ok(key),
        None => connection
            .prepare_cached("INSERT INTO experiment (name, strategy) VALUES (?1, ?2)")?
            .insert(names),
    }
}

fn config_key(connection: &Connection, arm: ArmOf<'_>) -> rusqlite::Result<i64> {
    // Only what has lost its secrets goes into the file.
    let content = arm.config.redacted().to_string();
    let digest = blake3::hash(content.as_bytes());
    insert_config(connection, arm.config_id.as_str(), digest.as_bytes(), Some(&content))
}

fn insert_config(
    connection: &Connection,
    id: &str,
    digest: &[u8],
    content: Option<&str>,
) -> rusqlite::Result<i64> {
    let known = connection
        .prepare_cached("SELECT key FROM config WHERE config_id = ?1 AND digest = ?2")?
        .query_row(params![id, digest], |row| row.get(0))
        .optional()?;
    match known {
        Some(key) => Ok(key),
        None => connection
            .prepare_cached("INSERT INTO config (config_id, digest, content) VALUES (?1, ?2, ?3)")?
            .insert(params![id, digest, content]),
    }
}
