//! The shadow strategy around an HTTP service.

use crate::support::{
    FedBody, Records, body_of, end, fed, hear, no_body, pool, records, whole_body,
};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, header};
use http_body_util::Full;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tower::{Layer, Service};
use tower_spearmint::{
    BoxError,
    branch::{Role, SkipReason},
    http::{ForkBody, SHADOW_HEADER, Settled, ShadowLayer, place},
    service_fn,
};

type Fork = ForkBody<FedBody>;

/// Every request that reached the service: config id, method, headers.
type Seen = Arc<Mutex<Vec<(String, Method, HeaderMap)>>>;

fn recording(
    seen: &Seen,
) -> impl Service<Request<Fork>, Response = Response<FedBody>, Error = BoxError, Future: Send>
+ Clone
+ Send
+ 'static {
    let seen = seen.clone();
    service_fn(move |request: Request<Fork>| {
        let id = place(request.extensions()).unwrap().config_id().to_string();
        seen.lock().unwrap().push((id, request.method().clone(), request.headers().clone()));
        async { Ok::<_, BoxError>(Response::new(no_body())) }
    })
}

fn layer() -> ShadowLayer {
    ShadowLayer::new(pool(&["a", "b"]).primary("a").unwrap()).experiment("ranker")
}

/// What primary and shadow were called with; `None` for no shadow.
async fn headers(
    layer: &ShadowLayer,
    request: http::request::Builder,
) -> (HeaderMap, Option<HeaderMap>) {
    let seen = Seen::default();
    let mut service = layer.layer(recording(&seen));
    service.call(request.body(no_body()).unwrap()).await.unwrap();
    layer.drain(Duration::from_secs(5)).await;
    let mut seen: Vec<_> = seen.lock().unwrap().drain(..).collect();
    seen.sort_by(|a, b| a.0.cmp(&b.0));
    let mut headers = seen.into_iter().map(|(_, _, headers)| headers);
    (headers.next().unwrap(), headers.next())
}

#[tokio::test]
async fn credentials_do_not_reach_a_shadow() {
    let request = Request::builder()
        .header(header::AUTHORIZATION, "secret")
        .header(header::PROXY_AUTHORIZATION, "secret")
        .header(header::COOKIE, "a=1")
        .header(header::COOKIE, "b=2")
        .header("x-user", "ann");
    let (primary, shadow) = headers(&layer(), request).await;
    let shadow = shadow.unwrap();
    assert_eq!(primary.len(), 5);
    for name in [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE] {
        assert!(primary.contains_key(&name));
        assert!(!shadow.contains_key(&name));
    }
    assert_eq!(shadow["x-user"], "ann");
}

#[tokio::test]
async fn credentials_reach_a_shadow_that_is_allowed_them_and_other_headers_can_be_withheld() {
    let layer = layer()
        .forward_headers([header::AUTHORIZATION])
        .withhold_headers(["x-tenant-key".parse().unwrap()]);
    let request = Request::builder()
        .header(header::AUTHORIZATION, "secret")
        .header(header::COOKIE, "a=1")
        .header("x-tenant-key", "k");
    let shadow = headers(&layer, request).await.1.unwrap();
    assert_eq!(shadow[header::AUTHORIZATION], "secret");
    assert!(!shadow.contains_key(header::COOKIE) && !shadow.contains_key("x-tenant-key"));
}

#[tokio::test]
async fn a_shadow_is_marked_with_experiment_and_config_and_the_primary_is_not() {
    let (primary, shadow) = headers(&layer(), Request::builder()).await;
    assert!(!primary.contains_key(SHADOW_HEADER));
    assert_eq!(shadow.unwrap()[SHADOW_HEADER], "ranker/b");
}

#[tokio::test]
async fn a_mark_can_carry_any_name() {
    let layer =
        ShadowLayer::new(pool(&["a", "größer/b c"]).primary("a").unwrap()).experiment("a/b %");
    let shadow = headers(&layer, Request::builder()).await.1.unwrap();
    assert_eq!(shadow[SHADOW_HEADER], "a%2fb%20%25/gr%c3%b6%c3%9fer%2fb%20c");
    let marked = Request::builder().header(SHADOW_HEADER, &shadow[SHADOW_HEADER]);
    assert!(headers(&layer, marked).await.1.is_none());
}

#[tokio::test]
async fn a_marked_request_is_not_shadowed_again_by_the_same_experiment() {
    let layer = layer();
    let marked = Request::builder().header(SHADOW_HEADER, "ranker/b");
    let (primary, shadow) = headers(&layer, marked).await;
    assert_eq!(primary[SHADOW_HEADER], "ranker/b");
    assert!(shadow.is_none());
    assert_eq!(layer.stats()[0].unmatched, 1);
}

/// Both marks stay: two experiments in front of each other would shadow for ever otherwise.
#[tokio::test]
async fn a_request_marked_by_another_experiment_is_shadowed_and_carries_both_marks() {
    let marked = Request::builder().header(SHADOW_HEADER, "pricing/c");
    let shadow = headers(&layer(), marked).await.1.unwrap();
    let marks: Vec<_> = shadow.get_all(SHADOW_HEADER).iter().collect();
    assert_eq!(marks, ["pricing/c", "ranker/b"]);

    let pricing = layer().experiment("pricing");
    let mut again = Request::builder();
    again.headers_mut().unwrap().extend(shadow);
    assert!(headers(&pricing, again).await.1.is_none());
}

#[tokio::test]
async fn only_safe_methods_are_shadowed_until_others_are_allowed() {
    for (method, shadowed) in [
        (Method::GET, true),
        (Method::HEAD, true),
        (Method::OPTIONS, true),
        (Method::POST, false),
        (Method::PUT, false),
        (Method::PATCH, false),
        (Method::DELETE, false),
        (Method::TRACE, false),
        (Method::from_bytes(b"PURGE").unwrap(), false),
    ] {
        let layer = layer();
        let shadow = headers(&layer, Request::builder().method(&method)).await.1;
        assert_eq!(shadow.is_some(), shadowed, "{method}");
        assert_eq!(layer.stats()[0].unmatched, u64::from(!shadowed), "{method}");
    }
    let layer = layer().methods([Method::POST]);
    assert!(headers(&layer, Request::builder().method(Method::POST)).await.1.is_some());
    assert!(headers(&layer, Request::builder()).await.1.is_none());
}

#[tokio::test]
async fn upgrades_and_connect_go_to_the_primary_only() {
    let layer = layer().methods([Method::GET, Method::CONNECT]);
    let upgrade = Request::builder().header(header::UPGRADE, "websocket");
    assert!(headers(&layer, upgrade).await.1.is_none());
    let connect = Request::builder().method(Method::CONNECT).uri("example.org:443");
    assert!(headers(&layer, connect).await.1.is_none());
    let stats = &layer.stats()[0];
    assert_eq!((stats.skips[&SkipReason::Upgrade], stats.skipped, stats.unmatched), (2, 2, 0));
}

/// Whether to send the body was settled between the caller and the primary.
#[tokio::test]
async fn an_expectation_does_not_reach_a_shadow() {
    let request = Request::builder().header(header::EXPECT, "100-continue");
    let (primary, shadow) = headers(&layer(), request).await;
    assert!(primary.contains_key(header::EXPECT));
    assert!(!shadow.unwrap().contains_key(header::EXPECT));
}

/// The primary answers `ok`; the shadow with this body.
async fn shadow_answers(records: &Records, layer: &ShadowLayer, body: FedBody) {
    let body = Arc::new(Mutex::new(Some(body)));
    let service = service_fn(move |request: Request<Fork>| {
        let body = match place(request.extensions()).unwrap().role() {
            Role::Shadow => body.lock().unwrap().take().unwrap(),
            _ => whole_body("ok"),
        };
        async move { Ok::<_, BoxError>(Response::new(body)) }
    });
    let mut service = layer.layer(records.layer.layer(service));
    let response = service.call(Request::new(no_body())).await.unwrap();
    assert_eq!(hear(response.into_body()).await.data, b"ok");
}

#[tokio::test]
async fn a_shadows_response_is_read_to_its_end_and_its_beginning_kept() {
    let records = records();
    let layer = layer().capture_bytes(4);
    shadow_answers(&records, &layer, body_of(&["abc", "def", "ghi"])).await;
    layer.drain(Duration::from_secs(5)).await;
    let results = layer.shadow_results::<Response<Settled>>();
    assert_eq!(end(&results[0]), "b shadow success");
    let settled = results[0].output.as_ref().unwrap().body();
    assert_eq!((settled.head.as_ref(), settled.len), (&b"abcd"[..], 9));
    assert_eq!(records.ends_of(2).await, ["a primary success", "b shadow success"]);
}

#[tokio::test]
async fn a_shadows_response_of_exactly_the_bound_is_read() {
    let records = records();
    let layer = layer().max_response_bytes(6);
    shadow_answers(&records, &layer, body_of(&["abc", "def"])).await;
    assert_eq!(records.ends_of(2).await, ["a primary success", "b shadow success"]);
}

#[tokio::test]
async fn a_shadows_response_beyond_the_bound_is_not_read_further() {
    let records = records();
    let layer = layer().max_response_bytes(5);
    // It never ends: whoever reads on waits for ever.
    let (feed, body) = fed();
    feed.data("abc");
    feed.data("def");
    shadow_answers(&records, &layer, body).await;
    assert_eq!(records.ends_of(2).await, ["a primary success", "b shadow failed/oversized"]);
    let results = layer.shadow_results::<Response<Settled>>();
    assert_eq!(end(&results[0]), "b shadow failed/oversized");
    assert!(feed.is_unheard());
}

#[tokio::test(start_paused = true)]
async fn a_shadows_response_body_that_does_not_end_in_time_is_a_timeout() {
    let records = records();
    let layer = layer().timeout(Duration::from_secs(2));
    let (feed, body) = fed();
    feed.data("abc");
    shadow_answers(&records, &layer, body).await;
    assert_eq!(records.ends_of(2).await, ["a primary success", "b shadow failed/timeout"]);
    assert!(feed.is_unheard());
}

#[tokio::test]
async fn a_shadows_response_body_that_breaks_off_is_truncated() {
    let records = records();
    let (feed, body) = fed();
    feed.data("abc");
    feed.fail();
    shadow_answers(&records, &layer(), body).await;
    assert_eq!(records.ends_of(2).await, ["a primary success", "b shadow failed/truncated"]);
}

#[tokio::test]
async fn a_shadow_that_answers_500_is_a_failure() {
    let records = records();
    let service = service_fn(|request: Request<ForkBody<Full<Bytes>>>| async move {
        let mut response = Response::new(Full::<Bytes>::from("x"));
        if place(request.extensions()).unwrap().role() == Role::Shadow {
            *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        }
        Ok::<_, BoxError>(response)
    });
    let mut service = layer().layer(records.layer.layer(service));
    let response = service.call(Request::new(Full::default())).await.unwrap();
    hear(response.into_body()).await;
    assert_eq!(records.ends_of(2).await, ["a primary success", "b shadow failed/status"]);
}

#[tokio::test]
async fn the_response_carries_the_place_of_the_primary() {
    let seen = Seen::default();
    let response = layer().layer(recording(&seen)).call(Request::new(no_body())).await.unwrap();
    let place = place(response.extensions()).unwrap();
    assert_eq!((place.config_id().as_str(), place.role()), ("a", Role::Primary));
    assert_eq!((place.experiment(), place.strategy()), ("ranker", "shadow"));
}

#[tokio::test]
async fn what_each_branch_read_of_the_request_and_answered_is_measured() {
    let records = records();
    let layer = layer().methods([Method::POST]);
    let service = service_fn(|request: Request<Fork>| async move {
        let is_primary = place(request.extensions()).unwrap().role() == Role::Primary;
        let body = request.into_body();
        // The shadow reads nothing.
        let heard = if is_primary { hear(body).await.data } else { Vec::new() };
        Ok::<_, BoxError>(Response::new(whole_body(heard)))
    });
    let mut service = layer.layer(records.layer.layer(service));
    // The first makes the recorder known.
    for _ in 0..2 {
        let request = Request::post("/").body(body_of(&["abc", "de"])).unwrap();
        let response = service.call(request).await.unwrap();
        assert_eq!(hear(response.into_body()).await.data, b"abcde");
        layer.drain(Duration::from_secs(5)).await;
    }
    let branches = records.all().await;
    let last = |role| branches.iter().rfind(|branch| branch.role == role).unwrap();
    let (primary, shadow) = (last(Role::Primary), last(Role::Shadow));
    assert_eq!((primary.bytes_in, primary.bytes_out), (Some(5), Some(5)));
    assert_eq!((shadow.bytes_in, shadow.bytes_out), (Some(0), Some(0)));
    assert!(primary.first_byte_ns.unwrap() <= primary.duration_ns);
}
