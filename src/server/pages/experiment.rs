//! One experiment: what to do, how sure that is, and why.

use super::{Ask, encoded, frame::View, of_experiment};
use crate::{
    report::{Report, html},
    server::error::ApiError,
    store::{ConfigDifferences, DifferenceFilter},
};
use maud::{Markup, html};

/// Paths of a config that are shown here, and examples of each.
const PATHS: usize = 3;
const EXAMPLES: usize = 1;

pub(super) fn page(ask: &Ask<'_>) -> Result<View, ApiError> {
    let name = ask.part("name");
    let reports = ask.live.reports(Some(name))?;
    let filter = DifferenceFilter::new().experiment(name).limit(PATHS).examples(EXAMPLES);
    let differences = ask.store.differences(&filter)?;
    let looks: Vec<_> =
        reports.iter().map(|report| report.history(ask.store)).collect::<Result<_, _>>()?;
    let path = of_experiment(name);
    let body = html! {
        h1 { (name) }
        nav.sections aria-label="Of this experiment" {
            ul {
                li { a href="#metrics" { "Metrics" } }
                li { a href="#durations" { "How long they took" } }
                li { a href={ (path) "/differences" } { "Differences" } }
                li { a href={ (path) "/branches" } { "Branches" } }
            }
        }
        @if reports.is_empty() {
            p { "No branch of it has answered anybody yet. Send requests through the experiment." }
        }
        @for (at, report) in reports.iter().enumerate() {
            @for (id, heading, text) in sections(at, report) {
                @if !heading.is_empty() { h2 id=[anchor(at, heading)] { (heading) } }
                div id=(id) { (text) }
            }
            @if let Some(looks) = looks.get(at).filter(|looks| !looks.is_empty()) {
                h2 { "Intervals over time" }
                (html::over_time(report, looks))
            }
            h2 id=[(at == 0).then_some("durations")] { "How long they took" }
            (html::durations(report))
            (where_answers_differ(&path, report, &differences))
        }
    };
    let events = Some(format!("/events?experiment={}", encoded(name)));
    Ok(View { title: name.to_owned(), above: vec![], body, events })
}

fn anchor(at: usize, heading: &str) -> Option<&'static str> {
    (at == 0 && heading == "Metrics").then_some("metrics")
}

/// What is told anew when it changes: ids, headings, contents.
pub(super) fn sections(at: usize, report: &Report) -> [(String, &'static str, Markup); 6] {
    [
        (format!("period-{at}"), "", html::period(report)),
        (format!("verdict-{at}"), "Verdict", html::verdicts(report)),
        (format!("metrics-{at}"), "Metrics", html::metrics(report)),
        (format!("figures-{at}"), "Arms", html::figures(report)),
        (format!("split-{at}"), "", html::split(report)),
        (format!("missing-{at}"), "", html::missing(report)),
    ]
}

fn where_answers_differ(path: &str, report: &Report, all: &[ConfigDifferences]) -> Markup {
    let found: Vec<_> = all.iter().filter(|one| one.strategy == report.strategy).collect();
    html! {
        @if !found.is_empty() {
            h2 { "Where answers differ" }
            (html::differences(&found, |_, at| {
                html! { a href={ (path) "/differences?path=" (encoded(at)) } { code { (at) } } }
            }, |id| html! { a href={ "/branches/" (id) } { "branch" } }))
            p { a href={ (path) "/differences" } { "All paths" } }
        }
    }
}
