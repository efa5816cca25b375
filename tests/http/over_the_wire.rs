//! On the client side, and around a service with trailers.

use crate::support::{pool, records};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Version, header};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::net::TcpListener;
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    BoxError,
    branch::Role,
    http::{ForkBody, SHADOW_HEADER, ShadowLayer, place},
    service_fn,
};

/// Serves HTTP/1.1 and h2c with this service.
async fn serve<S, B>(service: S) -> SocketAddr
where
    S: Service<Request<Incoming>, Response = Response<B>, Future: Send> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let _ = auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    address
}

/// What a server was asked: whether as a shadow, and the body.
type Asked = Arc<Mutex<Vec<(bool, Bytes, Option<HeaderMap>)>>>;

fn echo(
    asked: &Asked,
) -> impl Service<Request<Incoming>, Response = Response<Full<Bytes>>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    let asked = asked.clone();
    service_fn(move |request: Request<Incoming>| {
        let asked = asked.clone();
        async move {
            let is_shadow = request.headers().contains_key(SHADOW_HEADER);
            let body = request.into_body().collect().await.unwrap();
            let trailers = body.trailers().cloned();
            let body = body.to_bytes();
            asked.lock().unwrap().push((is_shadow, body.clone(), trailers));
            Ok(Response::new(Full::new(body)))
        }
    })
}

fn layer() -> ShadowLayer {
    ShadowLayer::new(pool(&["a", "b"]).primary("a").unwrap())
        .methods([Method::POST])
        .timeout(Duration::from_secs(5))
}

#[tokio::test]
async fn a_client_is_shadowed_like_a_server() {
    let records = records();
    let asked = Asked::default();
    let address = serve(echo(&asked)).await;
    let client: Client<HttpConnector, ForkBody<Full<Bytes>>> =
        Client::builder(TokioExecutor::new()).build_http();
    let shadow = layer();
    let stack = shadow.layer(records.layer.layer(client));
    let request = Request::post(format!("http://{address}/score"))
        .header(header::AUTHORIZATION, "secret")
        .body(Full::from("question"))
        .unwrap();
    let response = stack.oneshot(request).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "question");
    assert_eq!(records.ends_of(2).await, ["a primary success", "b shadow success"]);
    let mut asked = asked.lock().unwrap();
    asked.sort_by_key(|asked| asked.0);
    let bodies: Vec<_> = asked.iter().map(|(is_shadow, body, _)| (*is_shadow, &body[..])).collect();
    assert_eq!(bodies, [(false, &b"question"[..]), (true, b"question")]);
}

#[tokio::test]
async fn a_client_that_cannot_connect_fails_as_it_does_without_the_layer() {
    let records = records();
    let client: Client<HttpConnector, ForkBody<Full<Bytes>>> =
        Client::builder(TokioExecutor::new()).build_http();
    let stack = layer().layer(records.layer.layer(client));
    // Nothing listens there: the port was just given back.
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let request = Request::post(format!("http://{address}")).body(Full::default()).unwrap();
    let error = stack.oneshot(request).await.unwrap_err();
    assert!(error.is_connect());
    assert_eq!(records.ends_of(2).await, ["a primary failed/error", "b shadow failed/error"]);
}

/// The framing of gRPC, and its status in the trailers.
async fn call_grpc(address: SocketAddr) -> (Bytes, HeaderMap) {
    let client: Client<HttpConnector, _> =
        Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let end =
        HeaderMap::from_iter([("x-checksum".parse().unwrap(), HeaderValue::from_static("7"))]);
    let frames = [
        Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"\0\0\0\0\x02hi"))),
        Ok(Frame::trailers(end)),
    ];
    let body = StreamBody::new(futures_util::stream::iter(frames));
    let request = Request::post(format!("http://{address}/greeter.Greeter/Hello"))
        .version(Version::HTTP_2)
        .header(header::CONTENT_TYPE, "application/grpc")
        .header(header::TE, "trailers")
        .body(body)
        .unwrap();
    let answer = client.request(request).await.unwrap().into_body().collect().await.unwrap();
    let trailers = answer.trailers().cloned().unwrap();
    (answer.to_bytes(), trailers)
}

#[tokio::test]
async fn trailers_pass_both_ways_through_a_shadowed_grpc_server() {
    let records = records();
    let asked = Asked::default();
    let seen = asked.clone();
    let greeter = service_fn(move |request: Request<ForkBody<Incoming>>| {
        let seen = seen.clone();
        async move {
            let is_shadow = place(request.extensions()).unwrap().role() == Role::Shadow;
            let body = request.into_body().collect().await?;
            let trailers = body.trailers().cloned();
            let message = body.to_bytes();
            seen.lock().unwrap().push((is_shadow, message.clone(), trailers));
            let status = HeaderMap::from_iter([(
                "grpc-status".parse().unwrap(),
                HeaderValue::from_static("0"),
            )]);
            let frames = [Ok::<_, Infallible>(Frame::data(message)), Ok(Frame::trailers(status))];
            let mut response = Response::new(StreamBody::new(futures_util::stream::iter(frames)));
            let grpc = HeaderValue::from_static("application/grpc");
            response.headers_mut().insert(header::CONTENT_TYPE, grpc);
            Ok::<_, BoxError>(response)
        }
    });
    let address = serve(layer().layer(records.layer.layer(greeter))).await;
    let (message, trailers) = call_grpc(address).await;
    assert_eq!(
        (&message[..], &trailers["grpc-status"]),
        (&b"\0\0\0\0\x02hi"[..], &"0".parse().unwrap())
    );
    assert_eq!(records.ends_of(2).await, ["a primary success", "b shadow success"]);
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 2);
    for (_, body, trailers) in &*asked {
        assert_eq!(
            (&body[..], &trailers.as_ref().unwrap()["x-checksum"]),
            (&b"\0\0\0\0\x02hi"[..], &"7".parse().unwrap())
        );
    }
}

/// Over the wire a copy with a known length must not swallow the trailers that follow it.
#[tokio::test]
async fn trailers_after_a_known_length_reach_the_upstream_of_a_shadow_over_http2() {
    use crate::support::{FedBody, fed_of};
    let records = records();
    let asked = Asked::default();
    let address = serve(echo(&asked)).await;
    let client: Client<HttpConnector, ForkBody<FedBody>> =
        Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let stack = layer().layer(records.layer.layer(client));
    let (feed, body) = fed_of(4);
    feed.data("body");
    feed.trailers(HeaderMap::from_iter([(
        "x-end".parse().unwrap(),
        HeaderValue::from_static("1"),
    )]));
    drop(feed);
    let request = Request::post(format!("http://{address}"))
        .version(Version::HTTP_2)
        .body(body.not_at_end_with_the_last_byte())
        .unwrap();
    stack.oneshot(request).await.unwrap().into_body().collect().await.unwrap();
    records.ends_of(2).await;
    let asked = asked.lock().unwrap();
    for (is_shadow, body, trailers) in &*asked {
        assert_eq!(body, "body");
        assert!(trailers.as_ref().is_some_and(|t| t.contains_key("x-end")), "shadow: {is_shadow}");
    }
    assert_eq!(asked.len(), 2);
}
