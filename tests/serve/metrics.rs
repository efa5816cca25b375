//! What the operator's listener shows under `/metrics`.

use crate::{
    python,
    support::{PATIENCE, Proxy, exchange, nobody, post, saying},
};
use http::Request;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// One value, by what stands before it on its line.
fn value(page: &str, series: &str) -> f64 {
    let found = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no {series} in\n{page}")).parse().unwrap()
}

async fn page(proxy: &Proxy) -> String {
    proxy.admin("/metrics").await.text().to_owned()
}

/// The page, once this is so.
async fn page_when(proxy: &Proxy, is_so: impl Fn(&str) -> bool) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let page = page(proxy).await;
        if is_so(&page) {
            return page;
        }
        assert!(Instant::now() < deadline, "not in time:\n{page}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// A proxy that has seen something of everything: five requests, with a shadow that agrees and one
/// that cannot be reached until its breaker opens; MLflow is not there, one request was no HTTP,
/// one file had a mistake.
async fn seasoned() -> (Proxy, String) {
    let (a, b) = (saying("same").await, saying("same").await);
    let yaml = format!(
        "
experiment: watched
strategy: shadow
primary: a
mlflow: 'http://{}'
shadow: {{ breaker: {{ min_requests: 2, open_for: 5m }} }}
configs:
  - {{ config_id: a, upstream: UPSTREAM_A }}
  - {{ config_id: 'b \"quoted\"', upstream: UPSTREAM_B }}
  - {{ config_id: c, upstream: UPSTREAM_C }}
watch: false
measure: {{ n: /n }}
ui: {{ listen: '127.0.0.1:0' }}
",
        nobody().await
    );
    let proxy = Proxy::start(&yaml, &[a.address, b.address, nobody().await]).await;
    let running = r#"spearmint_shadow_in_flight{experiment="watched",config_id="c",role="shadow"}"#;
    for _ in 0..5 {
        assert_eq!(proxy.get("/").await.text(), "same");
        page_when(&proxy, |page| value(page, running) == 0.0).await;
    }
    assert!(exchange(proxy.address, "GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 400 "));
    std::fs::write(proxy.path("experiment.yaml"), "experiment: watched\n").unwrap();
    let reload = crate::support::ask(proxy.admin, post("/reload"), "").await;
    assert_eq!(reload.status, 422, "{}", reload.text());
    let ui = proxy.ui().await;
    assert_eq!(crate::support::ask(ui, Request::get("/health"), "").await.text(), "OK");
    let is_counted = |page: &str| {
        let branches = page.lines().filter(|line| line.starts_with("spearmint_branches_total{"));
        let count = |line: &str| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap();
        let compared = "spearmint_comparisons_total{";
        branches.map(count).sum::<u64>() == 15
            && page.lines().any(|line| line.starts_with(compared) && line.ends_with(" 5"))
    };
    let page = page_when(&proxy, is_counted).await;
    (proxy, page)
}

#[tokio::test]
async fn what_happened_is_counted() {
    let (proxy, page) = seasoned().await;
    let b = r#"experiment="watched",config_id="b \"quoted\"",role="shadow""#;
    let a = r#"experiment="watched",config_id="a",role="primary""#;
    let c = r#"experiment="watched",config_id="c",role="shadow""#;
    for (series, expected) in [
        (format!("branches_total{{{a},status=\"success\"}}"), 5),
        (format!("branches_total{{{a},status=\"failed\"}}"), 0),
        (format!("branches_total{{{b},status=\"success\"}}"), 5),
        (format!("branches_total{{{c},status=\"failed\"}}"), 2),
        (format!("branches_total{{{c},status=\"skipped\"}}"), 3),
        (format!("branch_failures_total{{{c},kind=\"connect\"}}"), 2),
        (format!("branch_skips_total{{{c},skip=\"breaker_open\"}}"), 3),
        (format!("branch_assignments_total{{{a},reason=\"primary\"}}"), 5),
        (format!("branch_duration_seconds_count{{{a},status=\"success\"}}"), 5),
        (format!("branch_duration_seconds_bucket{{{a},status=\"success\",le=\"+Inf\"}}"), 5),
        (format!("branch_first_byte_seconds_count{{{a}}}"), 5),
        (format!("branch_response_bytes_total{{{a}}}"), 20),
        (format!("comparisons_total{{{b},result=\"equal\"}}"), 5),
        (format!("comparisons_total{{{b},result=\"different\"}}"), 0),
        (format!("shadow_requests_total{{{c},outcome=\"admitted\"}}"), 2),
        (format!("shadow_breaker_state{{{c},state=\"open\"}}"), 1),
        (format!("shadow_breaker_state{{{c},state=\"closed\"}}"), 0),
        (format!("shadow_breaker_state{{{b},state=\"closed\"}}"), 1),
        ("evaluations_total{experiment=\"watched\",metric=\"n\",outcome=\"no_value\"}".into(), 10),
        ("evaluations_waiting{experiment=\"watched\"}".into(), 0),
        ("shadows_enabled{experiment=\"watched\"}".into(), 1),
        ("records_lost_total{recorder=\"main\",record=\"branch\"}".into(), 0),
        ("records_written_total{recorder=\"mlflow\",record=\"branch\"}".into(), 0),
        ("records_waiting{recorder=\"mlflow\",record=\"branch\"}".into(), 15),
        ("requests_total".into(), 6),
        ("responses_total{code=\"2xx\"}".into(), 5),
        ("responses_total{code=\"4xx\"}".into(), 1),
        ("requests_refused_total{reason=\"malformed\"}".into(), 1),
        ("epoch{experiment=\"watched\"}".into(), 1),
        ("reloads_total{outcome=\"rejected\"}".into(), 1),
        ("last_reload_successful".into(), 0),
        ("ready".into(), 1),
        ("ui_requests_total{call=\"/health\",method=\"GET\",code=\"200\"}".into(), 1),
        ("ui_writes_waiting".into(), 0),
        ("metrics_other_branches_total".into(), 0),
    ] {
        assert_eq!(value(&page, &format!("spearmint_{series}")), f64::from(expected), "{series}");
    }
    let answer = proxy.admin("/metrics").await;
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(crate::support::ask(proxy.admin, post("/metrics"), "").await.status, 405);
    let head = Request::head("/metrics");
    assert_eq!(crate::support::ask(proxy.admin, head, "").await.text(), "");
}

/// One that sends to an MLflow and a collector that are not there.
async fn syncing() -> (Proxy, String) {
    let upstream = saying("same").await;
    let away = nobody().await;
    let yaml = format!(
        "
experiment: sent
strategy: single
sync: {{ to: 'http://{away}', mode: [runs, summary] }}
otlp: {{ endpoint: 'http://{away}' }}
configs: [{{ config_id: a, upstream: UPSTREAM_A }}]
"
    );
    let proxy = Proxy::start(&yaml, &[upstream.address]).await;
    let page = page_when(&proxy, |page| page.contains("spearmint_sync_waiting{")).await;
    (proxy, page)
}

/// The families of a page, as Prometheus' own parser reads them.
fn parsed(page: &str) -> BTreeMap<String, Value> {
    let python = python::environment("prometheus-venv", "prometheus_client==0.*");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/serve/metrics.py");
    let mut parser = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    parser.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = parser.wait_with_output().unwrap();
    assert!(output.status.success(), "what it refuses is above; of:\n{page}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn prometheus_own_parser_reads_it_and_the_docs_have_every_family() {
    let (_proxy, page) = seasoned().await;
    let (_syncing, sync_page) = syncing().await;
    let mut families = parsed(&page);
    for (name, family) in parsed(&sync_page) {
        families.entry(name).or_insert(family);
    }

    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let mut documented = BTreeMap::new();
    for row in docs.lines().filter_map(|line| line.strip_prefix("| `spearmint_")) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let name = format!("spearmint_{}", cells[0].trim_matches('`'));
        let labels = cells[2].split(", ").map(|label| label.trim_matches('`').to_owned());
        let labels: BTreeSet<_> = labels.filter(|label| !label.is_empty()).collect();
        documented.insert(name, serde_json::json!({ "type": cells[1], "labels": labels }));
    }
    for (name, family) in &families {
        assert_eq!(documented.get(name), Some(family), "{name} in docs/metrics.md");
    }
    assert_eq!(documented.len(), families.len(), "docs/metrics.md has more");
}

#[tokio::test]
async fn counters_go_on_with_another_file_and_shadows_of_the_one_before_still_show() {
    let (a, stuck) =
        (saying("a").await, crate::support::upstream(|_| std::future::pending()).await);
    let yaml = "
experiment: changing
strategy: shadow
primary: a
shadow: { timeout: 5m }
configs:
  - { config_id: a, upstream: UPSTREAM_A }
  - { config_id: b, upstream: UPSTREAM_B }
watch: false
";
    let proxy = Proxy::start(yaml, &[a.address, stuck.address]).await;
    assert_eq!(proxy.get("/").await.text(), "a");
    let reload = crate::support::ask(proxy.admin, post("/reload"), "").await;
    assert_eq!(reload.status, 200, "{}", reload.text());
    assert_eq!(proxy.get("/").await.text(), "a");
    let of = |name: &str, id, role| {
        format!("spearmint_{name}{{experiment=\"changing\",config_id=\"{id}\",role=\"{role}\"")
    };
    let success = of("branches_total", "a", "primary") + ",status=\"success\"}";
    let is_counted = |page: &str| page.contains(&success) && value(page, &success) == 2.0;
    let page = page_when(&proxy, is_counted).await;
    assert_eq!(value(&page, "spearmint_epoch{experiment=\"changing\"}"), 2.0);
    assert_eq!(value(&page, "spearmint_reloads_total{outcome=\"accepted\"}"), 1.0);
    assert_eq!(value(&page, &(of("shadow_in_flight", "b", "shadow") + "}")), 2.0);
    let admitted = of("shadow_requests_total", "b", "shadow") + ",outcome=\"admitted\"}";
    assert_eq!(value(&page, &admitted), 1.0);
}
