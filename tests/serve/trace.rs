//! Trace and baggage through the proxy.

use crate::support::{Proxy, eventually, run, saying, stderr, stdout};
use http::Request;

const YAML: &str = "
experiment: ranker
strategy: shadow
primary: a
configs:
  - { config_id: a, upstream: UPSTREAM_A }
  - { config_id: b, upstream: UPSTREAM_B }
";

#[tokio::test]
async fn each_branch_is_a_span_in_the_callers_trace_and_names_its_variant() {
    let (a, b) = (saying("a").await, saying("b").await);
    let mut proxy = Proxy::start(YAML, &[a.address, b.address]).await;
    let request = Request::get("/")
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")
        .header("tracestate", "vendor=1")
        .header("baggage", "user=7");
    assert_eq!(proxy.ask(request, "").await.text(), "a");
    eventually("the shadow", || b.count() == 1).await;
    let rows = proxy.rows().await;
    for (upstream, id, role) in [(a, "a", "primary"), (b, "b", "shadow")] {
        let headers = upstream.only().headers;
        let row = rows.iter().find(|row| row.config_id.as_str() == id).unwrap();
        let span = &row.id.to_string().replace('-', "")[16..];
        let expected = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{span}-00");
        assert_eq!(headers["traceparent"], expected);
        assert_eq!(row.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(row.trace.unwrap().parent_span_id.to_string(), "00f067aa0ba902b7");
        assert_eq!(headers["tracestate"], "vendor=1");
        assert_eq!(headers["baggage"], format!("user=7,spearmint.ranker={id};role={role}"));
    }
}

#[tokio::test]
async fn branches_are_found_by_the_trace_in_the_log_of_a_service() {
    let (a, b) = (saying("a").await, saying("b").await);
    let mut proxy = Proxy::start(YAML, &[a.address, b.address]).await;
    let with = |parent: &str| Request::get("/").header("traceparent", parent);
    let known = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    assert_eq!(proxy.ask(with(known), "").await.status, 200);
    assert_eq!(proxy.ask(Request::get("/"), "").await.status, 200);
    eventually("the shadows", || b.count() == 2).await;
    proxy.rows().await;
    let heads = a.seen.lock().unwrap().clone();
    let logged = |at: usize| heads[at].headers["traceparent"].to_str().unwrap()[3..35].to_owned();
    let directory = proxy.path("store.db");
    let directory = directory.parent().unwrap();
    let branches = |arguments: &[&str]| {
        let output = run(&[&["branches", "--store", "store.db"], arguments].concat(), directory);
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    // The caller's, and the one that began here.
    for trace in [logged(0), logged(1), known.to_owned()] {
        let found = branches(&["--trace", &trace, "--format", "csv"]);
        assert_eq!(found.lines().count(), 3, "{found}");
        let id = if trace == known { logged(0) } else { trace };
        assert_eq!(found.matches(&*id).count(), 2, "{found}");
    }
    let summary = branches(&["--trace", &logged(0), "--summary", "--json"]);
    assert_eq!(summary.matches("\"requests\": 1").count(), 2, "{summary}");
    // Where a caller has a trace, the table has a column for it.
    let table = branches(&[]);
    assert!(table.lines().next().unwrap().ends_with("trace"), "{table}");
    assert_eq!(table.matches("4bf92f3577b34da6a3ce929d0e0e4736").count(), 2, "{table}");
    let output = run(&["branches", "--store", "store.db", "--trace", "4bf9"], directory);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("write the 32 digits, as in 4bf92f3577b34da6a3ce929d0e0e4736"), "{said}");
}

#[tokio::test]
async fn it_can_be_switched_off() {
    let a = saying("a").await;
    let yaml = "
experiment: ranker
strategy: single
trace: false
configs: [{ config_id: a, upstream: UPSTREAM_A }]
";
    let proxy = Proxy::start(yaml, &[a.address]).await;
    let request = Request::get("/").header("traceparent", "as it is").header("baggage", "user=7");
    assert_eq!(proxy.ask(request, "").await.status, 200);
    let headers = a.only().headers;
    assert_eq!(
        (&headers["traceparent"], &headers["baggage"]),
        (&"as it is".parse().unwrap(), &"user=7".parse().unwrap())
    );
}
