//! Which requests are shadowed, and with what.

use crate::support::{Proxy, Upstream, post, saying};
use http::Request;

async fn proxy(shadow: &str, upstreams: &[&Upstream]) -> Proxy {
    let yaml = format!(
        "
experiment: ranker
strategy: shadow
primary: a
shadow: {{ {shadow} }}
configs:
  - {{ config_id: a, upstream: UPSTREAM_A }}
  - {{ config_id: b, upstream: UPSTREAM_B }}
"
    );
    let addresses: Vec<_> = upstreams.iter().map(|upstream| upstream.address).collect();
    Proxy::start(&yaml, &addresses).await
}

#[tokio::test]
async fn only_requests_that_match_are_shadowed_and_the_others_counted() {
    let (a, b) = (saying("x").await, saying("x").await);
    let only = "only: { paths: [/rank, /v2/*], headers: { x-team: red, x-internal: false } }";
    let mut proxy = proxy(only, &[&a, &b]).await;
    for path in ["/rank", "/v2/x?y=1", "/ranking", "/"] {
        proxy.ask(Request::get(path).header("x-team", "red"), "").await;
    }
    proxy.ask(Request::get("/rank"), "").await;
    proxy.ask(Request::get("/rank").header("x-team", "blue"), "").await;
    proxy.ask(Request::get("/rank").header("x-team", "red").header("x-internal", "1"), "").await;
    let stats = proxy.admin("/stats").await.json();
    assert_eq!(stats["shadows"][0]["dispatched"], 2);
    assert_eq!(stats["shadows"][0]["unmatched"], 5);
    let tally = proxy.tally().await;
    assert_eq!((tally["a primary success"], tally["b shadow success"]), (7, 2));
}

#[tokio::test]
async fn shadows_that_are_switched_off_in_the_file_are_counted() {
    let (a, b) = (saying("x").await, saying("x").await);
    let mut proxy = proxy("enabled: false", &[&a, &b]).await;
    proxy.get("/").await;
    let stats = proxy.admin("/stats").await.json();
    assert_eq!(stats["shadows"][0]["switched_off"], 1);
    assert_eq!(proxy.ends().await, ["a primary success"]);
    assert_eq!(b.count(), 0);
}

#[tokio::test]
async fn a_control_asks_the_primarys_upstream_a_second_time() {
    let (a, b) = (saying("x").await, saying("y").await);
    let mut proxy = proxy("control: true", &[&a, &b]).await;
    assert_eq!(proxy.get("/").await.text(), "x");
    assert_eq!(proxy.ends().await, ["a control success", "a primary success", "b shadow success"]);
    assert_eq!((a.count(), b.count()), (2, 1));
    let marks: Vec<_> = a
        .seen
        .lock()
        .unwrap()
        .iter()
        .map(|r| r.headers.get("x-spearmint-shadow").cloned())
        .collect();
    assert!(marks.contains(&None) && marks.contains(&Some("ranker/a".parse().unwrap())));
}

/// It would do again, in the same place, what the primary did.
#[tokio::test]
async fn the_control_repeats_no_post_unless_told_to() {
    for (settings, asked) in [("", 1), (", control_methods: [POST]", 2)] {
        let (a, b) = (saying("x").await, saying("x").await);
        let mut proxy =
            proxy(&format!("methods: [POST], control: true{settings}"), &[&a, &b]).await;
        proxy.ask(post("/"), "").await;
        let stats = proxy.admin("/stats").await.json();
        assert_eq!(stats["shadows"][1]["unmatched"], 2 - asked);
        assert_eq!(proxy.ends().await.len(), 1 + usize::from(asked == 2) + 1);
        assert_eq!((a.count(), b.count()), (asked, 1));
    }
}

#[tokio::test]
async fn of_a_sampled_user_every_request_is_shadowed() {
    let (a, b) = (saying("x").await, saying("x").await);
    let sampled = "sample: 0.5, sample_by: { key: { header: x-user } }";
    let proxy = proxy(sampled, &[&a, &b]).await;
    for request in 0..60 {
        proxy.ask(Request::get("/").header("x-user", request % 20), "").await;
    }
    let stats = proxy.admin("/stats").await.json();
    let dispatched = stats["shadows"][0]["dispatched"].as_u64().unwrap();
    assert_eq!(dispatched % 3, 0);
    assert!((3 * 3..=17 * 3).contains(&dispatched), "{dispatched}");
}

/// What the shadow, and the primary, saw of the caller's key.
async fn keys(policy: &str) -> (Option<String>, Option<String>) {
    let (a, b) = (saying("x").await, saying("x").await);
    let mut proxy = proxy(&format!("methods: [POST]{policy}"), &[&a, &b]).await;
    proxy.ask(post("/").header("idempotency-key", "k-1"), "").await;
    assert_eq!(proxy.ends().await.len(), 2);
    let of = |upstream: &Upstream| {
        let key = upstream.only().headers.get("idempotency-key").cloned();
        key.map(|key| key.to_str().unwrap().to_owned())
    };
    (of(&b), of(&a))
}

#[tokio::test]
async fn a_shadow_gets_an_idempotency_key_of_its_own_unless_told_otherwise() {
    let (own, primary) = keys("").await;
    assert_eq!(primary.as_deref(), Some("k-1"));
    let own = own.unwrap();
    assert!(own.len() == 32 && own.bytes().all(|b| b.is_ascii_hexdigit()), "{own}");
    // A repetition is one for the shadow, too.
    assert_eq!(keys("").await.0.unwrap(), own);
    assert_eq!(keys(", idempotency_key: forward").await.0.as_deref(), Some("k-1"));
    assert_eq!(keys(", idempotency_key: remove").await.0, None);
}

#[tokio::test]
async fn a_shadow_that_answers_500_opens_its_breaker_and_says_so() {
    let a = saying("x").await;
    let b = crate::support::upstream(|_| async { crate::support::respond(500, "no") }).await;
    let breaker = "breaker: { min_requests: 5, open_for: 1h }";
    let mut proxy = proxy(breaker, &[&a, &b]).await;
    for asked in 1..=8 {
        assert_eq!(proxy.get("/").await.text(), "x");
        let ended = std::cmp::min(asked, 5);
        crate::support::eventually("its shadow has ended", || {
            proxy.stored().iter().filter(|row| &*row.config_id.to_string() == "b").count() >= ended
        })
        .await;
    }
    let stats = proxy.admin("/stats").await.json();
    let shadow = &stats["shadows"][0];
    assert_eq!((&shadow["breaker"], &shadow["dispatched"]), (&"open".into(), &5.into()));
    assert_eq!(shadow["skips"]["breaker_open"], 3);
    let tally = proxy.tally().await;
    assert_eq!((tally["b shadow failed/status"], tally["b shadow skipped/breaker_open"]), (5, 3));
}
