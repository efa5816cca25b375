//! Which experiments there are.

use super::{
    super::{
        call::{Answer, Context},
        input::{self, Input},
        page,
        reply::Reply,
        runs::{View, page_size},
        search::{
            ExperimentCondition, ExperimentKey, ExperimentOrder, SortColumn, SortKey, Sql, TextTest,
        },
    },
    read::{COLUMNS, Experiment},
};
use rusqlite::params_from_iter;
use serde::{Deserialize, Serialize};

/// How many columns [`COLUMNS`] are.
const COLUMN_COUNT: usize = 6;

#[derive(Deserialize)]
struct Search {
    #[serde(default, deserialize_with = "input::int")]
    max_results: Option<i64>,
    page_token: Option<String>,
    filter: Option<String>,
    #[serde(default, deserialize_with = "input::list")]
    order_by: Vec<String>,
    view_type: Option<View>,
}

#[derive(Serialize)]
struct Found {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    experiments: Vec<Experiment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(super) fn search(context: &Context<'_>, mut input: Input) -> Answer {
    let asked: Search = input.read()?;
    let size = page_size(asked.max_results)?;
    let conditions = ExperimentCondition::read(asked.filter.as_deref().unwrap_or_default())?;
    let columns = columns(&ExperimentOrder::read(&asked.order_by)?);
    let after: Option<SortKey> = page::read(asked.page_token.as_deref())?;
    let mut sql = Sql::default();
    sql.push("SELECT ").push(COLUMNS);
    for column in &columns {
        sql.push(", ").push(&column.select());
    }
    sql.push(" FROM mlflow_experiment WHERE ").push(match asked.view_type.unwrap_or_default() {
        View::Active => "NOT deleted",
        View::Deleted => "deleted",
        View::All => "true",
    });
    for condition in &conditions {
        sql.push(" AND ");
        write(&mut sql, condition);
    }
    if let Some(after) = &after {
        after.check(columns.len())?;
        sql.push(" AND ").after(&columns, after);
    }
    let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
    sql.order_by(&columns).push(" LIMIT ").bind(limit);
    let mut statement = context.connection.prepare(&sql.text)?;
    let found = statement.query_map(params_from_iter(&sql.values), |row| {
        let mut cells = Vec::with_capacity(columns.len());
        let mut next = COLUMN_COUNT;
        for column in &columns {
            let (cell, after) = column.read(row, next)?;
            next = after;
            cells.push(cell);
        }
        Ok((Experiment::read(row)?, SortKey(cells)))
    })?;
    let mut found = found.collect::<Result<Vec<_>, _>>()?;
    let last = page::cut(&mut found, i64::try_from(size).ok());
    let next_page_token = last.map(|(_, place)| page::write(place));
    let mut experiments = Vec::with_capacity(found.len());
    for (experiment, _) in found {
        experiments.push(experiment.with_tags(context)?);
    }
    Ok(Reply::json(&Found { experiments, next_page_token }))
}

fn columns(order: &ExperimentOrder) -> Vec<SortColumn> {
    let column = |&(key, ascending): &(ExperimentKey, bool)| SortColumn {
        value: match key {
            ExperimentKey::Name => "name",
            ExperimentKey::Id => "id",
            ExperimentKey::Created => "created_ms",
            ExperimentKey::Updated => "updated_ms",
        }
        .to_owned(),
        rank: None,
        ascending,
        is_id: false,
    };
    order.0.iter().map(column).collect()
}

fn write(sql: &mut Sql, condition: &ExperimentCondition) {
    match condition {
        ExperimentCondition::Name(test) => {
            sql.text("name", test);
        }
        ExperimentCondition::Id(ids, among) => {
            sql.push(if *among { "id IN " } else { "id NOT IN " }).list(ids, "value");
        }
        ExperimentCondition::Time { created, test } => {
            sql.number(if *created { "created_ms" } else { "updated_ms" }, *test);
        }
        ExperimentCondition::Tag { key, test } => {
            sql.push(if *test == TextTest::IsNull { "NOT EXISTS" } else { "EXISTS" })
                .push(
                    " (SELECT 1 FROM mlflow_experiment_tag t
                     WHERE t.experiment = mlflow_experiment.id AND t.key = ",
                )
                .bind(key.clone());
            if !matches!(test, TextTest::IsNull | TextTest::IsNotNull) {
                sql.push(" AND ").text("t.value", test);
            }
            sql.push(")");
        }
    }
}
