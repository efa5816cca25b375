//! What a branch has as a run, as SQL over its row `r` and what clients changed in it, `c`.
//!
//! The names and meanings are those of [`as_run`](crate::as_run), which shows what was found.

use super::super::{
    call::Context,
    error::ApiError,
    functions::OUTPUT_METRIC,
    search::{TextAttribute, TextTest},
};
use crate::{
    as_run::{MEASURED, Params},
    branch::BranchMetrics,
    store,
};
use std::collections::HashMap;

/// When it ended, in milliseconds: as recorded, or as changed.
pub(super) const fn end_ms(changed: bool) -> &'static str {
    if changed {
        "coalesce(c.end_ms, (r.start_ns + r.duration_ns) / 1000000)"
    } else {
        "(r.start_ns + r.duration_ns) / 1000000"
    }
}

/// What it has in words: as recorded, or as changed.
pub(super) fn text(attribute: TextAttribute, changed: bool) -> String {
    let recorded = recorded_text(attribute);
    match attribute {
        TextAttribute::Status if changed => format!("coalesce(c.status, {recorded})"),
        TextAttribute::RunName if changed => format!("coalesce(c.name, {recorded})"),
        _ => recorded.to_owned(),
    }
}

const fn recorded_text(attribute: TextAttribute) -> &'static str {
    match attribute {
        TextAttribute::RunId => "lower(hex(r.id))",
        TextAttribute::UserId => "''",
        TextAttribute::Status => {
            "CASE (SELECT name FROM code WHERE what = 'status' AND key = r.status)
                 WHEN 'success' THEN 'FINISHED' WHEN 'failed' THEN 'FAILED' ELSE 'KILLED' END"
        }
        TextAttribute::RunName => {
            "(SELECT CASE WHEN length(config_id) = 64
                     AND config_id NOT GLOB '*[^0-9a-fA-F]*' THEN substr(config_id, 1, 12)
                     ELSE substr(config_id, 1, 150) END FROM config WHERE key = r.config)
                 || ' ' || (SELECT name FROM code WHERE what = 'role' AND key = r.role)
                 || ' ' || lower(substr(hex(r.id), 1, 8) || '-' || substr(hex(r.id), 9, 4)
                     || '-' || substr(hex(r.id), 13, 4))"
        }
        TextAttribute::ArtifactUri => {
            "(SELECT coalesce(rtrim(m.artifact_location, '/'), 'mlflow-artifacts:/' || m.id)
                  FROM mlflow_experiment m JOIN experiment e ON e.name = m.branches
                  WHERE e.key = r.experiment)
             || '/' || lower(hex(r.id)) || '/artifacts'"
        }
    }
}

/// A metric of the record; `None` where no branch can have it, and none has to be looked at.
pub(super) fn known_metric(context: &Context<'_>, key: &str) -> Result<Option<String>, ApiError> {
    let may_be_said = !MEASURED.contains(&key) && !is_of_output(key) && BranchMetrics::is_name(key);
    if may_be_said && !store::is_metric(context.connection, key)? {
        return Ok(None);
    }
    Ok(metric(key))
}

/// Whether it is one of the numbers of an output.
fn is_of_output(key: &str) -> bool {
    key.strip_prefix("output").is_some_and(|path| path.is_empty() || path.starts_with('.'))
}

/// A metric of the record.
pub(in crate::server) fn metric(key: &str) -> Option<String> {
    Some(match key {
        "duration_ms" => "r.duration_ns / 1e6".to_owned(),
        "retry_count" => "CAST(r.retry_count AS REAL)".to_owned(),
        "probability" => "r.probability".to_owned(),
        "first_byte_ms" => "r.first_byte_ns / 1e6".to_owned(),
        "bytes_in" => "CAST(r.bytes_in AS REAL)".to_owned(),
        "bytes_out" => "CAST(r.bytes_out AS REAL)".to_owned(),
        _ => {
            // (Nothing in its name needs quotes.)
            let said = BranchMetrics::is_name(key).then(|| store::metric_of("r", key));
            // (SQLite's statements end at a NUL.)
            if !is_of_output(key) || key.contains('\0') {
                return said;
            }
            let key = key.replace('\'', "''");
            let output =
                format!("(SELECT {OUTPUT_METRIC}(content, '{key}') FROM output WHERE id = r.id)");
            match said {
                Some(said) => format!("coalesce({output}, {said})"),
                None => output,
            }
        }
    })
}

/// A tag as it was recorded.
pub(in crate::server) fn recorded_tag(key: &str) -> Option<String> {
    tag(key, false)
}

/// A tag of the record. (The name of a run is one of them, and may have been changed.)
pub(super) fn tag(key: &str, changed: bool) -> Option<String> {
    let named = |what: &str, column: &str| {
        format!("(SELECT name FROM code WHERE what = '{what}' AND key = r.{column})")
    };
    Some(match key {
        "mlflow.runName" => text(TextAttribute::RunName, changed),
        "mlflow.source.name" => "'tower-spearmint'".to_owned(),
        "spearmint.branch_id" => uuid("r.id"),
        "spearmint.request_id" => uuid("coalesce(r.request, r.id)"),
        "spearmint.trace_id" => {
            "lower(hex(coalesce(substr(r.trace, 1, 16), r.request, r.id)))".to_owned()
        }
        "spearmint.parent_span_id" => {
            "CASE WHEN r.trace IS NOT NULL THEN lower(hex(substr(r.trace, 17, 8))) END".to_owned()
        }
        "spearmint.parent" => {
            format!("CASE WHEN r.parent IS NOT NULL THEN {} END", uuid("r.parent"))
        }
        "spearmint.parent_config_id" => {
            "(SELECT config_id FROM config WHERE key = r.parent_config)".to_owned()
        }
        "spearmint.experiment" => {
            "(SELECT name FROM experiment WHERE key = r.experiment)".to_owned()
        }
        "spearmint.strategy" => {
            "(SELECT strategy FROM experiment WHERE key = r.experiment)".to_owned()
        }
        "spearmint.config_id" => "(SELECT config_id FROM config WHERE key = r.config)".to_owned(),
        "spearmint.role" => named("role", "role"),
        "spearmint.status" => named("status", "status"),
        "spearmint.reason" => named("reason", "reason"),
        "spearmint.skip" => named("skip", "skip"),
        "spearmint.failure_kind" => named("failure", "failure"),
        "spearmint.failure_type" => "(SELECT type FROM failure WHERE id = r.id)".to_owned(),
        "spearmint.failure_message" => "(SELECT message FROM failure WHERE id = r.id)".to_owned(),
        "spearmint.output" => "(SELECT content FROM output WHERE id = r.id)".to_owned(),
        "spearmint.unit" => {
            "CASE WHEN r.unit IS NOT NULL THEN printf('%016x', r.unit) END".to_owned()
        }
        "spearmint.epoch" => {
            "(SELECT number || '-' || printf('%016x', fingerprint) FROM epoch WHERE key = r.epoch)"
                .to_owned()
        }
        _ => return None,
    })
}

/// What each config shows as that param. There are few, however many branches.
pub(super) fn param(
    context: &Context<'_>,
    key: &str,
) -> Result<HashMap<i64, Option<String>>, ApiError> {
    let mut found = HashMap::new();
    let mut statement = context.connection.prepare_cached("SELECT key, content FROM config")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let content = match row.get_ref(1)?.as_str_or_null() {
            Ok(Some(text)) => serde_json::from_str(text).unwrap_or_default(),
            _ => serde_json::Value::Null,
        };
        let params = Params::of(&content).list;
        let value = params.into_iter().find(|(known, _)| known == key).map(|(_, value)| value);
        found.insert(row.get(0)?, value);
    }
    Ok(found)
}

/// The keys of the configs whose param is as asked.
pub(super) fn configs_with(
    context: &Context<'_>,
    key: &str,
    test: &TextTest,
) -> Result<Vec<i64>, ApiError> {
    let all = param(context, key)?.into_iter();
    Ok(all.filter(|(_, value)| test.holds(value.as_deref())).map(|(key, _)| key).collect())
}

/// The expression that writes 16 bytes as a UUID.
fn uuid(bytes: &str) -> String {
    format!(
        "lower(substr(hex({bytes}), 1, 8) || '-' || substr(hex({bytes}), 9, 4) || '-' || \
         substr(hex({bytes}), 13, 4) || '-' || substr(hex({bytes}), 17, 4) || '-' || \
         substr(hex({bytes}), 21))"
    )
}
