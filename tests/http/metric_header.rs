//! Numbers that a service says in a response header.

use crate::support::{body_of, fed, hear, pool, records};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::BodyExt;
use std::time::Duration;
use tower::{Layer, Service};
use tower_spearmint::{
    BoxError,
    http::{METRIC_HEADER, ShadowLayer, SingleLayer, place},
    service_fn,
};

fn single() -> SingleLayer {
    SingleLayer::new(pool(&["a"])[0].clone())
}

#[tokio::test]
async fn the_numbers_are_recorded_with_the_branch_and_the_caller_does_not_see_them() {
    let records = records();
    let service = service_fn(|_: Request<()>| async {
        let response = Response::builder()
            .header(METRIC_HEADER, "tokens=812, score=0.75")
            .header(METRIC_HEADER, "score=0.8;of=1, cost=oops, x y=1")
            .header("x-other", "stays");
        Ok::<_, BoxError>(response.body(body_of(&["answer"]))?)
    });
    let mut service = single().layer(records.layer.layer(service));
    let response = service.call(Request::new(())).await.unwrap();
    assert_eq!(response.headers().len(), 1, "{:?}", response.headers());
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "answer");
    let branch = &records.all().await[0];
    let said: Vec<_> = branch.metrics.iter().collect();
    assert_eq!(said, [("score", 0.8), ("tokens", 812.0)]);
    // What is no number, and what is no name.
    assert_eq!(records.recorder.stats().metrics_refused, 2);
}

#[tokio::test]
async fn trailers_say_them_too_and_arrive_without() {
    let records = records();
    let (feed, body) = fed();
    let body = std::sync::Mutex::new(Some(body));
    let service = service_fn(move |_: Request<()>| {
        let body = body.lock().unwrap().take().unwrap();
        async { Ok::<_, BoxError>(Response::new(body)) }
    });
    let mut service = single().layer(records.layer.layer(service));
    let response = service.call(Request::new(())).await.unwrap();
    feed.data("token by token");
    let mut trailers = HeaderMap::new();
    trailers.insert(METRIC_HEADER, HeaderValue::from_static("tokens=3"));
    trailers.insert("x-checksum", HeaderValue::from_static("1"));
    feed.trailers(trailers);
    drop(feed);
    let heard = response.into_body().collect().await.unwrap();
    let names: Vec<_> = heard.trailers().unwrap().keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["x-checksum"]);
    assert_eq!(records.all().await[0].metrics.get("tokens"), Some(3.0));
}

#[tokio::test]
async fn each_variant_says_its_own_and_that_is_no_difference_between_their_answers() {
    let records = records();
    let service = service_fn(|request: Request<_>| async move {
        let id = place(request.extensions()).unwrap().config_id().to_string();
        let tokens = if id == "a" { "tokens=1" } else { "tokens=2" };
        let response = Response::builder().header(METRIC_HEADER, tokens);
        drop::<Request<tower_spearmint::http::ForkBody<crate::support::FedBody>>>(request);
        Ok::<_, BoxError>(response.body(body_of(&["same"]))?)
    });
    let shadow = ShadowLayer::new(pool(&["a", "b"]).primary("a").unwrap());
    #[cfg(feature = "compare")]
    let shadow =
        shadow.compare(tower_spearmint::http::CompareRules::default().headers([METRIC_HEADER]));
    let mut service = shadow.layer(records.layer.layer(service));
    let request = Request::new(crate::support::no_body());
    hear(service.call(request).await.unwrap().into_body()).await;
    shadow.drain(Duration::from_secs(30)).await;
    let said: Vec<_> = records.all().await.iter().map(|b| b.metrics.get("tokens")).collect();
    assert_eq!(said, [Some(1.0), Some(2.0)]);
    #[cfg(feature = "compare")]
    {
        let stats = &shadow.handle().stats()[0];
        assert_eq!((stats.compared, stats.different), (1, 0));
    }
}
