//! The rows of one branch.

use super::{Limits, code, option_code, signed};
use crate::{
    branch::{Branch, BranchId, Failure},
    store::{bounded, codes::Codes, keys::BranchKeys, rollup, schema},
};
use rusqlite::{Connection, Statement, params};

/// `false` when the branch is there already.
pub(super) fn insert(
    statement: &mut Statement<'_>,
    codes: &Codes,
    keys: BranchKeys,
    branch: &Branch,
) -> rusqlite::Result<bool> {
    let request = (branch.request_id != branch.id).then(|| branch.request_id.as_bytes());
    let new = statement.execute(params![
        branch.id.as_bytes(),
        request,
        branch.parent.as_ref().map(BranchId::as_bytes),
        keys.parent_config,
        keys.experiment,
        keys.config,
        code(&codes.role, branch.role)?,
        code(&codes.status, branch.status)?,
        signed(branch.start_ns),
        signed(branch.duration_ns),
        branch.probability,
        branch.unit.map(u64::cast_signed),
        option_code(&codes.failure, branch.failure.as_ref().map(|failure| failure.kind))?,
        option_code(&codes.skip, branch.skip)?,
        branch.retry_count,
        branch.first_byte_ns.map(signed),
        branch.bytes_in.map(signed),
        branch.bytes_out.map(signed),
        code(&codes.reason, branch.reason)?,
        keys.epoch,
        branch.trace.map(|trace| trace.to_bytes()),
    ])?;
    Ok(new > 0)
}

/// Says how many bytes they take.
pub(super) fn insert_details(
    connection: &Connection,
    limits: Limits,
    id: BranchId,
    branch: &Branch,
) -> rusqlite::Result<u64> {
    let mut bytes = 0;
    if let Some(failure) = &branch.failure {
        bytes += insert_failure(connection, limits, id, failure)?;
    }
    if let Some(output) = &branch.output {
        let (content, size) = bounded::json(output, limits.output);
        bytes += rollup::OUTPUT_BYTES + content.len() as u64;
        connection.prepare_cached(schema::UPSERT_OUTPUT)?.execute(params![
            id.as_bytes(),
            signed(size),
            content
        ])?;
    }
    Ok(bytes)
}

pub(super) fn insert_failure(
    connection: &Connection,
    limits: Limits,
    id: BranchId,
    failure: &Failure,
) -> rusqlite::Result<u64> {
    let failure = bounded::cut_failure(failure, limits.failure);
    connection.prepare_cached(schema::UPSERT_FAILURE)?.execute(params![
        id.as_bytes(),
        failure.type_name,
        failure.message,
        failure.trace
    ])?;
    let texts = [&failure.type_name, &failure.message, &failure.trace];
    Ok(rollup::FAILURE_BYTES + texts.iter().map(|text| text.len() as u64).sum::<u64>())
}
