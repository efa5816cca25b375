//! The record of one comparison.

use super::Differences;
use crate::{
    assign::Epoch,
    branch::{Branch, BranchId, Role},
    config::Config,
};
use serde::Serialize;
use std::sync::Arc;

/// What came of comparing one shadow's answer with the primary's.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// The name of the experiment.
    pub experiment: Arc<str>,
    /// The name of the strategy.
    pub strategy: Arc<str>,
    /// The request both branches answered.
    pub request_id: BranchId,
    /// The primary's branch.
    pub primary: BranchId,
    /// The branch that was compared with it.
    pub branch: BranchId,
    /// What that branch was: a shadow, or the control.
    pub role: Role,
    /// The id of that branch's config.
    pub config_id: crate::ConfigId,
    /// That branch's config; serialised without its secrets.
    pub config: Config,
    /// The version of the weights and rules by which that branch was chosen.
    pub epoch: Epoch,
    /// What differs; empty if nothing does.
    pub differences: Differences,
}

impl Comparison {
    /// What came of comparing `branch` with the `primary` of the same request.
    pub fn new<T, U>(primary: &Branch<T>, branch: &Branch<U>, differences: Differences) -> Self {
        Self {
            experiment: branch.experiment.clone(),
            strategy: branch.strategy.clone(),
            request_id: branch.request_id,
            primary: primary.id,
            branch: branch.id,
            role: branch.role,
            config_id: branch.config_id.clone(),
            config: branch.config.clone(),
            epoch: branch.epoch,
            differences,
        }
    }

    /// Whether nothing differs.
    pub fn is_equal(&self) -> bool {
        self.differences.is_empty()
    }
}
