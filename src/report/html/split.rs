//! Whether the traffic was split as it should have been.

use super::numbers::{count, percent};
use crate::report::{Report, SampleRatio};
use maud::{Markup, html};

/// Nothing where every request goes to all.
pub(crate) fn split(report: &Report) -> Markup {
    html! {
        @if let Some(found) = &report.sample_ratio { (ratio(found)) }
        @if report.outcomes_one_of > 1 {
            p.muted { "Outcomes are those of one of " (count(report.outcomes_one_of)) " units: of several stores not all are held." }
        }
    }
}

/// What each arm got of something, and what it should have got.
pub(super) fn ratio(ratio: &SampleRatio) -> Markup {
    let got = |count: u64| (ratio.total > 0).then(|| count as f64 / ratio.total as f64);
    html! {
        h3 { "Split of " (ratio.counted) ": " (word(ratio)) }
        @if ratio.total == 0 && ratio.unsettled > 0 {
            p { "Not checked yet: the requests of the last minutes may still be under way." }
        } @else if ratio.total == 0 {
            p { "No fixed share is known for these requests, so that the split is not checked." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label={ "How " (ratio.counted) " were split" } {
                table {
                    caption {
                        "How " (count(ratio.total)) " " (ratio.counted) " were split"
                        @if ratio.one_of > 1 { "; one of " (count(ratio.one_of)) " was counted" }
                    }
                    thead { tr {
                        th scope="col" { "config" } th.number scope="col" { "count" }
                        th.number scope="col" { "share" } th.number scope="col" { "should be" }
                    } }
                    tbody {
                        @for arm in &ratio.arms {
                            tr {
                                th scope="row" { (arm.config_id.short()) }
                                td.number { (count(arm.count)) }
                                td.number { (percent(got(arm.count))) }
                                td.number { (percent(Some(arm.share))) }
                            }
                        }
                    }
                }
            }
        }
        @if ratio.total > 0 && ratio.unchecked_epochs > 0 {
            p.muted { "Not checked: " (ratio.unchecked_epochs) " epochs whose shares are not known." }
        }
    }
}

const fn word(ratio: &SampleRatio) -> &'static str {
    match ratio {
        SampleRatio { total: 0, .. } => "not checked",
        SampleRatio { broken: true, .. } => "broken",
        _ => "as it should be",
    }
}
