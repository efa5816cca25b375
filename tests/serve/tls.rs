//! Upstreams behind TLS.

use crate::support::{PATIENCE, Proxy, post, raw};
use http_body_util::BodyExt;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use std::{convert::Infallible, net::SocketAddr, sync::Arc};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// An echo behind a certificate of its own for `localhost`. Returns that, too, as PEM.
async fn secure_echo() -> (SocketAddr, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = hyper::service::service_fn(
                    |request: http::Request<hyper::body::Incoming>| async move {
                        let version = format!("{:?}", request.version());
                        let body = request.into_body().collect().await.unwrap().to_bytes();
                        let mut response = http::Response::new(crate::support::full(body));
                        response.headers_mut().insert("x-version", version.parse().unwrap());
                        Ok::<_, Infallible>(response)
                    },
                );
                let _ = auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    (address, made.cert.pem())
}

async fn proxy(address: SocketAddr, host: &str, ca: Option<&str>, more: &str) -> Proxy {
    let directory = TempDir::new().unwrap();
    let mut upstreams = format!("system_roots: {}{more}", ca.is_none());
    if let Some(ca) = ca {
        std::fs::write(directory.path().join("ca.pem"), ca).unwrap();
        // Relative to the file.
        upstreams.push_str(", ca_file: ca.pem");
    }
    let yaml = format!(
        "
experiment: secure
strategy: single
configs:
  - {{ config_id: a, upstream: 'https://{host}:{}' }}
upstreams: {{ {upstreams} }}
",
        address.port()
    );
    tokio::time::timeout(PATIENCE, Proxy::start_in(directory, &yaml, &[])).await.unwrap()
}

#[tokio::test]
async fn an_upstream_is_reached_whose_certificate_the_file_trusts() {
    let (address, ca) = secure_echo().await;
    for (more, version) in [("", "HTTP/1.1"), (", http2: true", "HTTP/2.0")] {
        let mut proxy = proxy(address, "localhost", Some(&ca), more).await;
        let answer = proxy.ask(post("/"), "secret").await;
        assert_eq!((answer.status.as_u16(), answer.text()), (200, "secret"));
        assert_eq!(answer.headers["x-version"], version);
        assert_eq!(proxy.ends().await, ["a primary success"]);
    }
}

#[tokio::test]
async fn an_upstream_whose_certificate_nobody_trusts_is_not_reached() {
    let (address, _) = secure_echo().await;
    let (_, other) = secure_echo().await;
    let mut proxy = proxy(address, "localhost", Some(&other), "").await;
    assert_eq!(proxy.ask(post("/"), "secret").await.status, 502);
    let rows = proxy.rows().await;
    let failure = rows[0].failure.as_ref().unwrap();
    assert_eq!(failure.kind.as_str(), "connect");
    assert!(failure.message.contains("certificate"), "{}", failure.message);
}

#[tokio::test]
async fn an_upstream_whose_certificate_is_for_another_name_is_not_reached() {
    let (address, ca) = secure_echo().await;
    let mut proxy = proxy(address, "127.0.0.1", Some(&ca), "").await;
    assert_eq!(proxy.ask(post("/"), "secret").await.status, 502);
    assert_eq!(proxy.ends().await, ["a primary failed/connect"]);
}

#[tokio::test]
async fn an_upstream_that_accepts_and_does_not_answer_the_handshake_is_not_reached() {
    for http2 in ["", ", http2: true"] {
        let silent = raw(|stream| async move {
            let _held = stream;
            std::future::pending::<()>().await;
        })
        .await;
        let more = format!("{http2}, connect_timeout: 300ms");
        let mut proxy = proxy(silent, "localhost", None, &more).await;
        assert_eq!(proxy.ask(post("/"), "secret").await.status, 502);
        let rows = proxy.rows().await;
        let failure = rows[0].failure.as_ref().unwrap();
        assert_eq!(failure.kind.as_str(), "connect");
        assert_eq!(failure.message, "no connection within 300ms");
    }
}
