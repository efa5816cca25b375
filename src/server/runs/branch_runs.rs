//! The branches, found by what runs are asked for: those that are as they were recorded, which are
//! many, and those that clients changed.

use super::{
    super::{
        branch_scan::experiment_keys,
        call::Context,
        error::ApiError,
        search::{self, SortKey},
    },
    changed_runs, recorded_runs,
    search::{Listed, Query},
};

/// The first `size` branches that `query` asks for and that come after `after` in its order.
///
/// # Errors
///
/// When more branches would have to be looked at than one call may.
pub(super) fn page(
    context: &Context<'_>,
    query: &Query,
    after: Option<&SortKey>,
    size: usize,
) -> Result<Vec<Listed>, ApiError> {
    let keys = experiment_keys(context, &query.experiments)?;
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let changed = changed_runs::page(context, query, &keys, after, size)?;
    let recorded = recorded_runs::page(context, query, &keys, after, size)?;
    let directions = || query.order.0.iter().map(|clause| clause.ascending);
    Ok(search::merge(recorded, changed, size, |a, b| a.place.compare(&b.place, directions())))
}
