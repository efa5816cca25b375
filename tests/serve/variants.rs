//! Which variant a request goes to, and what the variant changes in it.

use crate::support::{
    Proxy, Upstream, echo, exchange, nobody, pattern, post, respond, saying, upstream,
};
use http::{Request, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

const JSON: &str = "application/json";

fn single(request: &str) -> String {
    format!(
        "
experiment: plain
strategy: single
rewrite_limit: 1KiB
configs:
  - config_id: a
    upstream: UPSTREAM_A
    request: {request}
"
    )
}

/// Answers with the head and the body it was sent, as JSON.
async fn mirror() -> Upstream {
    upstream(|request| async move {
        let path = request.uri().to_string();
        let headers: BTreeMap<_, _> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8_lossy(&body).into_owned();
        respond(200, json!({ "path": path, "headers": headers, "body": body }).to_string())
    })
    .await
}

#[tokio::test]
async fn a_variant_sets_and_removes_headers() {
    let a = mirror().await;
    let yaml = single("{ headers: { x-model: b, x-tag: over }, remove_headers: [x-debug] }");
    let proxy = Proxy::start(&yaml, &[a.address]).await;
    let request = Request::get("/").header("x-tag", "mine").header("x-debug", "1");
    let seen = proxy.ask(request, "").await.json();
    assert_eq!(
        (&seen["headers"]["x-model"], &seen["headers"]["x-tag"]),
        (&json!("b"), &json!("over"))
    );
    assert_eq!(seen["headers"]["x-debug"], Value::Null);
}

#[tokio::test]
async fn a_variant_changes_the_json_of_a_request_and_leaves_the_rest() {
    let a = mirror().await;
    let yaml = single("{ json: { /model: small-v2, /options/seed: 7 }, remove_json: [/user] }");
    let proxy = Proxy::start(&yaml, &[a.address]).await;
    let request = post("/").header(header::CONTENT_TYPE, "application/vnd.x+json; charset=utf-8");
    let body = json!({ "model": "large", "user": "ann", "words": [1, 2.5, "x"] }).to_string();
    let seen = proxy.ask(request, body).await.json();
    let body: Value = serde_json::from_str(seen["body"].as_str().unwrap()).unwrap();
    assert_eq!(
        body,
        json!({ "model": "small-v2", "options": { "seed": 7 }, "words": [1, 2.5, "x"] })
    );
    assert_eq!(seen["headers"]["content-length"], seen["body"].as_str().unwrap().len().to_string());

    for (media, text) in [("text/plain", r#"{"model":"large"}"#), (JSON, "{ not json"), (JSON, "")]
    {
        let seen = proxy.ask(post("/").header(header::CONTENT_TYPE, media), text).await.json();
        assert_eq!(seen["body"], text, "{media}");
    }
}

#[tokio::test]
async fn a_variant_changes_the_path() {
    let a = mirror().await;
    let yaml = single("{ path: { strip_prefix: /api, add_prefix: /v2/ } }");
    let proxy = Proxy::start(&yaml, &[a.address]).await;
    for (asked, sent) in [
        ("/api/rank?x=1", "/v2/rank?x=1"),
        ("/api", "/v2/"),
        ("/api?x", "/v2/?x"),
        ("/apiary", "/v2/apiary"),
        ("/other/api/%2f", "/v2/other/api/%2f"),
        ("/", "/v2/"),
    ] {
        assert_eq!(proxy.get(asked).await.json()["path"], sent, "{asked}");
    }
}

#[tokio::test]
async fn the_path_of_an_upstream_stands_before_that_of_a_request() {
    let a = mirror().await;
    let yaml = "
experiment: plain
strategy: single
configs:
  - { config_id: a, upstream: UPSTREAM_A/base/ }
";
    let proxy = Proxy::start(yaml, &[a.address]).await;
    assert_eq!(proxy.get("/x?y").await.json()["path"], "/base/x?y");
}

#[tokio::test]
async fn a_body_beyond_the_limit_cannot_be_changed_and_the_caller_is_told() {
    let a = mirror().await;
    let yaml = single("{ json: { /model: b } }");
    let mut proxy = Proxy::start(&yaml, &[a.address]).await;
    // A caller that listens only when it has sent all must hear it, too.
    for len in [2_000, 10 << 20] {
        let large = json!({ "text": "x".repeat(len) }).to_string();
        let address = proxy.address;
        let back = tokio::task::spawn_blocking(move || {
            let head = format!(
                "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
                 content-type: {JSON}\r\ncontent-length: {}\r\n\r\n",
                large.len()
            );
            exchange(address, &format!("{head}{large}"))
        });
        let back = back.await.unwrap();
        assert!(back.starts_with("HTTP/1.1 413 "), "{back}");
        let text = "the request body is larger than rewrite_limit (1024 bytes)\n";
        assert!(back.ends_with(text), "{back}");
    }
    assert_eq!(a.count(), 0);
    // It was answered; not by the upstream, but not with a failure either.
    assert_eq!(proxy.ends().await, ["a primary success"; 2]);
}

#[tokio::test]
async fn a_shadow_that_would_have_to_change_too_large_a_body_is_skipped() {
    let (a, b) = (echo().await, echo().await);
    let yaml = "
experiment: plain
strategy: shadow
primary: a
shadow: { methods: [POST] }
rewrite_limit: 1KiB
configs:
  - { config_id: a, upstream: UPSTREAM_A }
  - { config_id: b, upstream: UPSTREAM_B, request: { json: { /model: b } } }
";
    let mut proxy = Proxy::start(yaml, &[a.address, b.address]).await;
    let large = json!({ "text": "x".repeat(100_000) }).to_string();
    let request = post("/").header(header::CONTENT_TYPE, JSON);
    let answer = proxy.ask(request, large.clone()).await;
    assert_eq!((answer.status.as_u16(), answer.text() == large), (200, true));
    let request = post("/").header(header::CONTENT_TYPE, JSON);
    proxy.ask(request, "{}").await;
    let mut shadow = json!(null);
    for _ in 0..1_000 {
        shadow = proxy.admin("/stats").await.json()["shadows"][0].clone();
        if shadow["in_flight"] == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!((&shadow["dispatched"], &shadow["skipped"]), (&json!(1), &json!(1)));
    assert_eq!(
        proxy.ends().await,
        [
            "a primary success",
            "a primary success",
            "b shadow skipped/rewrite_limit",
            "b shadow success"
        ]
    );
    assert_eq!(b.count(), 1);
}

#[tokio::test]
async fn a_candidate_that_cannot_be_reached_is_replaced_by_the_fallback() {
    let b = mirror().await;
    let yaml = "
experiment: plain
strategy: single
single: { config: candidate }
fallback: stable
variant_header: x-variant
configs:
  - { config_id: candidate, upstream: UPSTREAM_A }
  - { config_id: stable, upstream: UPSTREAM_B }
";
    let mut proxy = Proxy::start(yaml, &[nobody().await, b.address]).await;
    let body = pattern(100_000).iter().map(|byte| char::from(byte % 64 + 32)).collect::<String>();
    let answer = proxy.ask(post("/x"), body.clone()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["x-variant"], "stable");
    assert_eq!(answer.json()["body"], body);
    assert_eq!(proxy.ends().await, ["candidate primary failed/connect", "stable fallback success"]);
}

#[tokio::test]
async fn the_fallback_does_not_hide_an_answer_or_repeat_a_request() {
    let a = upstream(|_| async { respond(500, "sorry") }).await;
    let b = saying("b").await;
    let yaml = "
experiment: plain
strategy: round_robin
fallback: stable
configs:
  - { config_id: candidate, upstream: UPSTREAM_A }
  - { config_id: stable, upstream: UPSTREAM_B }
";
    let mut proxy = Proxy::start(yaml, &[a.address, b.address]).await;
    assert_eq!(proxy.get("/").await.status, 500);
    assert_eq!(proxy.get("/").await.text(), "b");
    assert_eq!(proxy.ends().await, ["candidate primary failed/status", "stable primary success"]);
}

fn sticky(key: &str) -> String {
    format!(
        "
experiment: ranker
strategy: round_robin
round_robin: {{ sticky: {{ salt: s1, key: {key} }}, weights: {{ a: 1, b: 1 }} }}
configs:
  - {{ config_id: a, upstream: UPSTREAM_A }}
  - {{ config_id: b, upstream: UPSTREAM_B }}
"
    )
}

#[tokio::test]
async fn a_unit_named_in_a_header_stays_with_its_variant_across_processes() {
    let (a, b) = (saying("a").await, saying("b").await);
    let mut all = Vec::new();
    for _ in 0..2 {
        let proxy = Proxy::start(&sticky("{ header: x-user }"), &[a.address, b.address]).await;
        let mut assigned = BTreeMap::new();
        for _ in 0..2 {
            for user in 0..20 {
                let request = Request::get("/").header("x-user", format!("u{user}"));
                let variant = proxy.ask(request, "").await.text().to_owned();
                let before = assigned.insert(user, variant.clone());
                assert!(before.is_none_or(|before| before == variant));
            }
        }
        all.push(assigned);
    }
    assert_eq!(all[0], all[1]);
    assert_eq!(all[0].values().collect::<BTreeSet<_>>().len(), 2, "both are in use");
}

#[tokio::test]
async fn a_unit_named_in_a_cookie_stays_with_its_variant() {
    let (a, b) = (saying("a").await, saying("b").await);
    let mut proxy = Proxy::start(&sticky("{ cookie: sid }"), &[a.address, b.address]).await;
    let mut first = BTreeSet::new();
    for _ in 0..10 {
        let request = Request::get("/")
            .header(header::COOKIE, "theme=dark; sid=s-42; x=1")
            .header(header::COOKIE, "sid2=no");
        first.insert(proxy.ask(request, "").await.text().to_owned());
    }
    assert_eq!(first.len(), 1);
    let rows = proxy.rows().await;
    // The key itself is nowhere: only its keyed hash is.
    assert!(rows.iter().all(|row| row.unit.is_some() && row.unit == rows[0].unit));
    assert!(!std::fs::read(proxy.path("store.db")).unwrap().windows(4).any(|w| w == b"s-42"));
}

#[tokio::test]
async fn weights_are_kept() {
    let (a, b) = (saying("a").await, saying("b").await);
    let yaml = "
experiment: ranker
strategy: round_robin
round_robin: { weights: { a: 9, b: 1 }, seed: 1 }
configs:
  - { config_id: a, upstream: UPSTREAM_A }
  - { config_id: b, upstream: UPSTREAM_B }
";
    let proxy = Proxy::start(yaml, &[a.address, b.address]).await;
    for _ in 0..300 {
        proxy.get("/").await;
    }
    assert!((230..300).contains(&a.count()), "{} of 300", a.count());
    assert_eq!(a.count() + b.count(), 300);
}

fn multi_branch(settings: &str) -> String {
    format!(
        "
experiment: ranker
strategy: multi_branch
multi_branch: {settings}
configs:
  - {{ config_id: a, upstream: UPSTREAM_A }}
  - {{ config_id: b, upstream: UPSTREAM_B }}
  - {{ config_id: c, upstream: UPSTREAM_C }}
"
    )
}

#[tokio::test]
async fn all_branches_are_combined_as_the_file_says() {
    let (a, b) = (saying("from a").await, echo().await);
    let upstreams = [a.address, b.address, nobody().await];
    for (settings, media) in [
        ("{ combine: json }", "application/json"),
        ("{ combine: json, max_concurrent: 1 }", "application/json"),
        ("{ combine: ndjson }", "application/x-ndjson"),
        ("{ combine: sse }", "text/event-stream"),
    ] {
        let mut proxy = Proxy::start(&multi_branch(settings), &upstreams).await;
        let answer = proxy.ask(post("/"), "question").await;
        assert_eq!(
            (answer.status.as_u16(), &answer.headers["content-type"]),
            (200, &media.parse().unwrap())
        );
        let mut entries: Vec<Value> = match media {
            "application/json" => serde_json::from_slice(&answer.body).unwrap(),
            _ => answer
                .text()
                .lines()
                .map(|line| line.strip_prefix("data: ").unwrap_or(line))
                .filter(|line| line.starts_with(r#"{"b"#) || line.starts_with(r#"{"c"#))
                .map(|line| serde_json::from_str(line).unwrap())
                .collect(),
        };
        entries.sort_by_key(|entry| entry["config_id"].to_string());
        let brief: Vec<_> = entries
            .iter()
            .map(|entry| {
                (&entry["config_id"], &entry["response"]["body"], &entry["failure"]["kind"])
            })
            .collect();
        assert_eq!(
            brief,
            [
                (&json!("a"), &json!("from a"), &Value::Null),
                (&json!("b"), &json!("question"), &Value::Null),
                (&json!("c"), &Value::Null, &json!("connect")),
            ],
            "{settings}"
        );
        assert_eq!(
            proxy.ends().await,
            ["a branch success", "b branch success", "c branch failed/connect"]
        );
    }
}

#[tokio::test]
async fn the_first_success_answers_as_it_is() {
    let a = upstream(|request| async move {
        request.into_body().collect().await.unwrap();
        respond(503, "busy")
    })
    .await;
    let b = echo().await;
    let c = upstream(|_| async { std::future::pending().await }).await;
    let yaml = multi_branch("{ combine: first_success }");
    let mut proxy = Proxy::start(&yaml, &[a.address, b.address, c.address]).await;
    let body = pattern(1 << 20);
    let answer = proxy.ask(post("/"), body.clone()).await;
    assert!(answer.status == 200 && answer.body == body);
    let ends = proxy.ends().await;
    assert_eq!(ends[1..], ["b branch success", "c branch cancelled"]);
    assert!(["a branch failed/status", "a branch cancelled"].contains(&&*ends[0]), "{ends:?}");
}

#[tokio::test]
async fn a_branch_beyond_its_bounds_fails_alone() {
    let (a, b) =
        (saying("short").await, upstream(|_| async { respond(200, pattern(5_000)) }).await);
    let c = upstream(|_| async { std::future::pending().await }).await;
    let yaml = multi_branch("{ combine: json, max_response_bytes: 4KB, timeout: 500ms }");
    let mut proxy = Proxy::start(&yaml, &[a.address, b.address, c.address]).await;
    let answer = proxy.get("/").await.json();
    assert_eq!(
        (&answer[1]["failure"]["kind"], &answer[2]["failure"]["kind"]),
        (&json!("oversized"), &json!("timeout"))
    );
    assert_eq!(
        proxy.ends().await,
        ["a branch success", "b branch failed/oversized", "c branch failed/timeout"]
    );
}
