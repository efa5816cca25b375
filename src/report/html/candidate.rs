//! What is said of each candidate.

use super::{
    certainty::{certainty, looks},
    finding::finding,
};
use crate::report::{ArmFigures, Candidate, Report, Verdict};
use maud::{Markup, html};

/// The one word for each candidate, and why.
pub(crate) fn verdicts(report: &Report) -> Markup {
    let baseline = &report.baseline;
    html! {
        @if report.candidates.is_empty() {
            p { strong { (name(baseline)) } " alone: there is nothing to hold it against. Add another config to the \
                experiment, and send requests." }
        }
        @for candidate in &report.candidates {
            @let Candidate { config_id, verdict, because, .. } = candidate;
            div class={ "verdict verdict-" (verdict) } {
                p.word {
                    span.mark aria-hidden="true" { (mark(*verdict)) } " "
                    strong { (verdict) } " "
                    span { (config_id.short()) " against " (name(baseline)) }
                }
                p { (meaning(*verdict)) ": " (because) "." }
                (certainty(candidate))
            }
        }
        @if let Some(kept) = &report.looks { (looks(kept)) }
    }
}

/// Metric by metric.
pub(crate) fn metrics(report: &Report) -> Markup {
    html! {
        @if report.candidates.is_empty() { p { "No candidate, no difference." } }
        @for candidate in &report.candidates {
            section.candidate {
                h3 { (candidate.config_id.short()) " against " (name(&report.baseline)) }
                @if candidate.findings.is_empty() {
                    p { "No metric is looked at: name some in the experiment file, under " code { "metrics" } "." }
                }
                div.cards {
                    @for one in &candidate.findings { (finding(one, &report.baseline, candidate)) }
                }
            }
        }
    }
}

pub(super) fn name(arm: &ArmFigures) -> &str {
    arm.config_id.short()
}

/// What a verdict asks for.
const fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ship => "Take the candidate",
        Verdict::Keep => "Keep the baseline",
        Verdict::Broken => "Trust nothing of this",
        Verdict::Undecided => "Go on, there is not enough to decide",
    }
}

/// A sign of its own for each, as colour tells not everyone.
const fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ship => "✔",
        Verdict::Keep => "■",
        Verdict::Broken => "✖",
        Verdict::Undecided => "…",
    }
}
