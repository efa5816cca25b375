//! Which models and versions there are.

use super::{
    super::{
        call::{Answer, Context},
        error::ApiError,
        input::{self, Input},
        page,
        reply::Reply,
        search::{
            Registered, RegistryCondition, RegistryKey, RegistryOrder, SortColumn, SortKey, Sql,
            TextTest,
        },
    },
    names::IS_PROMPT,
    wire::{ModelVersion, RegisteredModel, VERSION_COLUMN_COUNT, VERSION_COLUMNS},
};
use rusqlite::{Row, params_from_iter};
use serde::{Deserialize, Serialize};

/// Models of an answer, if the client does not say, and the most of them.
const MODELS: (i64, i64) = (100, 1_000);
/// Versions of an answer, if the client does not say, and the most of them.
const VERSIONS: (i64, i64) = (200_000, 200_000);

#[derive(Deserialize)]
struct Search {
    filter: Option<String>,
    #[serde(default, deserialize_with = "input::int")]
    max_results: Option<i64>,
    #[serde(default, deserialize_with = "input::list")]
    order_by: Vec<String>,
    page_token: Option<String>,
}

#[derive(Serialize)]
struct Models {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    registered_models: Vec<RegisteredModel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

#[derive(Serialize)]
struct Versions {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_versions: Vec<ModelVersion>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(super) fn models(context: &Context<'_>, mut input: Input) -> Answer {
    let asked: Search = input.read()?;
    let read = |row: &Row<'_>| row.get(0);
    let (keys, next_page_token) = find::<i64>(context, Registered::Models, &asked, read)?;
    let registered_models = keys
        .into_iter()
        .map(|key| RegisteredModel::find(context, key))
        .collect::<Result<_, _>>()?;
    Ok(Reply::json(&Models { registered_models, next_page_token }))
}

pub(super) fn versions(context: &Context<'_>, mut input: Input) -> Answer {
    let asked: Search = input.read()?;
    let (found, next_page_token) = find(context, Registered::Versions, &asked, ModelVersion::read)?;
    let model_versions =
        found.into_iter().map(|version| version.with_tags(context)).collect::<Result<_, _>>()?;
    Ok(Reply::json(&Versions { model_versions, next_page_token }))
}

/// Entries that are looked for, and the token for those after them.
fn find<T>(
    context: &Context<'_>,
    of: Registered,
    asked: &Search,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let size = size(of, asked.max_results)?;
    let conditions = RegistryCondition::read(of, asked.filter.as_deref().unwrap_or_default())?;
    let order = RegistryOrder::read(of, &asked.order_by)?;
    let columns: Vec<_> = order.0.iter().map(|key| column(of, *key)).collect();
    let after: Option<SortKey> = page::read(asked.page_token.as_deref())?;
    let mut sql = Sql::default();
    let (selected, rows) = match of {
        Registered::Models => ("m.key", " FROM mlflow_registered_model m WHERE true"),
        Registered::Versions => (
            VERSION_COLUMNS,
            " FROM mlflow_model_version v JOIN mlflow_registered_model m ON m.key = v.model
              WHERE v.stage IS NOT NULL",
        ),
    };
    sql.push("SELECT ").push(selected);
    for column in &columns {
        sql.push(", ").push(&column.select());
    }
    sql.push(rows);
    write_filter(&mut sql, of, &conditions);
    if let Some(after) = &after {
        after.check(columns.len())?;
        sql.push(" AND ").after(&columns, after);
    }
    sql.order_by(&columns).push(" LIMIT ").bind(size + 1);
    let mut statement = context.connection.prepare(&sql.text)?;
    let found = statement.query_map(params_from_iter(&sql.values), |row| {
        let mut cells = Vec::with_capacity(columns.len());
        let mut next = if of == Registered::Models { 1 } else { VERSION_COLUMN_COUNT };
        for column in &columns {
            let (cell, after) = column.read(row, next)?;
            next = after;
            cells.push(cell);
        }
        Ok((read(row)?, SortKey(cells)))
    })?;
    let mut found = found.collect::<Result<Vec<_>, _>>()?;
    let last = page::cut(&mut found, Some(size));
    let token = last.map(|(_, place)| page::write(place));
    Ok((found.into_iter().map(|(entry, _)| entry).collect(), token))
}

fn size(of: Registered, asked: Option<i64>) -> Result<i64, ApiError> {
    let (default, most) = if of == Registered::Models { MODELS } else { VERSIONS };
    let size = asked.unwrap_or(default);
    if size < 1 {
        return Err(ApiError::invalid(format!(
            "Invalid value for max_results. It must be a positive integer, but got {size}"
        )));
    }
    if size > most {
        return Err(ApiError::invalid(format!(
            "Invalid value for request parameter max_results. It must be at most {most}, but got \
             value {size}"
        )));
    }
    Ok(size)
}

fn column(of: Registered, (key, ascending): (RegistryKey, bool)) -> SortColumn {
    let value = match (of, key) {
        (_, RegistryKey::Name) => "m.name",
        (_, RegistryKey::Version) => "v.version",
        (Registered::Models, RegistryKey::Created) => "m.created_ms",
        (Registered::Models, RegistryKey::Updated) => "m.updated_ms",
        (Registered::Versions, RegistryKey::Created) => "v.created_ms",
        (Registered::Versions, RegistryKey::Updated) => "v.updated_ms",
    };
    SortColumn { value: value.to_owned(), rank: None, ascending, is_id: false }
}

/// Prompts are among what is looked for only where the filter asks for them, and then alone.
fn write_filter(sql: &mut Sql, of: Registered, conditions: &[RegistryCondition]) {
    let prompts = asks_for_prompts(conditions);
    if !prompts {
        let tags = match of {
            Registered::Models => "mlflow_registered_model_tag",
            Registered::Versions => "mlflow_model_version_tag",
        };
        sql.push(" AND NOT EXISTS (SELECT 1 FROM ")
            .push(tags)
            .push(" t WHERE t.model = m.key AND t.value = 'true' AND t.key = ")
            .bind(IS_PROMPT.to_owned())
            .push(")");
    }
    for condition in conditions {
        match condition {
            RegistryCondition::Name(test) => {
                sql.push(" AND ").text("m.name", test);
            }
            RegistryCondition::RunId(test) => {
                sql.push(" AND ").text("v.run_id", test);
            }
            RegistryCondition::Source(test) => {
                sql.push(" AND ").text("v.source", test);
            }
            RegistryCondition::Version(test) => {
                sql.push(" AND ").number("v.version", *test);
            }
            // Said already.
            RegistryCondition::Tag { key, .. } if key == IS_PROMPT && !prompts => {}
            RegistryCondition::Tag { key, test } => {
                sql.push(match of {
                    Registered::Models => {
                        " AND EXISTS (SELECT 1 FROM mlflow_registered_model_tag t
                         WHERE t.model = m.key AND t.key = "
                    }
                    Registered::Versions => {
                        " AND EXISTS (SELECT 1 FROM mlflow_model_version_tag t
                         WHERE t.model = v.model AND t.version = v.version AND t.key = "
                    }
                });
                sql.bind(key.clone()).push(" AND ").text("t.value", test).push(")");
            }
        }
    }
}

/// By the first comparison with the tag.
fn asks_for_prompts(conditions: &[RegistryCondition]) -> bool {
    let test = conditions.iter().find_map(|condition| match condition {
        RegistryCondition::Tag { key, test } if key == IS_PROMPT => Some(test),
        _ => None,
    });
    match test {
        Some(TextTest::Equals(value)) => value.eq_ignore_ascii_case("true"),
        Some(TextTest::Differs(value)) => value.eq_ignore_ascii_case("false"),
        _ => false,
    }
}
