//! Answers are compared while they are served, and `spearmint diff` shows what differs.

use crate::support::{Proxy, Upstream, respond, run, stdout, upstream};
use http::{HeaderValue, header};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::SeqCst},
};

/// Answers with JSON in which a number is never the same, a token is secret, and the price is this
/// or, every fourth time, that.
async fn shop(price: f64, sometimes: f64) -> Upstream {
    let asked = Arc::new(AtomicU64::new(0));
    upstream(move |_| {
        let n = asked.fetch_add(1, SeqCst);
        let price = if n % 4 == 3 { sometimes } else { price };
        async move {
            let body = json!({
                "at": format!("{n}-{:?}", std::time::Instant::now()),
                "items": [{ "price": price }],
                "token": format!("s3cret-{n}"),
            });
            let mut response = respond(200, body.to_string());
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            response
        }
    })
    .await
}

fn yaml(shadow: &str) -> String {
    format!(
        "
experiment: shop
strategy: shadow
primary: a
shadow: {{ {shadow} }}
configs:
  - {{ config_id: a, upstream: UPSTREAM_A }}
  - {{ config_id: b, upstream: UPSTREAM_B }}
"
    )
}

/// What `spearmint diff` says after forty requests.
async fn diff(shadow: &str) -> Value {
    let (a, b) = (shop(12.5, 12.5).await, shop(12.5, 12.0).await);
    let mut proxy = Proxy::start(&yaml(shadow), &[a.address, b.address]).await;
    for _ in 0..40 {
        assert_eq!(proxy.get("/").await.status, 200);
    }
    proxy.signal("TERM");
    assert_eq!(proxy.ended().await, Some(0));
    let store = proxy.path("store.db");
    let shown =
        stdout(&run(&["diff", "--json", "--store", store.to_str().unwrap()], &proxy.path("")));
    assert!(!shown.contains("s3cret"), "{shown}");
    serde_json::from_str(&shown).unwrap()
}

fn path<'a>(found: &'a Value, path: &str) -> &'a Value {
    let paths = found[0]["paths"].as_array().unwrap();
    paths.iter().find(|found| found["path"] == path).unwrap_or(&Value::Null)
}

#[tokio::test]
async fn what_differs_beyond_the_noise_of_the_control_stands_out() {
    let found = diff("control: true").await;
    assert_eq!(found[0]["compared"], 40);
    assert_eq!(found[0]["control"]["compared"], 40);
    assert_eq!(found[0]["beyond_noise"], 1);
    let price = path(&found, "/items/*/price");
    assert_eq!((&price["pairs"], &price["beyond_noise"]), (&json!(10), &json!(true)));
    assert_eq!(price["noise"], 0.0);
    assert_eq!(price["examples"][0]["primary"], "12.5");
    let time = path(&found, "/at");
    assert_eq!((&time["pairs"], &time["beyond_noise"]), (&json!(40), &json!(false)));
    assert_eq!(path(&found, "/token")["examples"][0]["primary"], "[redacted]");
}

#[tokio::test]
async fn rules_of_the_file_hold() {
    let found = diff("compare: { ignore: [/at, /token], tolerances: { /items/*/price: 1 } }").await;
    assert_eq!((&found[0]["compared"], &found[0]["equal"]), (&json!(40), &json!(40)));
}

#[tokio::test]
async fn nothing_is_compared_where_the_file_says_so() {
    assert_eq!(diff("compare: false").await, json!([]));
}

#[tokio::test]
async fn the_counters_show_what_was_compared() {
    let (a, b) = (shop(1.0, 1.0).await, shop(1.0, 2.0).await);
    let proxy =
        Proxy::start(&yaml("compare: { ignore: [/at, /token] }"), &[a.address, b.address]).await;
    for _ in 0..8 {
        proxy.get("/").await;
    }
    let mut stats = Value::Null;
    for _ in 0..1_000 {
        stats = proxy.admin("/stats").await.json();
        if stats["shadows"][0]["compared"] == 8 && stats["recorder"]["comparisons"]["written"] == 8
        {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(stats["shadows"][0]["compared"], 8, "{stats:#}");
    assert_eq!(stats["shadows"][0]["different"], 2);
    assert_eq!(stats["shadows"][0]["not_compared"], 0);
}
