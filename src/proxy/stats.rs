//! The counters of a proxy.

use super::listener::ListenerStats;
use crate::{assign::Epoch, evaluate::EvaluationStats, record::RecorderStats, shadow::ShadowStats};
use serde::Serialize;

/// The counters of a proxy.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ProxyStats {
    /// The experiment.
    pub experiment: String,
    /// How often another file came into use.
    pub reloads: u64,
    /// How often another file did not, because of a mistake in it.
    pub rejected: u64,
    /// The mistake in the file that was tried last, if it is not in use.
    pub last_error: Option<String>,
    /// The version of weights and rules; its number is one higher with each file that came into use.
    pub epoch: Epoch,
    /// How often a tester asked for a config that is not there, since this file came into use.
    pub unknown_overrides: u64,
    /// What became of the callers' connections.
    pub listener: ListenerStats,
    /// What became of the branches.
    pub recorder: RecorderStats,
    /// Whether the shadows are switched on, if there are any.
    pub shadows_enabled: Option<bool>,
    /// What became of the requests, for each shadow.
    pub shadows: Vec<ShadowStats>,
    /// What became of the numbers that are read in answers and judged of them, since this file came into use.
    pub evaluation: Option<EvaluationStats>,
}
