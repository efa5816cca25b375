//! The end of the process.

use crate::support::{
    PATIENCE, Proxy, at, caller, eventually, exchange, full, gated, read, respond, saying, upstream,
};
use http::Request;
use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

const SHADOW: &str = "
experiment: ending
strategy: shadow
primary: a
drain_timeout: 5s
configs:
  - { config_id: a, upstream: UPSTREAM_A }
  - { config_id: b, upstream: UPSTREAM_B }
";

const SINGLE: &str = "
experiment: ending
strategy: single
drain_timeout: 1s
configs:
  - { config_id: a, upstream: UPSTREAM_A }
";

#[tokio::test]
async fn requests_and_shadows_under_way_are_finished_and_recorded() {
    for signal in ["TERM", "INT"] {
        let ((a, open), (b, shadow_open)) = (gated("late").await, gated("late").await);
        let mut proxy = Proxy::start(SHADOW, &[a.address, b.address]).await;
        let mut calls = JoinSet::new();
        for _ in 0..10 {
            let request = at(proxy.address, Request::get("/"), full(""));
            calls.spawn(async move { read(caller().request(request).await.unwrap()).await });
        }
        eventually("all are under way", || a.count() == 10 && b.count() == 10).await;
        proxy.signal(signal);
        eventually("it says so", || proxy.log().contains("stopping:")).await;
        open.store(true, SeqCst);
        while let Some(answer) = calls.join_next().await {
            assert_eq!(answer.unwrap().text(), "late");
        }
        shadow_open.store(true, SeqCst);
        assert_eq!(proxy.ended().await, Some(0));
        assert_eq!(proxy.stored().len(), 20);
        assert!(proxy.stored().iter().all(|row| row.status.as_str() == "success"));
        assert!(proxy.log().contains("20 branches recorded, 0 dropped, 0 lost"), "{}", proxy.log());
    }
}

/// Sends one request on a connection of its own. `None` when it was not accepted; else whether
/// it was answered.
async fn once(address: std::net::SocketAddr) -> Option<bool> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let head = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(head).await.ok()?;
    let mut back = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut back)).await.ok()?;
    let text = String::from_utf8_lossy(&back).into_owned();
    Some(text.starts_with("HTTP/1.1 200") && text.ends_with('x'))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_no_accepted_request_fails_and_what_was_answered_is_recorded() {
    let a = saying("x").await;
    let mut proxy = Proxy::start(SINGLE, &[a.address]).await;
    let address = proxy.address;
    let (answered, failed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut callers = JoinSet::new();
    for _ in 0..16 {
        let (answered, failed) = (answered.clone(), failed.clone());
        callers.spawn(async move {
            while let Some(is_answered) = once(address).await {
                let counter = if is_answered { &answered } else { &failed };
                counter.fetch_add(1, SeqCst);
            }
        });
    }
    let progress = answered.clone();
    eventually("some load", || progress.load(SeqCst) > 300).await;
    proxy.signal("TERM");
    while let Some(caller) = callers.join_next().await {
        caller.unwrap();
    }
    assert_eq!(proxy.ended().await, Some(0));
    assert_eq!(proxy.stored().len(), answered.load(SeqCst));
    assert_eq!(a.count(), answered.load(SeqCst));
    // Nobody can take what the system lets in while the listener is being closed.
    assert!(failed.load(SeqCst) <= 1, "{} of {}", failed.load(SeqCst), answered.load(SeqCst));
}

#[tokio::test]
async fn what_is_not_done_at_the_deadline_is_cut_off_and_recorded_as_cancelled() {
    let a = upstream(|_| async { pending().await }).await;
    let mut proxy = Proxy::start(SINGLE, &[a.address]).await;
    let request = at(proxy.address, Request::get("/"), full(""));
    let call = tokio::spawn(caller().request(request));
    eventually("it is under way", || a.count() == 1).await;
    let began = std::time::Instant::now();
    proxy.signal("TERM");
    assert_eq!(proxy.ended().await, Some(0));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(call.await.unwrap().is_err());
    let ends: Vec<_> = proxy.stored().iter().map(crate::support::end).collect();
    assert_eq!(ends, ["a primary cancelled"]);
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let a = upstream(|_| async { pending().await }).await;
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let yaml = SINGLE.replace("drain_timeout: 1s", "drain_timeout: 1h");
        let mut proxy = Proxy::start(&yaml, &[a.address]).await;
        let before = a.count();
        let request = at(proxy.address, Request::get("/"), full(""));
        let _call = tokio::spawn(caller().request(request));
        eventually("it is under way", || a.count() > before).await;
        proxy.signal(signal);
        eventually("it says so", || proxy.log().contains("stopping:")).await;
        proxy.signal(signal);
        assert_eq!(proxy.ended().await, Some(code));
    }
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_the_end() {
    let a = saying("x").await;
    let yaml = SINGLE.replace("drain_timeout: 1s", "drain_timeout: 1h");
    let mut proxy = Proxy::start(&yaml, &[a.address]).await;
    let silent = TcpStream::connect(proxy.address).await.unwrap();
    let client = caller();
    let request = at(proxy.address, Request::get("/"), full(""));
    read(client.request(request).await.unwrap()).await;
    proxy.signal("TERM");
    assert_eq!(proxy.ended().await, Some(0));
    drop((silent, client));
}

#[tokio::test]
async fn the_operator_sees_whether_it_takes_requests() {
    let a = upstream(|_| async { pending().await }).await;
    let mut proxy = Proxy::start(SINGLE, &[a.address]).await;
    let health = proxy.admin("/healthz").await;
    assert_eq!((health.status.as_u16(), health.text()), (200, "ok\n"));
    let ready = proxy.admin("/readyz").await;
    assert_eq!((ready.status.as_u16(), ready.text()), (200, "ready\n"));
    let stats = proxy.admin("/stats").await;
    assert_eq!(stats.headers["content-type"], "application/json");
    assert_eq!(stats.json()["experiment"], "ending");
    assert_eq!(stats.json()["recorder"]["accepted"], 0);
    let lost = proxy.admin("/nowhere").await;
    assert_eq!(lost.status, 404);
    assert!(lost.text().starts_with("there are /healthz, /readyz, /stats"), "{}", lost.text());
    let post = crate::support::ask(proxy.admin, Request::post("/healthz"), "").await;
    assert_eq!(post.status, 405);

    // While it waits for the one under way.
    let request = at(proxy.address, Request::get("/"), full(""));
    let _call = tokio::spawn(caller().request(request));
    eventually("it is under way", || a.count() == 1).await;
    proxy.signal("TERM");
    eventually("it says so", || proxy.log().contains("stopping:")).await;
    let admin = proxy.admin;
    let seen = tokio::task::spawn_blocking(move || {
        exchange(admin, "GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    });
    assert!(seen.await.unwrap().starts_with("HTTP/1.1 503 "));
    assert_eq!(proxy.admin("/healthz").await.status, 200);
    assert_eq!(proxy.ended().await, Some(0));
}

/// Answers soon, or never: every tenth request.
async fn moody() -> crate::support::Upstream {
    let count = Arc::new(AtomicUsize::new(0));
    upstream(move |_| {
        let number = count.fetch_add(1, SeqCst);
        async move {
            if number % 10 == 9 {
                pending::<()>().await;
            }
            tokio::time::sleep(Duration::from_millis(number as u64 % 7)).await;
            respond(200, "x")
        }
    })
    .await
}

/// What the process said it cut off: connections and shadows.
fn cut_off(log: &str) -> (usize, usize) {
    let number = |name: &str| {
        let line = log.lines().find(|line| line.contains("cut off at the drain timeout"))?;
        line[line.find(name)? + name.len()..].split_whitespace().next()?.parse().ok()
    };
    (number("connections=").unwrap_or(0), number("shadows=").unwrap_or(0))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_what_was_sent_is_what_was_recorded_and_what_was_cut_off_is_counted() {
    let (a, b) = (moody().await, moody().await);
    let yaml = SHADOW.replace("drain_timeout: 5s", "drain_timeout: 1s");
    let mut proxy = Proxy::start(&yaml, &[a.address, b.address]).await;
    let address = proxy.address;
    let (answered, failed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut callers = JoinSet::new();
    for _ in 0..16 {
        let (answered, failed) = (answered.clone(), failed.clone());
        callers.spawn(async move {
            let (mut calls, mut is_open) = (JoinSet::new(), true);
            while is_open || !calls.is_empty() {
                if is_open {
                    calls.spawn(once(address));
                }
                // A call that nobody answers waits on, and others come in its place.
                let soon = Duration::from_millis(20);
                while let Ok(Some(end)) = tokio::time::timeout(soon, calls.join_next()).await {
                    match end.unwrap() {
                        Some(true) => answered.fetch_add(1, SeqCst),
                        Some(false) => failed.fetch_add(1, SeqCst),
                        None => {
                            is_open = false;
                            0
                        }
                    };
                }
            }
        });
    }
    let progress = answered.clone();
    eventually("some load", || progress.load(SeqCst) > 300).await;
    proxy.signal("TERM");
    while let Some(caller) = callers.join_next().await {
        caller.unwrap();
    }
    assert_eq!(proxy.ended().await, Some(0));

    let count =
        |end: &str| proxy.stored().iter().filter(|row| crate::support::end(row) == end).count();
    let (connections, shadows) = cut_off(&proxy.log());
    assert!(connections > 10 && shadows > 10, "{}", proxy.log());
    let (answered, failed) = (answered.load(SeqCst), failed.load(SeqCst));
    let rows = proxy.stored().len();
    // Sent = recorded + counted as cut off. (Nobody can take what the system lets in while the
    // listener is being closed.)
    assert_eq!(count("a primary success"), answered, "{}", proxy.log());
    assert!(failed <= connections + 1, "{failed} failed, {connections} were cut off");
    // A connection may be cut off before its request was heard.
    let cancelled = count("a primary cancelled");
    assert!(cancelled > 10 && cancelled <= connections, "{cancelled} of {connections}");
    // Each request once for the primary and once for the shadow. (Those that nobody answers may
    // fill what is allowed in flight.)
    let skipped = count("b shadow skipped/max_in_flight");
    assert_eq!(count("b shadow cancelled"), shadows);
    assert_eq!(count("b shadow success") + skipped + shadows, answered + cancelled);
    assert_eq!(rows, 2 * (answered + cancelled));
}
