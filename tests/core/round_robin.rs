//! One config per request: in turn, by weight, by unit.

use crate::support::{echo, poll_once, pool, records, tally};
use std::{task::Poll, thread};
use tower::{Layer, Service};
use tower_spearmint::{RoundRobinLayer, Trial, assign::UnitKey, service_fn};

fn answer<S>(service: &mut S) -> String
where
    S: Service<(), Response = String>,
    S::Error: std::fmt::Debug,
{
    let Poll::Ready(answer) = poll_once(service.call(())) else { panic!("not at once") };
    answer.unwrap()
}

#[test]
fn three_configs_take_exact_turns_over_eight_threads_and_their_clones() {
    let layer = RoundRobinLayer::new(pool(&["a", "b", "c"]));
    let service = layer.layer(echo());
    let answers: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let mut service = service.clone();
                let layer = &layer;
                scope.spawn(move || {
                    (0..3_750)
                        .map(|call| match (call + thread) % 3 {
                            0 => answer(&mut service),
                            1 => answer(&mut service.clone()),
                            _ => answer(&mut layer.layer(echo())),
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let counts = tally(answers);
    assert_eq!(
        counts.into_iter().collect::<Vec<_>>(),
        [("a".to_owned(), 10_000), ("b".to_owned(), 10_000), ("c".to_owned(), 10_000)]
    );
}

#[test]
fn a_service_made_anew_for_each_request_goes_on_with_the_turns() {
    let layer = RoundRobinLayer::new(pool(&["a", "b"]));
    let answers: Vec<_> = (0..4).map(|_| answer(&mut layer.layer(echo()))).collect();
    assert_eq!(answers, ["a", "b", "a", "b"]);
}

fn drawn(layer: &RoundRobinLayer, count: usize) -> Vec<String> {
    let mut service = layer.layer(echo());
    (0..count).map(|_| answer(&mut service)).collect()
}

#[test]
fn the_same_seed_draws_the_same_and_another_seed_another() {
    let layer = |seed| {
        let pool = pool(&["a", "b", "c"]);
        RoundRobinLayer::new(pool)
            .weighted([("a", 5.0), ("b", 3.0), ("c", 2.0)])
            .unwrap()
            .seed(seed)
    };
    assert_eq!(drawn(&layer(7), 1_000), drawn(&layer(7), 1_000));
    assert_ne!(drawn(&layer(7), 1_000), drawn(&layer(8), 1_000));
}

#[test]
fn seed_and_weights_may_be_given_in_any_order() {
    let layer = || RoundRobinLayer::new(pool(&["a", "b"]));
    let weights = [("a", 1.0), ("b", 1.0)];
    let one = layer().seed(9).weighted(weights).unwrap();
    let other = layer().weighted(weights).unwrap().seed(9);
    assert_eq!(drawn(&one, 200), drawn(&other, 200));
}

#[test]
fn weighted_shares_are_right_within_bounds() {
    let weights = [("a", 9.0), ("b", 1.0), ("never", 0.0)];
    let layer =
        RoundRobinLayer::new(pool(&["a", "b", "never"])).weighted(weights).unwrap().seed(42);
    let counts = tally(drawn(&layer, 100_000));
    // Five standard deviations of a binomial with p = 0.1.
    assert!(counts["b"].abs_diff(10_000) < 475, "{counts:?}");
    assert!(!counts.contains_key("never"));
}

#[test]
fn wrong_weights_say_what_would_be_right() {
    let layer = |weights: &[(&'static str, f64)]| {
        let error = RoundRobinLayer::new(pool(&["a", "b"])).weighted(weights.iter().copied());
        error.unwrap_err().to_string()
    };
    assert_eq!(
        layer(&[("a", -1.0), ("b", 1.0)]),
        "the weight of `a` is -1; a weight is a finite number of at least 0"
    );
    assert_eq!(
        layer(&[("a", f64::NAN), ("b", 1.0)]),
        "the weight of `a` is NaN; a weight is a finite number of at least 0"
    );
    assert_eq!(layer(&[("a", 0.0), ("b", 0.0)]), "all weights are 0; nothing could be chosen");
    assert_eq!(
        layer(&[("a", 1.0)]),
        "no weight for `b`; give every config of the pool one (0 is allowed)"
    );
    assert_eq!(layer(&[("a", 1.0), ("c", 1.0)]), "a weight for `c`, which is not in the pool");
    assert_eq!(layer(&[("a", 1.0), ("a", 1.0)]), "two weights for `a`");
}

#[derive(Clone)]
struct User(Option<u32>);

fn by_user(user: &User) -> Option<String> {
    user.0.map(|id| format!("user-{id}"))
}

fn sticky() -> impl Fn(User) -> String {
    let layer = RoundRobinLayer::new(pool(&["a", "b", "c"]))
        .weighted([("a", 5.0), ("b", 3.0), ("c", 2.0)])
        .unwrap()
        .sticky("ranker", by_user);
    let service = layer.layer(service_fn(|trial: Trial<User>| {
        std::future::ready(Ok::<_, String>(trial.config().id().to_string()))
    }));
    move |user| {
        let Poll::Ready(Ok(id)) = poll_once(service.clone().call(user)) else { panic!() };
        id
    }
}

#[test]
fn a_unit_gets_the_same_config_from_every_instance() {
    let (one, other) = (sticky(), sticky());
    for id in 0..1_000 {
        let user = User(Some(id));
        let first = one(user.clone());
        assert_eq!(first, one(user.clone()));
        assert_eq!(first, other(user));
    }
}

#[test]
fn the_shares_of_sticky_units_are_right() {
    let assigned = sticky();
    let counts = tally((0..100_000).map(|id| assigned(User(Some(id)))));
    for (id, share) in [("a", 0.5_f64), ("b", 0.3), ("c", 0.2)] {
        let five_sigma = 5.0 * (100_000.0 * share * (1.0 - share)).sqrt();
        let off = (counts[id] as f64 - 100_000.0 * share).abs();
        assert!(off < five_sigma, "{id}: {counts:?}");
    }
}

#[test]
fn a_request_without_a_key_is_assigned_at_random() {
    let assigned = sticky();
    let counts = tally((0..10_000).map(|_| assigned(User(None))));
    assert!(counts["a"].abs_diff(5_000) < 250, "{counts:?}");
    assert!(counts["c"].abs_diff(2_000) < 200, "{counts:?}");
}

#[test]
fn a_closure_is_a_unit_key() {
    let key = by_user.unit_key(&User(Some(1)));
    assert_eq!(key.as_deref(), Some(&b"user-1"[..]));
}

#[tokio::test(start_paused = true)]
async fn a_record_says_with_which_probability_and_for_which_unit() {
    let records = records();
    let layer = RoundRobinLayer::new(pool(&["a", "b"]))
        .experiment("ranker")
        .weighted([("a", 3.0), ("b", 1.0)])
        .unwrap()
        .sticky("salt", |user: &String| Some(user.clone()));
    let mut service =
        layer.layer(records.layer.layer(service_fn(|trial: Trial<String>| async move {
            Ok::<_, String>(trial.config().id().to_string())
        })));
    let answer = service.call("ann@example.org".into()).await.unwrap();
    service.call("ann@example.org".into()).await.unwrap();
    let branches = records.all().await;
    assert_eq!(branches[0].experiment.as_ref(), "ranker");
    assert_eq!(branches[0].strategy.as_ref(), "round_robin");
    assert_eq!(branches[0].probability, if answer == "a" { 0.75 } else { 0.25 });
    assert!(branches[0].unit.is_some());
    assert_eq!(branches[0].unit, branches[1].unit);
    assert!(!serde_json::to_string(&branches[0]).unwrap().contains("example.org"));
}
