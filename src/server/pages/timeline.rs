//! A request over time: its branches, and what services did below them.

use crate::report::html::duration;
use maud::{Markup, html};
use serde_json::Value;
use std::collections::HashMap;

/// Spans that are shown.
const MAX_SPANS: usize = 200;
/// How deep one is set in at most.
const MAX_DEPTH: usize = 8;

struct Line<'a> {
    name: &'a str,
    status: &'a str,
    depth: usize,
    /// In ns, after the first began.
    from: u64,
    took: u64,
}

/// Spans as OpenTelemetry's protocol has them, each as a bar with its times beside it.
pub(super) fn timeline(spans: &[Value]) -> Markup {
    let lines = lines(spans);
    let whole = lines.iter().map(|line| line.from + line.took).max().unwrap_or(0).max(1) as f64;
    let share = |ns: u64| (ns as f64 / whole * 1_000.0).round() / 10.0;
    html! {
        div.scroll tabindex="0" role="region" aria-label="The request over time" {
            table {
                caption { "The request over time, from when it was assigned" }
                thead { tr {
                    th scope="col" { "what" } th scope="col" { "ended" } th.number scope="col" { "began after" }
                    th.number scope="col" { "took" } td.bar { }
                } }
                tbody {
                    @for line in &lines {
                        tr {
                            th class={ "depth-" (line.depth) } scope="row" { (line.name) }
                            td { (line.status) }
                            td.number { (duration(Some(line.from))) }
                            td.number { (duration(Some(line.took))) }
                            td.bar {
                                svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" {
                                    rect.bar x=(share(line.from)) y="1" height="6" width=(share(line.took).max(0.5)) {}
                                }
                            }
                        }
                    }
                }
            }
        }
        @if spans.len() > MAX_SPANS { p.muted { (spans.len() - MAX_SPANS) " more are not shown." } }
    }
}

/// The first of them, each below the one that it belongs to.
fn lines(spans: &[Value]) -> Vec<Line<'_>> {
    let text = |span: &'static str| {
        move |value: &Value| -> Option<String> { value[span].as_str().map(str::to_owned) }
    };
    let parents: HashMap<_, _> = spans
        .iter()
        .filter_map(|span| Some((text("span_id")(span)?, text("parent_span_id")(span))))
        .collect();
    let first = spans.iter().filter_map(start).min().unwrap_or(0);
    spans
        .iter()
        .take(MAX_SPANS)
        .map(|span| {
            let mut depth = 0;
            let mut above = text("parent_span_id")(span);
            while let Some(id) = above.filter(|_| depth < MAX_DEPTH) {
                depth += usize::from(parents.contains_key(&id));
                above = parents.get(&id).cloned().flatten();
            }
            let from = start(span).unwrap_or(first);
            let end = span["end_time_unix_nano"].as_u64().unwrap_or(0);
            let code = span["status"]["code"].as_str().unwrap_or_default();
            Line {
                name: span["name"].as_str().unwrap_or_default(),
                status: match code.trim_start_matches("STATUS_CODE_") {
                    "OK" => "well",
                    "ERROR" => "with an error",
                    _ => "",
                },
                depth,
                from: from - first,
                took: end.saturating_sub(from),
            }
        })
        .collect()
}

fn start(span: &Value) -> Option<u64> {
    span["start_time_unix_nano"].as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_span_stands_below_the_one_it_belongs_to_even_if_they_go_in_circles() {
        let span = |id: &str, parent: &str, start: u64| {
            json!({ "span_id": id, "parent_span_id": parent, "name": id,
                    "start_time_unix_nano": start, "end_time_unix_nano": start + 5 })
        };
        let spans = [span("a", "", 10), span("b", "a", 12), span("x", "y", 11), span("y", "x", 11)];
        let lines = lines(&spans);
        let shown: Vec<_> = lines.iter().map(|line| (line.name, line.depth, line.from)).collect();
        assert_eq!(shown, [("a", 0, 0), ("b", 1, 2), ("x", MAX_DEPTH, 1), ("y", MAX_DEPTH, 1)]);
    }
}
