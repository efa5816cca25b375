//! Who gets what: shares, exclusion, order of decisions, epochs.

use crate::support::{echo, poll_once, pool, tally};
use proptest::prelude::*;
use std::{task::Poll, time::SystemTime};
use tower::{Layer, Service};
use tower_spearmint::{
    RoundRobinLayer, Trial,
    assign::{Epoch, Holdout, Namespace, Ramp, Reason, UnitKey},
    carrier::InTrial,
    round_robin::GenericRoundRobinLayer,
    service_fn,
};

/// The config that a key gets, and why.
fn ask<K>(layer: &GenericRoundRobinLayer<InTrial, K>, key: &str) -> (String, Reason, f64)
where
    K: UnitKey<String> + Clone,
{
    let mut service = layer.layer(service_fn(|trial: Trial<String>| {
        let place = trial.place();
        let said = (place.config_id().to_string(), place.reason(), place.probability());
        std::future::ready(Ok::<_, String>(said))
    }));
    let Poll::Ready(said) = poll_once(service.call(key.to_owned())) else { panic!("not at once") };
    said.unwrap()
}

#[allow(clippy::ptr_arg, reason = "the request is a `String`")]
fn by_key(key: &String) -> Option<String> {
    (!key.is_empty()).then(|| key.clone())
}

#[test]
fn whoever_does_not_take_part_gets_the_default_and_the_reason_is_recorded() {
    let namespace = Namespace::new("search").range("ranker", 0.0, 0.5).unwrap();
    let base = RoundRobinLayer::new(pool(&["a", "b"]))
        .experiment("ranker")
        .weighted([("a", 0.0), ("b", 1.0)])
        .unwrap()
        .sticky("ranker", by_key);
    let layer = base
        .clone()
        .ramp(Ramp::share(0.5))
        .holdout(Holdout::new("global", 0.2))
        .namespace(&namespace)
        .unwrap();
    let reasons = tally((0..10_000).map(|n| {
        let key = format!("user-{n}");
        let (config, reason, probability) = ask(&layer, &key);
        assert_eq!(probability, 1.0);
        assert_eq!(config == "b", reason == Reason::Sticky, "{key}: {config} {reason}");
        // What the steps say is what happens.
        let told = layer.explain(&key, SystemTime::now());
        assert_eq!((told.config_id.unwrap().as_str(), told.reason), (&*config, reason));
        assert!(told.steps.last().unwrap().decided);
        reason.to_string()
    }));
    // A fifth is held out; of the rest half is another's; of the rest half is outside the ramp.
    let near = |reason: &str, expected: f64| {
        let count = reasons[reason] as f64;
        let error = 4.0 * (expected * (1.0 - expected / 10_000.0)).sqrt();
        assert!((count - expected).abs() < error, "{reason}: {count}");
    };
    near("holdout", 2_000.0);
    near("not_in_namespace", 4_000.0);
    near("ramp", 2_000.0);
    near("sticky", 2_000.0);

    assert_eq!(ask(&layer, ""), ("a".to_owned(), Reason::NoUnit, 1.0));
    assert_eq!(ask(&base, ""), ("b".to_owned(), Reason::Weight, 1.0));
    let ramp = base.ramp(Ramp::share(0.0)).default("b").unwrap();
    assert_eq!(ask(&ramp, ""), ("b".to_owned(), Reason::Ramp, 1.0));
}

#[test]
fn a_tester_gets_what_they_ask_for_and_an_unknown_id_is_counted_and_passed_over() {
    let layer = RoundRobinLayer::new(pool(&["a", "b"]))
        .default("b")
        .unwrap()
        .eligible(|request: &&str| *request != "out")
        .testers(|request: &&str| request.strip_prefix("want ").map(str::to_owned));
    let mut service = layer.layer(service_fn(|trial: Trial<&str>| {
        let said = (trial.config().id().to_string(), trial.place().reason());
        std::future::ready(Ok::<_, String>(said))
    }));
    let mut ask = |request| {
        let Poll::Ready(said) = poll_once(service.call(request)) else { panic!("not at once") };
        said.unwrap()
    };
    assert_eq!(ask("want b"), ("b".to_owned(), Reason::Override));
    assert_eq!(ask("want c"), ("a".to_owned(), Reason::Cycle));
    assert_eq!(ask("out"), ("b".to_owned(), Reason::Ineligible));
    assert_eq!(layer.unknown_overrides(), 1);
}

#[test]
fn the_epoch_is_that_of_the_rules_and_counts_on_with_each_layer_after_another() {
    let layer = || RoundRobinLayer::new(pool(&["a", "b"]));
    let weighted = |b| layer().weighted([("a", 1.0), ("b", b)]).unwrap();
    let first = weighted(1.0).epoch();
    assert_eq!(first, weighted(1.0).experiment("named").epoch());
    let others = [
        layer().epoch(),
        weighted(2.0).epoch(),
        weighted(1.0).seed(1).epoch(),
        weighted(1.0).ramp(Ramp::share(0.5)).epoch(),
        weighted(1.0).ramp(Ramp::share(0.5)).default("b").unwrap().epoch(),
        weighted(1.0).holdout(Holdout::new("global", 0.1)).epoch(),
        weighted(1.0).version("2").epoch(),
        RoundRobinLayer::new(pool(&["a", "c"])).epoch(),
    ];
    for (at, other) in others.iter().enumerate() {
        assert_ne!(other.fingerprint(), first.fingerprint(), "{at}");
        assert!(!others[..at].contains(other), "{at}");
    }
    let second = weighted(2.0).following(first);
    assert_eq!(second.epoch().number(), 2);
    assert_eq!(second.clone().epoch(), second.weighted([("b", 2.0), ("a", 1.0)]).unwrap().epoch());
    let same = weighted(1.0).following(Epoch::recorded(7, first.fingerprint())).epoch();
    assert_eq!((same.number(), same.fingerprint()), (8, first.fingerprint()));
}

#[test]
fn a_million_units_get_their_shares_within_four_standard_errors() {
    let weights = [("a", 5.0), ("b", 3.0), ("c", 2.0)];
    let layer = RoundRobinLayer::new(pool(&["a", "b", "c"]))
        .weighted(weights)
        .unwrap()
        .sticky("ranker", |n: &u32| Some(n.to_string()));
    let mut service = layer.layer(service_fn(|trial: Trial<u32>| {
        std::future::ready(Ok::<_, String>(trial.config().id().as_str().as_bytes()[0] - b'a'))
    }));
    let mut counts = [0_u32; 3];
    for unit in 0..1_000_000 {
        let Poll::Ready(position) = poll_once(service.call(unit)) else { panic!("not at once") };
        counts[usize::from(position.unwrap())] += 1;
    }
    for ((id, weight), count) in weights.iter().zip(counts) {
        let share = weight / 10.0;
        let error = 4.0 * (1e6 * share * (1.0 - share)).sqrt();
        assert!((f64::from(count) - 1e6 * share).abs() < error, "{id}: {count}");
    }
}

/// Pearson's χ² of a table of 4×4 equally likely cells; 15 degrees of freedom have 37.7 at 0.1 %.
#[test]
fn experiments_with_different_salts_assign_independently() {
    let ids = ["a", "b", "c", "d"];
    let layer = |salt| RoundRobinLayer::new(pool(&ids)).sticky(salt, by_key);
    for (one, other) in [("ranker", "layout"), ("x", "y"), ("2026-01", "2026-02")] {
        let (one, other) = (layer(one), layer(other));
        let counts = tally((0..16_000).map(|n| {
            let key = format!("user-{n}");
            ask(&one, &key).0 + &ask(&other, &key).0
        }));
        let chi: f64 = counts.values().map(|n| (*n as f64 - 1_000.0).powi(2) / 1_000.0).sum();
        assert_eq!(counts.len(), 16);
        assert!(chi < 37.7, "{chi}");
    }
}

#[test]
fn two_experiments_in_one_namespace_share_no_unit_and_two_namespaces_are_independent() {
    let search = Namespace::new("search").range("ranker", 0.0, 0.5).unwrap();
    let search = search.range("layout", 0.5, 1.0).unwrap();
    let other = Namespace::new("other").range("prices", 0.0, 0.5).unwrap();
    let layer = |experiment: &str, namespace: &Namespace| {
        let layer = RoundRobinLayer::new(pool(&["a", "b"])).experiment(experiment);
        layer.sticky(experiment, by_key).namespace(namespace).unwrap()
    };
    let (ranker, layout) = (layer("ranker", &search), layer("layout", &search));
    let prices = layer("prices", &other);
    let mut both = 0_u32;
    for n in 0..100_000 {
        let key = format!("user-{n}");
        let is_in = |layer: &_| ask(layer, &key).1 == Reason::Sticky;
        assert!(is_in(&ranker) != is_in(&layout), "{key}");
        both += u32::from(is_in(&ranker) && is_in(&prices));
    }
    // A quarter, within four standard errors.
    assert!(both.abs_diff(25_000) < 548, "{both}");
}

proptest! {
    #[test]
    fn a_unit_that_is_in_stays_in_with_its_config_as_the_share_grows(
        key in "[a-z0-9]{1,20}", mut shares in prop::collection::vec(0.0..=1.0_f64, 1..6)
    ) {
        shares.sort_by(f64::total_cmp);
        let base = RoundRobinLayer::new(pool(&["a", "b", "c"])).sticky("ranker", by_key);
        let own = ask(&base, &key).0;
        let mut was_in = false;
        for share in shares {
            let (config, reason, _) = ask(&base.clone().ramp(Ramp::share(share)), &key);
            prop_assert!(reason == Reason::Sticky || !was_in);
            was_in = reason == Reason::Sticky;
            prop_assert_eq!(config, if was_in { &*own } else { "a" });
        }
    }
}

#[test]
fn turns_are_taken_only_by_those_who_are_in() {
    let layer = RoundRobinLayer::new(pool(&["a", "b"])).ramp(Ramp::share(1.0));
    let mut service = layer.layer(echo());
    let mut answer = || match poll_once(service.call(())) {
        Poll::Ready(answer) => answer.unwrap(),
        Poll::Pending => panic!("not at once"),
    };
    assert_eq!([answer(), answer(), answer()], ["a", "b", "a"]);
}
