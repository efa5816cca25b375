//! Connections: kept ones, and those that speak TLS.

use crate::support::Server;
use std::{io, net::SocketAddr, path::Path, sync::Arc};
use tempfile::{TempDir, tempdir};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
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
use tower_spearmint::server::ServerCertificate;

/// Sends a request on a connection, and reads one answer: its status line and its body.
async fn exchange(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    request: &[u8],
) -> io::Result<(String, String)> {
    stream.write_all(request).await?;
    let (mut head, mut byte) = (String::new(), [0]);
    while !head.ends_with("\r\n\r\n") {
        stream.read_exact(&mut byte).await?;
        head.push(char::from(byte[0]));
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).await?;
    Ok((head.lines().next().unwrap().to_owned(), String::from_utf8(body).unwrap()))
}

fn post(path: &str, host: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// It is sent as a client sends it that keeps its connections: all of the body, whatever comes back.
#[tokio::test]
async fn a_connection_is_kept_when_a_call_is_refused_before_its_body_is_read() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let body = vec![b' '; 3 << 20];
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    for (path, host, status) in [
        ("/api/2.0/mlflow/no-such-call", "localhost", "404"),
        ("/api/2.0/mlflow/metrics/get-history", "localhost", "404"),
        ("/api/2.0/mlflow/runs/create", "elsewhere.example", "403"),
        ("/health", "localhost", "200"),
        ("/api/2.0/mlflow/runs/search", "localhost", "200"),
    ] {
        let (line, body) = exchange(&mut stream, &post(path, host, &body)).await.unwrap();
        assert!(line.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {line} {body}");
    }
    drop(stream);
    server.stop().await;
}

/// Puts a certificate of its own for `localhost` there, and its key.
fn certify(directory: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(directory.join("certificate.pem"), made.cert.pem()).unwrap();
    std::fs::write(directory.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    made.cert.pem()
}

async fn secured(directory: &TempDir) -> (Server, String) {
    let trusted = certify(directory.path());
    let file = |name: &str| directory.path().join(name);
    let shown = ServerCertificate::from_files(file("certificate.pem"), file("key.pem")).unwrap();
    (Server::start_with(directory, |server| server.tls(shown)).await, trusted)
}

async fn shake_hands(address: SocketAddr, trusted: &str) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

#[tokio::test]
async fn a_client_that_trusts_the_certificate_is_served_over_tls() {
    let directory = tempdir().unwrap();
    let (server, trusted) = secured(&directory).await;
    let mut stream = shake_hands(server.address, &trusted).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let call = post("/api/2.0/mlflow/experiments/create", "localhost", br#"{"name":"e"}"#);
    let (line, body) = exchange(&mut stream, &call).await.unwrap();
    assert!(line.starts_with("HTTP/1.1 200 ") && body.contains("experiment_id"), "{line} {body}");
}

#[tokio::test]
async fn a_client_that_does_not_trust_it_or_speaks_no_tls_is_not() {
    let directory = tempdir().unwrap();
    let (server, _) = secured(&directory).await;
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
    let error = shake_hands(server.address, &other).await.unwrap_err();
    assert!(error.to_string().contains("invalid peer certificate"), "{error}");
    let mut plain = TcpStream::connect(server.address).await.unwrap();
    plain.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // A reset is an answer, too.
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[tokio::test]
async fn who_does_not_finish_a_handshake_holds_up_no_end() {
    let directory = tempdir().unwrap();
    let (server, trusted) = secured(&directory).await;
    let _silent = TcpStream::connect(server.address).await.unwrap();
    // Accepted after it.
    let mut stream = shake_hands(server.address, &trusted).await.unwrap();
    let ask = b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
    assert_eq!(exchange(&mut stream, ask).await.unwrap().1, "OK");
    let ended = tokio::time::timeout(std::time::Duration::from_secs(5), server.stop()).await;
    ended.expect("it waits for a handshake");
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_named() {
    let directory = tempdir().unwrap();
    certify(directory.path());
    let (certificate, key) =
        (directory.path().join("certificate.pem"), directory.path().join("key.pem"));
    let said = |certificate: &Path, key: &Path| {
        ServerCertificate::from_files(certificate, key).unwrap_err().to_string()
    };
    let none = directory.path().join("none.pem");
    assert!(said(&none, &key).starts_with(&format!("{}: ", none.display())));
    assert!(said(&key, &key).ends_with("key.pem: no certificate in PEM in it"));
    assert!(said(&certificate, &certificate).starts_with(&format!("{}: ", certificate.display())));
    let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
    std::fs::write(&key, other).unwrap();
    assert!(said(&certificate, &key).contains("KeyMismatch"), "{}", said(&certificate, &key));
}
