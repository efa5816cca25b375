//! The newest branches of an experiment, for people to look at.

use super::{
    super::{
        call::Context,
        error::ApiError,
        page,
        search::{OrderBy, RunCondition, SortKey, TextTest},
    },
    branch_runs,
    search::{Query, View},
};
use crate::{
    branch::{Role, Status},
    store::{self, BranchRow},
};
use rusqlite::OptionalExtension;

/// Which of them.
#[derive(Debug, Clone, Default)]
pub(in crate::server) struct Narrowed {
    /// The id of a config.
    pub(in crate::server) config: Option<String>,
    pub(in crate::server) role: Option<Role>,
    pub(in crate::server) status: Option<Status>,
}

/// A page of the branches of the experiment of this name, found as runs are, and the token of the next page.
///
/// # Errors
///
/// When there is no such experiment, the token is none, or more branches would have to be looked at than one call may.
pub(in crate::server) fn newest(
    context: &Context<'_>,
    experiment: &str,
    narrowed: &Narrowed,
    after: Option<&str>,
    size: usize,
) -> Result<(Vec<BranchRow>, Option<String>), ApiError> {
    let id: Option<i64> = context
        .connection
        .prepare_cached("SELECT id FROM mlflow_experiment WHERE branches = ?1")?
        .query_row([experiment], |row| row.get(0))
        .optional()?;
    let id = id.ok_or_else(|| ApiError::none(format!("no experiment is named `{experiment}`")))?;
    let tags = [
        ("spearmint.config_id", narrowed.config.clone()),
        ("spearmint.role", narrowed.role.map(|role| role.to_string())),
        ("spearmint.status", narrowed.status.map(|status| status.to_string())),
    ];
    let conditions = tags.into_iter().filter_map(|(key, value)| {
        Some(RunCondition::Tag { key: key.to_owned(), test: TextTest::Equals(value?) })
    });
    let query = Query {
        experiments: vec![id],
        view: View::All,
        conditions: conditions.collect(),
        // (Of itself, MLflow has the first first of those that started in the same millisecond.)
        order: OrderBy::read(&["start_time DESC", "run_id DESC"].map(str::to_owned))?,
    };
    let after: Option<SortKey> = page::read(after)?;
    if let Some(after) = &after {
        after.check(query.order.0.len())?;
    }
    // One more than a page, to know whether another follows.
    let mut listed = branch_runs::page(context, &query, after.as_ref(), size + 1)?;
    let next =
        page::cut(&mut listed, i64::try_from(size).ok()).map(|last| page::write(&last.place));
    let mut branches = Vec::with_capacity(listed.len());
    for one in listed {
        // (One that was removed meanwhile is passed over.)
        branches.extend(store::branch(context.connection, context.codes, one.id.as_branch())?);
    }
    Ok((branches, next))
}
