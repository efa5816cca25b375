//! All experiments.

use super::{Ask, frame::View, of_experiment, when::when};
use crate::{
    branch::Role,
    report::{
        Report,
        html::{NOT_AMONG_ALL, count, time},
    },
    server::error::ApiError,
};
use maud::{Markup, html};

pub(super) fn page(ask: &Ask<'_>) -> Result<View, ApiError> {
    let reports = ask.live.reports(None)?;
    let body = html! {
        h1 { "Experiments" }
        div #experiments { (list(&reports)) }
        p.muted {
            "This address is an MLflow server, too: give it to " code { "mlflow.set_tracking_uri" }
            ", and every branch is a run."
        }
    };
    let title = "Experiments".to_owned();
    Ok(View { title, above: Vec::new(), body, events: Some("/events".to_owned()) })
}

/// What is told anew when it changes.
pub(super) fn list(reports: &[Report]) -> Markup {
    html! {
        @if reports.is_empty() {
            p { "No branch has answered anybody yet. Start an experiment (" code { "spearmint serve experiment.yaml" }
                ", or " code { "spearmint demo" } "), and send requests through it." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Experiments" {
                table {
                    caption.hidden { "Experiments, with what to do about each candidate" }
                    thead { tr {
                        th scope="col" { "experiment" } th scope="col" { "verdict" }
                        th.number scope="col" { "requests" } th scope="col" { "until" }
                    } }
                    tbody { @for report in reports { (row(report)) } }
                }
            }
        }
    }
}

fn row(report: &Report) -> Markup {
    // Where each request goes to one config they add up; elsewhere all have the same.
    let apart = report.baseline.role == Role::Primary;
    let candidates = report.candidates.iter().map(|candidate| &candidate.figures);
    let others = candidates.filter(|one| apart && one.role == Role::Primary);
    let requests = report.baseline.requests + others.map(|one| one.requests).sum::<u64>();
    html! {
        tr {
            th scope="row" {
                a href=(of_experiment(&report.experiment)) { (report.experiment) }
                br; span.muted { (report.strategy) }
            }
            td {
                @for candidate in &report.candidates {
                    div class={ "verdict-" (candidate.verdict) } {
                        strong { (candidate.verdict) } " " (candidate.config_id.short())
                        @if candidate.survives == Some(false) { br; span.muted { (NOT_AMONG_ALL) } }
                    }
                }
                @if report.candidates.is_empty() { span.muted { "no candidate" } }
            }
            td.number { (count(requests)) }
            td { (when(&time(report.until_ns))) }
        }
    }
}
