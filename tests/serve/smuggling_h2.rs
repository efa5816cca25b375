//! Requests over HTTP/2 that would be two over HTTP/1.

use crate::{
    frames::{DATA, HEADERS, PREFACE, SETTINGS, field, frame},
    smuggling::Plain,
    support::{PATIENCE, Proxy, eventually},
};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const YAML: &str = "
experiment: strict
strategy: shadow
primary: a
shadow: { methods: [GET, POST] }
limits: { ping_interval: 2s, ping_timeout: 1s }
configs:
  - { config_id: a, upstream: UPSTREAM_A }
  - { config_id: b, upstream: UPSTREAM_B }
";

const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nhost: x\r\n\r\n";

/// Sends one request of these fields and this body; returns whether it was answered 200.
async fn is_served(address: SocketAddr, fields: &[(&str, &str)], body: &str) -> bool {
    let block: Vec<u8> = fields.iter().flat_map(|(name, value)| field(name, value)).collect();
    // The headers are whole; without a body they end the stream.
    let flags = if body.is_empty() { 0x5 } else { 0x4 };
    let mut sent =
        [PREFACE, &frame(SETTINGS, 0, 0, &[]), &frame(HEADERS, flags, 1, &block)].concat();
    if !body.is_empty() {
        sent.extend(frame(DATA, 0x1, 1, body.as_bytes()));
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&sent).await.unwrap();
    let mut stream = tokio::io::BufReader::new(stream);
    let answer = async {
        // Until the peer misses its answer to a ping.
        while let Ok(first) = stream.read_u64().await {
            let _ = stream.read_u8().await?;
            let (length, kind) = (first >> 40, (first >> 32) as u8);
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            stream.read_exact(&mut payload).await?;
            // `:status 200` is the eighth entry of the static table.
            if kind == HEADERS && payload.first() == Some(&0x88) {
                return Ok(true);
            }
        }
        Ok::<_, std::io::Error>(false)
    };
    tokio::time::timeout(PATIENCE, answer).await.unwrap().unwrap_or(false)
}

#[tokio::test]
async fn what_would_be_two_requests_over_http_1_reaches_no_upstream() {
    let ((a, primary), (b, shadow)) = (Plain::start().await, Plain::start().await);
    let proxy = Proxy::start(YAML, &[a, b]).await;
    let plain =
        [(":method", "POST"), (":scheme", "http"), (":path", "/first"), (":authority", "x")];
    let with = |name: &'static str, value: &str| {
        let mut fields = plain.map(|(name, value)| (name, value.to_owned())).to_vec();
        match fields.iter_mut().find(|(known, _)| *known == name) {
            Some(field) => field.1 = value.to_owned(),
            None => fields.push((name, value.to_owned())),
        }
        fields
    };
    let path = format!("/first HTTP/1.1\r\nhost: x\r\n\r\n{HIDDEN}");
    let method = format!("GET / HTTP/1.1\r\nhost: x\r\n\r\n{HIDDEN}");
    let mut two_lengths = with("content-length", "5");
    two_lengths.push(("content-length", "44".to_owned()));
    let mut same_lengths = with("content-length", "5");
    same_lengths.push(("content-length", "5".to_owned()));
    let mut two_hosts = with("host", "x");
    two_hosts.push(("host", "x".to_owned()));
    let cases = [
        (with("x-one", "1\r\nx-two: 2"), ""),
        (with("x-one", "1\nx-two: 2"), ""),
        (with("x-one", "1\0"), ""),
        (with("x-one: 1\r\nx-two", "2"), ""),
        (with("x one", "1"), ""),
        (with("X-One", "1"), ""),
        (with("transfer-encoding", "chunked"), "0\r\n\r\nGET /hidden HTTP/1.1\r\nhost: x\r\n\r\n"),
        (with("connection", "x-one"), ""),
        (with("upgrade", "websocket"), ""),
        (with("te", "gzip"), ""),
        (with(":path", &path), ""),
        (with(":path", "/first second"), ""),
        (with(":path", ""), ""),
        (with(":path", "first"), ""),
        (with(":method", &method), ""),
        (with(":method", "GET /hidden"), ""),
        (with(":method", "CONNECT"), ""),
        (with(":authority", "x\r\nx-two: 2"), ""),
        (with(":authority", "u@x"), ""),
        (with(":authority", "x/y"), ""),
        (with("host", "y"), ""),
        (two_hosts, ""),
        (with("content-length", "3"), "hello"),
        (with("content-length", "7"), "hello"),
        (with("content-length", "+5"), "hello"),
        (with("content-length", "5, 5"), "hello"),
        (two_lengths, "hello"),
        (same_lengths, "hello"),
        (with(":unknown", "1"), ""),
    ];
    let asked = cases.iter().map(async |(fields, body)| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, &**value)).collect();
        assert!(!is_served(proxy.address, &fields, body).await, "{fields:?}");
    });
    futures_util::future::join_all(asked).await;
    assert_eq!(primary.paths(), Vec::<String>::new());
    assert_eq!(shadow.paths(), Vec::<String>::new());
    // The test itself knows how to ask.
    assert!(is_served(proxy.address, &plain, "").await);
    let fields = with("content-length", "5");
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, &**value)).collect();
    assert!(is_served(proxy.address, &fields, "hello").await);
    assert!(is_served(proxy.address, &plain, "of no length").await);
    assert_eq!(primary.paths(), ["/first"; 3]);
    eventually("the shadow", || shadow.paths() == ["/first"; 3]).await;
}
