//! Where answers differ, and what stood there.

use super::numbers::{count, percent};
use crate::{
    branch::BranchId,
    store::{ConfigDifferences, DifferenceExample, PathDifferences},
};
use maud::{Markup, html};

/// What the comparisons of each config come to; `heading` is what stands over a path, and `link` for a branch.
pub(crate) fn differences(
    found: &[&ConfigDifferences],
    heading: impl Fn(&ConfigDifferences, &str) -> Markup,
    link: impl Fn(&BranchId) -> Markup,
) -> Markup {
    html! {
        @for one in found {
            section {
                h3 { (one.config_id.short()) " (" (one.role) ")" }
                p {
                    "Of " (count(one.compared)) " pairs that were compared, " (count(one.different)) " differ"
                    @if let Some(control) = &one.control {
                        "; at " (count(one.beyond_noise)) " paths by more than noise. The control's own answers differ in "
                        (count(control.different)) " of " (count(control.compared)) "."
                    } @else if one.different > 0 {
                        ". There is no control, so all of this may be noise: " code { "shadow: { control: true }" }
                        " adds one."
                    } @else { "." }
                }
                @for path in &one.paths {
                    section.card {
                        h4 {
                            (heading(one, &path.path)) " "
                            @if one.control.is_some() {
                                span.tag { @if path.beyond_noise { "differs" } @else { "noise" } }
                            }
                        }
                        p { (share(path)) }
                        (examples(&path.examples, &link))
                    }
                }
                @if one.more_paths > 0 { p.muted { (count(one.more_paths)) " more paths are not shown." } }
                @if one.uncounted > 0 {
                    p.muted { (count(one.uncounted)) " differences are counted at no path: their answers had too many." }
                }
            }
        }
    }
}

/// Both sides of each example.
fn examples(examples: &[DifferenceExample], link: impl Fn(&BranchId) -> Markup) -> Markup {
    let side = |sample: &Option<String>| match sample {
        Some(text) => html! { code.sample { (text) } },
        None => html! { span.muted { "nothing" } },
    };
    html! {
        @if !examples.is_empty() {
            div.scroll tabindex="0" role="region" aria-label="Examples" {
                table.examples {
                    caption { "Examples, newest first" }
                    thead { tr {
                        th scope="col" { "in what way" } th scope="col" { "primary" } th scope="col" { "the other" }
                        th scope="col" { "branch" }
                    } }
                    tbody {
                        @for example in examples {
                            tr {
                                th scope="row" { (example.kind) }
                                td { (side(&example.primary)) }
                                td { (side(&example.shadow)) }
                                td { (link(&example.branch_id)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn share(path: &PathDifferences) -> String {
    let kinds: Vec<_> =
        path.kinds.iter().map(|(kind, pairs)| format!("{kind} {}", count(*pairs))).collect();
    let noise = match path.noise {
        Some(noise) => format!("; the control in {}", percent(Some(noise))),
        None => String::new(),
    };
    format!(
        "{} {}, {} of all{noise} ({})",
        count(path.pairs),
        if path.pairs == 1 { "pair" } else { "pairs" },
        percent(Some(path.rate)),
        kinds.join(", ")
    )
}
