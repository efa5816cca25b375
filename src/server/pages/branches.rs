//! The branches of an experiment, newest first.

use super::{Ask, frame::View, of_experiment, when::when};
use crate::{
    branch::{Role, Status},
    report::html::{duration, exact_time},
    server::{
        error::ApiError,
        runs::{self, Narrowed},
    },
    store::BranchRow,
};
use maud::{Markup, html};
use rusqlite::params;
use std::{fmt::Display, str::FromStr};

/// Branches on a page.
const SIZE: usize = 50;
/// Configs that are suggested.
const MAX_CONFIGS: i64 = 100;

pub(super) fn page(ask: &Ask<'_>) -> Result<View, ApiError> {
    let name = ask.part("name");
    let narrowed = Narrowed {
        config: ask.query("config").map(str::to_owned),
        role: one_of::<Role>(ask, "role")?,
        status: one_of::<Status>(ask, "status")?,
    };
    let (branches, next) = runs::newest(ask.context, name, &narrowed, ask.query("after"), SIZE)?;
    let here = of_experiment(name);
    let configs = configs(ask, name)?;
    let body = html! {
        h1 { "Branches" }
        form.filters method="get" {
            div {
                label for="config" { "config" }
                input #config name="config" list="configs" value=[&narrowed.config];
                datalist #configs { @for config in configs { option value=(config) {} } }
            }
            (choice("role", Role::ALL, narrowed.role))
            (choice("status", Status::ALL, narrowed.status))
            div { button { "Show" } }
        }
        @if branches.is_empty() {
            p { "There is no such branch. " a href={ (here) "/branches" } { "All branches of the experiment" } }
        } @else {
            (table(&branches))
        }
        nav aria-label="Pages" {
            ul {
                @if ask.query("after").is_some() { li { a href={ "?" (query(&narrowed, None)) } { "Newest" } } }
                @if let Some(next) = &next {
                    li { a rel="next" href={ "?" (query(&narrowed, Some(next))) } { "Older" } }
                }
            }
        }
    };
    let title = format!("{name}: branches");
    Ok(View { title, above: vec![(here, name.to_owned())], body, events: None })
}

/// The configs of the experiment.
fn configs(ask: &Ask<'_>, experiment: &str) -> Result<Vec<String>, ApiError> {
    // From roll-ups, by the key that they begin with: there are far fewer than branches.
    let mut statement = ask.context.connection.prepare_cached(
        "SELECT DISTINCT c.config_id FROM config c JOIN
             (SELECT DISTINCT config FROM rollup WHERE experiment IN
                 (SELECT key FROM experiment WHERE name = ?1)) r ON r.config = c.key
         ORDER BY c.config_id LIMIT ?2",
    )?;
    let configs = statement.query_map(params![experiment, MAX_CONFIGS], |row| row.get(0))?;
    Ok(configs.collect::<Result<_, _>>()?)
}

/// What a parameter says, if it says something.
///
/// # Errors
///
/// When that is none of those there are.
fn one_of<T: FromStr<Err: Display>>(ask: &Ask<'_>, name: &str) -> Result<Option<T>, ApiError> {
    let parsed = ask.query(name).map(str::parse).transpose();
    parsed.map_err(|error| ApiError::invalid(format!("{name}: {error}")))
}

fn choice<T: Display + PartialEq>(name: &str, all: &[T], chosen: Option<T>) -> Markup {
    html! {
        div {
            label for=(name) { (name) }
            select id=(name) name=(name) {
                option value="" { "any" }
                @for one in all {
                    option value=(one) selected[chosen.as_ref() == Some(one)] { (one) }
                }
            }
        }
    }
}

fn query(narrowed: &Narrowed, after: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in [
        ("config", narrowed.config.as_deref()),
        ("role", narrowed.role.map(Role::as_str)),
        ("status", narrowed.status.map(Status::as_str)),
        ("after", after),
    ] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    query.finish()
}

fn table(branches: &[BranchRow]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Branches" {
            table {
                caption.hidden { "Branches, newest first" }
                thead { tr {
                    th scope="col" { "started" } th scope="col" { "config" } th scope="col" { "role" }
                    th scope="col" { "status" } th.number scope="col" { "took" }
                } }
                tbody {
                    @for branch in branches {
                        tr {
                            th scope="row" {
                                a href={ "/branches/" (branch.id) } { (when(&exact_time(branch.start_ns))) }
                            }
                            td { (branch.config_id.short()) }
                            td { (branch.role) }
                            td { (how_it_ended(branch)) }
                            td.number { (duration(Some(branch.duration_ns))) }
                        }
                    }
                }
            }
        }
    }
}

/// The status, and why.
pub(super) fn how_it_ended(branch: &BranchRow) -> String {
    match (&branch.failure, branch.skip) {
        (Some(failure), _) => format!("{}: {}", branch.status, failure.kind),
        (None, Some(skip)) => format!("{}: {skip}", branch.status),
        (None, None) => branch.status.to_string(),
    }
}
