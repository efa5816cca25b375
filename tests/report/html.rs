//! Reports as HTML.

use super::{
    across::experiments,
    gaps::{leaving, losing, shadows},
    means,
    outcomes::{self, Shop},
    support::{Behaviour, Halves, STEADY, Store, only, shadowed, split, templates},
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tower_spearmint::{
    branch::{SkipReason, Status},
    report::{HtmlReport, Measure, Metric, Plan, Report},
};

const SLOWER: Behaviour = Behaviour { ms: 12.0, ..STEADY };

fn page(store: &Store) -> String {
    let reports = Report::read(&store.store, &Plan::new()).unwrap();
    let page = HtmlReport::new(&reports).differences_in(&store.store).unwrap();
    page.looks_in(&store.store).unwrap().to_string()
}

/// What is between this and the next of that, which both have to be there.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let rest = &page[at(page, from)..];
    &rest[..at(rest, to)]
}

fn minute(number: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000 + 60 * number)
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
        Report::look(&store.store, &Plan::new(), minute(look)).unwrap();
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

#[test]
fn what_was_not_recorded_stands_by_arm_with_its_reasons() {
    let row = "<th scope=\"row\">candidate</th><td>primary</td>";
    let page_of = |lost| page(&losing(lost));
    let few = page_of(45);
    at(&few, "<h3>Not recorded: few</h3>");
    let lost = between(&few, "<caption>Branches that ended and were not recorded", "</table>");
    at(lost, &format!("{row}<td class=\"number\">45</td>"));
    at(lost, "<td>queue_full 40, not_written 5</td>");
    let many = page_of(105);
    at(&many, "<h3>Not recorded: too many</h3>");
    at(&many, "<strong>broken</strong>");
    assert!(
        !page(&split(200, [("stable", 0.5, STEADY, 0.0), ("candidate", 0.5, STEADY, 0.0)]))
            .contains("recorded")
    );
}

#[test]
fn completions_stand_beside_the_split() {
    let page = page(&leaving(0.1, |_| None));
    at(&page, "<h3>Split of requests: as it should be</h3>");
    let completions = between(&page, "<h3>Split of completions: broken</h3>", "<h2>");
    at(completions, "completions were split</caption>");
    at(
        completions,
        "What is skipped, or left by its caller, is in no error rate and no percentile.",
    );
}

#[test]
fn what_became_of_shadows_stands_with_why_they_were_skipped() {
    let skipped = page(&shadows(700, |pair| {
        (pair[1].status, pair[1].failure) = (Status::Skipped, None);
        pair[1].skip = Some(SkipReason::MaxInFlight);
    }));
    let coverage = between(&skipped, "<h3>Shadows of candidate</h3>", "</table>");
    for (what, n) in [
        ("due", "5\u{202f}000"),
        ("skipped: max_in_flight", "700"),
        ("ended", "4\u{202f}300"),
        ("ended beside a primary that did", "4\u{202f}300"),
    ] {
        at(coverage, &format!("<th scope=\"row\">{what}</th><td class=\"number\">{n}</td>"));
    }
    let left = page(&shadows(250, |pair| {
        (pair[1].status, pair[1].failure) = (Status::Cancelled, None);
    }));
    at(&left, "<h3>Shadows of candidate: too many without their pair</h3>");
    at(&left, "<th scope=\"row\">given up</th><td class=\"number\">250</td>");
    // Where nothing is missing, nothing is said.
    assert!(!page(&shadowed(200, STEADY, STEADY)).contains("Shadows of"));
}

#[test]
fn what_all_looks_have_in_common_is_drawn_within_this_look_and_said_beside_it() {
    let store = Store::with(&[]);
    let mut halves = Halves::new(12_000);
    let is_narrower = |at: u64| {
        let report = Report::look(&store.store, &Plan::new(), minute(at)).unwrap().remove(0);
        only(&report).findings.iter().any(|finding| finding.intersection != finding.interval)
    };
    halves.go_on(&store, 100, STEADY);
    assert!(!is_narrower(0));
    let first = page(&store);
    assert!(!first.contains("class=\"look\"") && !first.contains("this look alone"));
    at(&first, "1 look, at 2023-11-14 22:13:20 UTC.");
    let narrower = (1..120).find(|at| {
        halves.go_on(&store, 100, STEADY);
        is_narrower(*at)
    });
    let narrower = narrower.expect("the looks before never counted");
    let page = page(&store);
    at(&page, &format!("{} looks, the first at 2023-11-14 22:13:20 UTC.", narrower + 1));
    // Each that is drawn has its row.
    let drawn = page.split("<svg class=\"interval\"").skip(1);
    let drawn = drawn.filter(|svg| svg.split("</svg>").next().unwrap().contains("class=\"look\""));
    let drawn = drawn.count();
    assert!(drawn > 0);
    assert_eq!(page.matches("<th scope=\"row\">this look alone</th>").count(), drawn);
}

#[test]
fn verdicts_of_before_and_looks_that_contradict_one_another_stand_with_their_dates() {
    const BETTER: Behaviour = Behaviour { ms: 8.0, ..STEADY };
    let store = Store::with(&[]);
    let mut halves = Halves::new(40_000);
    let plan = Plan::new().baseline("stable").metrics([
        Metric::guardrail(Measure::ErrorRate, 0.01),
        Metric::success(Measure::LatencyP50, 0.05),
    ]);
    for (at, failing) in [(0, BETTER.failing), (1, 0.2)] {
        halves.go_on(&store, 20_000, Behaviour { failing, ..BETTER });
        Report::look(&store.store, &plan, minute(at)).unwrap();
    }
    let report = store.report(&plan);
    let page = HtmlReport::new(std::slice::from_ref(&report)).to_string();
    at(&page, "<strong>keep</strong>");
    at(&page, "Since 2023-11-14 22:14:20 UTC (look 2).");
    at(&page, "<p><strong>ship</strong> was reached at 2023-11-14 22:13:20 UTC (look 1).</p>");
    at(&page, "<strong>Since 2023-11-14 22:14:20 UTC the looks contradict one another.</strong>");
}

#[test]
fn of_several_experiments_each_verdict_says_whether_it_is_left_among_all() {
    let mut of = vec![("barely", 1_900, 9.0), ("firmly", 8_000, 8.0)];
    let names: Vec<String> = (0..20).map(|n| format!("open-{n}")).collect();
    of.extend(names.iter().map(|name| (name.as_str(), 40, 10.0)));
    let page = HtmlReport::new(&experiments(&of)).to_string();
    let article = |name: &str| between(&page, &format!("<h1>{name}</h1>"), "</article>");
    at(
        article("barely"),
        "<strong>Not sure enough to be taken out of so many experiments</strong>",
    );
    at(article("firmly"), "Sure enough among all these experiments");
    at(article("firmly"), "at an error probability of ");
    assert!(!article("open-3").contains("ure enough"));
}

#[test]
fn means_are_numbers_and_outcomes_are_of_units() {
    let store = means::split(2_000, |_, random, branch| {
        branch.metrics.set("tokens", 1_000.0 + 0.2 * random.unit());
    });
    let tokens = page(&store);
    let card = between(&tokens, "<h4>tokens ", "</section>");
    at(card, "shown, decides nothing; nobody said which way is better");
    at(card, "<td class=\"number\">1000</td>");
    assert!(!card.contains("0ms") && !card.contains("1000%"), "{card}");

    let mut shop = Shop::new(3, 400);
    shop.come(400, 0.5, [0.2, 0.3], 1);
    let report = shop.store().report(&outcomes::plan());
    let page = HtmlReport::new(&[report]).to_string();
    let card = between(&page, "<h4>purchase ", "</section>");
    at(card, "success: better by 1.00% is worth it; more is better");
    at(card, "<th class=\"number\" scope=\"col\">units</th>");
    assert!(!between(&page, "<h4>error_rate ", "</section>").contains("units"));
}

#[test]
fn bytes_of_bodies_are_those_of_a_branch_on_average() {
    let store = shadowed(0, STEADY, STEADY);
    let mut branches = templates("ranker", &["stable", "candidate"]);
    for (branch, bytes) in branches.iter_mut().zip([3_000, 5_000]) {
        (branch.bytes_in, branch.bytes_out) = (Some(10), Some(bytes));
    }
    store.add(&branches);
    let report = store.report(&Plan::new().baseline("stable"));
    let figures = &only(&report).figures;
    assert_eq!((figures.bytes_in, figures.bytes_out), (Some(10.0), Some(5_000.0)));
    let page = page(&store);
    let row = between(&page, "<th scope=\"row\">stable</th><td>primary</td>", "</tr>");
    assert!(
        row.ends_with("<td class=\"number\">10B</td><td class=\"number\">2.93KiB</td>"),
        "{row}"
    );
}
