//! What a caller may take up.

use crate::frames::{GET_X, HEADERS, PREFACE, RESET, SETTINGS, frame};
use crate::support::{PATIENCE, Proxy, Upstream, exchange, h2_caller, saying, upstream};
use bytes::Bytes;
use http::Request;
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

async fn start(limits: &str) -> (Proxy, Upstream) {
    let a = saying("a").await;
    let yaml = format!(
        "
experiment: bounded
strategy: single
limits: {{ {limits} }}
configs: [{{ config_id: a, upstream: UPSTREAM_A }}]
"
    );
    (Proxy::start(&yaml, &[a.address]).await, a)
}

async fn ask(proxy: &Proxy, sent: String) -> String {
    let address = proxy.address;
    tokio::task::spawn_blocking(move || exchange(address, &sent)).await.unwrap()
}

async fn counted(proxy: &Proxy, what: &str) -> u64 {
    proxy.admin("/stats").await.json()["listener"][what].as_u64().unwrap()
}

fn get(headers: &str) -> String {
    format!("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n")
}

/// How long it takes until the other side closes.
async fn closes(stream: &mut TcpStream) -> Duration {
    let began = Instant::now();
    let mut back = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut back)).await.unwrap();
    let back = String::from_utf8_lossy(&back);
    // Half of what opens HTTP/2 is no request of HTTP/1.
    assert!(back.is_empty() || back.starts_with("HTTP/1.1 400 "), "{back}");
    began.elapsed()
}

#[tokio::test]
async fn a_head_that_is_too_large_is_answered_431() {
    let (proxy, a) = start("max_head_size: 16KiB").await;
    let answer = ask(&proxy, get(&format!("x-long: {}\r\n", "x".repeat(15_000)))).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    // By much: it is not read to its end.
    let long = format!("x-long: {}\r\n", "x".repeat(20_000));
    let address = proxy.address;
    let answer = tokio::task::spawn_blocking(move || {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let _ = stream.write_all(get(&long).as_bytes());
        let mut head = [0; 13];
        stream.read_exact(&mut head).map(|()| String::from_utf8_lossy(&head).into_owned())
    });
    assert_eq!(answer.await.unwrap().unwrap(), "HTTP/1.1 431 ");
    assert_eq!(counted(&proxy, "too_large").await, 1);
    assert_eq!(a.count(), 1);
}

#[tokio::test]
async fn too_many_headers_are_answered_431_over_both_versions() {
    let (proxy, a) = start("max_headers: 20").await;
    let many = |count: usize| (0..count).map(|at| format!("x-{at}: 1\r\n")).collect::<String>();
    // With `host` and `connection` there are two more.
    assert!(ask(&proxy, get(&many(18))).await.starts_with("HTTP/1.1 200 "));
    assert!(ask(&proxy, get(&many(19))).await.starts_with("HTTP/1.1 431 "));
    let over_h2 = async |count| {
        let mut request = Request::get("/");
        for at in 0..count {
            request = request.header(format!("x-{at}"), "1");
        }
        let request = crate::support::at(proxy.address, request, crate::support::full(""));
        h2_caller().request(request).await.unwrap().status().as_u16()
    };
    assert_eq!(over_h2(20).await, 200);
    assert_eq!(over_h2(21).await, 431);
    assert_eq!(counted(&proxy, "too_large").await, 2);
    assert_eq!(a.count(), 2);
}

#[tokio::test]
async fn a_header_list_that_is_too_large_for_http_2_is_refused_and_the_connection_lives() {
    let (proxy, a) = start("max_head_size: 8KiB").await;
    let caller = h2_caller();
    let ask = async |length: usize| {
        let request = Request::get("/").header("x-long", "x".repeat(length));
        let request = crate::support::at(proxy.address, request, crate::support::full(""));
        caller.request(request).await.map(|response| response.status().as_u16()).ok()
    };
    assert_eq!(ask(7_000).await, Some(200));
    assert!(matches!(ask(9_000).await, Some(431) | None));
    assert_eq!(ask(10).await, Some(200));
    assert_eq!(a.count(), 2);
}

#[tokio::test]
async fn a_caller_that_sends_its_head_too_slowly_is_let_go() {
    let (proxy, a) = start("head_timeout: 500ms, idle_timeout: 1h").await;
    let heads = ["", "\r\n", "G", "GET / HTTP/1.1\r\nhost: x\r\n", "PRI * HTTP/2.0\r\n\r\nSM"];
    for head in heads {
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let took = closes(&mut stream).await;
        assert!(took > Duration::from_millis(300) && took < Duration::from_secs(10), "{took:?}");
    }
    // However often it says something.
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let began = Instant::now();
    while stream.write_all(b"x: y\r\n").await.is_ok() {
        assert!(began.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(counted(&proxy, "too_slow").await, heads.len() as u64 + 1);
    assert_eq!(a.count(), 0);
}

/// Asks once and leaves the connection open.
async fn kept_alive(proxy: &Proxy) -> TcpStream {
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut back = Vec::new();
    while !back.ends_with(b"\r\n\r\na") {
        back.push(stream.read_u8().await.unwrap());
    }
    stream
}

#[tokio::test]
async fn the_next_head_has_the_same_time() {
    let (proxy, _a) = start("head_timeout: 500ms, idle_timeout: 1h").await;
    let mut stream = kept_alive(&proxy).await;
    // Before it begins there is more of it.
    tokio::time::sleep(Duration::from_millis(900)).await;
    stream.write_all(b"GET / HT").await.unwrap();
    let took = closes(&mut stream).await;
    assert!(took > Duration::from_millis(300) && took < Duration::from_secs(10), "{took:?}");
    assert_eq!(counted(&proxy, "too_slow").await, 1);
}

#[tokio::test]
async fn a_connection_that_is_idle_too_long_is_closed() {
    let (proxy, _a) = start("head_timeout: 1h, idle_timeout: 500ms").await;
    let mut stream = kept_alive(&proxy).await;
    let took = closes(&mut stream).await;
    assert!(took > Duration::from_millis(300) && took < Duration::from_secs(10), "{took:?}");
    // That is nobody's fault.
    assert_eq!(counted(&proxy, "too_slow").await, 0);
    assert_eq!(counted(&proxy, "malformed").await, 0);
}

#[tokio::test]
async fn no_timeout_of_the_listener_ends_a_slow_body_or_a_slow_answer() {
    let a = upstream(|request| async move {
        use http_body_util::BodyExt;
        let body = request.into_body().collect().await.unwrap().to_bytes();
        tokio::time::sleep(Duration::from_millis(1200)).await;
        crate::support::respond(200, body)
    })
    .await;
    let yaml = "
experiment: bounded
strategy: single
limits: { head_timeout: 300ms, idle_timeout: 300ms }
configs: [{ config_id: a, upstream: UPSTREAM_A }]
";
    let proxy = Proxy::start(yaml, &[a.address]).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    let head = b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 4\r\n\r\n";
    stream.write_all(head).await.unwrap();
    for byte in b"slow" {
        tokio::time::sleep(Duration::from_millis(300)).await;
        stream.write_all(&[*byte]).await.unwrap();
    }
    let mut back = Vec::new();
    stream.read_to_end(&mut back).await.unwrap();
    assert!(back.ends_with(b"\r\n\r\nslow"), "{}", String::from_utf8_lossy(&back));
}

#[tokio::test]
async fn one_connection_more_than_allowed_waits_for_another_to_close() {
    let (proxy, a) = start("max_connections: 2").await;
    let (first, _second) = (kept_alive(&proxy).await, kept_alive(&proxy).await);
    assert_eq!(counted(&proxy, "connections").await, 2);
    let mut third = TcpStream::connect(proxy.address).await.unwrap();
    third.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut byte = [0];
    let early = tokio::time::timeout(Duration::from_millis(300), third.read(&mut byte)).await;
    assert!(early.is_err());
    assert_eq!(a.count(), 2);
    drop(first);
    tokio::time::timeout(PATIENCE, third.read_exact(&mut byte)).await.unwrap().unwrap();
    assert_eq!(a.count(), 3);
}

/// The frames that come, as type and payload, until the other side closes.
async fn frames(stream: &mut TcpStream) -> Vec<(u8, Bytes)> {
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap();
    let mut frames = Vec::new();
    let mut rest = &bytes[..];
    while rest.len() >= 9 {
        let length = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]) as usize;
        let payload = &rest[9..rest.len().min(9 + length)];
        frames.push((rest[3], Bytes::copy_from_slice(payload)));
        rest = &rest[9 + payload.len()..];
    }
    frames
}

#[tokio::test]
async fn a_peer_that_answers_no_ping_is_let_go() {
    let (proxy, _a) = start("ping_interval: 200ms, ping_timeout: 200ms").await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await.unwrap();
    let began = Instant::now();
    let frames = frames(&mut stream).await;
    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(frames.iter().any(|(kind, _)| *kind == 6), "no ping: {frames:?}");
    assert_eq!(counted(&proxy, "connections").await, 0);
}

#[tokio::test]
async fn the_settings_say_how_many_streams_there_may_be() {
    let (proxy, _a) = start("max_streams: 7, ping_interval: 200ms, ping_timeout: 200ms").await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await.unwrap();
    let frames = frames(&mut stream).await;
    let settings = &frames.iter().find(|(kind, _)| *kind == SETTINGS).unwrap().1;
    // SETTINGS_MAX_CONCURRENT_STREAMS (RFC 9113 section 6.5.2).
    assert!(settings.chunks(6).any(|setting| setting == [0, 3, 0, 0, 0, 7]), "{settings:?}");
}

#[tokio::test]
async fn a_caller_that_opens_and_resets_streams_without_end_is_let_go() {
    let a = upstream(|_| async { std::future::pending().await }).await;
    let yaml = "
experiment: bounded
strategy: single
configs: [{ config_id: a, upstream: UPSTREAM_A }]
";
    let proxy = Proxy::start(yaml, &[a.address]).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    let mut flood = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    for at in 0..20_000 {
        let id = 2 * at + 1;
        // Ends both the headers and the stream; then takes it back (CANCEL).
        flood.extend(frame(HEADERS, 0x5, id, GET_X));
        flood.extend(frame(RESET, 0, id, &8_u32.to_be_bytes()));
    }
    let (mut read, mut write) = stream.split();
    let mut back = Vec::new();
    let writing = async {
        let _ = write.write_all(&flood).await;
    };
    let reading = async {
        let _ = tokio::time::timeout(PATIENCE, read.read_to_end(&mut back)).await.unwrap();
    };
    tokio::join!(writing, reading);
    // ENHANCE_YOUR_CALM, in a GOAWAY.
    assert!(back.windows(4).any(|code| code == [0, 0, 0, 0xb]), "{back:?}");
    assert!(a.count() < 1_000, "{}", a.count());
}
