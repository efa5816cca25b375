//! A single branch.

use super::{Ask, branches::how_it_ended, encoded, frame::View, of_experiment, timeline::timeline};
use crate::{
    branch::{BranchId, Role},
    report::html::{bytes, duration, exact_time, percent},
    server::{error::ApiError, traces},
    store::{self, BranchRow},
};
use maud::{Markup, html};
use rusqlite::OptionalExtension;
use serde_json::Value;

/// Paths at which the answers of one pair are shown to differ.
const MAX_PATHS: usize = 50;

pub(super) fn page(ask: &Ask<'_>) -> Result<View, ApiError> {
    let none = || ApiError::none("there is no such branch; it may have been removed since");
    let id: BranchId = ask.part("id").parse().map_err(|_| none())?;
    let branch = store::branch(ask.context.connection, ask.context.codes, id)?.ok_or_else(none)?;
    let siblings =
        store::branches_of_request(ask.context.connection, ask.context.codes, branch.request_id)?;
    let spans = traces::spans_of_request(ask.context, branch.request_id)?;
    let (name, here) = (branch.experiment.to_string(), of_experiment(&branch.experiment));
    let body = html! {
        h1 { "Branch of " (branch.config_id.short()) }
        (facts(&branch))
        @if let Some(failure) = &branch.failure {
            h2 { "Failure" }
            p.error { (failure.kind) ": " (failure.message) }
            @if !failure.type_name.is_empty() { p.muted { (failure.type_name) } }
            @if !failure.trace.is_empty() { pre tabindex="0" { (failure.trace) } }
        }
        (metrics(&branch))
        h2 { "Answer" }
        (answers(&branch, &siblings))
        (compared(ask, &branch)?)
        h2 { "Request" }
        (timeline(&spans))
        (of_request(&branch, &siblings))
        h2 { "Config" }
        pre tabindex="0" { (pretty(&branch.config)) }
    };
    let title = format!("Branch {id}");
    let above = vec![(here.clone(), name), (format!("{here}/branches"), "Branches".to_owned())];
    Ok(View { title, above, body, events: None })
}

fn facts(branch: &BranchRow) -> Markup {
    let epoch = branch.epoch.map(|epoch| epoch.number().to_string());
    let facts = [
        ("status", Some(how_it_ended(branch))),
        ("role", Some(branch.role.to_string())),
        ("started", Some(exact_time(branch.start_ns))),
        ("took", Some(duration(Some(branch.duration_ns)))),
        ("first byte after", branch.first_byte_ns.map(|ns| duration(Some(ns)))),
        ("request body read", branch.bytes_in.map(|read| bytes(Some(read)))),
        ("response body", branch.bytes_out.map(|sent| bytes(Some(sent)))),
        ("probability", Some(percent(Some(branch.probability)))),
        ("chosen by", branch.reason.map(|reason| reason.to_string())),
        ("epoch", epoch),
        ("tried again", (branch.retry_count > 0).then(|| branch.retry_count.to_string())),
        ("unit", branch.unit.map(|unit| format!("{unit:016x}"))),
        ("strategy", Some(branch.strategy.to_string())),
        ("config", Some(branch.config_id.to_string())),
        ("id", Some(branch.id.to_string())),
        ("request", Some(branch.request_id.to_string())),
        ("trace", Some(branch.trace_id().to_string())),
    ];
    html! {
        dl.facts {
            @for (name, value) in facts {
                @if let Some(value) = value { dt { (name) } dd { (value) } }
            }
        }
    }
}

/// The numbers that were said of it.
fn metrics(branch: &BranchRow) -> Markup {
    html! {
        @if !branch.metrics.is_empty() {
            h2 { "Metrics" }
            dl.facts {
                @for (name, value) in branch.metrics.iter() { dt { (name) } dd { (value) } }
            }
        }
    }
}

/// What it answered, beside the answer of the request's primary.
fn answers(branch: &BranchRow, siblings: &[BranchRow]) -> Markup {
    let primary = siblings.iter().find(|one| one.role == Role::Primary && one.id != branch.id);
    let one = |branch: &BranchRow| {
        html! {
            @match &branch.output {
                Some(output) => {
                    pre tabindex="0" { (pretty(output)) }
                    @if let Some(size) = branch.output_cut { p.muted { "Cut; it had " (bytes(Some(size))) "." } }
                }
                None => {
                    p.muted {
                        "It was not kept. " code { "spearmint serve" } " keeps no answers but samples of where they differ; in code a logging "
                        "layer keeps what it is told to (" code { "LogLayer::capture" } ")."
                    }
                }
            }
        }
    };
    html! {
        @if let Some(primary) = primary {
            div.beside {
                section { h3 { "of this branch" } (one(branch)) }
                section {
                    h3 { "of the " a href={ "/branches/" (primary.id) } { "primary" } }
                    (one(primary))
                }
            }
        } @else {
            (one(branch))
        }
    }
}

/// What comparing it with the primary has shown, if that was done.
fn compared(ask: &Ask<'_>, branch: &BranchRow) -> Result<Markup, ApiError> {
    let connection = ask.context.connection;
    let count: Option<i64> = connection
        .prepare_cached("SELECT differences FROM comparison WHERE branch = ?1")?
        .query_row([branch.id.as_bytes()], |row| row.get(0))
        .optional()?;
    let Some(count) = count else { return Ok(html! {}) };
    // (By the key, up to the path: each arm has examples of so many paths only.)
    let mut statement = connection.prepare_cached(
        "SELECT p.path, d.primary_sample, d.shadow_sample FROM comparison c
         JOIN difference d ON d.experiment = c.experiment AND d.config = c.config AND d.role = c.role
             AND d.branch = c.branch
         JOIN path p ON p.key = d.path WHERE c.branch = ?1 ORDER BY p.path LIMIT ?2",
    )?;
    let limit = i64::try_from(MAX_PATHS).unwrap_or(i64::MAX);
    let samples = statement
        .query_map(rusqlite::params![branch.id.as_bytes(), limit], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<Vec<(String, Option<String>, Option<String>)>, _>>()?;
    let side = |sample: &Option<String>| match sample {
        Some(text) => html! { code.sample { (text) } },
        None => html! { span.muted { "nothing" } },
    };
    let paths = format!("{}/differences?path=", of_experiment(&branch.experiment));
    Ok(html! {
        @if count == 0 { p { "It was compared with the primary's: they are equal." } }
        @else { p { "It was compared with the primary's: they differ in " (count) (if count == 1 { " place." } else { " places." }) } }
        @if count > 0 && samples.is_empty() {
            p.muted { "Which these are is kept of some examples only, and this is none of them." }
        }
        @if !samples.is_empty() {
            div.scroll tabindex="0" role="region" aria-label="Where they differ" {
                table.examples {
                    caption { "Where they differ" }
                    thead { tr {
                        th scope="col" { "path" } th scope="col" { "primary" } th scope="col" { "this branch" }
                    } }
                    tbody {
                        @for (path, primary, this) in &samples {
                            tr {
                                th scope="row" { a href={ (paths) (encoded(path)) } { code { (path) } } }
                                td { (side(primary)) } td { (side(this)) }
                            }
                        }
                    }
                }
            }
        }
    })
}

/// The other branches of the request.
fn of_request(branch: &BranchRow, siblings: &[BranchRow]) -> Markup {
    let others: Vec<_> = siblings.iter().filter(|one| one.id != branch.id).collect();
    html! {
        @if !others.is_empty() {
            h3 { "Its other branches" }
            ul {
                @for one in others {
                    li {
                        a href={ "/branches/" (one.id) } { (one.config_id.short()) }
                        " (" (one.role) "): " (how_it_ended(one)) ", " (duration(Some(one.duration_ns)))
                    }
                }
            }
        }
    }
}

/// Text as it is, and what else there is as JSON.
fn pretty(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => serde_json::to_string_pretty(value).unwrap_or_default(),
    }
}
