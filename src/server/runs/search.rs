//! Which runs there are.
//!
//! Runs come from [those that clients made](client_runs) and from [the branches](branch_runs). Each source gives a page of places in
//! the one order; the pages are merged, and what is left is read whole.

use super::{
    super::{
        call::{Answer, Context},
        error::ApiError,
        experiments,
        input::{self, Input},
        page,
        reply::Reply,
        search::{self, OrderBy, RunCondition, SortKey},
    },
    RunId, branch_runs, client_runs, read,
    wire::Run,
};
use serde::{Deserialize, Serialize};

/// Runs of an answer, if the client does not say.
const DEFAULT_RESULTS: i64 = 1_000;
/// The most runs of an answer.
pub(in crate::server) const MAX_RESULTS: i64 = 50_000;

/// What a client looks for.
pub(super) struct Query {
    pub(super) experiments: Vec<i64>,
    pub(super) view: View,
    /// All of which hold.
    pub(super) conditions: Vec<RunCondition>,
    pub(super) order: OrderBy,
}

/// A run that was found, and where it stands in the order.
pub(super) struct Listed {
    pub(super) place: SortKey,
    pub(super) id: RunId,
    pub(super) is_branch: bool,
}

/// Whether what is deleted is looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(in crate::server) enum View {
    #[default]
    #[serde(rename = "ACTIVE_ONLY", alias = "1")]
    Active,
    #[serde(rename = "DELETED_ONLY", alias = "2")]
    Deleted,
    #[serde(rename = "ALL", alias = "3")]
    All,
}

#[derive(Deserialize)]
struct Search {
    #[serde(default, deserialize_with = "input::list")]
    experiment_ids: Vec<String>,
    filter: Option<String>,
    run_view_type: Option<View>,
    #[serde(default, deserialize_with = "input::int")]
    max_results: Option<i64>,
    #[serde(default, deserialize_with = "input::list")]
    order_by: Vec<String>,
    page_token: Option<String>,
}

#[derive(Serialize)]
struct Found {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    runs: Vec<Run>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(super) fn search(context: &Context<'_>, mut input: Input) -> Answer {
    let asked: Search = input.read()?;
    let size = page_size(asked.max_results.or(Some(DEFAULT_RESULTS)))?;
    let mut experiments = asked
        .experiment_ids
        .iter()
        .map(|id| experiments::parse_id(id))
        .collect::<Result<Vec<_>, _>>()?;
    experiments.sort_unstable();
    experiments.dedup();
    let query = Query {
        experiments,
        view: asked.run_view_type.unwrap_or_default(),
        conditions: RunCondition::read(asked.filter.as_deref().unwrap_or_default())?,
        order: OrderBy::read(&asked.order_by)?,
    };
    let after: Option<SortKey> = page::read(asked.page_token.as_deref())?;
    if let Some(after) = &after {
        after.check(query.order.0.len())?;
    }
    // One more than a page, to know whether another follows.
    let mut listed = list(context, &query, after.as_ref(), size + 1)?;
    let last = page::cut(&mut listed, i64::try_from(size).ok());
    let next_page_token = last.map(|last| page::write(&last.place));
    let mut runs = Vec::with_capacity(listed.len());
    for Listed { id, is_branch, .. } in listed {
        runs.push(read::any(context, id, is_branch)?);
    }
    Ok(Reply::json(&Found { runs, next_page_token }))
}

/// The first `size` runs after `after`, from all sources.
fn list(
    context: &Context<'_>,
    query: &Query,
    after: Option<&SortKey>,
    size: usize,
) -> Result<Vec<Listed>, ApiError> {
    let clients = client_runs::page(context, query, after, size)?;
    let branches = branch_runs::page(context, query, after, size)?;
    let directions = || query.order.0.iter().map(|clause| clause.ascending);
    Ok(search::merge(clients, branches, size, |a, b| a.place.compare(&b.place, directions())))
}

/// # Errors
///
/// When a page would be empty, or too large.
pub(in crate::server) fn page_size(asked: Option<i64>) -> Result<usize, ApiError> {
    page::size(asked.unwrap_or(0), MAX_RESULTS)
}
