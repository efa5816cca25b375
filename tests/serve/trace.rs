//! Trace and baggage through the proxy.

use crate::support::{Proxy, eventually, saying};
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
        assert_eq!(headers["tracestate"], "vendor=1");
        assert_eq!(headers["baggage"], format!("user=7,spearmint.ranker={id};role={role}"));
    }
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
