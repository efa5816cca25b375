//! Who is shadowed: switches, breaker, whole units, the control.

use crate::support::{behaving, echo, pool, records};
use std::{
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};
use tower::{Layer, Service};
use tower_spearmint::{
    Place, ShadowLayer, Trial,
    branch::{Role, SkipReason},
    service_fn,
    shadow::{BreakerSettings, BreakerState, ShadowSettings},
};

fn layer() -> ShadowLayer {
    ShadowLayer::new(pool(&["stable", "new", "other"]).primary("stable").unwrap())
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_switch_takes_effect_for_the_next_request_and_is_only_counted() {
    let records = records();
    let layer = layer();
    let mut service = layer.layer(records.layer.layer(echo()));
    layer.set_enabled(false);
    service.call(()).await.unwrap();
    layer.set_enabled(true);
    layer.set_config_enabled("new", false).unwrap();
    service.call(()).await.unwrap();
    layer.set_config_enabled("new", true).unwrap();
    service.call(()).await.unwrap();
    layer.drain(SECOND).await;
    let stats = layer.stats();
    assert_eq!(stats.iter().map(|s| s.switched_off).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(stats.iter().map(|s| s.dispatched).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(stats.iter().map(|s| s.unmatched + s.sampled_out).sum::<u64>(), 0);
    assert_eq!(records.all().await.len(), 3 + 1 + 2);
}

#[tokio::test]
async fn a_switch_is_shared_by_all_services_and_clones_of_the_layer() {
    let layer = layer();
    let mut service = layer.clone().layer(echo()).clone();
    let handle = layer.handle();
    handle.set_enabled(false);
    service.call(()).await.unwrap();
    assert_eq!(layer.stats()[0].switched_off, 1);
    assert!(!handle.is_enabled());
}

#[test]
fn the_primary_is_not_a_shadow_to_switch() {
    let error = layer().set_config_enabled("stable", false).unwrap_err();
    assert_eq!(error.to_string(), "no config `stable`; the pool has `new`, `other`");
}

#[tokio::test(start_paused = true)]
async fn a_shadow_that_fails_mostly_is_skipped_for_a_while_and_tried_again() {
    let records = records();
    let settings = BreakerSettings::default().min_requests(4).open_for(5 * SECOND).probes(1);
    let layer = ShadowLayer::new(pool(&["stable", "new"]).primary("stable").unwrap())
        .breaker(settings)
        .keep_results(0);
    let sick = Arc::new(AtomicBool::new(true));
    let mut service = layer.layer(records.layer.layer({
        let sick = sick.clone();
        behaving(move |id| {
            let fails = id == "new" && sick.load(SeqCst);
            ready(if fails { Err("down".into()) } else { Ok(()) })
        })
    }));
    let mut call = async || {
        service.call(()).await.unwrap();
        layer.drain(SECOND).await;
        layer.stats()[0].breaker.unwrap()
    };
    for _ in 0..3 {
        assert_eq!(call().await, BreakerState::Closed);
    }
    assert_eq!(call().await, BreakerState::Open);
    assert_eq!(call().await, BreakerState::Open);
    tokio::time::sleep(5 * SECOND).await;
    assert_eq!(layer.stats()[0].breaker, Some(BreakerState::HalfOpen));
    assert_eq!(call().await, BreakerState::Open);
    sick.store(false, SeqCst);
    tokio::time::sleep(5 * SECOND).await;
    assert_eq!(call().await, BreakerState::Closed);
    let stats = &layer.stats()[0];
    assert_eq!((stats.dispatched, stats.skipped), (6, 1));
    assert_eq!(stats.skips[&SkipReason::BreakerOpen], 1);
    let ends = records.ends().await;
    assert_eq!(ends.iter().filter(|end| *end == "new shadow skipped/breaker_open").count(), 1);
    assert_eq!(ends.iter().filter(|end| *end == "new shadow failed/error").count(), 5);
    assert_eq!(ends.iter().filter(|end| *end == "stable primary success").count(), 7);
}

#[tokio::test]
async fn of_a_sampled_unit_all_requests_are_shadowed_and_of_the_others_none() {
    let records = records();
    let layer = ShadowLayer::new(pool(&["stable", "new"]).primary("stable").unwrap())
        .sample(0.3)
        .sample_by("salt", |unit: &u32| Some(unit.to_string()));
    let mut service = layer.layer(records.layer.layer(echo()));
    for unit in 0..200_u32 {
        for _ in 0..3 {
            service.call(unit % 100).await.unwrap();
        }
    }
    layer.drain(SECOND).await;
    let stats = &layer.stats()[0];
    // Six requests of each of a hundred units, of which about thirty are in.
    assert_eq!(stats.dispatched % 6, 0);
    assert!((15 * 6..=45 * 6).contains(&stats.dispatched), "{}", stats.dispatched);
    assert_eq!(stats.dispatched + stats.sampled_out, 600);
    let branches = records.all().await;
    assert!(branches.iter().all(|branch| branch.unit.is_some()));
    // With a larger share all that were in still are.
    let units = |branches: &[tower_spearmint::Branch]| {
        let shadows = branches.iter().filter(|branch| branch.role == Role::Shadow);
        shadows.filter_map(|branch| branch.unit).collect::<std::collections::BTreeSet<_>>()
    };
    let more = crate::support::records();
    let wider = layer.sample(0.6);
    let mut service = wider.layer(more.layer.layer(echo()));
    for unit in 0..100_u32 {
        service.call(unit).await.unwrap();
    }
    wider.drain(SECOND).await;
    assert!(units(&branches).is_subset(&units(&more.all().await)));
}

#[tokio::test]
async fn the_control_is_a_second_run_of_the_primarys_config() {
    let records = records();
    let layer = ShadowLayer::new(pool(&["stable", "new"]).primary("stable").unwrap())
        .control(ShadowSettings::default());
    let service = service_fn(|trial: Trial<()>| async move {
        let place: &Place = trial.place();
        Ok::<_, String>(format!("{} {}", place.config_id(), place.role()))
    });
    let mut service = layer.layer(records.layer.layer(service));
    assert_eq!(service.call(()).await.unwrap(), "stable primary");
    layer.drain(SECOND).await;
    let mut results: Vec<_> =
        layer.shadow_results::<String>().into_iter().filter_map(|branch| branch.output).collect();
    results.sort();
    assert_eq!(results, ["new shadow", "stable control"]);
    let roles: Vec<_> = layer.stats().iter().map(|stats| stats.role).collect();
    assert_eq!(roles, [Role::Shadow, Role::Control]);
    assert_eq!(
        records.ends().await,
        ["new shadow success", "stable control success", "stable primary success"]
    );
}

#[tokio::test]
async fn the_control_has_its_own_share_and_switches_with_its_config() {
    let layer = ShadowLayer::new(pool(&["stable", "new"]).primary("stable").unwrap())
        .control(ShadowSettings::default().sample(0.25));
    let mut service = layer.layer(echo());
    for _ in 0..100 {
        service.call(()).await.unwrap();
    }
    layer.set_config_enabled("stable", false).unwrap();
    service.call(()).await.unwrap();
    let stats = layer.stats();
    assert_eq!(stats[0].dispatched, 101);
    assert!((24..=26).contains(&stats[1].dispatched), "{}", stats[1].dispatched);
    assert_eq!(stats[1].switched_off, 1);
}
