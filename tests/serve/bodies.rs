//! What passes through is what was sent.

use crate::support::{
    Proxy, Upstream, ask, at, caller, echo, full, h2_caller, pattern, post, read, respond, saying,
    upstream,
};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Version, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use std::{sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot};
use tower_spearmint::BoxError;

const SINGLE: &str = "
experiment: plain
strategy: single
configs:
  - { config_id: a, upstream: UPSTREAM_A }
";

const SHADOW: &str = "
experiment: plain
strategy: shadow
primary: a
shadow: { methods: [GET, HEAD, POST, PUT], body_buffer: 32MiB, max_response_bytes: 32MiB }
configs:
  - { config_id: a, upstream: UPSTREAM_A }
  - { config_id: b, upstream: UPSTREAM_B }
";

/// Frames of this many bytes, of unknown length.
fn chunked(bytes: Bytes, size: usize) -> crate::support::Body {
    let mut rest = bytes;
    let frames = std::iter::from_fn(move || {
        let frame = rest.split_to(size.min(rest.len()));
        (!frame.is_empty()).then(|| Ok::<_, BoxError>(Frame::data(frame)))
    });
    BodyExt::boxed(StreamBody::new(futures_util::stream::iter(frames.collect::<Vec<_>>())))
}

/// Answers with the body it was sent, as chunks if it came so.
async fn faithful() -> Upstream {
    upstream(|request| async move {
        let is_chunked = request.headers().get(header::CONTENT_LENGTH).is_none();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let mut response = respond(200, Bytes::new());
        *response.body_mut() = if is_chunked { chunked(body, 10_000) } else { full(body) };
        response
    })
    .await
}

#[tokio::test]
async fn bodies_of_every_kind_pass_unchanged_both_ways_over_both_protocols() {
    let (a, b) = (faithful().await, faithful().await);
    let mut proxy = Proxy::start(SHADOW, &[a.address, b.address]).await;
    for client in [caller(), h2_caller()] {
        for len in [0, 1_024, 10 << 20] {
            for is_chunked in [false, true] {
                let bytes = pattern(len);
                let body =
                    if is_chunked { chunked(bytes.clone(), 7_000) } else { full(bytes.clone()) };
                let request = at(proxy.address, post("/echo"), body);
                let answer = read(client.request(request).await.unwrap()).await;
                assert_eq!(answer.status, 200);
                assert!(answer.body == bytes, "{len} bytes came back as {}", answer.body.len());
            }
        }
    }
    let tally = proxy.tally().await;
    assert_eq!(tally["a primary success"], 12);
    // A healthy shadow had all of it, too.
    assert_eq!(tally["b shadow success"], 12, "{tally:?}");
}

#[tokio::test]
async fn a_known_length_stays_known_and_an_unknown_one_unknown() {
    let a = faithful().await;
    let proxy = Proxy::start(SINGLE, &[a.address]).await;
    let answer = proxy.ask(post("/"), "12345").await;
    assert_eq!(answer.headers[header::CONTENT_LENGTH], "5");
    assert_eq!(a.only().headers[header::CONTENT_LENGTH], "5");

    let request = at(proxy.address, post("/"), chunked(Bytes::from("12345"), 2));
    let answer = read(caller().request(request).await.unwrap()).await;
    assert!(!answer.headers.contains_key(header::CONTENT_LENGTH));
    assert_eq!(answer.body, "12345");
    assert!(!a.only().headers.contains_key(header::CONTENT_LENGTH));
}

#[tokio::test]
async fn statuses_without_a_body_and_redirects_pass_untouched() {
    let a = upstream(|request| async move {
        let status: u16 = request.uri().path()[1..].parse().unwrap();
        let mut response = respond(status, if matches!(status, 204 | 304) { "" } else { "text" });
        response.headers_mut().insert(header::LOCATION, "/elsewhere?x=1".parse().unwrap());
        response.headers_mut().insert(header::ETAG, "\"v1\"".parse().unwrap());
        response
    })
    .await;
    let mut proxy = Proxy::start(SINGLE, &[a.address]).await;
    for status in [200_u16, 204, 301, 302, 304, 307, 404, 418, 429, 500, 503] {
        let path = format!("/{status}");
        let through = proxy.get(&path).await;
        let direct = ask(a.address, Request::get(&path), "").await;
        assert_eq!((through.status, &through.body), (direct.status, &direct.body), "{status}");
        assert_eq!(without_date(through.headers), without_date(direct.headers), "{status}");
    }
    let tally = proxy.tally().await;
    assert_eq!((tally["a primary success"], tally["a primary failed/status"]), (9, 2));
}

fn without_date(mut headers: HeaderMap) -> HeaderMap {
    headers.remove(header::DATE);
    headers
}

#[tokio::test]
async fn the_answer_to_a_head_request_keeps_its_length_and_has_no_body() {
    let (a, b) = (saying("twelve bytes").await, saying("twelve").await);
    let mut proxy = Proxy::start(SHADOW, &[a.address, b.address]).await;
    let head = Request::builder().method(Method::HEAD).uri("/");
    let answer = proxy.ask(head, "").await;
    assert_eq!(
        (answer.headers[header::CONTENT_LENGTH].as_bytes(), answer.body.len()),
        (&b"12"[..], 0)
    );
    assert_eq!(proxy.ends().await, ["a primary success", "b shadow success"]);
}

/// Each event must be with the caller before the upstream sends the next.
#[tokio::test]
async fn events_pass_one_by_one() {
    let (heard, next) = mpsc::unbounded_channel::<()>();
    let next = Arc::new(tokio::sync::Mutex::new(next));
    let a = upstream(move |_| {
        let next = next.clone();
        async move {
            let events = futures_util::stream::unfold(0, move |count| {
                let next = next.clone();
                async move {
                    if count > 0 {
                        next.lock().await.recv().await;
                    }
                    let event = Bytes::from(format!("data: {count}\n\n"));
                    (count < 5).then_some((Ok::<_, BoxError>(Frame::data(event)), count + 1))
                }
            });
            let mut response = respond(200, "");
            let media = "text/event-stream".parse().unwrap();
            response.headers_mut().insert(header::CONTENT_TYPE, media);
            *response.body_mut() = BodyExt::boxed(StreamBody::new(SyncStream(Box::pin(events))));
            response
        }
    })
    .await;
    let b = saying("data: x\n\n").await;
    let mut proxy = Proxy::start(SHADOW, &[a.address, b.address]).await;
    let request = at(proxy.address, Request::get("/events"), full(""));
    let response = caller().request(request).await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut body = response.into_body();
    for count in 0..5 {
        let event = tokio::time::timeout(crate::support::PATIENCE, body.frame());
        let event = event.await.expect("held back").unwrap().unwrap().into_data().unwrap();
        assert_eq!(event, format!("data: {count}\n\n"));
        heard.send(()).unwrap();
    }
    assert!(body.frame().await.is_none());
    assert_eq!(proxy.ends().await, ["a primary success", "b shadow success"]);
}

/// `BoxBody` wants `Sync`, which a body that is only ever polled can have.
struct SyncStream<S>(std::pin::Pin<Box<S>>);

impl<S: futures_util::Stream> futures_util::Stream for SyncStream<S> {
    type Item = S::Item;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<S::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

/// The upstream's answer begins before the upload has ended.
#[tokio::test]
async fn an_upload_and_its_answer_can_stream_at_the_same_time() {
    let a = upstream(|request| async move {
        let mut response = respond(200, "");
        *response.body_mut() = request.into_body().map_err(BoxError::from).boxed();
        response
    })
    .await;
    let proxy = Proxy::start(SINGLE, &[a.address]).await;
    let (sender, receiver) = mpsc::unbounded_channel::<Result<Frame<Bytes>, BoxError>>();
    let frames = futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|frame| (frame, receiver))
    });
    let body = BodyExt::boxed(StreamBody::new(SyncStream(Box::pin(frames))));
    sender.send(Ok(Frame::data("one".into()))).unwrap();
    let request = at(proxy.address, post("/"), body);
    let mut echoed = h2_caller().request(request).await.unwrap().into_body();
    assert_eq!(echoed.frame().await.unwrap().unwrap().into_data().unwrap(), "one");
    sender.send(Ok(Frame::data("two".into()))).unwrap();
    assert_eq!(echoed.frame().await.unwrap().unwrap().into_data().unwrap(), "two");
    drop(sender);
    assert!(echoed.collect().await.unwrap().to_bytes().is_empty());
}

#[tokio::test]
async fn trailers_pass_both_ways_to_an_upstream_over_http2() {
    let a = upstream(|request| async move {
        assert_eq!(request.version(), Version::HTTP_2);
        let body = request.into_body().collect().await.unwrap();
        let trailers = body.trailers().cloned().unwrap_or_default();
        let frames =
            [Ok::<_, BoxError>(Frame::data(body.to_bytes())), Ok(Frame::trailers(trailers))];
        let mut response = respond(200, "");
        *response.body_mut() = BodyExt::boxed(StreamBody::new(futures_util::stream::iter(frames)));
        response
    })
    .await;
    let yaml = format!("{SINGLE}upstreams: {{ http2: true }}\n");
    let mut proxy = Proxy::start(&yaml, &[a.address]).await;
    let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]);
    let frames =
        [Ok::<_, BoxError>(Frame::data("hi".into())), Ok(Frame::trailers(trailers.clone()))];
    let body = BodyExt::boxed(StreamBody::new(futures_util::stream::iter(frames)));
    let request = at(proxy.address, post("/Greeter/Hello").header(header::TE, "trailers"), body);
    let response = h2_caller().request(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.trailers(), Some(&trailers));
    assert_eq!(body.to_bytes(), "hi");
    assert_eq!(proxy.ends().await, ["a primary success"]);
}

#[tokio::test]
async fn a_caller_that_waits_to_be_told_to_go_on_is_told() {
    let a = echo().await;
    let proxy = Proxy::start(SINGLE, &[a.address]).await;
    let head = format!(
        "POST / HTTP/1.1\r\nhost: {}\r\ncontent-length: 4\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n",
        proxy.address
    );
    let address = proxy.address;
    let (done, back) = oneshot::channel();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut first = [0; 25];
        stream.read_exact(&mut first).unwrap();
        stream.write_all(b"body").unwrap();
        let mut rest = String::new();
        stream.read_to_string(&mut rest).unwrap();
        done.send((first, rest)).unwrap();
    });
    let (first, rest) = back.await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 100 Continue\r\n\r\n");
    assert!(rest.starts_with("HTTP/1.1 200 OK\r\n") && rest.ends_with("body"), "{rest}");
}
