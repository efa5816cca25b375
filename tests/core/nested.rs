//! An experiment inside a variant of another.

use crate::support::{echo, pool, records};
use std::{collections::BTreeSet, time::Duration};
use tower::{Layer, Service};
use tower_spearmint::{
    Branch, MultiBranchLayer, RoundRobinLayer, ShadowLayer, SingleLayer, branch::Role,
};

const SECOND: Duration = Duration::from_secs(1);

fn shadows(name: &str, ids: &[&str; 2]) -> ShadowLayer {
    ShadowLayer::new(pool(ids).primary(ids[0]).unwrap()).experiment(name)
}

fn of<'a>(branches: &'a [Branch], experiment: &str) -> Vec<&'a Branch> {
    branches.iter().filter(|branch| branch.experiment.as_ref() == experiment).collect()
}

/// Outer and inner config id, and role.
fn variants(inner: &[&Branch]) -> BTreeSet<String> {
    inner
        .iter()
        .map(|branch| {
            let outer = branch.parent_config_id.as_ref().unwrap();
            format!("{outer}/{} {}", branch.config_id, branch.role)
        })
        .collect()
}

const ALL_FOUR: [&str; 4] =
    ["big/hot shadow", "big/mild primary", "small/hot shadow", "small/mild primary"];

#[tokio::test(start_paused = true)]
async fn two_outer_and_two_inner_shadowed_configs_give_one_result_and_three_variants() {
    for outer_is_logged in [true, false] {
        let records = records();
        let outer = shadows("outer", &["small", "big"]);
        let inner = shadows("inner", &["mild", "hot"]).nested();
        let service = inner.layer(records.layer.layer(echo()));
        let answer = if outer_is_logged {
            outer.layer(records.layer.layer(service)).call(()).await
        } else {
            outer.layer(service).call(()).await
        };
        assert_eq!(answer.unwrap(), "mild");
        outer.drain(SECOND).await;
        inner.drain(SECOND).await;

        // The three variant results, each to be read back with both ids.
        let of_outer = outer.shadow_results::<String>();
        let of_inner = inner.shadow_results::<String>();
        assert_eq!((of_outer.len(), of_inner.len()), (1, 2));
        assert_eq!(of_outer[0].config_id.as_str(), "big");
        assert_eq!(of_outer[0].output.as_deref(), Some("mild"));
        let parents: BTreeSet<_> = of_inner
            .iter()
            .map(|branch| branch.parent_config_id.as_ref().unwrap().as_str())
            .collect();
        assert_eq!(parents.into_iter().collect::<Vec<_>>(), ["big", "small"]);
        assert!(of_inner.iter().all(|branch| branch.output.as_deref() == Some("hot")));

        let all = records.all().await;
        let (outer, inner) = (of(&all, "outer"), of(&all, "inner"));
        assert_eq!((outer.len(), inner.len()), (if outer_is_logged { 2 } else { 0 }, 4));
        assert_eq!(variants(&inner).into_iter().collect::<Vec<_>>(), ALL_FOUR);
        let request = all[0].request_id;
        assert!(all.iter().all(|branch| branch.request_id == request));
        for outer in outer {
            assert_eq!(outer.parent, None);
            let inside: Vec<_> =
                inner.iter().filter(|branch| branch.parent == Some(outer.id)).collect();
            assert_eq!(inside.len(), 2);
            assert!(inside.iter().all(|b| b.parent_config_id.as_ref() == Some(&outer.config_id)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_outer_experiment_that_is_not_logged_leaves_no_records_of_its_own() {
    let records = records();
    let inner = SingleLayer::new(pool(&["in"])[0].clone()).experiment("inner").nested();
    let outer = RoundRobinLayer::new(pool(&["x", "y"])).experiment("outer");
    let mut service = outer.layer(inner.layer(records.layer.layer(echo())));
    for _ in 0..600 {
        service.call(()).await.unwrap();
    }
    let all = records.all().await;
    assert_eq!((of(&all, "inner").len(), of(&all, "outer").len()), (600, 0));
}

#[tokio::test(start_paused = true)]
async fn every_strategy_nests_in_every_other() {
    let records = records();
    let ab = pool(&["a", "b"]);
    let log = || records.layer.clone();
    let inner = MultiBranchLayer::new(pool(&["m", "n"])).experiment("inner").nested();
    let service = log().layer(inner.layer(log().layer(echo())));
    let mut service = MultiBranchLayer::new(ab).experiment("outer").layer(service);
    let branches = service.call(()).await.unwrap();
    for outer in branches {
        for inner in outer.output.unwrap() {
            assert_eq!(inner.parent, Some(outer.id));
            assert_eq!(inner.request_id, outer.request_id);
        }
    }
    assert_eq!(records.all().await.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn an_inner_experiment_of_a_shadow_is_cut_off_with_it() {
    let records = records();
    let outer = shadows("outer", &["small", "big"]).timeout(SECOND);
    let inner = SingleLayer::new(pool(&["in"])[0].clone()).experiment("inner").nested();
    let hang = tower_spearmint::service_fn(|trial: tower_spearmint::Trial<()>| async move {
        let outer = trial.place().parent().unwrap().role();
        if outer == Role::Shadow {
            std::future::pending::<()>().await;
        }
        Ok::<_, String>(())
    });
    let service = records.layer.layer(inner.layer(records.layer.layer(hang)));
    outer.layer(service).call(()).await.unwrap();
    outer.drain(2 * SECOND).await;
    assert_eq!(
        records.ends().await,
        [
            "big shadow failed/timeout",
            "in primary cancelled",
            "in primary success",
            "small primary success"
        ]
    );
}
