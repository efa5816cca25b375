//! What the server counts.

use crate::support::{Server, until};
use bytes::Bytes;
use http_body_util::StreamBody;
use hyper::body::Frame;
use serde_json::json;
use std::convert::Infallible;
use tempfile::tempdir;
use tower_spearmint::server::{Access, Tokens};

/// One value, by what stands before it on its line.
fn value(page: &str, series: &str) -> f64 {
    let found = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no {series} in\n{page}")).parse().unwrap()
}

async fn page(server: &Server) -> String {
    let answer = server.get("/metrics").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    String::from_utf8(answer.body.to_vec()).unwrap()
}

#[tokio::test]
async fn calls_are_counted_by_what_they_are_and_what_came_of_them() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let create = "/api/2.0/mlflow/experiments/create";
    for _ in 0..2 {
        server.post(create, &json!({ "name": "e" })).await;
    }
    // By its other name it is the same call.
    server.post("/ajax-api/2.0/mlflow/experiments/create", &json!({ "name": "f" })).await;
    server.get("/api/2.0/mlflow/experiments/search?max_results=5").await;
    server.call("PUT", "/api/2.0/mlflow-artifacts/artifacts/a", "12345").await;
    server.get("/api/2.0/mlflow-artifacts/artifacts/a").await;
    for path in ["/no/such", "/nor/such"] {
        server.call("BREW", path, "").await;
    }
    let page = page(&server).await;
    for (series, expected) in [
        (r#"requests_total{call="2.0/mlflow/experiments/create",method="POST",code="200"}"#, 2.0),
        (r#"requests_total{call="2.0/mlflow/experiments/create",method="POST",code="400"}"#, 1.0),
        (r#"requests_total{call="2.0/mlflow/experiments/search",method="GET",code="200"}"#, 1.0),
        (r#"requests_total{call="unknown",method="other",code="404"}"#, 2.0),
        (r#"request_duration_seconds_count{kind="write"}"#, 3.0),
        (r#"request_duration_seconds_count{kind="read"}"#, 1.0),
        (r#"request_duration_seconds_count{kind="stream"}"#, 2.0),
        (r#"artifact_bytes_total{direction="in"}"#, 5.0),
        (r#"artifact_bytes_total{direction="out"}"#, 5.0),
        ("writes_waiting", 0.0),
        ("connections", 1.0),
    ] {
        assert_eq!(value(&page, &format!("spearmint_ui_{series}")), expected, "{series}");
    }
    assert!(value(&page, "spearmint_start_time_seconds") > 1e9);
    assert!(page.contains("spearmint_build_info{version="), "{page}");
}

/// Nothing of an upload that broke off was kept, so nothing of it counts.
#[tokio::test]
async fn an_upload_that_breaks_off_has_no_bytes() {
    let directory = tempdir().unwrap();
    let server = Server::start_with(&directory, |server| server.max_artifact_size(3)).await;
    let frames = [Bytes::from_static(b"12"), Bytes::from_static(b"34")];
    let frames = frames.map(|bytes| Ok::<_, Infallible>(Frame::data(bytes)));
    let body = StreamBody::new(futures_util::stream::iter(frames));
    let path = "/api/2.0/mlflow-artifacts/artifacts/a";
    assert_eq!(server.try_call("PUT", path, body).await.unwrap().status, 413);
    let page = page(&server).await;
    assert_eq!(value(&page, r#"spearmint_ui_artifact_bytes_total{direction="in"}"#), 0.0);
}

#[tokio::test]
async fn a_server_with_tokens_shows_its_counters_to_those_who_have_one() {
    let directory = tempdir().unwrap();
    let token = "reads-what-there-is-only";
    let tokens = Tokens::new().and("scraper", Access::ReadOnly, token).unwrap();
    let server = Server::start_with(&directory, |server| server.tokens(tokens)).await;
    assert_eq!(server.get("/metrics").await.status, 401);
    let mut said = String::new();
    let address = server.address;
    let ask = move || {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        write!(
            stream,
            "GET /metrics HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
             authorization: Bearer {token}\r\n\r\n"
        )
        .unwrap();
        stream.read_to_string(&mut said).unwrap();
        said
    };
    let said = tokio::task::spawn_blocking(ask).await.unwrap();
    let refused = r#"spearmint_ui_requests_total{call="refused",method="GET",code="401"} 1"#;
    assert!(said.contains(refused), "{said}");
}

#[tokio::test]
async fn the_counters_are_there_for_another_page_and_keep_nothing_open() {
    let directory = tempdir().unwrap();
    let mut metrics = None;
    let set = |server: tower_spearmint::server::MlflowServer| {
        metrics = Some(server.metrics());
        server
    };
    let server = Server::start_with(&directory, set).await;
    server.get("/health").await;
    let metrics = metrics.unwrap();
    let page = || {
        let mut page = tower_spearmint::metrics::Exposition::new();
        metrics.collect(&mut page);
        page.to_string()
    };
    let asked = r#"spearmint_ui_requests_total{call="/health",method="GET",code="200"}"#;
    assert_eq!(value(&page(), asked), 1.0);
    until("no connection is open", || value(&page(), "spearmint_ui_connections") == 0.0).await;
    server.stop().await;
    assert_eq!(value(&page(), "spearmint_ui_writes_waiting"), 0.0);
}
