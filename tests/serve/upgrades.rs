//! Upgrades: to a WebSocket, or to anything else that is not HTTP.

use crate::{
    support::{Proxy, eventually, raw, saying},
    tunnel::{carries_anything, echo_and_say_goodbye, head, hears},
};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const SHADOW: &str = "
experiment: sockets
strategy: shadow
primary: a
drain_timeout: 1s
upstreams: { timeout: 1s }
limits: { head_timeout: 1s, idle_timeout: 1s }
configs:
  - { config_id: a, upstream: UPSTREAM_A }
  - { config_id: b, upstream: UPSTREAM_B }
";

const SINGLE: &str = "
experiment: sockets
strategy: single
configs: [{ config_id: a, upstream: UPSTREAM_A }]
";

const WEBSOCKET: &str = "GET /socket HTTP/1.1\r\nhost: x\r\nconnection: keep-alive, Upgrade\r\n\
                         upgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                         sec-websocket-version: 13\r\n\r\n";

/// Accepts every upgrade and greets; from then on it echoes, and says goodbye when the other side
/// has closed. Keeps the heads it was sent.
async fn echo() -> (SocketAddr, Arc<std::sync::Mutex<Vec<String>>>) {
    let heads = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = heads.clone();
    let address = raw(move |mut stream| {
        let seen = seen.clone();
        async move {
            let head = head(&mut stream).await;
            seen.lock().unwrap().push(head);
            // The first bytes of the tunnel come with the answer.
            let accepted = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n\
                            upgrade: websocket\r\nsec-websocket-accept: x\r\n\r\nhello";
            stream.write_all(accepted.as_bytes()).await.unwrap();
            echo_and_say_goodbye(&mut stream).await;
        }
    })
    .await;
    (address, heads)
}

async fn connect(proxy: &Proxy) -> TcpStream {
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(WEBSOCKET.as_bytes()).await.unwrap();
    let head = head(&mut stream).await.to_lowercase();
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    assert!(head.contains("\r\nupgrade: websocket\r\n"), "{head}");
    assert!(head.contains("\r\nconnection: upgrade\r\n"), "{head}");
    assert!(head.contains("\r\nsec-websocket-accept: x\r\n"), "{head}");
    hears(&mut stream, b"hello").await;
    stream
}

#[tokio::test]
async fn a_websocket_goes_to_the_primary_and_to_no_shadow() {
    let (a, heads) = echo().await;
    let b = saying("b").await;
    let mut proxy = Proxy::start(SHADOW, &[a, b.address]).await;
    let mut stream = connect(&proxy).await;
    carries_anything(&mut stream).await;
    assert_eq!(proxy.admin("/stats").await.json()["listener"]["tunnels"], 1);
    // One side closes; the other may still speak.
    stream.shutdown().await.unwrap();
    hears(&mut stream, b"bye").await;
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    let asked = heads.lock().unwrap().pop().unwrap().to_lowercase();
    assert!(asked.contains("\r\nupgrade: websocket\r\n"), "{asked}");
    assert!(asked.contains("\r\nconnection: upgrade\r\n"), "{asked}");
    assert!(asked.contains("\r\nsec-websocket-key: "), "{asked}");
    assert_eq!(b.count(), 0);
    let counters = proxy.settled().await;
    assert_eq!(counters["malformed"], 0);
    assert_eq!(counters["tunnels"], 0);
    let rows = proxy.rows().await;
    let primaries: Vec<_> = rows.iter().filter(|row| row.role.as_str() == "primary").collect();
    assert_eq!(primaries.len(), 1);
    assert_eq!(crate::support::end(primaries[0]), "a primary success");
}

#[tokio::test]
async fn an_idle_tunnel_outlives_every_timeout_of_http() {
    let (a, _) = echo().await;
    let proxy = Proxy::start(SHADOW, &[a, saying("b").await.address]).await;
    let mut stream = connect(&proxy).await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    stream.write_all(b"still there").await.unwrap();
    hears(&mut stream, b"still there").await;
}

#[tokio::test]
async fn it_works_under_single_and_round_robin_too() {
    let (a, _) = echo().await;
    let round_robin = SINGLE.replace("single", "round_robin");
    let sticky = format!("{round_robin}\nround_robin: {{ sticky: {{ key: {{ header: host }} }} }}");
    let fallback = "
experiment: sockets
strategy: single
fallback: b
configs:
  - { config_id: a, upstream: UPSTREAM_A }
  - { config_id: b, upstream: UPSTREAM_B }
";
    for yaml in [SINGLE, &round_robin, &sticky, fallback] {
        let proxy = Proxy::start(yaml, &[a, a]).await;
        let mut stream = connect(&proxy).await;
        stream.write_all(b"ping").await.unwrap();
        hears(&mut stream, b"ping").await;
    }
}

#[tokio::test]
async fn a_tunnel_is_waited_for_until_the_drain_timeout() {
    let (a, _) = echo().await;
    let mut proxy = Proxy::start(SHADOW, &[a, saying("b").await.address]).await;
    let mut stream = connect(&proxy).await;
    proxy.signal("TERM");
    eventually("it says so", || proxy.log().contains("stopping:")).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    stream.write_all(b"still there").await.unwrap();
    hears(&mut stream, b"still there").await;
    let began = std::time::Instant::now();
    assert_eq!(proxy.ended().await, Some(0));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(matches!(stream.read(&mut [0]).await, Ok(0) | Err(_)));
    eventually("what was cut off", || proxy.log().contains("connections=1")).await;
}

#[tokio::test]
async fn a_tunnel_that_closes_in_time_ends_the_drain() {
    let (a, _) = echo().await;
    let yaml = SHADOW.replace("drain_timeout: 1s", "drain_timeout: 1h");
    let mut proxy = Proxy::start(&yaml, &[a, saying("b").await.address]).await;
    let stream = connect(&proxy).await;
    proxy.signal("TERM");
    eventually("it says so", || proxy.log().contains("stopping:")).await;
    drop(stream);
    assert_eq!(proxy.ended().await, Some(0));
    assert!(!proxy.log().contains("cut off"), "{}", proxy.log());
}

#[tokio::test]
async fn an_upgrade_that_is_not_accepted_is_an_answer_like_all_others() {
    let a = saying("no").await;
    let proxy = Proxy::start(SINGLE, &[a.address]).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    // On one connection, as often as one likes.
    for _ in 0..3 {
        stream.write_all(WEBSOCKET.as_bytes()).await.unwrap();
        let head = head(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        hears(&mut stream, b"no").await;
    }
    assert_eq!(a.count(), 3);
    // And what comes then is looked at again.
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\n\r\n").await.unwrap();
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test]
async fn what_comes_before_a_refused_upgrade_was_answered_is_not_read_as_a_request() {
    let a = saying("no").await;
    let proxy = Proxy::start(SINGLE, &[a.address]).await;
    let address = proxy.address;
    let both = format!("{WEBSOCKET}GET /hidden HTTP/1.1\nhost: x\n\n");
    let back = tokio::task::spawn_blocking(move || crate::support::exchange(address, &both));
    let back = back.await.unwrap();
    assert_eq!(back.matches("HTTP/1.1 ").count(), 1, "{back}");
    assert!(back.contains("\r\nconnection: close\r\n"), "{back}");
    assert_eq!(a.count(), 1);
}

#[tokio::test]
async fn an_offer_of_another_http_is_passed_over() {
    let ((a, b), asks) = ((saying("a").await, saying("b").await), Arc::new(AtomicUsize::new(0)));
    let proxy = Proxy::start(SHADOW, &[a.address, b.address]).await;
    for offer in ["h2c", "H2C", "HTTP/2.0", "TLS/1.2", "h2c, HTTP/3", ""] {
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        let request = format!(
            "GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade, http2-settings\r\n\
             upgrade: {offer}\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n"
        );
        // The connection is as good as any.
        for _ in 0..2 {
            stream.write_all(request.as_bytes()).await.unwrap();
            assert!(head(&mut stream).await.starts_with("HTTP/1.1 200 "), "{offer}");
            hears(&mut stream, b"a").await;
            asks.fetch_add(1, SeqCst);
        }
    }
    for parts in &*a.seen.lock().unwrap() {
        assert!(!parts.headers.contains_key("upgrade"), "{parts:?}");
        assert!(!parts.headers.contains_key("http2-settings"), "{parts:?}");
    }
    // Such a request is shadowed like any other.
    eventually("all shadows", || b.count() == asks.load(SeqCst)).await;
}

#[tokio::test]
async fn an_upstream_that_says_101_unasked_has_failed() {
    let a = raw(|mut stream| async move {
        head(&mut stream).await;
        let answer =
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n";
        let _ = stream.write_all(answer).await;
        let _ = stream.read(&mut [0]).await;
    })
    .await;
    let mut proxy = Proxy::start(SINGLE, &[a]).await;
    assert_eq!(proxy.get("/").await.status, 502);
    assert_eq!(proxy.ends().await, ["a primary failed/protocol"]);
}
