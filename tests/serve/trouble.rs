//! Upstreams that fail, and callers that leave.

use crate::support::{
    PATIENCE, Proxy, at, caller, full, nobody, post, raw, respond, saying, upstream,
};
use bytes::Bytes;
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use std::{future::pending, time::Duration};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower_spearmint::BoxError;

const SINGLE: &str = "
experiment: plain
strategy: single
configs:
  - { config_id: a, upstream: UPSTREAM_A }
upstreams: { timeout: 400ms, connect_timeout: 400ms }
";

#[tokio::test]
async fn an_upstream_that_cannot_be_reached_is_a_bad_gateway() {
    let mut proxy = Proxy::start(SINGLE, &[nobody().await]).await;
    let answer = proxy.get("/").await;
    assert_eq!(answer.status, 502);
    // The text names the kind and no more: addresses are the operator's business.
    assert_eq!(answer.text(), "502 Bad Gateway: the upstream failed (connect)\n");
    let rows = proxy.rows().await;
    let failure = rows[0].failure.as_ref().unwrap();
    assert_eq!(failure.kind.as_str(), "connect");
    assert!(failure.message.contains("refused"), "{}", failure.message);
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_a_bad_gateway() {
    let yaml = SINGLE.replace("UPSTREAM_A", "http://no-such-host.invalid:80");
    let mut proxy = Proxy::start(&yaml, &[]).await;
    assert_eq!(proxy.get("/").await.status, 502);
    assert_eq!(proxy.ends().await, ["a primary failed/connect"]);
}

#[tokio::test]
async fn an_upstream_that_does_not_answer_in_time_is_a_gateway_timeout() {
    let a = upstream(|_| async { pending().await }).await;
    let mut proxy = Proxy::start(SINGLE, &[a.address]).await;
    let answer = proxy.get("/").await;
    assert_eq!(answer.status, 504);
    assert_eq!(answer.text(), "504 Gateway Timeout: the upstream failed (timeout)\n");
    assert_eq!(proxy.ends().await, ["a primary failed/timeout"]);
}

/// Reads the head of a request, then says this and closes.
async fn saying_raw(text: &'static [u8]) -> std::net::SocketAddr {
    raw(move |mut stream| async move {
        let mut head = [0; 4_096];
        let _ = stream.read(&mut head).await;
        let _ = stream.write_all(text).await;
        let _ = stream.shutdown().await;
    })
    .await
}

#[tokio::test]
async fn an_upstream_that_answers_garbage_is_a_bad_gateway() {
    let garbage = saying_raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n").await;
    let mut proxy = Proxy::start(SINGLE, &[garbage]).await;
    assert_eq!(proxy.get("/").await.status, 502);
    assert_eq!(proxy.ends().await, ["a primary failed/protocol"]);
}

#[tokio::test]
async fn an_upstream_that_closes_without_an_answer_is_a_bad_gateway() {
    let silent = saying_raw(b"").await;
    let mut proxy = Proxy::start(SINGLE, &[silent]).await;
    assert_eq!(proxy.get("/").await.status, 502);
    assert_eq!(proxy.ends().await, ["a primary failed/reset"]);
}

#[tokio::test]
async fn an_upstream_that_resets_over_http2_is_a_bad_gateway() {
    // The preface of a server that knows HTTP/2, and then nothing more.
    let gone = saying_raw(b"\0\0\0\x04\0\0\0\0\0").await;
    let yaml = SINGLE.replace("upstreams: {", "upstreams: { http2: true,");
    let mut proxy = Proxy::start(&yaml, &[gone]).await;
    assert_eq!(proxy.get("/").await.status, 502);
    assert_eq!(proxy.ends().await, ["a primary failed/reset"]);
}

#[tokio::test]
async fn an_upstream_that_dies_in_the_middle_of_its_body_breaks_the_callers_too() {
    for head in [
        &b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"[..],
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let dying = saying_raw(head).await;
        let mut proxy = Proxy::start(SINGLE, &[dying]).await;
        let request = at(proxy.address, Request::get("/"), full(""));
        // The head may be on its way already when the connection breaks, or break with it.
        if let Ok(response) = caller().request(request).await {
            assert_eq!(response.status(), 200);
            assert!(response.into_body().collect().await.is_err(), "a half for the whole");
        }
        assert_eq!(proxy.ends().await, ["a primary failed/truncated"]);
    }
}

#[tokio::test]
async fn a_caller_that_leaves_before_the_answer_cancels_it() {
    let a = upstream(|_| async { pending().await }).await;
    let yaml = SINGLE.replace("400ms", "60s");
    let mut proxy = Proxy::start(&yaml, &[a.address]).await;
    let request = at(proxy.address, Request::get("/"), full(""));
    let call = tokio::spawn(caller().request(request));
    crate::support::eventually("the upstream is asked", || a.count() == 1).await;
    call.abort();
    assert_eq!(proxy.stores(1).await, ["a primary cancelled"]);
    assert_eq!(proxy.ends().await, ["a primary cancelled"]);
}

#[tokio::test]
async fn a_caller_that_leaves_in_the_middle_of_the_answer_cancels_it() {
    let a = upstream(|_| async {
        let first = futures_util::stream::iter([Ok::<_, BoxError>(Frame::data(Bytes::from("x")))]);
        let stuck = futures_util::StreamExt::chain(first, futures_util::stream::pending());
        let mut response = respond(200, "");
        *response.body_mut() = BodyExt::boxed(StreamBody::new(stuck));
        response
    })
    .await;
    let mut proxy = Proxy::start(SINGLE, &[a.address]).await;
    let request = at(proxy.address, Request::get("/"), full(""));
    let client = caller();
    let mut body = client.request(request).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    drop((body, client));
    assert_eq!(proxy.stores(1).await, ["a primary cancelled"]);
    assert_eq!(proxy.ends().await, ["a primary cancelled"]);
}

/// The upstream and the shadow must both learn that they have not got the whole of it.
#[tokio::test]
async fn a_caller_that_leaves_in_the_middle_of_its_upload_is_not_taken_for_done() {
    let reading = || {
        upstream(|request| async move {
            match request.into_body().collect().await {
                Ok(_) => respond(200, "whole"),
                Err(_) => respond(400, "broken"),
            }
        })
    };
    let (a, b) = (reading().await, reading().await);
    let yaml = "
experiment: plain
strategy: shadow
primary: a
shadow: { methods: [POST] }
configs:
  - { config_id: a, upstream: UPSTREAM_A }
  - { config_id: b, upstream: UPSTREAM_B }
";
    let mut proxy = Proxy::start(yaml, &[a.address, b.address]).await;
    let mut stream = tokio::net::TcpStream::connect(proxy.address).await.unwrap();
    let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nbegun";
    stream.write_all(head.as_bytes()).await.unwrap();
    crate::support::eventually("both are asked", || a.count() + b.count() == 2).await;
    drop(stream);
    proxy.stores(2).await;
    assert_eq!(proxy.ends().await, ["a primary cancelled", "b shadow failed/incomplete"]);
}

#[tokio::test]
async fn an_upstream_that_answers_before_it_has_read_the_upload_is_heard() {
    let hasty = raw(|mut stream| async move {
        let mut some = [0; 4_096];
        let _ = stream.read(&mut some).await;
        let _ = stream.write_all(b"HTTP/1.1 413 No\r\ncontent-length: 2\r\n\r\nno").await;
        // Left open, as a careful server does, for the caller to hear it.
        while stream.read(&mut some).await.is_ok_and(|count| count > 0) {}
    })
    .await;
    let mut proxy = Proxy::start(SINGLE, &[hasty]).await;
    let answer = proxy.ask(post("/"), vec![0; 300_000]).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (413, "no"));
    assert_eq!(proxy.ends().await, ["a primary success"]);
}

/// A response that says both is taken for what the chunks say.
#[tokio::test]
async fn a_length_beside_chunks_is_not_believed() {
    let both = saying_raw(
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n",
    )
    .await;
    let proxy = Proxy::start(SINGLE, &[both]).await;
    let answer = proxy.get("/").await;
    assert_eq!(answer.text(), "whole");
}

#[tokio::test]
async fn so_many_callers_wait_for_a_connection_and_the_next_is_refused_at_once() {
    // It lets callers in, and never greets them.
    let silent = raw(|stream| async move {
        tokio::time::sleep(PATIENCE).await;
        drop(stream);
    })
    .await;
    let yaml = "
experiment: plain
strategy: single
upstreams: { timeout: 1s, max_waiting: 2 }
configs:
  - { config_id: a, upstream: UPSTREAM_A }
"
    .replace("UPSTREAM_A", &format!("https://{silent}"));
    let mut proxy = Proxy::start(&yaml, &[]).await;
    let (first, second, third) = tokio::join!(proxy.get("/"), proxy.get("/"), proxy.get("/"));
    let mut answers = [first, second, third];
    answers.sort_by_key(|answer| answer.status);
    assert_eq!(answers[0].text(), "503 Service Unavailable: the upstream failed (overloaded)\n");
    assert_eq!((answers[1].status.as_u16(), answers[2].status.as_u16()), (504, 504));
    assert_eq!(
        proxy.ends().await,
        ["a primary failed/overloaded", "a primary failed/timeout", "a primary failed/timeout"]
    );
}

/// Its pool must notice that the connection it kept is gone.
#[tokio::test]
async fn an_upstream_that_comes_back_is_used_again() {
    let a = saying("x").await;
    let proxy = Proxy::start(SINGLE, &[a.address]).await;
    for _ in 0..3 {
        assert_eq!(proxy.get("/").await.status, 200);
    }
    let (closed, mut closings) = tokio::sync::mpsc::unbounded_channel();
    let once = raw(move |mut stream| {
        let closed = closed.clone();
        async move {
            let mut head = [0; 4_096];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx").await;
            tokio::time::sleep(Duration::from_millis(1)).await;
            // Closed though it said nothing of the kind.
            drop(stream);
            let _ = closed.send(());
        }
    })
    .await;
    let proxy = Proxy::start(SINGLE, &[once]).await;
    for _ in 0..20 {
        assert_eq!(proxy.get("/").await.status, 200);
        closings.recv().await.unwrap();
        // What is closed here has to be seen there.
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}
