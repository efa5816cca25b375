//! What the branches of each arm come to.

use super::numbers::{bytes, count, duration, percent};
use crate::report::{ArmFigures, Report};
use maud::{Markup, html};

/// A table of the arms, from the baseline on.
pub(crate) fn figures(report: &Report) -> Markup {
    let row = |arm: &ArmFigures| {
        html! {
            tr {
                th scope="row" { (arm.config_id.short()) }
                td { (arm.role) }
                @for number in [arm.requests, arm.success, arm.failed, arm.timed_out, arm.skipped, arm.cancelled] {
                    td.number { (count(number)) }
                }
                td.number { (percent(arm.error_rate)) }
                @for time in [arm.p50_ns, arm.p95_ns, arm.p99_ns] { td.number { (duration(time)) } }
                td.number { (percent(arm.agreement)) }
                @for mean in [arm.bytes_in, arm.bytes_out] {
                    td.number { (bytes(mean.map(|bytes| bytes.round() as u64))) }
                }
            }
        }
    };
    let columns = [
        "requests",
        "success",
        "failed",
        "timed out",
        "skipped",
        "cancelled",
        "errors",
        "p50",
        "p95",
        "p99",
        "agrees",
        "bytes in",
        "bytes out",
    ];
    html! {
        div.scroll tabindex="0" role="region" aria-label="What the branches of each arm come to" {
            table {
                caption { "What the branches of each arm come to. Times and bytes (on average) are of those that ended by themselves." }
                thead { tr {
                    th scope="col" { "config" } th scope="col" { "role" }
                    @for column in columns { th.number scope="col" { (column) } }
                } }
                tbody { @for arm in arms(report) { (row(arm)) } }
            }
        }
    }
}

/// All of them: the baseline, the control if there is one, the candidates.
pub(super) fn arms(report: &Report) -> impl Iterator<Item = &ArmFigures> {
    let candidates = report.candidates.iter().map(|candidate| &candidate.figures);
    std::iter::once(&report.baseline).chain(&report.control).chain(candidates)
}
