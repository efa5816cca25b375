//! What the comparisons of each config come to.

use crate::{
    branch::{BranchId, Role},
    compare::DifferenceKind,
    config::ConfigId,
};
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};

/// What the comparisons of one config with the primary come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ConfigDifferences {
    /// The name of the experiment.
    pub experiment: Arc<str>,
    /// The name of the strategy.
    pub strategy: Arc<str>,
    /// The id of the config.
    pub config_id: ConfigId,
    /// What the branches were: shadows, or the control where that is what was asked for.
    pub role: Role,
    /// Pairs of answers that were compared.
    pub compared: u64,
    /// Those that are equal.
    pub equal: u64,
    /// Those that differ somewhere.
    pub different: u64,
    /// Pairs of the control, if there is one: what differs there is noise.
    pub control: Option<ControlDifferences>,
    /// At how many paths they differ by more than noise.
    pub beyond_noise: u64,
    /// Where they differ: first what is more than noise, then by how often.
    pub paths: Vec<PathDifferences>,
    /// How many more such paths there are.
    pub more_paths: u64,
    /// Differences that no path counts, because their comparisons had too many.
    pub uncounted: u64,
}

/// What the comparisons of the control with the primary come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ControlDifferences {
    /// Pairs of answers that were compared.
    pub compared: u64,
    /// Those that are equal.
    pub equal: u64,
    /// Those that differ somewhere.
    pub different: u64,
}

/// How often a config differs from the primary at one path.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PathDifferences {
    /// The path, as in [`Difference`](crate::compare::Difference). Beyond 10,000 paths of an
    /// experiment the others are `…other` together.
    pub path: String,
    /// Pairs that differ here.
    pub pairs: u64,
    /// The share of all pairs, from 0 to 1.
    pub rate: f64,
    /// The share of the control's pairs that differ here, from 0 to 1, if there is a control.
    pub noise: Option<f64>,
    /// `rate − noise`, if there is a control.
    pub net: Option<f64>,
    /// Whether this is more than noise. Without a control everything is.
    pub beyond_noise: bool,
    /// The pairs by kind; one that differs here in several ways counts under the first.
    pub kinds: BTreeMap<DifferenceKind, u64>,
    /// Some examples, newest first.
    pub examples: Vec<DifferenceExample>,
}

/// What stood at a path in one pair of answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DifferenceExample {
    /// The primary's branch.
    pub primary_id: BranchId,
    /// The branch that was compared with it.
    pub branch_id: BranchId,
    /// In what way they differ here.
    pub kind: DifferenceKind,
    /// What the primary has here, cut to 256 bytes, if anything.
    pub primary: Option<String>,
    /// What the other has here, likewise.
    pub shadow: Option<String>,
}

impl ConfigDifferences {
    /// Whether it differs from the primary by more than noise, at any path.
    pub const fn is_beyond_noise(&self) -> bool {
        self.beyond_noise > 0
    }
}
