//! What is measured of each branch, and what counts as a failure.

use crate::support::{Proxy, at, caller, echo, full, post, read, respond, saying, upstream};
use http::Request;
use std::time::{Duration, Instant};
use tower_spearmint::branch::Role;

const SHADOW: &str = "
experiment: measured
strategy: shadow
primary: a
shadow: { methods: [GET, POST] }
configs:
  - { config_id: a, upstream: UPSTREAM_A }
  - { config_id: b, upstream: UPSTREAM_B }
";

#[tokio::test]
async fn bytes_and_the_first_byte_are_measured_for_the_primary_and_its_shadow() {
    let slow = upstream(|request| async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(request);
        respond(200, "late")
    })
    .await;
    let mut proxy = Proxy::start(SHADOW, &[echo().await.address, slow.address]).await;
    let began = Instant::now();
    let request = at(proxy.address, post("/"), full("x".repeat(100_000)));
    assert_eq!(read(caller().request(request).await.unwrap()).await.body.len(), 100_000);
    assert_eq!(proxy.get("/").await.status, 200);
    let took = began.elapsed().as_nanos() as u64;
    let rows = proxy.rows().await;
    let sizes: Vec<_> = rows.iter().map(|row| (row.role, row.bytes_in, row.bytes_out)).collect();
    assert!(sizes.contains(&(Role::Primary, Some(100_000), Some(100_000))), "{sizes:?}");
    assert!(sizes.contains(&(Role::Primary, Some(0), Some(0))), "{sizes:?}");
    assert!(sizes.contains(&(Role::Shadow, Some(0), Some(4))), "{sizes:?}");
    for row in &rows {
        let first_byte = row.first_byte_ns.unwrap();
        assert!(first_byte <= row.duration_ns, "{row:?}");
        match row.role {
            Role::Shadow => assert!(first_byte >= 50_000_000, "{row:?}"),
            _ => assert!(first_byte <= took, "{row:?} of {took}"),
        }
    }
}

#[tokio::test]
async fn what_a_rewritten_body_comes_to_is_what_its_upstream_was_sent() {
    let a = saying("done").await;
    let yaml = "
experiment: rewritten
strategy: single
configs:
  - { config_id: a, upstream: UPSTREAM_A, request: { json: { /model: large-v2 } } }
";
    let mut proxy = Proxy::start(yaml, &[a.address]).await;
    let request = post("/").header("content-type", "application/json");
    proxy.ask(request, r#"{"model":"s"}"#).await;
    let sent = r#"{"model":"large-v2"}"#.len() as u64;
    let row = &proxy.rows().await[0];
    assert_eq!((row.bytes_in, row.bytes_out), (Some(sent), Some(4)));
}

#[tokio::test]
async fn the_file_says_what_counts_as_a_failure() {
    let a = upstream(|request: Request<_>| async move {
        respond(request.uri().path()[1..].parse().unwrap(), "")
    })
    .await;
    let yaml = "
experiment: strict
strategy: single
failures: { status: [500-503, 429], grpc_status: [UNAVAILABLE, 13] }
configs:
  - { config_id: a, upstream: UPSTREAM_A }
";
    let mut proxy = Proxy::start(yaml, &[a.address]).await;
    for status in [200, 404, 429, 503, 504] {
        assert_eq!(proxy.get(&format!("/{status}")).await.status, status);
    }
    let tally = proxy.tally().await;
    assert_eq!((tally["a primary success"], tally["a primary failed/status"]), (3, 2));
}
