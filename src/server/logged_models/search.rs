//! Which logged models there are.

use super::{
    super::{
        call::{Answer, Context},
        error::ApiError,
        experiments,
        input::{self, Input},
        page,
        reply::Reply,
        search::{
            LoggedModelCondition, LoggedModelField, LoggedModelKey, MISSING, SortColumn, SortKey,
            Sql,
        },
    },
    wire::{COLUMN_COUNT, COLUMNS, LoggedModel},
};
use rusqlite::params_from_iter;
use serde::{Deserialize, Serialize};

/// Models of an answer, if the client does not say, and the most of them.
const DEFAULT_RESULTS: i64 = 50;
const MAX_RESULTS: i64 = 1_000;
/// The most clauses of an order, and the most datasets.
const MAX_CLAUSES: usize = 16;

#[derive(Deserialize)]
struct Search {
    experiment_ids: Option<Vec<String>>,
    filter: Option<String>,
    #[serde(default)]
    datasets: Vec<Dataset>,
    #[serde(default, deserialize_with = "input::int")]
    max_results: Option<i64>,
    #[serde(default)]
    order_by: Vec<OrderBy>,
    page_token: Option<String>,
}

#[derive(Default, Deserialize)]
struct Dataset {
    dataset_name: Option<String>,
    dataset_digest: Option<String>,
}

#[derive(Deserialize)]
struct OrderBy {
    field_name: Option<String>,
    ascending: Option<bool>,
    /// The dataset that a metric was measured on.
    #[serde(flatten)]
    dataset: Dataset,
}

#[derive(Serialize)]
struct Found {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    models: Vec<LoggedModel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(super) fn search(context: &Context<'_>, mut input: Input) -> Answer {
    let asked: Search = input.read()?;
    let ids = asked.experiment_ids.ok_or_else(|| ApiError::missing("experiment_ids"))?;
    let ids = ids.iter().map(|id| experiments::parse_id(id)).collect::<Result<Vec<_>, _>>()?;
    if asked.datasets.iter().any(|dataset| dataset.name().is_none()) {
        return Err(ApiError::invalid(
            "`dataset_name` in the `datasets` clause must be specified.",
        ));
    }
    if asked.datasets.len() > MAX_CLAUSES || asked.order_by.len() > MAX_CLAUSES {
        return Err(ApiError::invalid(format!(
            "datasets and order_by have at most {MAX_CLAUSES} entries each"
        )));
    }
    let size = match asked.max_results.unwrap_or(DEFAULT_RESULTS) {
        0 => DEFAULT_RESULTS,
        size @ 1.. => size.min(MAX_RESULTS),
        size => {
            return Err(ApiError::invalid(format!(
                "Invalid value {size} for parameter 'max_results' supplied. It must be a positive \
                 integer."
            )));
        }
    };
    let conditions = LoggedModelCondition::read(asked.filter.as_deref().unwrap_or_default())?;
    let after: Option<SortKey> = page::read(asked.page_token.as_deref())?;
    // What has to be looked up to order by stands in columns of an inner list.
    let mut sql = Sql::default();
    sql.push("SELECT ").push(COLUMNS);
    let mut inner = Sql::default();
    let columns = columns(&asked.order_by, &mut inner)?;
    for column in &columns {
        sql.push(", ").push(&column.select());
    }
    sql.push(" FROM (SELECT l.*")
        .append(inner)
        .push(" FROM mlflow_logged_model l WHERE NOT l.deleted AND l.experiment IN ");
    sql.list(&ids, "value");
    write_filter(&mut sql, &conditions, &asked.datasets);
    sql.push(") l JOIN mlflow_experiment e ON e.id = l.experiment WHERE true");
    if let Some(after) = &after {
        after.check(columns.len())?;
        sql.push(" AND ").after(&columns, after);
    }
    sql.order_by(&columns).push(" LIMIT ").bind(size + 1);
    let mut statement = context.connection.prepare(&sql.text)?;
    let found = statement.query_map(params_from_iter(&sql.values), |row| {
        let mut cells = Vec::with_capacity(columns.len());
        let mut next = COLUMN_COUNT;
        for column in &columns {
            let (cell, after) = column.read(row, next)?;
            next = after;
            cells.push(cell);
        }
        Ok((LoggedModel::read(row)?, SortKey(cells)))
    })?;
    let mut found = found.collect::<Result<Vec<_>, _>>()?;
    let last = page::cut(&mut found, Some(size));
    let next_page_token = last.map(|(_, place)| page::write(place));
    let models =
        found.into_iter().map(|(model, _)| model.whole(context)).collect::<Result<_, _>>()?;
    Ok(Reply::json(&Found { models, next_page_token }))
}

/// What models are ordered by; the last are the time and the id. Values that are looked up are
/// added to the columns of the `inner` list.
fn columns(order_by: &[OrderBy], inner: &mut Sql) -> Result<Vec<SortColumn>, ApiError> {
    let mut columns: Vec<SortColumn> = Vec::with_capacity(order_by.len() + 2);
    for clause in order_by {
        let ascending = clause.ascending.unwrap_or(true);
        let name = clause.field_name.as_deref().unwrap_or_default();
        let (value, rank) = match LoggedModelKey::read(name)? {
            LoggedModelKey::Field(field) => (sql_of(field).to_owned(), None),
            LoggedModelKey::Metric(key) => {
                let value = format!("metric_{}", columns.len());
                inner
                    .push(
                        ", (SELECT x.value FROM mlflow_model_metric x
                         WHERE x.model_id = l.id AND x.key = ",
                    )
                    .bind(key);
                if clause.dataset.name().is_some() || clause.dataset.digest().is_some() {
                    inner.push(" AND ");
                    clause.dataset.write(inner);
                }
                inner
                    .push(" ORDER BY x.timestamp_ms DESC, x.step DESC, x.run LIMIT 1) AS ")
                    .push(&value);
                let rank = format!("iif(l.{value} IS NULL, {MISSING}, 0)");
                (format!("l.{value}"), Some(rank))
            }
        };
        // What stands twice orders nothing more the second time.
        if columns.iter().all(|known| known.value != value) {
            columns.push(SortColumn { value, rank, ascending, is_id: false });
        }
    }
    for (field, ascending) in [(LoggedModelField::Created, false), (LoggedModelField::Id, true)] {
        let value = sql_of(field).to_owned();
        if columns.iter().all(|column| column.value != value) {
            columns.push(SortColumn { value, rank: None, ascending, is_id: false });
        }
    }
    Ok(columns)
}

const fn sql_of(field: LoggedModelField) -> &'static str {
    match field {
        LoggedModelField::Id => "l.id",
        LoggedModelField::Experiment => "CAST(l.experiment AS TEXT)",
        LoggedModelField::Name => "l.name",
        LoggedModelField::Type => "l.type",
        LoggedModelField::SourceRun => "l.source_run_id",
        LoggedModelField::Status => "l.status",
        LoggedModelField::Created => "l.created_ms",
        LoggedModelField::Updated => "l.updated_ms",
    }
}

/// Datasets are those that the metrics of a filter were measured on; without such a filter, those
/// that any was.
fn write_filter(sql: &mut Sql, conditions: &[LoggedModelCondition], datasets: &[Dataset]) {
    let mut measured = false;
    for condition in conditions {
        sql.push(" AND ");
        match condition {
            LoggedModelCondition::Number { field, test } => {
                sql.number(sql_of(*field), *test);
            }
            LoggedModelCondition::Text { field, test } => {
                sql.text(sql_of(*field), test);
            }
            LoggedModelCondition::Metric { key, test } => {
                measured = true;
                sql.push(
                    "EXISTS (SELECT 1 FROM mlflow_model_metric x
                     WHERE x.model_id = l.id AND x.key = ",
                )
                .bind(key.clone())
                .push(" AND ")
                .number("x.value", *test);
                write_datasets(sql, datasets);
                sql.push(")");
            }
            LoggedModelCondition::Param { key, test } => {
                sql.push(
                    "EXISTS (SELECT 1 FROM mlflow_logged_model_param x
                     WHERE x.model_id = l.id AND x.key = ",
                )
                .bind(key.clone())
                .push(" AND ")
                .text("x.value", test)
                .push(")");
            }
            LoggedModelCondition::Tag { key, test } => {
                sql.push(
                    "EXISTS (SELECT 1 FROM mlflow_logged_model_tag x
                     WHERE x.model_id = l.id AND x.key = ",
                )
                .bind(key.clone())
                .push(" AND ")
                .text("x.value", test)
                .push(")");
            }
        }
    }
    if !measured && !datasets.is_empty() {
        sql.push(" AND EXISTS (SELECT 1 FROM mlflow_model_metric x WHERE x.model_id = l.id");
        write_datasets(sql, datasets);
        sql.push(")");
    }
}

/// That a metric `x` was measured on one of these; on whatever, if there are none.
fn write_datasets(sql: &mut Sql, datasets: &[Dataset]) {
    for (index, dataset) in datasets.iter().enumerate() {
        sql.push(if index == 0 { " AND (" } else { " OR " });
        dataset.write(sql);
    }
    if !datasets.is_empty() {
        sql.push(")");
    }
}

impl Dataset {
    fn name(&self) -> Option<&str> {
        self.dataset_name.as_deref().filter(|name| !name.is_empty())
    }

    fn digest(&self) -> Option<&str> {
        self.dataset_digest.as_deref().filter(|digest| !digest.is_empty())
    }

    /// That a metric `x` was measured on it. Where no digest is given, any will do.
    fn write(&self, sql: &mut Sql) {
        sql.push("(true");
        if let Some(name) = self.name() {
            sql.push(" AND x.dataset_name = ").bind(name.to_owned());
        }
        if let Some(digest) = self.digest() {
            sql.push(" AND x.dataset_digest = ").bind(digest.to_owned());
        }
        sql.push(")");
    }
}
