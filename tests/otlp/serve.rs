//! From a caller through `spearmint serve` to an upstream, and what a collector gets of it.

use crate::{
    collector::{CALLER, TRACE, spans, traceparent},
    proxy::{Proxy, eventually, nobody, respond, saying, upstream},
    server::Server,
};
use http::Request;
use tempfile::tempdir;

const YAML: &str = "
experiment: ranker
strategy: shadow
primary: stable
otlp: OTLP
configs:
  - { config_id: stable, upstream: UPSTREAM_A }
  - { config_id: candidate, upstream: UPSTREAM_B }
";

#[tokio::test]
async fn the_span_that_an_upstream_is_told_is_the_one_that_the_collector_gets() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let (a, b) = (saying("stable").await, upstream(|_| async { respond(500, "") }).await);
    let otlp = format!(
        "{{ endpoint: 'http://{}', headers: {{ x-mlflow-experiment-id: '0' }}, service_name: shop }}",
        server.address
    );
    let mut proxy = Proxy::start(&YAML.replace("OTLP", &otlp), &[a.address, b.address]).await;
    let request = Request::get("/").header("traceparent", traceparent("01"));
    assert_eq!(proxy.ask(request, "").await.text(), "stable");
    eventually("the shadow", || b.count() == 1).await;
    let rows = proxy.rows().await;
    // What was on its way when it was stopped has arrived.
    let spans = spans(&server, TRACE).await;
    assert_eq!(spans.len(), 2, "{}", proxy.log());
    for (span, (upstream, id, status)) in
        spans.iter().zip([(b, "candidate", "ERROR"), (a, "stable", "OK")])
    {
        assert_eq!(span.name(), format!("ranker/{id}"));
        assert_eq!(span.status(), format!("STATUS_CODE_{status}"));
        assert_eq!(span.parent(), CALLER);
        let told = upstream.only().headers["traceparent"].to_str().unwrap().to_owned();
        assert_eq!(told, format!("00-{TRACE}-{}-01", span.id()));
        let row = rows.iter().find(|row| row.config_id.as_str() == id).unwrap();
        assert_eq!(span.attribute("spearmint.branch_id"), row.id.to_string());
        assert_eq!(row.trace.unwrap().to_string(), traceparent("01"));
    }
    assert_eq!(spans[0].attribute("error.type"), "status");
    server.stop().await;
}

#[tokio::test]
async fn a_collector_that_is_away_holds_up_neither_requests_nor_the_store_and_is_counted() {
    let (a, b) = (saying("stable").await, saying("candidate").await);
    let otlp = format!("{{ endpoint: 'http://{}' }}", nobody().await);
    let yaml = YAML.replace("OTLP", &otlp) + "drain_timeout: 1s\n";
    let mut proxy = Proxy::start(&yaml, &[a.address, b.address]).await;
    for _ in 0..3 {
        assert_eq!(proxy.get("/").await.text(), "stable");
    }
    // In the store, while the spans wait.
    proxy.stores(6).await;
    let page = proxy.admin("/metrics").await;
    let page = page.text();
    assert!(
        page.contains("spearmint_records_waiting{recorder=\"otlp\",record=\"branch\"} 6"),
        "{page}"
    );
    assert!(page.contains("spearmint_otlp_spans_total{outcome=\"sent\"} 0"), "{page}");
    assert_eq!(proxy.rows().await.len(), 6);
    let log = proxy.log();
    assert!(log.contains("the collector does not take spans"), "{log}");
    assert!(log.contains("the collector did not get everything"), "{log}");
}
