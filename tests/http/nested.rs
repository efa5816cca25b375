//! An experiment inside a variant of another.

use crate::support::{FedBody, hear, no_body, pool, records, whole_body};
use http::{Method, Request, Response};
use std::time::Duration;
use tower::{Layer, ServiceExt};
use tower_spearmint::{
    BoxError,
    branch::Role,
    http::{ForkBody, RoundRobinLayer, ShadowLayer, place},
    service_fn,
};

#[tokio::test]
async fn two_outer_and_two_inner_shadowed_configs_give_one_answer_and_three_variant_results() {
    let records = records();
    let outer = ShadowLayer::new(pool(&["a", "b"]).primary("a").unwrap()).experiment("outer");
    let inner = ShadowLayer::new(pool(&["x", "y"]).primary("x").unwrap()).experiment("inner");
    let service = service_fn(|request: Request<ForkBody<ForkBody<FedBody>>>| async move {
        let place = place(request.extensions()).unwrap();
        let outer = place.parent().unwrap();
        let text = format!("{} {}", outer.config_id(), place.config_id());
        assert!(hear(request.into_body()).await.whole);
        Ok::<_, BoxError>(Response::new(whole_body(text)))
    });
    let stack = outer.layer(inner.layer(records.layer.layer(service)));
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let request = Request::get("/").header("traceparent", parent);
    let response = stack.oneshot(request.body(whole_body("question")).unwrap()).await.unwrap();
    assert_eq!(hear(response.into_body()).await.data, b"a x");
    outer.drain(Duration::from_secs(5)).await;
    inner.drain(Duration::from_secs(5)).await;

    let branches = records.all().await;
    let mut pairs: Vec<_> = branches
        .iter()
        .map(|branch| {
            let outer = branch.parent_config_id.as_ref().unwrap();
            assert!(branch.parent.is_some());
            assert_eq!(branch.trace.unwrap().to_string(), parent);
            assert_eq!((&*branch.experiment, branch.request_id), ("inner", branches[0].request_id));
            format!("{outer} {} {}", branch.config_id, branch.role)
        })
        .collect();
    pairs.sort();
    assert_eq!(pairs, ["a x primary", "a y shadow", "b x primary", "b y shadow"]);
}

#[tokio::test]
async fn the_response_carries_the_place_in_the_outer_experiment() {
    let outer = RoundRobinLayer::new(pool(&["a"])).experiment("outer");
    let inner = RoundRobinLayer::new(pool(&["x"])).experiment("inner");
    let service =
        service_fn(|_: Request<FedBody>| async { Ok::<_, BoxError>(Response::new(no_body())) });
    let stack = outer.layer(inner.layer(service));
    let response = stack.oneshot(Request::new(no_body())).await.unwrap();
    let place = place(response.extensions()).unwrap();
    assert_eq!((place.experiment(), place.role()), ("outer", Role::Primary));
}

/// The mark of the outer experiment does not keep the inner one from shadowing.
#[tokio::test]
async fn unsafe_methods_need_a_yes_of_each_experiment() {
    let records = records();
    let outer = ShadowLayer::new(pool(&["a", "b"]).primary("a").unwrap())
        .experiment("outer")
        .methods([Method::POST]);
    let inner = ShadowLayer::new(pool(&["x", "y"]).primary("x").unwrap()).experiment("inner");
    let service = service_fn(|_: Request<ForkBody<ForkBody<FedBody>>>| async {
        Ok::<_, BoxError>(Response::new(no_body()))
    });
    let stack = outer.layer(inner.layer(records.layer.layer(service)));
    let request = Request::builder().method(Method::POST).body(no_body()).unwrap();
    stack.oneshot(request).await.unwrap();
    outer.drain(Duration::from_secs(5)).await;
    assert_eq!(records.ends_of(2).await, ["x primary success", "x primary success"]);
    assert_eq!(inner.stats()[0].unmatched, 2);
}
