//! One metric of one candidate.

use super::{
    candidate::name,
    interval::interval,
    numbers::{count, time},
};
use crate::{
    report::{
        ArmFigures, Candidate, Finding, MetricRole,
        sentence::{shown, signed},
    },
    stats::sequential::Interval,
};
use maud::{Markup, html};

pub(super) fn finding(finding: &Finding, baseline: &ArmFigures, candidate: &Candidate) -> Markup {
    let measure = &finding.metric.measure;
    let value = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |v| shown(measure, v));
    let of = |arm: &str, what: Option<f64>, n: u64| {
        html! { tr { th scope="row" { (arm) } td.number { (value(what)) } td.number { (count(n)) } } }
    };
    html! {
        section class={ "card standing-" (finding.standing) } {
            h4 { (measure) " " span.tag { (finding.standing) } }
            p.muted { (purpose(finding)) }
            (interval(finding))
            p { (finding.sentence) }
            @if let Some(at) = finding.contradicted_ns {
                p {
                    strong { "Since " (time(at)) " the looks contradict one another." } " By chance that is as rare as a \
                    wrong interval; else something is no longer as it was."
                }
            }
            table {
                caption.hidden { (measure) " of both arms" }
                thead { tr {
                    th scope="col" { "arm" } th.number scope="col" { "value" } th.number scope="col" { @if finding.by_unit { "units" } @else { "n" } }
                } }
                tbody {
                    (of(name(baseline), finding.baseline, finding.baseline_count))
                    (of(candidate.config_id.short(), finding.candidate, finding.candidate_count))
                    tr {
                        th scope="row" { "difference" }
                        td.number.difference colspan="2" { (difference(finding)) }
                    }
                    @if finding.intersection != finding.interval {
                        tr {
                            th scope="row" { "this look alone" }
                            td.number.difference colspan="2" { (range(finding, finding.interval)) }
                        }
                    }
                }
            }
        }
    }
}

/// The estimate, and where the true one lies.
pub(super) fn difference(finding: &Finding) -> String {
    let Some(difference) = finding.difference else { return "–".to_owned() };
    format!("{} ({})", signed(finding.unit, difference), range(finding, finding.intersection))
}

fn range(finding: &Finding, Interval { low, high }: Interval) -> String {
    format!("{} to {}", signed(finding.unit, low), signed(finding.unit, high))
}

/// What the metric is for, and how much of it matters.
fn purpose(finding: &Finding) -> String {
    let metric = &finding.metric;
    let size = |bound: f64| signed(finding.unit, bound).trim_start_matches('+').to_owned();
    let better = if metric.increase { "more is better" } else { "less is better" };
    match metric.role {
        _ if metric.undirected => {
            "shown, decides nothing; nobody said which way is better".to_owned()
        }
        MetricRole::Guardrail => {
            format!("guardrail: worse by {} at most; {better}", size(metric.margin))
        }
        MetricRole::Success if metric.mde > 0.0 => {
            format!("success: better by {} is worth it; {better}", size(metric.mde))
        }
        MetricRole::Success => format!("success: any gain is worth it; {better}"),
        MetricRole::Quality => format!("shown, decides nothing; {better}"),
    }
}
