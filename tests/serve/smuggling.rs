//! Requests that two readers may take for two different ones.

use crate::support::{PATIENCE, Proxy, eventually};
use proptest::prelude::*;
use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const YAML: &str = "
experiment: strict
strategy: shadow
primary: a
shadow: { methods: [GET, POST, PUT] }
limits: { head_timeout: 2s }
configs:
  - { config_id: a, upstream: UPSTREAM_A }
  - { config_id: b, upstream: UPSTREAM_B }
";

/// A service that reads HTTP/1.1 to the letter and no further: each head is plain, and each body
/// ends in one way only. What it cannot read is a failed test.
#[derive(Clone, Default)]
pub struct Plain {
    paths: Arc<Mutex<Vec<String>>>,
    /// The hosts the callers asked for.
    hosts: Arc<Mutex<Vec<String>>>,
    wrong: Arc<Mutex<Vec<String>>>,
}

impl Plain {
    pub async fn start() -> (SocketAddr, Self) {
        let plain = Self::default();
        let seen = plain.clone();
        let address = crate::support::raw(move |mut stream| {
            let seen = seen.clone();
            async move {
                let mut bytes = Vec::new();
                let mut piece = [0; 4096];
                loop {
                    while let Some((path, host, used)) = seen.first(&bytes) {
                        bytes.drain(..used);
                        seen.paths.lock().unwrap().push(path);
                        seen.hosts.lock().unwrap().push(host);
                        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                        if stream.write_all(answer).await.is_err() {
                            return;
                        }
                    }
                    match stream.read(&mut piece).await {
                        Ok(0) | Err(_) => return,
                        Ok(count) => bytes.extend_from_slice(&piece[..count]),
                    }
                }
            }
        })
        .await;
        (address, plain)
    }

    pub fn paths(&self) -> Vec<String> {
        assert_eq!(*self.wrong.lock().unwrap(), Vec::<String>::new());
        self.paths.lock().unwrap().clone()
    }

    /// How many requests were for this host.
    fn for_host(&self, host: &str) -> usize {
        self.hosts.lock().unwrap().iter().filter(|known| *known == host).count()
    }

    /// Path and host of the first request, and how many bytes it takes, once it is whole.
    fn first(&self, bytes: &[u8]) -> Option<(String, String, usize)> {
        let end = find(bytes, b"\r\n\r\n")?;
        let Ok(head) = std::str::from_utf8(&bytes[..end]) else {
            self.is_wrong("not text", bytes);
            return None;
        };
        let mut lines = head.split("\r\n");
        let words: Vec<_> = lines.next()?.split(' ').collect();
        let headers: Vec<_> = lines.map(|line| line.split_once(": ")).collect();
        if words.len() != 3
            || words[2] != "HTTP/1.1"
            || head.replace("\r\n", "").contains(['\r', '\n', '\0'])
        {
            self.is_wrong("the head", bytes);
            return None;
        }
        let named = |name: &str| -> Vec<String> {
            let headers = headers.iter().flatten();
            headers
                .filter(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| (*value).to_owned())
                .collect()
        };
        let (lengths, codings) = (named("content-length"), named("transfer-encoding"));
        if headers.iter().any(Option::is_none)
            || named("host").len() != 1
            || lengths.len() + codings.len() > 1
        {
            self.is_wrong("the headers", bytes);
            return None;
        }
        let body = &bytes[end + 4..];
        let length = match (lengths.first(), codings.first().map(String::as_str)) {
            (Some(length), _) => length.parse().ok().filter(|length| body.len() >= *length)?,
            (None, Some("chunked")) => chunked(body)?,
            (None, None) => 0,
            (None, Some(_)) => {
                self.is_wrong("the coding", bytes);
                return None;
            }
        };
        let host = named("x-forwarded-host").pop().unwrap_or_default();
        Some((words[1].to_owned(), host, end + 4 + length))
    }

    fn is_wrong(&self, what: &str, bytes: &[u8]) {
        self.wrong.lock().unwrap().push(format!("{what}: {}", String::from_utf8_lossy(bytes)));
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// How long a whole chunked body is.
fn chunked(body: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let line = find(&body[at..], b"\r\n")?;
        let size = std::str::from_utf8(&body[at..at + line]).ok()?;
        let size = usize::from_str_radix(size, 16).ok()?;
        at += line + 2;
        if size == 0 {
            return find(&body[at - 2..], b"\r\n\r\n").map(|end| at + 2 + end);
        }
        at += size + 2;
        if body.len() < at {
            return None;
        }
    }
}

/// Sends bytes and returns what comes back, until the other side closes.
fn send(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // It may be refused before it is sent whole.
    let _ = stream.write_all(bytes);
    let mut back = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut piece) {
        back.extend_from_slice(&piece[..count]);
    }
    String::from_utf8_lossy(&back).into_owned()
}

const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nhost: x\r\n\r\n";

/// Each of these is refused with 400, and the connection with it.
fn refused() -> Vec<(&'static str, String)> {
    let post = |headers: &str, body: &str| {
        format!("POST /first HTTP/1.1\r\nhost: x\r\n{headers}\r\n{body}")
    };
    let head = |head: &str| format!("{head}{HIDDEN}");
    let long = format!("0\r\n\r\n{HIDDEN}");
    let clte = "content-length: 5\r\ntransfer-encoding: chunked\r\n";
    let tecl = "transfer-encoding: chunked\r\ncontent-length: 5\r\n";
    vec![
        ("length and chunked", post(clte, &long)),
        ("chunked and length", post(tecl, &long)),
        ("two lengths", post("content-length: 5\r\ncontent-length: 44\r\n", &long)),
        ("the same length twice", post("content-length: 5\r\ncontent-length: 5\r\n", &long)),
        ("a list of lengths", post("content-length: 5, 5\r\n", &long)),
        ("a signed length", post("content-length: +5\r\n", &long)),
        ("a negative length", post("content-length: -1\r\n", &long)),
        ("a length in hex", post("content-length: 0x5\r\n", &long)),
        ("an empty length", post("content-length: \r\n", &long)),
        ("a length too long", post("content-length: 99999999999999999999\r\n", &long)),
        ("identity", post("transfer-encoding: identity\r\n", &long)),
        ("xchunked", post("transfer-encoding: xchunked\r\n", &long)),
        ("gzip, chunked", post("transfer-encoding: gzip, chunked\r\n", &long)),
        ("chunked, identity", post("transfer-encoding: chunked, identity\r\n", &long)),
        (
            "chunked twice",
            post("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n", &long),
        ),
        ("chunked in quotes", post("transfer-encoding: \"chunked\"\r\n", &long)),
        ("a vertical tab before chunked", post("transfer-encoding: \x0bchunked\r\n", &long)),
        ("two codings", post("transfer-encoding: chunked\r\ntransfer-encoding: x\r\n", &long)),
        ("a space before the colon", post("transfer-encoding : chunked\r\n", &long)),
        ("a space before another colon", post("content-length : 5\r\n", &long)),
        ("a space before the name", post(" transfer-encoding: chunked\r\n", &long)),
        ("a folded line", post("x-one: 1\r\n two\r\n", HIDDEN)),
        ("a folded coding", post("transfer-encoding:\r\n chunked\r\n", &long)),
        ("a line that ends in LF", post("x-one: 1\nx-two: 2\r\n", HIDDEN)),
        ("a coding that ends in LF", post("x: y\ntransfer-encoding: chunked\r\n", &long)),
        ("a head that ends in LF", head("GET /first HTTP/1.1\r\nhost: x\r\n\n")),
        ("a head of LFs", head("GET /first HTTP/1.1\nhost: x\n\n")),
        ("CR alone in a value", post("x-one: 1\rtransfer-encoding: chunked\r\n", HIDDEN)),
        ("NUL in a value", post("x-one: 1\x002\r\n", HIDDEN)),
        ("NUL in a name", post("x\x00one: 1\r\n", HIDDEN)),
        ("no colon", post("x-one\r\n", HIDDEN)),
        ("no name", post(": 1\r\n", HIDDEN)),
        ("two hosts", post("host: y\r\n", HIDDEN)),
        ("no host", head("GET /first HTTP/1.1\r\n\r\n")),
        ("a host with a path", head("GET /first HTTP/1.1\r\nhost: x/y\r\n\r\n")),
        ("a host with a user", head("GET /first HTTP/1.1\r\nhost: u@x\r\n\r\n")),
        ("another host in the address", head("GET http://y/first HTTP/1.1\r\nhost: x\r\n\r\n")),
        ("two spaces", head("GET  /first HTTP/1.1\r\nhost: x\r\n\r\n")),
        ("a tab", head("GET\t/first HTTP/1.1\r\nhost: x\r\n\r\n")),
        ("no version", head("GET /first\r\nhost: x\r\n\r\n")),
        ("a version to come", head("GET /first HTTP/1.2\r\nhost: x\r\n\r\n")),
        ("two empty lines first", head("\r\n\r\nGET /first HTTP/1.1\r\nhost: x\r\n\r\n")),
        ("an empty line of LF first", head("\nGET /first HTTP/1.1\r\nhost: x\r\n\r\n")),
        (
            "chunked in HTTP/1.0",
            format!("POST /first HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n{long}"),
        ),
        ("HTTP/2 half-way", head("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n")),
    ]
}

/// Bodies that break the rules of chunks: refused once that shows.
fn bad_chunks() -> Vec<(&'static str, String)> {
    let post = |body: &str| {
        format!(
            "POST /first HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n{body}{HIDDEN}"
        )
    };
    vec![
        ("no size", post("\r\n\r\n")),
        ("a size in words", post("five\r\nhello\r\n0\r\n\r\n")),
        ("a signed size", post("+5\r\nhello\r\n0\r\n\r\n")),
        ("0x", post("0x5\r\nhello\r\n0\r\n\r\n")),
        ("a size too long", post("fffffffffffffffff\r\nhello\r\n0\r\n\r\n")),
        ("zeros without end", post(&"0".repeat(2000))),
        ("a space after the size", post("5 \r\nhello\r\n0\r\n\r\n")),
        ("LF after the size", post("5\nhello\r\n0\r\n\r\n")),
        ("LF after an extension", post("5;a\nhello\r\n0\r\n\r\n")),
        ("LF in the extension of the last", post("5\r\nhello\r\n0;a\n\r\n")),
        ("CR in an extension", post("5;a\rb\r\nhello\r\n0\r\n\r\n")),
        ("a chunk too long", post("5\r\nhello you\r\n0\r\n\r\n")),
        ("a chunk too short", post("9\r\nhello\r\n0\r\n\r\n")),
        ("LF after a chunk", post("5\r\nhello\n0\r\n\r\n")),
        ("LF after the last", post("5\r\nhello\r\n0\n\n")),
        ("LF after the trailers", post("5\r\nhello\r\n0\r\nx: y\n\r\n")),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_be_read_in_two_ways_reaches_no_upstream() {
    let ((a, primary), (b, shadow)) = (Plain::start().await, Plain::start().await);
    let mut proxy = Proxy::start(YAML, &[a, b]).await;
    let cases = refused();
    for (what, bytes) in &cases {
        let answer = tokio::task::block_in_place(|| send(proxy.address, bytes.as_bytes()));
        assert!(answer.starts_with("HTTP/1.1 400 "), "{what}: {answer:?}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{what}: {answer}");
    }
    assert_eq!(primary.paths(), Vec::<String>::new());
    assert_eq!(shadow.paths(), Vec::<String>::new());
    assert_eq!(proxy.settled().await["malformed"], cases.len());
    assert_eq!(proxy.ends().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_does_not_take_the_request_before_it_along() {
    let ((a, primary), (b, shadow)) = (Plain::start().await, Plain::start().await);
    let proxy = Proxy::start(YAML, &[a, b]).await;
    let cases = refused();
    for (what, bytes) in &cases {
        let bytes =
            format!("POST /before HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi{bytes}");
        let answer = tokio::task::block_in_place(|| send(proxy.address, bytes.as_bytes()));
        assert!(answer.starts_with("HTTP/1.1 200 "), "{what}: {answer:?}");
        assert!(answer.contains("okHTTP/1.1 400 "), "{what}: {answer:?}");
    }
    let all = vec!["/before".to_owned(); cases.len()];
    assert_eq!(primary.paths(), all);
    eventually("the shadow has seen them, too", || shadow.paths() == all).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_breaks_the_rules_is_whole_for_nobody() {
    let ((a, primary), (b, shadow)) = (Plain::start().await, Plain::start().await);
    let mut proxy = Proxy::start(YAML, &[a, b]).await;
    let cases = bad_chunks();
    for (what, bytes) in &cases {
        let answer = tokio::task::block_in_place(|| send(proxy.address, bytes.as_bytes()));
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{what}: {answer:?}");
        assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{what}: {answer}");
    }
    assert_eq!(primary.paths(), Vec::<String>::new());
    assert_eq!(shadow.paths(), Vec::<String>::new());
    assert_eq!(proxy.settled().await["malformed"], cases.len());
    let ends = proxy.tally().await;
    assert!(ends.keys().all(|end| !end.contains("success")), "{ends:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_unusual_but_plain_is_served() {
    let ((a, primary), (b, _shadow)) = (Plain::start().await, Plain::start().await);
    let proxy = Proxy::start(YAML, &[a, b]).await;
    let chunked = "POST /1 HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n";
    let cases = [
        "\r\nGET /1 HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
        "GET /1 HTTP/1.1\r\nHOST:x\r\nx-empty:\r\n\r\n".to_owned(),
        "GET /1 HTTP/1.1\r\nhost:\r\n\r\n".to_owned(),
        "GET http://X:80/1 HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
        "POST /1 HTTP/1.1\r\nhost: x\r\nContent-Length:\t 3 \t\r\n\r\nabc".to_owned(),
        "POST /1 HTTP/1.1\r\nhost: x\r\ntransfer-encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
            .to_owned(),
        format!("{chunked}\r\n3;a=\"b\";c\r\nabc\r\n00\r\nx-trailer: 1\r\n\r\n"),
        "GET /1 HTTP/1.0\r\nconnection: keep-alive\r\n\r\n".to_owned(),
        // The length is taken out as if it were meant for this connection only.
        "POST /1 HTTP/1.1\r\nhost: x\r\nconnection: content-length\r\ncontent-length: 3\r\n\r\nabc"
            .to_owned(),
    ];
    for bytes in &cases {
        // A second request on the same connection.
        let bytes = format!("{bytes}GET /2 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = tokio::task::block_in_place(|| send(proxy.address, bytes.as_bytes()));
        assert_eq!(
            answer.matches("HTTP/1.1 200 ").count() + answer.matches("HTTP/1.0 200 ").count(),
            2,
            "{bytes}\n{answer}"
        );
    }
    let expected: Vec<_> = (0..cases.len()).flat_map(|_| ["/1", "/2"]).collect();
    assert_eq!(primary.paths(), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_cannot_take_the_mark_off_a_shadow() {
    let a = crate::support::saying("a").await;
    let b = crate::support::saying("b").await;
    let proxy = Proxy::start(YAML, &[a.address, b.address]).await;
    let request = http::Request::get("/").header("connection", "x-spearmint-shadow, host");
    assert_eq!(proxy.ask(request, "").await.status, 200);
    eventually("the shadow has been asked", || b.count() == 1).await;
    assert_eq!(b.only().headers["x-spearmint-shadow"], "strict/b");
}

/// Pieces that smugglers put requests together from.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "GET /x HTTP/1.1\r\n",
        "POST /x HTTP/1.1\r\n",
        "host: x\r\n",
        "host: x\r\n",
        "\r\n",
        "\r\n",
        "content-length: 0\r\n",
        "content-length: 5\r\n",
        "content-length: 35\r\n",
        "Content-Length:5\r\n",
        "transfer-encoding: chunked\r\n",
        "Transfer-Encoding:\tchunked\r\n",
        "transfer-encoding: x\r\n",
        "transfer-encoding: chunked\n",
        "connection: content-length\r\n",
        "connection: close\r\n",
        "connection: upgrade\r\nupgrade: websocket\r\n",
        "upgrade: h2c\r\n",
        "expect: 100-continue\r\n",
        "0\r\n\r\n",
        "5\r\nhello\r\n",
        "1\r\nh\r\n0\r\n\r\n",
        "hello",
        "5;a\r\nhello\r\n",
        "\n",
        "\r",
        " ",
        "\t",
        "\0",
        "0",
        "GET /hidden HTTP/1.1\r\nhost: x\r\n\r\n",
        "te: trailers\r\n",
        "trailer: host\r\n",
    ])
}

/// However the pieces are put together, an upstream sees no more requests than were answered, and
/// can read each in one way only.
#[test]
fn no_upstream_sees_a_request_that_was_not_accepted() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let yaml = YAML.replace("2s", "200ms");
    let (proxy, primary, shadow) = runtime.block_on(async {
        let ((a, primary), (b, shadow)) = (Plain::start().await, Plain::start().await);
        (Proxy::start(&yaml, &[a, b]).await, primary, shadow)
    });
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) };
    let total = std::cell::Cell::new(0);
    proptest!(config, |(is_begun in prop::bool::weighted(0.9), pieces in prop::collection::vec(piece(), 1..16))| {
        total.set(total.get() + 1);
        // What is under way from the case before is not to be taken for this one's.
        let host = format!("h{}", total.get());
        let begin = if is_begun { "POST /x HTTP/1.1\r\nhost: x\r\n" } else { "" };
        let mut stream = TcpStream::connect(proxy.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(30))).unwrap();
        let text = format!("{begin}{}", pieces.concat()).replace("host: x", &format!("host: {host}"));
        let _ = stream.write_all(text.as_bytes());
        let began = Instant::now();
        let (mut back, mut piece) = (Vec::new(), [0; 4096]);
        loop {
            let is_over = match stream.read(&mut piece) {
                Ok(count) => {
                    back.extend_from_slice(&piece[..count]);
                    count == 0
                }
                Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            };
            let text = String::from_utf8_lossy(&back);
            let answered = text.matches("HTTP/1.1 ").count() - text.matches("HTTP/1.1 100 ").count();
            let seen = (primary.for_host(&host), shadow.for_host(&host));
            // A request is seen before its answer is.
            if seen.0.max(seen.1) <= answered && (is_over || began.elapsed() > Duration::from_millis(30)) {
                break;
            }
            prop_assert!(began.elapsed() < PATIENCE, "{seen:?} of {answered}: {pieces:?}\n{text}");
        }
    });
    // Not all of them are refused: one in ten or so is not.
    let seen = primary.paths().len();
    assert!(seen * 50 > total.get(), "{seen} of {}", total.get());
}
