//! Callers that ask before they send, and answers that are all trailers, with a shadow beside.

use crate::support::{Proxy, at, echo, eventually, full, h2_caller, post, raw, respond, upstream};
use http::header;
use http_body_util::BodyExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const SHADOW: &str = "
experiment: asking
strategy: shadow
primary: a
shadow: { methods: [GET, POST] }
configs:
  - { config_id: a, upstream: UPSTREAM_A }
  - { config_id: b, upstream: UPSTREAM_B }
";

async fn hears(stream: &mut TcpStream, end: &str) -> String {
    let mut back = Vec::new();
    while !back.ends_with(end.as_bytes()) {
        back.push(stream.read_u8().await.unwrap_or_else(|error| {
            panic!("{error} after {:?}", String::from_utf8_lossy(&back));
        }));
    }
    String::from_utf8(back).unwrap()
}

#[tokio::test]
async fn a_caller_that_waits_to_be_told_to_go_on_is_told_and_the_shadow_gets_the_body_too() {
    let (a, b) = (echo().await, echo().await);
    let mut proxy = Proxy::start(SHADOW, &[a.address, b.address]).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    for framing in ["content-length: 4", "transfer-encoding: chunked"] {
        let head =
            format!("POST / HTTP/1.1\r\nhost: x\r\n{framing}\r\nexpect: 100-continue\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        assert_eq!(hears(&mut stream, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
        let body: &[u8] =
            if framing.contains("chunked") { b"4\r\nbody\r\n0\r\n\r\n" } else { b"body" };
        stream.write_all(body).await.unwrap();
        let answer = hears(&mut stream, "body").await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    eventually("the shadow", || b.count() == 2).await;
    for parts in &*b.seen.lock().unwrap() {
        assert!(!parts.headers.contains_key(header::EXPECT));
    }
    drop(stream);
    let tally = proxy.tally().await;
    assert_eq!((tally["a primary success"], tally["b shadow success"]), (2, 2), "{tally:?}");
}

#[tokio::test]
async fn a_primary_that_does_not_want_the_body_says_so_before_it_is_sent() {
    let a = raw(|mut stream| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let answer = b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let _ = stream.write_all(answer).await;
        let _ = stream.read(&mut [0]).await;
    })
    .await;
    let b = echo().await;
    let mut proxy = Proxy::start(SHADOW, &[a, b.address]).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = hears(&mut stream, "\r\n\r\n").await;
    // Whether the body was asked for before the answer came is a race that nobody loses.
    if answer.starts_with("HTTP/1.1 100 ") {
        answer = hears(&mut stream, "\r\n\r\n").await;
    }
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    drop(stream);
    let ends = proxy.ends().await;
    assert!(ends.contains(&"a primary success".to_owned()), "{ends:?}");
    // It never had the whole of it.
    assert!(ends.iter().all(|end| end != "b shadow success"), "{ends:?}");
}

#[tokio::test]
async fn an_answer_that_is_all_trailers_passes_over_http_2() {
    let refusing = || {
        upstream(|request| async move {
            let _ = request.into_body().collect().await;
            // The head is the trailers (a gRPC call that failed at once).
            let mut response = respond(200, "");
            let headers = response.headers_mut();
            headers.insert("content-type", "application/grpc".parse().unwrap());
            headers.insert("grpc-status", "12".parse().unwrap());
            response
        })
    };
    let (a, b) = (refusing().await, refusing().await);
    let yaml = format!("{SHADOW}upstreams: {{ http2: true }}\n");
    let proxy = Proxy::start(&yaml, &[a.address, b.address]).await;
    let request = post("/Greeter/Hello").header(header::TE, "trailers");
    let request = at(proxy.address, request, full("hi"));
    let response = h2_caller().request(request).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], "12");
    let body = response.into_body().collect().await.unwrap();
    assert!(body.trailers().is_none());
    assert!(body.to_bytes().is_empty());
    eventually("the shadow", || b.count() == 1).await;
}
