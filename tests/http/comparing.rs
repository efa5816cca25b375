//! Answers over HTTP are compared while they stream to the caller.

use crate::support::{FedBody, body_of, fed, hear, no_body, pool, whole_body};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tower::{Layer, Service};
use tower_spearmint::{
    BoxError,
    branch::Role,
    carrier::InTrial,
    compare::Comparison,
    http::{CompareRules, ForkBody, Forked, ShadowLayer, place},
    service_fn,
    shadow::GenericShadowLayer,
};

type Layered = GenericShadowLayer<Forked, tower_spearmint::assign::NoKey, CompareRules>;

fn layer() -> Layered {
    ShadowLayer::new(pool(&["a", "b"]).primary("a").unwrap()).compare(CompareRules::default())
}

const SECOND: Duration = Duration::from_secs(1);

/// The service answers with these, one for the primary and one for the shadow.
fn answering(
    primary: Response<FedBody>,
    shadow: Response<FedBody>,
) -> impl Service<
    Request<ForkBody<FedBody>>,
    Response = Response<FedBody>,
    Error = BoxError,
    Future: Send,
> + Clone
+ Send
+ 'static {
    let answers = Arc::new(Mutex::new((Some(primary), Some(shadow))));
    service_fn(move |request: Request<ForkBody<FedBody>>| {
        let mut answers = answers.lock().unwrap();
        let answer = match place(request.extensions()).unwrap().role() {
            Role::Primary => answers.0.take(),
            _ => answers.1.take(),
        };
        async move { Ok::<_, BoxError>(answer.unwrap()) }
    })
}

/// What comes of comparing these two, both read to the end.
async fn compared(
    layer: &Layered,
    primary: Response<FedBody>,
    shadow: Response<FedBody>,
) -> Vec<Comparison> {
    let mut service = layer.layer(answering(primary, shadow));
    let response = service.call(Request::new(no_body())).await.unwrap();
    hear(response.into_body()).await;
    layer.drain(SECOND).await;
    layer.comparisons()
}

fn paths(comparisons: &[Comparison]) -> Vec<&str> {
    assert_eq!(comparisons.len(), 1);
    comparisons[0].differences.list().iter().map(|difference| &*difference.path).collect()
}

fn json(text: &'static str) -> Response<FedBody> {
    let mut response = Response::new(whole_body(text));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

#[tokio::test]
async fn json_is_compared_by_path_and_the_status_with_it() {
    let mut shadow = json(r#"{ "id": 2, "name": "tea" }"#);
    *shadow.status_mut() = StatusCode::CREATED;
    let found = compared(&layer(), json(r#"{"name":"tea","id":1}"#), shadow).await;
    assert_eq!(paths(&found), ["status", "/id"]);
}

#[tokio::test]
async fn how_a_body_is_cut_into_frames_does_not_count() {
    let found = compared(
        &layer(),
        Response::new(body_of(&["he", "llo"])),
        Response::new(whole_body("hello")),
    )
    .await;
    assert!(found[0].is_equal());
}

#[tokio::test]
async fn bodies_beyond_what_is_kept_are_compared_by_their_hash() {
    let layer = layer().capture_bytes(4);
    let found = compared(
        &layer,
        Response::new(body_of(&["hello ", "world"])),
        Response::new(body_of(&["hello", " world"])),
    )
    .await;
    assert!(found[0].is_equal());
    let found = compared(
        &layer,
        Response::new(body_of(&["hello world"])),
        Response::new(body_of(&["hello World"])),
    )
    .await;
    assert_eq!(paths(&found), ["body"]);
}

#[tokio::test]
async fn the_caller_gets_each_frame_as_it_comes_though_all_are_compared() {
    let layer = layer();
    let (feed, body) = fed();
    let mut service =
        layer.layer(answering(Response::new(body), Response::new(body_of(&["one", "two"]))));
    let response = service.call(Request::new(no_body())).await.unwrap();
    let mut body = Box::pin(response.into_body());
    for piece in ["one", "two"] {
        feed.data(piece);
        let frame = http_body_util::BodyExt::frame(&mut body).await.unwrap().unwrap();
        assert_eq!(frame.data_ref().unwrap(), piece);
        assert!(layer.comparisons().is_empty());
    }
    drop(feed);
    hear(body).await;
    layer.drain(SECOND).await;
    assert!(layer.comparisons()[0].is_equal());
}

#[tokio::test]
async fn what_the_caller_did_not_read_to_its_end_is_not_compared() {
    let layer = layer();
    let (feed, body) = fed();
    feed.data("one");
    let mut service = layer.layer(answering(Response::new(body), Response::new(whole_body("one"))));
    let response = service.call(Request::new(no_body())).await.unwrap();
    drop(response);
    layer.drain(SECOND).await;
    assert!(layer.comparisons().is_empty());
    assert_eq!((layer.stats()[0].compared, layer.stats()[0].not_compared), (0, 1));
}

#[tokio::test]
async fn a_primary_that_breaks_off_is_not_compared() {
    let layer = layer();
    let (feed, body) = fed();
    feed.data("one");
    feed.fail();
    let found = compared(&layer, Response::new(body), Response::new(whole_body("one"))).await;
    assert!(found.is_empty());
    assert_eq!(layer.stats()[0].not_compared, 1);
}

#[tokio::test]
async fn trailers_after_a_body_of_known_length_are_compared() {
    let answer = |status: &'static str| {
        let (feed, body) = crate::support::fed_of(3);
        feed.data("one");
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static(status));
        feed.trailers(trailers);
        Response::new(body.not_at_end_with_the_last_byte())
    };
    let found = compared(&layer(), answer("0"), answer("13")).await;
    assert_eq!(paths(&found), ["trailer:grpc-status"]);
}

/// A server that knows the length asks for no more after the last byte.
#[tokio::test]
async fn a_body_that_was_read_to_its_last_byte_and_dropped_was_complete() {
    let layer = layer();
    let (feed, body) = crate::support::fed_of(3);
    feed.data("one");
    let primary = Response::new(body.not_at_end_with_the_last_byte());
    let mut service = layer.layer(answering(primary, Response::new(whole_body("one"))));
    let response = service.call(Request::new(no_body())).await.unwrap();
    let mut body = Box::pin(response.into_body());
    http_body_util::BodyExt::frame(&mut body).await.unwrap().unwrap();
    drop(body);
    layer.drain(SECOND).await;
    assert!(layer.comparisons()[0].is_equal());
}

#[tokio::test]
async fn answers_without_a_body_are_compared_at_once() {
    let empty = |status| {
        let mut response = Response::new(no_body());
        *response.status_mut() = status;
        response
    };
    let layer = layer();
    let mut service =
        layer.layer(answering(empty(StatusCode::NO_CONTENT), empty(StatusCode::NOT_MODIFIED)));
    // Nobody reads what is not there.
    drop(service.call(Request::new(no_body())).await.unwrap());
    layer.drain(SECOND).await;
    assert_eq!(paths(&layer.comparisons()), ["status"]);
}

#[test]
fn the_faces_are_one_layer_with_the_same_methods() {
    fn of<C: Default>() -> GenericShadowLayer<C> {
        GenericShadowLayer::<C>::new(pool(&["a", "b"]).primary("a").unwrap())
    }
    let _ = of::<InTrial>().sample(0.5).control(Default::default());
    let _ = of::<Forked>().sample(0.5).control(Default::default());
}
