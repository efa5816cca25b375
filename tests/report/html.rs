//! Reports as HTML.

use super::support::{Behaviour, Halves, STEADY, Store, shadowed, split, templates};
use std::time::{Duration, UNIX_EPOCH};
use tower_spearmint::report::{HtmlReport, Plan, Report};

const SLOWER: Behaviour = Behaviour { ms: 12.0, ..STEADY };

fn page(store: &Store) -> String {
    let reports = Report::read(&store.store, &Plan::new()).unwrap();
    let page = HtmlReport::new(&reports).differences_in(&store.store).unwrap();
    page.looks_in(&store.store).unwrap().to_string()
}

/// Where it stands, which it has to.
fn at(page: &str, text: &str) -> usize {
    page.find(text).unwrap_or_else(|| panic!("{text} is not in {page}"))
}

#[test]
fn a_file_loads_nothing_and_runs_nothing() {
    let page = page(&shadowed(2_000, STEADY, SLOWER));
    for part in [
        "<script", "<link", "<img", "<iframe", "src=", "href=", "url(", "@import", " style=",
        "http",
    ] {
        let found = page.matches(part).count();
        // (The policy is an `http-equiv`.)
        assert_eq!(found, usize::from(part == "http"), "{part}");
    }
    assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'"));
}

#[test]
fn the_verdict_stands_first_then_the_metrics_then_the_arms() {
    let page = page(&shadowed(20_000, STEADY, SLOWER));
    let order = [
        "<h1>ranker</h1>",
        "<strong>keep</strong> <span>candidate against stable</span>",
        "Keep the baseline: latency_p95:",
        "<h4>latency_p95 <span class=\"tag\">worse</span></h4>",
        "guardrail: worse by 10.0% at most; less is better",
        "What the branches of each arm come to",
        "<h2>How long they took</h2>",
    ];
    let places = order.map(|text| at(&page, text));
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn what_is_drawn_is_said_as_well() {
    let page = page(&shadowed(20_000, STEADY, SLOWER));
    for (place, _) in page.match_indices("<svg") {
        let tag = page[place..].split('>').next().unwrap();
        let hidden = tag.contains("aria-hidden=\"true\"");
        let said = tag.contains("role=\"img\" aria-label=\"") && !tag.contains("aria-label=\"\"");
        assert!(hidden || said, "{tag}");
    }
    assert!(page.contains("aria-label=\"latency_p95: "));
    assert!(
        page.contains("<caption>Share of the branches of each arm by how long they took</caption>")
    );
}

#[test]
fn the_intervals_of_all_looks_are_drawn_over_time_and_stand_in_a_table() {
    let store = Store::with(&[]);
    let mut halves = Halves::new(6_000);
    for look in 1..=3 {
        halves.go_on(&store, 2_000, STEADY);
        let at = UNIX_EPOCH + Duration::from_secs(1_700_000_000 + 60 * look);
        Report::look(&store.store, &Plan::new(), at).unwrap();
        let page = page(&store);
        // One interval alone is no series.
        assert_eq!(page.contains("<caption>latency_p95 over time</caption>"), look > 1);
    }
    let page = page(&store);
    at(
        &page,
        "aria-label=\"latency_p95 at 3 looks from 2023-11-14 22:14:20 UTC to 2023-11-14 22:16:20 UTC;",
    );
    let table = &page[at(&page, "<caption>latency_p95 over time</caption>")..];
    let table = table.split("</table>").next().unwrap();
    assert_eq!(table.matches("<th scope=\"row\"").count(), 3, "{table}");
    assert!(!page.contains("NaN") && !page.contains("inf"));
}

#[test]
fn a_broken_split_is_said_with_what_it_should_have_been() {
    let page =
        page(&split(20_000, [("stable", 0.5, STEADY, 0.0), ("candidate", 0.5, STEADY, 0.2)]));
    at(&page, "<strong>broken</strong>");
    at(&page, "Split of requests: broken");
    at(&page, "should be");
}

#[test]
fn names_are_text_whatever_they_are() {
    let hostile = "<img src=x onerror=alert(1)>";
    let page = page(&Store::with(&templates(hostile, &["</style><script>", "\"' onload='x"])));
    assert!(!page.contains("<img") && !page.contains("<script") && !page.contains("\"' onload"));
    assert_eq!(page.matches("</style>").count(), 1);
    at(&page, "<h1>&lt;img src=x onerror=alert(1)&gt;</h1>");
}

#[test]
fn a_store_without_branches_says_what_to_do() {
    let page = page(&Store::with(&[]));
    at(&page, "<h1>Nothing to report</h1>");
    at(&page, "Send requests through the experiment");
}
