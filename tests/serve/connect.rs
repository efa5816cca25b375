//! CONNECT, to upstreams that speak it.

use crate::{
    support::{PATIENCE, Proxy, eventually, exchange, full, h2_caller, nobody, raw, read, saying},
    tunnel::{carries_anything, echo_and_say_goodbye, head, hears},
};
use http::{Method, Request, StatusCode};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
};

const SHADOW: &str = "
experiment: lines
upstreams: { connect: true }
strategy: shadow
primary: a
drain_timeout: 1s
configs:
  - { config_id: a, upstream: UPSTREAM_A/base, request: { path: { add_prefix: /more } } }
  - { config_id: b, upstream: UPSTREAM_B }
";

const SINGLE: &str = "
experiment: lines
upstreams: { connect: true }
strategy: single
configs: [{ config_id: a, upstream: UPSTREAM_A }]
";

const CONNECT: &str = "CONNECT db.test:5432 HTTP/1.1\r\nhost: db.test:5432\r\n\r\n";
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nhost: x\r\n\r\n";
const ACCEPTED: &str = "HTTP/1.1 200 Connection established\r\nx-via: y\r\n\r\nhello";

/// An upstream that answers every CONNECT with this, and any other request with 200.
struct Peer {
    address: SocketAddr,
    /// The heads it was sent, each with the number of its connection.
    heads: Arc<Mutex<Vec<(usize, String)>>>,
    /// So many answers it may give.
    answers: Arc<Semaphore>,
    /// What came before the answer, which must be nothing.
    too_early: Arc<AtomicUsize>,
}

impl Peer {
    async fn start(answer: &'static str) -> Self {
        let peer = Self::slow(answer).await;
        peer.answers.add_permits(1000);
        peer
    }

    /// Waits for permits to answer.
    async fn slow(answer: &'static str) -> Self {
        let heads = Arc::<Mutex<Vec<_>>>::default();
        let (answers, too_early) = (Arc::new(Semaphore::new(0)), Arc::<AtomicUsize>::default());
        let (seen, permits, early) = (heads.clone(), answers.clone(), too_early.clone());
        let connections = AtomicUsize::new(0);
        let address = raw(move |mut stream| {
            let (seen, permits, early) = (seen.clone(), permits.clone(), early.clone());
            let number = connections.fetch_add(1, SeqCst);
            async move {
                while stream.peek(&mut [0]).await.is_ok_and(|count| count > 0) {
                    let head = head(&mut stream).await;
                    let is_connect = head.starts_with("CONNECT ");
                    seen.lock().unwrap().push((number, head));
                    permits.acquire().await.unwrap().forget();
                    early.fetch_add(stream.try_read(&mut [0; 64]).unwrap_or(0), SeqCst);
                    let answer = if is_connect {
                        answer
                    } else {
                        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
                    };
                    stream.write_all(answer.as_bytes()).await.unwrap();
                    if is_connect && answer.ends_with("\r\n\r\nhello") {
                        return echo_and_say_goodbye(&mut stream).await;
                    }
                }
            }
        })
        .await;
        Self { address, heads, answers, too_early }
    }

    fn heads(&self) -> Vec<(usize, String)> {
        self.heads.lock().unwrap().clone()
    }
}

async fn sent(proxy: &Proxy, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    stream
}

/// All that comes back until the proxy closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut back = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut back)).await.unwrap().unwrap();
    String::from_utf8(back).unwrap()
}

async fn tunnelled(proxy: &Proxy) -> TcpStream {
    let mut stream = sent(proxy, CONNECT).await;
    let head = head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 200 Connection established\r\n"), "{head}");
    hears(&mut stream, b"hello").await;
    stream
}

#[tokio::test]
async fn a_connect_goes_to_the_primary_and_to_no_shadow() {
    let (a, b) = (Peer::start(ACCEPTED).await, saying("b").await);
    let mut proxy = Proxy::start(SHADOW, &[a.address, b.address]).await;
    let asked = CONNECT
        .replace("\r\n\r\n", "\r\ncontent-length: 0\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n");
    let mut stream = sent(&proxy, &asked).await;
    let answer = head(&mut stream).await.to_lowercase();
    assert!(answer.starts_with("http/1.1 200 "), "{answer}");
    assert!(answer.contains("\r\nx-via: y\r\n"), "{answer}");
    hears(&mut stream, b"hello").await;
    carries_anything(&mut stream).await;
    assert_eq!(proxy.admin("/stats").await.json()["listener"]["tunnels"], 1);
    // One side closes; the other may still speak.
    stream.shutdown().await.unwrap();
    assert_eq!(rest(&mut stream).await, "bye");
    let heads = a.heads();
    let asked = heads[0].1.to_lowercase();
    assert!(asked.starts_with("connect db.test:5432 http/1.1\r\n"), "{asked}");
    assert!(asked.contains("\r\nhost: db.test:5432\r\n"), "{asked}");
    for name in ["content-length", "upgrade", "connection"] {
        assert!(!asked.contains(&format!("\r\n{name}:")), "{asked}");
    }
    assert_eq!((heads.len(), b.count()), (1, 0));
    drop(stream);
    let counters = proxy.settled().await;
    assert_eq!((&counters["malformed"], &counters["tunnels"]), (&0.into(), &0.into()));
    assert_eq!(proxy.ends().await, ["a primary success", "b shadow skipped/upgrade"]);
}

#[tokio::test]
async fn a_length_in_the_answer_that_accepts_means_nothing() {
    for accepted in [
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nhello",
        "HTTP/1.1 299 OK\r\ntransfer-encoding: chunked\r\nupgrade: x\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello",
    ] {
        let a = Peer::start(accepted).await;
        let proxy = Proxy::start(SINGLE, &[a.address]).await;
        let mut stream = sent(&proxy, CONNECT).await;
        let head = head(&mut stream).await.to_lowercase();
        for name in ["content-length", "transfer-encoding", "upgrade", "connection"] {
            assert!(!head.contains(&format!("\r\n{name}:")), "{head}");
        }
        hears(&mut stream, b"hello").await;
        stream.write_all(b"ping").await.unwrap();
        hears(&mut stream, b"ping").await;
    }
}

#[tokio::test]
async fn an_upstream_that_has_closed_is_still_sent_what_the_caller_says() {
    let heard = Arc::<Mutex<Vec<u8>>>::default();
    let hearing = heard.clone();
    let a = raw(move |mut stream| {
        let hearing = hearing.clone();
        async move {
            head(&mut stream).await;
            stream.write_all(ACCEPTED.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap();
            *hearing.lock().unwrap() = all;
        }
    })
    .await;
    let proxy = Proxy::start(SINGLE, &[a]).await;
    let mut stream = tunnelled(&proxy).await;
    assert_eq!(rest(&mut stream).await, "");
    stream.write_all(b"late").await.unwrap();
    drop(stream);
    eventually("the rest", || *heard.lock().unwrap() == b"late").await;
}

#[tokio::test]
async fn it_is_connected_under_round_robin_and_by_a_fallback_too() {
    let (a, gone) = (Peer::start(ACCEPTED).await.address, nobody().await);
    let round_robin = SINGLE.replace("single", "round_robin");
    let fallback = "
experiment: lines
upstreams: { connect: true }
strategy: single
fallback: b
configs:
  - { config_id: a, upstream: UPSTREAM_A }
  - { config_id: b, upstream: UPSTREAM_B }
";
    for (yaml, upstreams) in [(SINGLE, [a, a]), (&round_robin, [a, a]), (fallback, [gone, a])] {
        let proxy = Proxy::start(yaml, &upstreams).await;
        let mut stream = tunnelled(&proxy).await;
        stream.write_all(b"ping").await.unwrap();
        hears(&mut stream, b"ping").await;
    }
}

#[tokio::test]
async fn a_connect_that_is_not_accepted_is_answered_and_its_connections_are_closed() {
    let refused = "HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno";
    let chunked =
        "HTTP/1.1 405 Method Not Allowed\r\ntransfer-encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n";
    // After that one nobody knows whether the upstream speaks HTTP yet.
    let empty = "HTTP/1.1 204 No Content\r\n\r\n";
    let switching = "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n";
    for (answer, status, body, end) in [
        (refused, 403, "no", "success"),
        (chunked, 405, "no", "success"),
        (empty, 502, "", "failed/protocol"),
        (switching, 502, "", "failed/protocol"),
    ] {
        let a = Peer::start(answer).await;
        let mut proxy = Proxy::start(SINGLE, &[a.address]).await;
        let mut stream = sent(&proxy, CONNECT).await;
        let back = rest(&mut stream).await;
        assert!(back.starts_with(&format!("HTTP/1.1 {status} ")), "{back}");
        assert!(back.contains("\r\nconnection: close\r\n"), "{back}");
        assert!(back.contains(body), "{back}");
        // The next request goes another way.
        assert_eq!(proxy.get("/").await.status, 200, "{answer}");
        let numbers: Vec<_> = a.heads().iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [0, 1], "{answer}");
        assert_eq!(proxy.ends().await, [&format!("a primary {end}"), "a primary success"]);
    }
    let proxy = Proxy::start(SINGLE, &[nobody().await]).await;
    let back = rest(&mut sent(&proxy, CONNECT).await).await;
    assert!(back.starts_with("HTTP/1.1 502 "), "{back}");
    assert!(back.contains("\r\nconnection: close\r\n"), "{back}");
}

#[tokio::test]
async fn what_follows_a_refused_connect_is_never_read_as_a_request() {
    let refused = "HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno";
    let before = "GET /before HTTP/1.1\r\nhost: x\r\n\r\n";
    for (first, count) in [(CONNECT.to_owned(), 1), (format!("{before}{CONNECT}"), 2)] {
        for is_at_once in [true, false] {
            let a = Peer::slow(refused).await;
            let proxy = Proxy::start(SINGLE, &[a.address]).await;
            a.answers.add_permits(count - 1);
            let mut stream = sent(&proxy, &first).await;
            if is_at_once {
                stream.write_all(HIDDEN.as_bytes()).await.unwrap();
            }
            eventually("the CONNECT", || a.heads().len() == count).await;
            stream.write_all(HIDDEN.as_bytes()).await.unwrap();
            a.answers.add_permits(1);
            let mut back = Vec::new();
            // What was not read any more resets the connection; the answer may go with it.
            let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut back)).await.unwrap();
            let back = String::from_utf8(back).unwrap();
            assert!(back.matches("HTTP/1.1 ").count() <= count, "{back}");
            assert!(!a.heads().iter().any(|(_, head)| head.contains("/hidden")), "{:?}", a.heads());
            assert_eq!(a.heads().len(), count);
            assert_eq!(a.too_early.load(SeqCst), 0);
        }
    }
}

#[tokio::test]
async fn what_comes_before_the_answer_waits_for_it() {
    let a = Peer::slow(ACCEPTED).await;
    let proxy = Proxy::start(SINGLE, &[a.address]).await;
    let mut stream = sent(&proxy, &format!("{CONNECT}early\n")).await;
    eventually("the CONNECT", || a.heads().len() == 1).await;
    stream.write_all(b"\0 and more").await.unwrap();
    a.answers.add_permits(1);
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 200 "));
    hears(&mut stream, b"helloearly\n\0 and more").await;
    assert_eq!(a.too_early.load(SeqCst), 0);
}

#[tokio::test]
async fn a_connect_with_a_body_or_without_a_host_and_a_port_is_refused() {
    let a = Peer::start(ACCEPTED).await;
    let mut proxy = Proxy::start(SINGLE, &[a.address]).await;
    let with = |more: &str| CONNECT.replace("\r\n\r\n", &format!("\r\n{more}"));
    let mut cases = vec![
        with("content-length: 5\r\n\r\nhello"),
        with("content-length: 0\r\ncontent-length: 0\r\n\r\n"),
        with("transfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        with("transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        CONNECT.replace("host: db.test:5432", "host: other.test:5432"),
        CONNECT.replace("host: db.test:5432", "host: db.test"),
    ];
    let targets = [
        "x",
        "x:",
        "x:0",
        "x:65536",
        "x:+1",
        ":1",
        "u@x:1",
        "/",
        "*",
        "http://x:1/",
        "x:1/",
        "x:1?y",
    ];
    cases.extend(targets.iter().map(|to| format!("CONNECT {to} HTTP/1.1\r\nhost: {to}\r\n\r\n")));
    let count = cases.len();
    for case in cases {
        let (address, sent) = (proxy.address, format!("{case}{HIDDEN}"));
        let back = tokio::task::spawn_blocking(move || exchange(address, &sent)).await.unwrap();
        assert!(back.starts_with("HTTP/1.1 400 "), "{case}: {back}");
        assert_eq!(back.matches("HTTP/1.1 ").count(), 1, "{case}: {back}");
    }
    assert_eq!(a.heads(), []);
    assert_eq!(proxy.settled().await["malformed"], count);
    assert_eq!(proxy.ends().await, Vec::<String>::new());
}

#[tokio::test]
async fn where_no_tunnel_can_be_made_a_connect_is_refused() {
    let a = saying("a").await;
    let multi_branch = SINGLE.replace("single", "multi_branch");
    let http2 = SINGLE.replace("connect: true", "connect: true, http2: true");
    let unasked = SINGLE.replace("connect: true", "connect: false");
    let older = CONNECT.replace("HTTP/1.1", "HTTP/1.0");
    for (yaml, sent, why) in [
        (&*multi_branch, CONNECT, "CONNECT is not passed on (upstreams.connect)\n"),
        (&*http2, CONNECT, "CONNECT is not passed on (upstreams.connect)\n"),
        (&*unasked, CONNECT, "CONNECT is not passed on (upstreams.connect)\n"),
        (SINGLE, &*older, "CONNECT is passed on over HTTP/1.1 only\n"),
    ] {
        let mut proxy = Proxy::start(yaml, &[a.address]).await;
        let (address, both) = (proxy.address, format!("{sent}{HIDDEN}"));
        let back = tokio::task::spawn_blocking(move || exchange(address, &both)).await.unwrap();
        assert!(back.contains(" 405 Method Not Allowed\r\n"), "{back}");
        assert!(back.ends_with(&format!("\r\n\r\n{why}")), "{back}");
        assert_eq!(proxy.admin("/stats").await.json()["listener"]["not_allowed"], 1);
        assert_eq!(proxy.ends().await, Vec::<String>::new());
    }
    let mut proxy = Proxy::start(SINGLE, &[a.address]).await;
    let request = Request::builder().method(Method::CONNECT).uri(proxy.address.to_string());
    let request = request.body(full("")).unwrap();
    let answer = read(h2_caller().request(request).await.unwrap()).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.text(), "CONNECT is passed on over HTTP/1.1 only\n");
    assert_eq!(proxy.admin("/stats").await.json()["listener"]["not_allowed"], 1);
    assert_eq!(proxy.ends().await, Vec::<String>::new());
    assert_eq!(a.count(), 0);
}

#[tokio::test]
async fn its_tunnel_is_waited_for_until_the_drain_timeout() {
    let a = Peer::start(ACCEPTED).await;
    let mut proxy = Proxy::start(SHADOW, &[a.address, saying("b").await.address]).await;
    let mut stream = tunnelled(&proxy).await;
    proxy.signal("TERM");
    eventually("it says so", || proxy.log().contains("stopping:")).await;
    stream.write_all(b"still there").await.unwrap();
    hears(&mut stream, b"still there").await;
    let began = std::time::Instant::now();
    assert_eq!(proxy.ended().await, Some(0));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(matches!(stream.read(&mut [0]).await, Ok(0) | Err(_)));
    eventually("what was cut off", || proxy.log().contains("connections=1")).await;
    let ends: Vec<_> = proxy.stored().iter().map(crate::support::end).collect();
    assert!(ends.contains(&"a primary success".to_owned()), "{ends:?}");
}
