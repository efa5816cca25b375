//! What was not recorded.

use super::arms::{Arm, Arms};
use crate::{
    branch::Role,
    config::ConfigId,
    record::{Loss, LossReason},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// More than this share of an arm's branches lost, and nothing is said of it: an error rate can be off by a whole
/// point then, and a percentile by one, as nobody knows what the lost ones would have shown. They are
/// seldom a fair sample: a queue is full when much ends at once.
const BOUND: f64 = 0.01;

/// Branches of one arm that ended and were not recorded.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ArmLosses {
    /// The id of the config.
    pub config_id: ConfigId,
    /// What the branches did for their requests.
    pub role: Role,
    /// How many were lost.
    pub branches: u64,
    /// Of those that were recorded and those that were lost together.
    pub share: f64,
    /// Why.
    pub reasons: BTreeMap<LossReason, u64>,
    /// It is more than one in a hundred.
    pub broken: bool,
}

/// The losses of the arms of one experiment, by arm.
pub(super) fn of(arms: &Arms, losses: &[Loss]) -> Vec<ArmLosses> {
    let mut lost: BTreeMap<(&ConfigId, Role), BTreeMap<LossReason, u64>> = BTreeMap::new();
    let here = |loss: &&Loss| loss.experiment == arms.experiment && loss.strategy == arms.strategy;
    for loss in losses.iter().filter(here) {
        let reasons = lost.entry((&loss.config_id, loss.role)).or_default();
        *reasons.entry(loss.reason).or_default() += loss.branches;
    }
    let recorded = |config_id: &ConfigId, role| {
        let mut all = arms.all();
        let arm = all.find(|arm| arm.config_id == *config_id && arm.role == role);
        // (Of those that are lost nobody knows who assigned them.)
        arm.map_or(0, |arm| arm.whole.requests() + arm.aside.values().sum::<u64>())
    };
    let arm = |((config_id, role), reasons): ((&ConfigId, Role), BTreeMap<LossReason, u64>)| {
        let branches: u64 = reasons.values().sum();
        let share = branches as f64 / (branches + recorded(config_id, role)).max(1) as f64;
        let broken = share > BOUND;
        ArmLosses { config_id: config_id.clone(), role, branches, share, reasons, broken }
    };
    lost.into_iter().map(arm).collect()
}

impl ArmLosses {
    pub(super) fn is_of(&self, arm: &Arm) -> bool {
        self.config_id == arm.config_id && self.role == arm.role
    }
}
