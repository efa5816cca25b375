//! Where the answers of an experiment differ.

use super::{Ask, encoded, frame::View, of_experiment};
use crate::{
    report::html,
    server::error::ApiError,
    store::{ConfigDifferences, DifferenceFilter, StoreError},
};
use maud::html;

/// Paths of a config on a page.
const PATHS: usize = 100;
/// Examples of each; of one path alone.
const EXAMPLES: usize = 2;
const ALL_EXAMPLES: usize = 20;

pub(super) fn page(ask: &Ask<'_>) -> Result<View, ApiError> {
    let name = ask.part("name");
    let path = ask.query("path");
    let mut filter = DifferenceFilter::new()
        .experiment(name)
        .limit(PATHS)
        .examples(if path.is_some() { ALL_EXAMPLES } else { EXAMPLES });
    filter.path = path.map(str::to_owned);
    let found = match ask.store.differences(&filter) {
        Ok(found) => found,
        Err(error @ StoreError::NoExperiment { .. }) => {
            return Err(ApiError::none(error.to_string()));
        }
        Err(error) => return Err(error.into()),
    };
    let here = of_experiment(name);
    let shown: Vec<&ConfigDifferences> = found.iter().collect();
    let body = html! {
        h1 { "Where answers differ" }
        @if let Some(path) = path {
            p { "At " code { (path) } " and below. " a href={ (here) "/differences" } { "All paths" } }
        }
        @if found.is_empty() {
            p { "No answers were compared yet. Those of a shadow are, unless the experiment file says "
                code { "compare: false" } ": send requests through one." }
        }
        (html::differences(&shown, |_, at| {
            html! { a href={ (here) "/differences?path=" (encoded(at)) } { code { (at) } } }
        }, |id| html! { a href={ "/branches/" (id) } { "branch" } }))
    };
    let title = format!("{name}: differences");
    Ok(View { title, above: vec![(here, name.to_owned())], body, events: None })
}
