//! A sick shadow changes nothing that the caller can measure.

use crate::support::{
    PATIENCE, Proxy, at, caller, echo, full, nobody, pattern, post, raw, read, respond, saying,
    upstream,
};
use http::Request;
use std::{future::pending, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::Instant,
};

fn shadowed(shadow: &str) -> String {
    format!(
        "
experiment: sick
strategy: shadow
primary: a
shadow: {{ methods: [GET, POST], {shadow} }}
drain_timeout: 1s
configs:
  - {{ config_id: a, upstream: UPSTREAM_A }}
  - {{ config_id: b, upstream: UPSTREAM_B }}
"
    )
}

const ALONE: &str = "
experiment: well
strategy: single
configs:
  - { config_id: a, upstream: UPSTREAM_A }
";

/// How long five keep-alive requests and a large upload take, one after the other.
async fn timed(proxy: &Proxy) -> Duration {
    let (client, upload) = (caller(), pattern(20 << 20));
    let began = Instant::now();
    for body in [&pattern(10), &pattern(1_000), &pattern(100_000), &upload, &pattern(10)] {
        let request = at(proxy.address, post("/"), full(body.clone()));
        let response = tokio::time::timeout(PATIENCE, client.request(request)).await.unwrap();
        let answer = read(response.unwrap()).await;
        assert!(answer.status == 200 && answer.body == *body);
    }
    began.elapsed()
}

/// The same requests with this shadow and without any. Returns how the shadows ended.
async fn unharmed_by(shadow: SocketAddr, settings: &str) -> Vec<String> {
    let a = echo().await;
    let alone = timed(&Proxy::start(ALONE, &[a.address]).await).await;
    let mut proxy = Proxy::start(&shadowed(settings), &[a.address, shadow]).await;
    let with_shadow = timed(&proxy).await;
    assert!(
        with_shadow < alone * 3 + Duration::from_millis(700),
        "{with_shadow:?} with the shadow, {alone:?} without"
    );
    let mut ends = proxy.ends().await;
    assert_eq!(ends.drain(..5).collect::<Vec<_>>(), ["a primary success"; 5]);
    assert_eq!(ends.len(), 5, "{ends:?}");
    ends
}

#[tokio::test]
async fn a_shadow_that_hangs_costs_no_time() {
    let b = upstream(|_| async { pending().await }).await;
    let ends = unharmed_by(b.address, "timeout: 1s").await;
    // (The drain may cut off the last.)
    assert!(
        ends.iter().all(|end| {
            ["b shadow failed/timeout", "b shadow failed/lagging", "b shadow cancelled"]
                .contains(&&**end)
        }),
        "{ends:?}"
    );
}

#[tokio::test]
async fn a_shadow_that_refuses_costs_no_time() {
    let ends = unharmed_by(nobody().await, "timeout: 5s").await;
    assert!(ends[..4].iter().all(|end| end == "b shadow failed/connect"), "{ends:?}");
}

#[tokio::test]
async fn a_shadow_that_resets_costs_no_time() {
    let resetting = raw(|stream| async move {
        let stream = stream.into_std().unwrap();
        drop(stream);
    })
    .await;
    let ends = unharmed_by(resetting, "timeout: 5s").await;
    assert!(ends.iter().all(|end| end.starts_with("b shadow failed/")), "{ends:?}");
    assert!(ends.contains(&"b shadow failed/reset".to_owned()), "{ends:?}");
}

#[tokio::test]
async fn a_shadow_that_never_reads_an_upload_costs_no_time_and_is_dropped_as_lagging() {
    let stuck = raw(|stream| async move {
        tokio::time::sleep(PATIENCE).await;
        drop(stream);
    })
    .await;
    let ends = unharmed_by(stuck, "timeout: 1s, body_buffer: 4MiB").await;
    assert_eq!(ends.iter().filter(|end| *end == "b shadow failed/lagging").count(), 1, "{ends:?}");
}

#[tokio::test]
async fn a_shadow_that_answers_a_hundred_megabytes_costs_no_time_and_is_not_read() {
    let flood = raw(|mut stream| async move {
        let mut head = [0; 4_096];
        let _ = stream.read(&mut head).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        let megabyte = vec![7; 1 << 20];
        let mut sent = 0;
        while sent < 100 && stream.write_all(&megabyte).await.is_ok() {
            sent += 1;
        }
        assert!(sent < 100, "all of it was read");
    })
    .await;
    let ends = unharmed_by(flood, "timeout: 5s, max_response_bytes: 1MiB").await;
    assert!(ends.contains(&"b shadow failed/oversized".to_owned()), "{ends:?}");
    assert!(!ends.contains(&"b shadow success".to_owned()), "{ends:?}");
}

#[tokio::test]
async fn a_shadow_that_answers_garbage_costs_no_time() {
    let garbage = raw(|mut stream| async move {
        let _ = stream.write_all(b"garbage, no HTTP\r\n\r\n").await;
        let mut some = [0; 65_536];
        while stream.read(&mut some).await.is_ok_and(|count| count > 0) {}
    })
    .await;
    let ends = unharmed_by(garbage, "timeout: 5s").await;
    assert!(ends.iter().all(|end| end.starts_with("b shadow failed/")), "{ends:?}");
}

#[tokio::test]
async fn beyond_so_many_in_flight_shadows_are_skipped_and_counted() {
    let a = saying("x").await;
    let b = upstream(|_| async { pending().await }).await;
    let yaml = shadowed("max_in_flight: 2, timeout: 30s");
    let mut proxy = Proxy::start(&yaml, &[a.address, b.address]).await;
    for _ in 0..5 {
        assert_eq!(proxy.get("/").await.text(), "x");
    }
    let stats = proxy.admin("/stats").await.json();
    let shadow = &stats["shadows"][0];
    assert_eq!(
        (&shadow["dispatched"], &shadow["skipped"], &shadow["in_flight"]),
        (&2.into(), &3.into(), &2.into())
    );
    let ends = proxy.ends().await;
    assert_eq!(ends[5..7], ["b shadow cancelled", "b shadow cancelled"]);
    assert_eq!(ends[7..], ["b shadow skipped/max_in_flight"; 3]);
}

#[tokio::test]
async fn what_is_sampled_out_or_unmatched_is_counted_and_nothing_else() {
    let (a, b) = (saying("x").await, saying("y").await);
    let yaml = "
experiment: sampled
strategy: shadow
primary: a
shadow: { sample: 0.25 }
configs:
  - { config_id: a, upstream: UPSTREAM_A }
  - { config_id: b, upstream: UPSTREAM_B }
  - { config_id: c, upstream: UPSTREAM_B, shadow: { sample: 1.0 } }
";
    let mut proxy = Proxy::start(yaml, &[a.address, b.address]).await;
    for _ in 0..40 {
        proxy.get("/").await;
    }
    for _ in 0..3 {
        proxy.ask(post("/"), "").await;
    }
    let stats = proxy.admin("/stats").await.json();
    let (b, c) = (&stats["shadows"][0], &stats["shadows"][1]);
    assert_eq!(
        (&b["dispatched"], &b["sampled_out"], &b["unmatched"]),
        (&10.into(), &30.into(), &3.into())
    );
    assert_eq!(
        (&c["dispatched"], &c["sampled_out"], &c["unmatched"]),
        (&40.into(), &0.into(), &3.into())
    );
    let tally = proxy.tally().await;
    assert_eq!(
        (tally["a primary success"], tally["b shadow success"], tally["c shadow success"]),
        (43, 10, 40)
    );
}

#[tokio::test]
async fn the_shadows_finish_or_not_when_the_caller_leaves_as_the_file_says() {
    for (settings, end) in
        [("on_cancel: finish", "b shadow success"), ("on_cancel: cancel", "b shadow cancelled")]
    {
        let a = upstream(|_| async { pending().await }).await;
        let b = upstream(|_| async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            respond(200, "x")
        })
        .await;
        let mut proxy = Proxy::start(&shadowed(settings), &[a.address, b.address]).await;
        let request = at(proxy.address, Request::get("/"), full(""));
        let call = tokio::spawn(caller().request(request));
        crate::support::eventually("both are asked", || a.count() + b.count() == 2).await;
        call.abort();
        assert_eq!(proxy.stores(2).await, ["a primary cancelled", end]);
        proxy.ends().await;
    }
}
