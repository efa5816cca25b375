//! Numbers that a service says of its branch.

use crate::support::{pool, records};
use serde_json::json;
use tower::{BoxError, Layer, Service};
use tower_spearmint::{RoundRobinLayer, ShadowLayer, SingleLayer, Trial, branch::Role, service_fn};

#[tokio::test(start_paused = true)]
async fn what_a_service_says_of_its_branch_is_recorded_with_it() {
    let records = records();
    let service = service_fn(|trial: Trial<u32>| async move {
        trial.metric("tokens", 800.0);
        trial.metric("cost", 0.004);
        trial.metric("tokens", 812.0);
        Ok::<_, BoxError>(())
    });
    let mut service = RoundRobinLayer::new(pool(&["a"])).layer(records.layer.layer(service));
    service.call(1).await.unwrap();
    let branch = &records.all().await[0];
    let json = serde_json::to_value(branch).unwrap();
    assert_eq!(json["metrics"], json!({ "cost": 0.004, "tokens": 812.0 }));
}

#[tokio::test(start_paused = true)]
async fn what_a_branch_said_before_it_failed_is_recorded() {
    let records = records();
    let service = service_fn(|trial: Trial<()>| async move {
        trial.metric("tokens", 3.0);
        Err::<(), BoxError>("it fails".into())
    });
    let layer = SingleLayer::new(pool(&["a"])[0].clone());
    layer.layer(records.layer.layer(service)).call(()).await.unwrap_err();
    let branch = &records.all().await[0];
    assert_eq!((branch.is_success(), branch.metrics.get("tokens")), (false, Some(3.0)));
}

#[tokio::test(start_paused = true)]
async fn a_shadow_and_its_primary_each_have_their_own() {
    let records = records();
    let service = service_fn(|trial: Trial<()>| async move {
        trial.metric("score", if trial.place().role() == Role::Shadow { 2.0 } else { 1.0 });
        Ok::<_, BoxError>(())
    });
    let pool = pool(&["a", "b"]).primary("a").unwrap();
    let mut service = ShadowLayer::new(pool).layer(records.layer.layer(service));
    service.call(()).await.unwrap();
    records.ends_of(2).await;
    let mut said: Vec<_> = records
        .all()
        .await
        .iter()
        .map(|branch| (branch.role.as_str(), branch.metrics.get("score")))
        .collect();
    said.sort_unstable_by_key(|(role, _)| *role);
    assert_eq!(said, [("primary", Some(1.0)), ("shadow", Some(2.0))]);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_counted_and_the_rest_is_recorded() {
    let records = records();
    let service = service_fn(|trial: Trial<()>| async move {
        trial.metric("to kens", 1.0);
        trial.metric("tokens", f64::NAN);
        trial.metric("cost", 2.0);
        Ok::<_, BoxError>(())
    });
    let mut service = RoundRobinLayer::new(pool(&["a"])).layer(records.layer.layer(service));
    service.call(()).await.unwrap();
    let branch = &records.all().await[0];
    assert_eq!((branch.metrics.len(), branch.metrics.get("cost")), (1, Some(2.0)));
    assert_eq!(records.recorder.stats().metrics_refused, 2);
}

#[tokio::test(start_paused = true)]
async fn without_a_logging_layer_nobody_hears_it() {
    let service = service_fn(|trial: Trial<()>| async move {
        trial.metric("tokens", 1.0);
        Ok::<_, BoxError>(())
    });
    let mut service = RoundRobinLayer::new(pool(&["a"])).layer(service);
    service.call(()).await.unwrap();
}
