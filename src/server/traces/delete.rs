//! Traces that are deleted: by their ids, or the oldest.
//!
//! What is to go is looked for with a connection that reads, since that may take long, and then
//! deleted some at a time. Of a request only the trace goes: its branches stay, as runs.

use super::{
    super::{
        body,
        branch_scan::{Stretch, experiment_keys},
        call::Context,
        error::ApiError,
        experiments,
        input::{self, Input, required},
        raw::{Raw, RawAnswer},
        reply::Reply,
        search::Sql,
    },
    id, request_columns, request_traces,
};
use rusqlite::{params, params_from_iter};
use serde::Deserialize;
use serde_json::json;
use std::collections::HashSet;

/// The most traces that a call deletes; the client is told how many it were.
const MAX_DELETED: i64 = 100_000;
/// How many are deleted at a time.
const TOGETHER: usize = 1_000;

#[derive(Deserialize)]
struct Delete {
    experiment_id: Option<String>,
    #[serde(default, deserialize_with = "input::int")]
    max_timestamp_millis: Option<i64>,
    #[serde(default, deserialize_with = "input::int")]
    max_traces: Option<i64>,
    #[serde(default, deserialize_with = "input::list")]
    request_ids: Vec<String>,
}

pub(super) fn delete(raw: Raw) -> RawAnswer {
    Box::pin(async move {
        let (head, body) = raw.request.into_parts();
        let mut input = Input::of_body(body::read(&head.headers, body).await?);
        let asked: Delete = input.read()?;
        let found = raw.readers.run(move |context| asked.find(context)).await?;
        let mut deleted = 0;
        for ids in found.chunks(TOGETHER) {
            let ids = ids.to_vec();
            deleted += ids.len();
            let written = raw.writer.run_patiently(move |context| {
                for id in &ids {
                    forget(context, id)?;
                }
                Ok(Reply::done())
            });
            written.await?;
        }
        Ok(Reply::json(&json!({ "traces_deleted": deleted })).into_response())
    })
}

impl Delete {
    /// The ids of the traces that are meant, the oldest first.
    fn find(self, context: &Context<'_>) -> Result<Vec<String>, ApiError> {
        let experiment = experiments::parse_id(&required(self.experiment_id, "experiment_id")?)?;
        let limit = self.max_traces.unwrap_or(MAX_DELETED).clamp(0, MAX_DELETED);
        let mut found: Vec<(i64, String)> = Vec::new();
        let mut sql = Sql::default();
        sql.push("SELECT start_ms, id FROM mlflow_trace WHERE experiment = ").bind(experiment);
        if let Some(time) = self.max_timestamp_millis {
            sql.push(" AND start_ms <= ").bind(time);
        }
        if !self.request_ids.is_empty() {
            sql.push(" AND id IN ").list(&self.request_ids, "value");
        }
        sql.push(" ORDER BY start_ms, id LIMIT ").bind(limit);
        let mut statement = context.connection.prepare(&sql.text)?;
        let rows = statement
            .query_map(params_from_iter(&sql.values), |row| Ok((row.get(0)?, row.get(1)?)))?;
        for row in rows {
            found.push(row?);
        }

        let keys = experiment_keys(context, &[experiment])?;
        let mut sql = Sql::default();
        sql.push("SELECT r.start_ns / 1000000, coalesce(r.request, r.id) FROM branch r WHERE ");
        sql.push(request_columns::IS_FIRST).push(" AND ").push(request_columns::IS_THERE);
        sql.push(" AND r.experiment IN ").list(&keys, "value");
        if let Some(time) = self.max_timestamp_millis {
            sql.push(" AND ");
            Stretch::until(time).write(&mut sql);
            sql.push(" AND r.start_ns / 1000000 <= ").bind(time);
        }
        if !self.request_ids.is_empty() {
            request_traces::look_up(&mut sql, &self.request_ids);
        }
        sql.push(" ORDER BY r.id LIMIT ").bind(limit);
        let mut statement = context.connection.prepare(&sql.text)?;
        let rows = statement.query_map(params_from_iter(&sql.values), |row| {
            Ok((row.get(0)?, id::of_bytes(row.get(1)?)))
        })?;
        for row in rows {
            found.push(row?);
        }
        found.sort_unstable();
        // A request of which clients sent spans was found twice.
        let mut seen = HashSet::new();
        found.retain(|(_, id)| seen.insert(id.clone()));
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found.into_iter().map(|(_, id)| id).collect())
    }
}

/// Deletes all that there is of a trace.
fn forget(context: &Context<'_>, trace: &str) -> Result<(), ApiError> {
    if let Some(request) = id::request(trace) {
        context
            .connection
            .prepare_cached(
                "INSERT OR IGNORE INTO mlflow_request_deleted (id)
                 SELECT ?1 WHERE EXISTS (SELECT 1 FROM branch WHERE id = ?1 OR request = ?1)",
            )?
            .execute(params![request.as_bytes()])?;
    }
    for sql in [
        "DELETE FROM mlflow_trace WHERE id = ?1",
        "DELETE FROM mlflow_trace_tag WHERE trace = ?1",
        "DELETE FROM mlflow_trace_metadata WHERE trace = ?1",
        "DELETE FROM mlflow_trace_link WHERE trace = ?1",
        "DELETE FROM mlflow_span WHERE trace = ?1",
        "DELETE FROM mlflow_assessment WHERE trace = ?1",
    ] {
        context.connection.prepare_cached(sql)?.execute([trace])?;
    }
    Ok(())
}
