//! What an outcome says, of whom, and how far from an exposure it counts: for several stores together.

use super::rules::{self, Span};
use crate::config::ConfigId;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What an outcome says. Of different ones under the same id the least counts: the earliest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) struct OutcomeFact {
    /// In ms since the Unix epoch.
    pub(in crate::store) at_ms: i64,
    /// In millionths.
    pub(in crate::store) value: i64,
    pub(in crate::store) name: Arc<str>,
}

/// How far from an exposure outcomes count in an experiment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct ExperimentSpan {
    pub(in crate::store) experiment: Arc<str>,
    pub(in crate::store) span: Span,
}

/// The spans of all experiments of a store.
pub(in crate::store) fn spans(
    connection: &Connection,
    version: i32,
) -> rusqlite::Result<Vec<ExperimentSpan>> {
    let mut statement = connection.prepare("SELECT DISTINCT name FROM experiment ORDER BY name")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let span = rules::span(connection, &name, version)?;
        found.push(ExperimentSpan { experiment: name.into(), span });
    }
    Ok(found)
}

/// Experiment, strategy, config and epoch.
pub(in crate::store) type ArmNames = (Arc<str>, Arc<str>, ConfigId, Option<u64>);
