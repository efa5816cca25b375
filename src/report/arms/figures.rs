//! The figures of an arm.

use super::Arm;
use crate::{
    branch::{FailureKind, Role},
    config::ConfigId,
    store::Histogram,
};
use serde::Serialize;

/// What the branches of one config come to, in one role.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ArmFigures {
    /// The id of the config.
    pub config_id: ConfigId,
    /// What the branches did for their requests.
    pub role: Role,
    /// Branches, however they ended.
    pub requests: u64,
    /// Those that returned, to the end.
    pub success: u64,
    /// Those that were started and went wrong.
    pub failed: u64,
    /// Those among the failed that timed out.
    pub timed_out: u64,
    /// Those that were refused before they were started.
    pub skipped: u64,
    /// Those whose caller left.
    pub cancelled: u64,
    /// Of those that ended by themselves, the share that failed.
    pub error_rate: Option<f64>,
    /// The time to the end that half of them do not exceed, in ns; time-outs count as the longest.
    pub p50_ns: Option<u64>,
    /// The same of 95 %, in ns.
    pub p95_ns: Option<u64>,
    /// The same of 99 %, in ns.
    pub p99_ns: Option<u64>,
    /// Of the answers that were compared with the primary's, the share that are equal.
    pub agreement: Option<f64>,
    /// Bytes of the request body that a branch read, on average, where they were counted.
    pub bytes_in: Option<f64>,
    /// Bytes of its response body, on average.
    pub bytes_out: Option<f64>,
    /// How long those took that ended by themselves, in ns; not in the JSON.
    #[serde(skip)]
    pub duration: Histogram,
}

impl Arm {
    pub(in crate::report) fn figures(&self) -> ArmFigures {
        let whole = &self.whole;
        let quantile = |q| whole.duration.quantile(q);
        ArmFigures {
            config_id: self.config_id.clone(),
            role: self.role,
            requests: whole.requests(),
            success: whole.success,
            failed: whole.failed,
            timed_out: whole.failures.get(&FailureKind::Timeout).copied().unwrap_or(0),
            skipped: whole.skipped,
            cancelled: whole.cancelled,
            error_rate: share(whole.failed, whole.failed + whole.success),
            p50_ns: quantile(0.5),
            p95_ns: quantile(0.95),
            p99_ns: quantile(0.99),
            agreement: share(whole.pairs.equal, whole.pairs.equal + whole.pairs.different),
            bytes_in: whole.bytes_in.mean(),
            bytes_out: whole.bytes_out.mean(),
            duration: whole.duration.clone(),
        }
    }
}

pub(in crate::report) fn share(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}
