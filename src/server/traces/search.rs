//! Which traces there are.
//!
//! As runs, they come from two sources: those that [clients sent](client_traces) and
//! [requests](request_traces). Each gives a page of places in the one order; the pages are merged,
//! and what is left is read whole.

use super::{
    super::{
        call::{Answer, Context},
        error::ApiError,
        experiments,
        input::{self, Input},
        page,
        reply::Reply,
        search::{self, SortKey, TraceCondition, TraceOrder},
    },
    client_traces, read, request_traces,
    wire::{Location, TraceInfo},
};
use serde::{Deserialize, Serialize};

/// Traces of an answer, if the client does not say, and the most of them.
const DEFAULT_RESULTS: i64 = 100;
const MAX_RESULTS: i64 = 500;

/// What a client looks for.
pub(super) struct Query {
    pub(super) experiments: Vec<i64>,
    /// All of which hold.
    pub(super) conditions: Vec<TraceCondition>,
    pub(super) order: TraceOrder,
}

/// A trace that was found, and where it stands in the order.
pub(super) struct Listed {
    pub(super) place: SortKey,
    pub(super) id: String,
}

#[derive(Deserialize)]
struct Search {
    locations: Option<Vec<Location>>,
    filter: Option<String>,
    #[serde(default, deserialize_with = "input::int")]
    max_results: Option<i64>,
    #[serde(default, deserialize_with = "input::list")]
    order_by: Vec<String>,
    page_token: Option<String>,
}

#[derive(Serialize)]
struct Found {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    traces: Vec<TraceInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(super) fn search(context: &Context<'_>, mut input: Input) -> Answer {
    let asked: Search = input.read()?;
    let locations = asked.locations.ok_or_else(|| ApiError::missing("locations"))?;
    let size = page::size(asked.max_results.unwrap_or(DEFAULT_RESULTS), MAX_RESULTS)?;
    let ids = locations.iter().filter_map(Location::experiment_id);
    let mut experiments = ids.map(experiments::parse_id).collect::<Result<Vec<_>, _>>()?;
    experiments.sort_unstable();
    experiments.dedup();
    let query = Query {
        experiments,
        conditions: TraceCondition::read(asked.filter.as_deref().unwrap_or_default())?,
        order: TraceOrder::read(&asked.order_by)?,
    };
    let after: Option<SortKey> = page::read(asked.page_token.as_deref())?;
    if let Some(after) = &after {
        after.check(query.order.0.len())?;
    }
    // One more than a page, to know whether another follows.
    let mut listed = list(context, &query, after.as_ref(), size + 1)?;
    let last = page::cut(&mut listed, i64::try_from(size).ok());
    let next_page_token = last.map(|last| page::write(&last.place));
    let mut traces = Vec::with_capacity(listed.len());
    for Listed { id, .. } in listed {
        traces.extend(read::info(context, &id)?);
    }
    Ok(Reply::json(&Found { traces, next_page_token }))
}

fn list(
    context: &Context<'_>,
    query: &Query,
    after: Option<&SortKey>,
    size: usize,
) -> Result<Vec<Listed>, ApiError> {
    let clients = client_traces::page(context, query, after, size)?;
    let requests = request_traces::page(context, query, after, size)?;
    let directions = || query.order.0.iter().map(|(_, ascending)| *ascending);
    Ok(search::merge(clients, requests, size, |a, b| a.place.compare(&b.place, directions())))
}
