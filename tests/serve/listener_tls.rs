//! The listener behind TLS.

use crate::support::{
    Body, PATIENCE, Proxy, ask, echo, eventually, full, pattern, post, respond, run, stderr,
    upstream,
};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{path::Path, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};
use tower_spearmint::BoxError;

const YAML: &str = "
experiment: secure
strategy: shadow
primary: a
shadow: { methods: [GET, POST], body_buffer: 32MiB, max_response_bytes: 32MiB }
drain_timeout: 5s
limits: { handshake_timeout: 500ms }
tls: { certificate: certificate.pem, key: key.pem }
configs:
  - { config_id: a, upstream: UPSTREAM_A }
  - { config_id: b, upstream: UPSTREAM_B }
";

/// Puts a certificate of its own for `localhost` there, and its key. Returns it.
fn certify(directory: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(directory.join("certificate.pem"), made.cert.pem()).unwrap();
    std::fs::write(directory.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    made.cert.pem()
}

async fn start(yaml: &str, upstreams: &[std::net::SocketAddr]) -> (Proxy, String) {
    let directory = TempDir::new().unwrap();
    let certificate = certify(directory.path());
    (Proxy::start_in(directory, yaml, upstreams).await, certificate)
}

/// A caller that trusts this certificate and speaks these protocols.
async fn connect(
    proxy: &Proxy,
    certificate: &str,
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(proxy.address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

async fn over_h2(stream: TlsStream<TcpStream>) -> http2::SendRequest<Body> {
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn send(sender: &mut http2::SendRequest<Body>, request: Request<Body>) -> Response<Incoming> {
    tokio::time::timeout(PATIENCE, sender.send_request(request)).await.unwrap().unwrap()
}

fn with_body(request: http::request::Builder, body: Body) -> Request<Body> {
    let mut request = request.body(body).unwrap();
    let path = request.uri().path().to_owned();
    *request.uri_mut() = format!("https://localhost{path}").parse().unwrap();
    request
}

#[tokio::test]
async fn a_body_over_http_2_reaches_primary_and_shadow_whole() {
    let (a, b) = (echo().await, echo().await);
    let (mut proxy, certificate) = start(YAML, &[a.address, b.address]).await;
    let stream = connect(&proxy, &certificate, &["h2", "http/1.1"]).await.unwrap();
    let mut sender = over_h2(stream).await;
    for length in [0, 1, 100_000, 6 << 20] {
        let body = pattern(length);
        let response = send(&mut sender, with_body(post("/"), full(body.clone()))).await;
        assert_eq!(response.status(), 200);
        assert!(response.into_body().collect().await.unwrap().to_bytes() == body, "{length}");
    }
    eventually("the shadow", || b.count() == 4).await;
    for upstream in [&a, &b] {
        for parts in &*upstream.seen.lock().unwrap() {
            assert_eq!(parts.headers["x-forwarded-proto"], "https");
            assert_eq!(parts.headers["x-forwarded-host"], "localhost");
        }
    }
    drop(sender);
    let tally = proxy.tally().await;
    assert_eq!((tally["a primary success"], tally["b shadow success"]), (4, 4), "{tally:?}");
}

#[tokio::test]
async fn http_1_is_spoken_to_those_who_want_it() {
    let (a, b) = (echo().await, echo().await);
    let (proxy, certificate) = start(YAML, &[a.address, b.address]).await;
    for protocols in [&["http/1.1"][..], &[]] {
        let stream = connect(&proxy, &certificate, protocols).await.unwrap();
        let chosen = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        assert_eq!(chosen.as_deref(), protocols.first().map(|name| name.as_bytes()));
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = post("/").header("host", "localhost").body(full("hello")).unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hello");
    }
    for parts in &*a.seen.lock().unwrap() {
        assert_eq!(parts.headers["x-forwarded-proto"], "https");
    }
}

/// What a call of gRPC is to the network: a body and trailers, either way.
fn with_trailers(body: impl Into<Bytes>, trailers: HeaderMap) -> Body {
    let frames = [Ok::<_, BoxError>(Frame::data(body.into())), Ok(Frame::trailers(trailers))];
    BodyExt::boxed(StreamBody::new(futures_util::stream::iter(frames)))
}

#[tokio::test]
async fn trailers_pass_both_ways_over_http_2_on_both_sides() {
    let greeter = || {
        upstream(|request| async move {
            assert_eq!(request.headers()["te"], "trailers");
            let body = request.into_body().collect().await.unwrap();
            let mut trailers = body.trailers().cloned().unwrap();
            trailers.insert("grpc-status", "0".parse().unwrap());
            let mut response = respond(200, "");
            *response.body_mut() = with_trailers(body.to_bytes(), trailers);
            response
        })
    };
    let (a, b) = (greeter().await, greeter().await);
    let yaml = format!("{YAML}upstreams: {{ http2: true }}\n");
    let (mut proxy, certificate) = start(&yaml, &[a.address, b.address]).await;
    let stream = connect(&proxy, &certificate, &["h2"]).await.unwrap();
    let mut sender = over_h2(stream).await;
    let sent = HeaderMap::from_iter([("x-sum".parse().unwrap(), "7".parse().unwrap())]);
    let request = post("/Greeter/Hello").header(header::TE, "trailers");
    let response = send(&mut sender, with_body(request, with_trailers("hi", sent))).await;
    let body = response.into_body().collect().await.unwrap();
    let trailers = body.trailers().unwrap();
    assert_eq!(
        (&trailers["x-sum"], &trailers["grpc-status"]),
        (&"7".parse().unwrap(), &"0".parse().unwrap())
    );
    assert_eq!(body.to_bytes(), "hi");
    eventually("the shadow", || b.count() == 1).await;
    drop(sender);
    assert_eq!(proxy.ends().await, ["a primary success", "b shadow success"]);
}

#[tokio::test]
async fn a_websocket_works_behind_tls() {
    let a = crate::support::raw(|mut stream| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let accepted =
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
        stream.write_all(accepted).await.unwrap();
        let (mut read, mut write) = stream.split();
        let _ = tokio::io::copy(&mut read, &mut write).await;
    })
    .await;
    let (proxy, certificate) = start(YAML, &[a, a]).await;
    let mut stream = connect(&proxy, &certificate, &["http/1.1"]).await.unwrap();
    let ask =
        "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    stream.write_all(ask.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    stream.write_all(b"ping").await.unwrap();
    let mut back = [0; 4];
    stream.read_exact(&mut back).await.unwrap();
    assert_eq!(&back, b"ping");
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut back).await.unwrap(), 0);
}

#[tokio::test]
async fn a_new_certificate_is_shown_after_a_reload() {
    let a = echo().await;
    let yaml = format!("{YAML}watch: false\n");
    let (proxy, old) = start(&yaml, &[a.address, a.address]).await;
    let stream = connect(&proxy, &old, &["h2"]).await.unwrap();
    let mut before = over_h2(stream).await;
    let new = certify(proxy.path("").as_path());
    assert!(connect(&proxy, &new, &["h2"]).await.is_err());
    assert_eq!(ask(proxy.admin, Request::post("/reload"), "").await.status, 200);
    assert!(connect(&proxy, &old, &["h2"]).await.is_err());
    let stream = connect(&proxy, &new, &["h2"]).await.unwrap();
    let mut after = over_h2(stream).await;
    for sender in [&mut before, &mut after] {
        let response = send(sender, with_body(post("/"), full("hello"))).await;
        assert_eq!(response.status(), 200);
    }
    // One that does not fit its key changes nothing.
    std::fs::write(proxy.path("certificate.pem"), &old).unwrap();
    let answer = ask(proxy.admin, Request::post("/reload"), "").await;
    assert_eq!(answer.status, 422);
    assert!(connect(&proxy, &new, &["h2"]).await.is_ok());
}

#[tokio::test]
async fn who_speaks_no_tls_or_too_slowly_is_let_go_and_counted() {
    let a = echo().await;
    let (mut proxy, _) = start(YAML, &[a.address, a.address]).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut back = Vec::new();
    let _ = stream.read_to_end(&mut back).await;
    assert!(!back.starts_with(b"HTTP"), "{back:?}");
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    let read = tokio::time::timeout(PATIENCE, stream.read(&mut [0])).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)));
    let stats = proxy.admin("/stats").await.json();
    assert_eq!(stats["listener"]["handshakes_failed"], 2);
    // And one that is at it does not hold up the end.
    let stream = TcpStream::connect(proxy.address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let began = std::time::Instant::now();
    proxy.signal("TERM");
    assert_eq!(proxy.ended().await, Some(0));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    drop(stream);
}

#[test]
fn a_certificate_or_key_that_is_none_is_named_with_its_place() {
    let directory = TempDir::new().unwrap();
    let yaml = "
experiment: secure
strategy: single
tls: { certificate: certificate.pem, key: key.pem }
configs: [{ config_id: a, upstream: 'http://127.0.0.1:9' }]
";
    std::fs::write(directory.path().join("experiment.yaml"), yaml).unwrap();
    let said = || {
        let arguments = ["serve", "experiment.yaml", "--listen", "127.0.0.1:0"];
        let output = run(&arguments, directory.path());
        assert_eq!(output.status.code(), Some(2));
        stderr(&output)
    };
    let certificate = "experiment.yaml:4:21: `tls.certificate`: certificate.pem: ";
    let key = "experiment.yaml:4:43: `tls.key`: key.pem: ";
    assert!(said().contains(certificate), "{}", said());
    certify(directory.path());
    std::fs::write(directory.path().join("certificate.pem"), "nonsense").unwrap();
    assert!(said().contains(certificate), "{}", said());
    certify(directory.path());
    std::fs::remove_file(directory.path().join("key.pem")).unwrap();
    assert!(said().contains(key), "{}", said());
    std::fs::write(directory.path().join("key.pem"), "nonsense").unwrap();
    assert!(said().contains(key), "{}", said());
    // A key of another certificate.
    certify(directory.path());
    let other = TempDir::new().unwrap();
    certify(other.path());
    std::fs::copy(other.path().join("key.pem"), directory.path().join("key.pem")).unwrap();
    assert!(said().contains(key), "{}", said());
}

#[tokio::test]
async fn a_certificate_that_is_renewed_is_shown_to_the_next_caller() {
    let a = echo().await;
    let (proxy, old) = start(YAML, &[a.address, a.address]).await;
    let mut before = over_h2(connect(&proxy, &old, &["h2"]).await.unwrap()).await;
    let new = certify(&proxy.path(""));
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while connect(&proxy, &new, &["h2"]).await.is_err() {
        assert!(tokio::time::Instant::now() < deadline, "not in time:\n{}", proxy.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(connect(&proxy, &old, &["h2"]).await.is_err());
    // Who is connected stays so.
    let response = send(&mut before, with_body(post("/"), full("hello"))).await;
    assert_eq!(response.status(), 200);
}
