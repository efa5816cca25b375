//! Which roll-ups are meant.

use crate::{
    branch::Role,
    store::{
        StoreError,
        codes::Codes,
        filter::{any_of, config_keys, epoch_keys, experiment_keys},
    },
};
use rusqlite::Connection;

/// Which roll-ups are meant: all, until it is narrowed down. Conditions add up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RollupFilter {
    /// The name of the experiment.
    pub experiment: Option<String>,
    /// The id of a config, or the beginning of just one.
    pub config: Option<String>,
    /// What the branches did for their request.
    pub role: Option<Role>,
    /// The fingerprint of their epoch.
    pub epoch: Option<u64>,
    /// They begin at this time or later, in ns since the Unix epoch.
    pub since_ns: Option<u64>,
    /// They begin before this time, in ns since the Unix epoch.
    pub until_ns: Option<u64>,
}

impl RollupFilter {
    /// All roll-ups.
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

    /// Of branches in this role.
    #[must_use]
    pub const fn role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }

    /// Of branches assigned by the weights and rules with this
    /// [fingerprint](crate::assign::Epoch::fingerprint).
    #[must_use]
    pub const fn epoch(mut self, fingerprint: u64) -> Self {
        self.epoch = Some(fingerprint);
        self
    }

    /// Those that begin at `ns` since the Unix epoch, or later.
    #[must_use]
    pub const fn since_ns(mut self, ns: u64) -> Self {
        self.since_ns = Some(ns);
        self
    }

    /// Those that begin before `ns` since the Unix epoch.
    #[must_use]
    pub const fn until_ns(mut self, ns: u64) -> Self {
        self.until_ns = Some(ns);
        self
    }

    /// The conditions on the columns `experiment`, `config`, `role` and `epoch` of a table.
    pub(in crate::store) fn arms(
        &self,
        connection: &Connection,
        codes: &Codes,
        failed: impl Fn(rusqlite::Error) -> StoreError,
    ) -> Result<String, StoreError> {
        let mut sql = String::from(" WHERE 1");
        if let Some(name) = &self.experiment {
            any_of(&mut sql, "experiment", &experiment_keys(connection, name, &failed)?);
        }
        if let Some(id) = &self.config {
            any_of(&mut sql, "config", &config_keys(connection, id, &failed)?);
        }
        // A name without a code has no branches: -1 is never one.
        if let Some(role) = self.role {
            any_of(&mut sql, "role", &[codes.role.of(role).unwrap_or(-1)]);
        }
        if let Some(fingerprint) = self.epoch {
            any_of(&mut sql, "epoch", &epoch_keys(connection, fingerprint, &failed)?);
        }
        Ok(sql)
    }
}
