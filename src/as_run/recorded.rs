//! What is shown of a branch, whether it was just recorded or is read back.

use crate::{
    assign::{Epoch, Reason},
    branch::{
        Branch, BranchId, BranchMetrics, Failure, Role, SkipReason, Status, TraceId, TraceParent,
    },
    config::ConfigId,
};
use serde_json::Value;

/// A branch, wherever it comes from; the fields are those of [`Branch`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recorded<'a> {
    pub(crate) id: BranchId,
    pub(crate) request_id: BranchId,
    pub(crate) parent: Option<BranchId>,
    pub(crate) parent_config_id: Option<&'a ConfigId>,
    pub(crate) trace: Option<TraceParent>,
    pub(crate) experiment: &'a str,
    pub(crate) strategy: &'a str,
    pub(crate) role: Role,
    pub(crate) config_id: &'a ConfigId,
    /// Without its secrets.
    pub(crate) config: &'a Value,
    pub(crate) probability: f64,
    /// `None` where a program that knew no reasons wrote it; so is `epoch`.
    pub(crate) reason: Option<Reason>,
    pub(crate) epoch: Option<Epoch>,
    pub(crate) unit: Option<u64>,
    pub(crate) start_ns: u64,
    pub(crate) end_ns: u64,
    pub(crate) duration_ns: u64,
    pub(crate) status: Status,
    pub(crate) output: Option<&'a Value>,
    pub(crate) failure: Option<&'a Failure>,
    pub(crate) skip: Option<SkipReason>,
    pub(crate) retry_count: u32,
    pub(crate) first_byte_ns: Option<u64>,
    pub(crate) bytes_in: Option<u64>,
    pub(crate) bytes_out: Option<u64>,
    pub(crate) metrics: &'a BranchMetrics,
}

impl Recorded<'_> {
    /// The trace it belongs to.
    pub(crate) fn trace_id(&self) -> TraceId {
        TraceId::of_request(self.trace.as_ref(), self.request_id)
    }
}

impl<'a> From<&'a Branch> for Recorded<'a> {
    fn from(branch: &'a Branch) -> Self {
        Self {
            id: branch.id,
            request_id: branch.request_id,
            parent: branch.parent,
            parent_config_id: branch.parent_config_id.as_ref(),
            trace: branch.trace,
            experiment: &branch.experiment,
            strategy: &branch.strategy,
            role: branch.role,
            config_id: &branch.config_id,
            config: branch.config.redacted(),
            probability: branch.probability,
            reason: Some(branch.reason),
            epoch: Some(branch.epoch),
            unit: branch.unit,
            start_ns: branch.start_ns,
            end_ns: branch.end_ns,
            duration_ns: branch.duration_ns,
            status: branch.status,
            output: branch.output.as_ref(),
            failure: branch.failure.as_ref(),
            skip: branch.skip,
            retry_count: branch.retry_count,
            first_byte_ns: branch.first_byte_ns,
            bytes_in: branch.bytes_in,
            bytes_out: branch.bytes_out,
            metrics: &branch.metrics,
        }
    }
}

#[cfg(feature = "store")]
impl<'a> From<&'a crate::store::BranchRow> for Recorded<'a> {
    fn from(row: &'a crate::store::BranchRow) -> Self {
        Self {
            id: row.id,
            request_id: row.request_id,
            parent: row.parent,
            parent_config_id: row.parent_config_id.as_ref(),
            trace: row.trace,
            experiment: &row.experiment,
            strategy: &row.strategy,
            role: row.role,
            config_id: &row.config_id,
            config: &row.config,
            probability: row.probability,
            reason: row.reason,
            epoch: row.epoch,
            unit: row.unit,
            start_ns: row.start_ns,
            end_ns: row.end_ns,
            duration_ns: row.duration_ns,
            status: row.status,
            output: row.output.as_ref(),
            failure: row.failure.as_ref(),
            skip: row.skip,
            retry_count: row.retry_count,
            first_byte_ns: row.first_byte_ns,
            bytes_in: row.bytes_in,
            bytes_out: row.bytes_out,
            metrics: &row.metrics,
        }
    }
}
