//! The tags and the metadata of traces: tags can be changed, metadata cannot.

use super::super::{call::Context, error::ApiError};
use rusqlite::params;
use std::collections::BTreeMap;

pub(super) use crate::as_trace::NAME;

/// Where a client may keep the spans as a file.
pub(super) const ARTIFACT_LOCATION: &str = "mlflow.artifactLocation";
/// Where the spans are; clients fetch them from this server if it is [`HERE`].
pub(super) const SPANS_LOCATION: &str = "mlflow.trace.spansLocation";
pub(super) const HERE: &str = "TRACKING_STORE";
/// How many spans there are in all, among other numbers.
pub(super) const SIZE_STATS: &str = "mlflow.trace.sizeStats";
/// The run during which a trace was made.
pub(super) const SOURCE_RUN: &str = "mlflow.sourceRun";
/// The info of a trace was told by its client.
pub(super) const FINALIZED: &str = "mlflow.trace.infoFinalized";
pub(super) const SESSION: &str = "mlflow.trace.session";
pub(super) const USER: &str = "mlflow.trace.user";

#[derive(Debug, Clone, Copy)]
pub(super) enum Labels {
    Tags,
    Metadata,
}

impl Labels {
    pub(super) const fn table(self) -> &'static str {
        match self {
            Self::Tags => "mlflow_trace_tag",
            Self::Metadata => "mlflow_trace_metadata",
        }
    }

    pub(super) fn of(
        self,
        context: &Context<'_>,
        trace: &str,
    ) -> Result<BTreeMap<String, String>, ApiError> {
        let sql = format!("SELECT key, value FROM {} WHERE trace = ?1", self.table());
        let mut statement = context.connection.prepare_cached(&sql)?;
        let pairs = statement.query_map([trace], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(pairs.collect::<Result<_, _>>()?)
    }

    pub(super) fn set(
        self,
        context: &Context<'_>,
        trace: &str,
        key: &str,
        value: &str,
    ) -> Result<(), ApiError> {
        self.write("INSERT OR REPLACE", context, trace, key, value)
    }

    /// Sets it unless it is there.
    pub(super) fn set_new(
        self,
        context: &Context<'_>,
        trace: &str,
        key: &str,
        value: &str,
    ) -> Result<(), ApiError> {
        self.write("INSERT OR IGNORE", context, trace, key, value)
    }

    fn write(
        self,
        how: &str,
        context: &Context<'_>,
        trace: &str,
        key: &str,
        value: &str,
    ) -> Result<(), ApiError> {
        let sql = format!("{how} INTO {} (trace, key, value) VALUES (?1, ?2, ?3)", self.table());
        context.connection.prepare_cached(&sql)?.execute(params![trace, key, value])?;
        Ok(())
    }
}
