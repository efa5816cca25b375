//! The layers in axum.

use crate::support::{Records, records};
use axum::{
    Json, Router,
    body::Body,
    extract::State,
    response::Response,
    routing::{get, post},
};
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use tower::{Layer, Service, ServiceBuilder, ServiceExt};
use tower_spearmint::{
    ConfigPool, Place,
    http::{RoundRobinLayer, ShadowLayer, Variant, place},
};

#[derive(Debug, Deserialize)]
struct RankerConfig {
    model: String,
}

#[derive(Deserialize)]
struct Query {
    words: Vec<String>,
}

#[derive(Serialize)]
struct Ranking {
    model: String,
    count: usize,
}

async fn rank(Variant(ranker): Variant<RankerConfig>, Json(query): Json<Query>) -> Json<Ranking> {
    Json(Ranking { model: ranker.model, count: query.words.len() })
}

async fn who(place: Place) -> String {
    format!("{} {} {}", place.experiment(), place.config_id(), place.role())
}

fn pool() -> ConfigPool {
    ConfigPool::from_yaml_str(
        "
- { config_id: a, model: small }
- { config_id: b, model: large }
",
    )
    .unwrap()
}

fn round_robin() -> RoundRobinLayer {
    RoundRobinLayer::new(pool()).experiment("ranker")
}

async fn text(response: Response) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

/// A service of axum's that is called directly, as its own `serve` does.
async fn ask<S>(service: &mut S, request: Request<Body>) -> Response
where
    S: Service<Request<Body>, Response = Response>,
    S::Error: std::fmt::Debug,
{
    service.ready().await.unwrap().call(request).await.unwrap()
}

fn plain() -> Request<Body> {
    Request::new(Body::empty())
}

fn query() -> Request<Body> {
    Request::builder()
        .method(Method::POST)
        .uri("/rank")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(json!({ "words": ["x", "y"] }).to_string()))
        .unwrap()
}

async fn four<S>(service: &mut S) -> Vec<String>
where
    S: Service<Request<Body>, Response = Response>,
    S::Error: std::fmt::Debug,
{
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(text(ask(service, plain()).await).await);
    }
    answers
}

const CYCLE: [&str; 4] =
    ["ranker a primary", "ranker b primary", "ranker a primary", "ranker b primary"];

/// Which makes a new service for each request.
#[tokio::test]
async fn a_router_without_state_cycles_when_it_is_called_directly() {
    let mut router: Router<()> = Router::new().route("/", get(who)).layer(round_robin());
    assert_eq!(four(&mut router).await, CYCLE);
}

#[tokio::test]
async fn a_router_after_with_state_cycles() {
    async fn with_state(State(()): State<()>, place: Place) -> String {
        who(place).await
    }
    let router: Router<()> = Router::new().route("/", get(with_state)).layer(round_robin());
    assert_eq!(four(&mut router.with_state(())).await, CYCLE);

    async fn with_text(State(_): State<&'static str>, place: Place) -> String {
        who(place).await
    }
    let router: Router<&'static str> =
        Router::new().route("/", get(with_text)).layer(round_robin());
    assert_eq!(four(&mut router.with_state::<()>("state")).await, CYCLE);
}

#[tokio::test]
async fn a_route_layer_and_a_layer_of_a_method_router_cycle() {
    let mut router: Router<()> = Router::new().route("/", get(who)).route_layer(round_robin());
    assert_eq!(four(&mut router).await, CYCLE);

    let mut router: Router<()> = Router::new().route("/", get(who).layer(round_robin()));
    assert_eq!(four(&mut router).await, CYCLE);
}

#[tokio::test]
async fn a_router_as_make_service_cycles() {
    let router: Router<()> = Router::new().route("/", get(who)).layer(round_robin());
    let mut make = router.into_make_service();
    let mut service = make.call(()).await.unwrap();
    assert_eq!(four(&mut service).await, CYCLE);
}

fn shadow() -> ShadowLayer {
    ShadowLayer::new(pool().primary("a").unwrap())
        .experiment("ranker")
        .methods([Method::POST])
        .timeout(Duration::from_secs(2))
}

/// The caller gets the primary's answer, and both branches are recorded.
async fn shadows_an_unmodified_handler(mut router: Router, records: &Records) {
    let response = ask(&mut router, query()).await;
    assert_eq!(response.status(), StatusCode::OK);
    let place = place(response.extensions()).unwrap();
    assert_eq!((place.config_id().as_str(), place.strategy()), ("a", "shadow"));
    assert_eq!(text(response).await, r#"{"model":"small","count":2}"#);
    assert_eq!(records.ends_of(2).await, ["a primary success", "b shadow success"]);
}

#[tokio::test]
async fn a_handler_is_shadowed_under_a_layer_of_the_router() {
    let records = records();
    let layers = ServiceBuilder::new().layer(shadow()).layer(records.layer.clone());
    let router = Router::new().route("/rank", post(rank)).layer(layers);
    shadows_an_unmodified_handler(router, &records).await;
}

#[tokio::test]
async fn a_handler_is_shadowed_under_a_route_layer() {
    let records = records();
    let layers = ServiceBuilder::new().layer(shadow()).layer(records.layer.clone());
    let router = Router::new().route("/rank", post(rank)).route_layer(layers);
    shadows_an_unmodified_handler(router, &records).await;
}

#[tokio::test]
async fn a_handler_is_shadowed_under_a_layer_of_a_method_router() {
    let records = records();
    let layers = ServiceBuilder::new().layer(shadow()).layer(records.layer.clone());
    let router = Router::new().route("/rank", post(rank).layer(layers));
    shadows_an_unmodified_handler(router, &records).await;
}

#[tokio::test]
async fn the_shadow_of_a_handler_sees_its_own_config_and_the_whole_body() {
    let shadow = shadow();
    let mut router: Router<()> = Router::new().route("/rank", post(rank)).layer(shadow.clone());
    ask(&mut router, query()).await;
    shadow.drain(Duration::from_secs(5)).await;
    let results = shadow.shadow_results::<http::Response<tower_spearmint::http::Settled>>();
    let settled = results[0].output.as_ref().unwrap();
    assert_eq!(settled.body().head, r#"{"model":"large","count":2}"#);
}

/// axum takes the body off the answer to a HEAD request, above the logging layer.
#[tokio::test]
async fn a_head_request_is_recorded_as_a_success() {
    let records = records();
    let layers = ServiceBuilder::new().layer(round_robin()).layer(records.layer.clone());
    let mut router: Router<()> = Router::new().route("/", get(who)).layer(layers);
    let head = Request::builder().method(Method::HEAD).body(Body::empty()).unwrap();
    assert_eq!(text(ask(&mut router, head).await).await, "");
    assert_eq!(records.ends_of(1).await, ["a primary success"]);
}

#[tokio::test]
async fn a_handler_under_no_strategy_is_told_what_is_missing() {
    let mut router: Router<()> = Router::new().route("/", get(who)).route("/rank", post(rank));
    for request in [plain(), query()] {
        let response = ask(&mut router, request).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(
            text(response).await,
            "no config: put a strategy (ShadowLayer, RoundRobinLayer, …) around this route"
        );
    }
}

/// The caller need not learn what the config holds.
#[tokio::test]
async fn a_config_that_does_not_fit_the_handler_is_not_shown_to_the_caller() {
    let pool = ConfigPool::from_yaml_str("{ config_id: a, model: 5 }").unwrap();
    let mut router: Router<()> =
        Router::new().route("/rank", post(rank)).layer(RoundRobinLayer::new(pool.clone()));
    let response = ask(&mut router, query()).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(text(response).await, "the config does not fit the handler's type");

    // The error's source, for the operator, names the path and the value.
    let request = Request::new(());
    let mut request = RoundRobinLayer::new(pool)
        .layer(tower_spearmint::service_fn(|request: Request<()>| async move {
            Ok::<_, std::convert::Infallible>(http::Response::new(request.into_parts().0))
        }))
        .oneshot(request)
        .await
        .unwrap()
        .into_body();
    let rejection =
        <Variant<RankerConfig> as axum::extract::FromRequestParts<()>>::from_request_parts(
            &mut request,
            &(),
        )
        .await
        .unwrap_err();
    let source = std::error::Error::source(&rejection).unwrap().to_string();
    assert!(source.contains("`model`") && source.contains('5'), "{source}");
}
