//! What of the traffic is not in the numbers.

use super::{
    numbers::{count, percent},
    split::ratio,
};
use crate::report::{ArmLosses, Candidate, Coverage, Report, aside};
use maud::{Markup, html};

/// Nothing where everything was assigned by chance, recorded, came to an end, and has its pair.
pub(crate) fn missing(report: &Report) -> Markup {
    html! {
        @if let Some(aside) = aside::in_words(&report.aside, count) { p { (aside) "." } }
        @if let Some(completions) = &report.completions {
            (ratio(completions))
            p.muted { "What is skipped, or left by its caller, is in no error rate and no percentile." }
        }
        @if !report.losses.is_empty() { (losses(&report.losses)) }
        @for candidate in &report.candidates {
            @if let Some(found) = candidate.coverage.as_ref().filter(|found| !found.is_whole()) {
                (coverage(candidate, found))
            }
        }
    }
}

fn losses(lost: &[ArmLosses]) -> Markup {
    let reasons = |of: &ArmLosses| {
        let reasons: Vec<_> =
            of.reasons.iter().map(|(why, n)| format!("{why} {}", count(*n))).collect();
        reasons.join(", ")
    };
    html! {
        h3 { "Not recorded: " @if lost.iter().any(|of| of.broken) { "too many" } @else { "few" } }
        div.scroll tabindex="0" role="region" aria-label="What was not recorded" {
            table {
                caption { "Branches that ended and were not recorded; more than 1% of an arm is too many" }
                thead { tr {
                    th scope="col" { "config" } th scope="col" { "role" } th.number scope="col" { "branches" }
                    th.number scope="col" { "of all" } th scope="col" { "why" }
                } }
                tbody {
                    @for of in lost {
                        tr {
                            th scope="row" { (of.config_id.short()) }
                            td { (of.role) }
                            td.number { (count(of.branches)) }
                            td.number { (percent(Some(of.share))) }
                            td { (reasons(of)) }
                        }
                    }
                }
            }
        }
    }
}

fn coverage(candidate: &Candidate, found: &Coverage) -> Markup {
    let row =
        |what: &str, n: u64| html! { tr { th scope="row" { (what) } td.number { (count(n)) } } };
    html! {
        h3 { "Shadows of " (candidate.config_id.short()) @if found.broken { ": too many without their pair" } }
        table {
            caption { "What became of the shadows; more than 1% without the other half of their pair are too many" }
            thead { tr { th scope="col" { "shadows" } th.number scope="col" { "count" } } }
            tbody {
                @if let Some(due) = found.due { (row("due", due)) }
                (row("there are", found.shadows))
                @for (reason, skipped) in &found.skips { (row(&format!("skipped: {reason}"), *skipped)) }
                @if found.cancelled > 0 { (row("given up", found.cancelled)) }
                (row("ended", found.ended))
                (row("ended beside a primary that did", found.pairs))
                @if found.without_primary > 0 { (row("ended, and their primary is missing", found.without_primary)) }
            }
        }
    }
}
