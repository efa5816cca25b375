//! Many configs from one.

use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::HashSet;
use tower_spearmint::{
    Config, ConfigPool,
    config::{
        ConfigError,
        expand::{
            MAX_EXPANDED, Space, choice, geomspace, grid, int_uniform, linspace, log_uniform,
            logspace, normal, range, uniform, zip,
        },
        interpolate::Drawn,
    },
};

fn space(template: Value) -> Space {
    Space::new(template).unwrap_or_else(|error| panic!("{error}"))
}

/// The values of all kept configs, by iteration.
fn values(template: Value) -> Vec<Value> {
    space(template).iter().map(|point| point.value().unwrap()).collect()
}

/// What a generator under the key `x` gives.
fn xs(generator: Value) -> Value {
    values(json!({ "x": generator })).into_iter().map(|mut value| value["x"].take()).collect()
}

#[test]
fn a_config_without_words_is_a_space_of_one() {
    let config = json!({ "llm": { "model": "a", "stops": ["x"] } });
    assert_eq!(values(config.clone()), [config]);
}

#[test]
fn choices_are_each_of_the_values() {
    assert_eq!(xs(choice(["a", "b"])), json!(["a", "b"]));
    assert_eq!(xs(json!({ "$choice": [null, { "y": 1 }, [2]] })), json!([null, { "y": 1 }, [2]]));
}

#[test]
fn ranges_are_half_open() {
    assert_eq!(xs(json!({ "$range": [0, 3] })), json!([0, 1, 2]));
    assert_eq!(xs(range(0, 10, 4)), json!([0, 4, 8]));
    assert_eq!(xs(range(3, 0, -1)), json!([3, 2, 1]));
    assert_eq!(xs(range(0.0, 0.3, 0.1)), json!([0.0, 0.1, 0.2]));
    assert_eq!(xs(range(1.0, 1.3, 0.1)), json!([1.0, 1.1, 1.2]), "NumPy's arange gives 1.3, too");
}

#[test]
fn both_ends_of_the_spaces_of_numbers_are_in() {
    assert_eq!(xs(linspace(0.0, 1.0, 5)), json!([0.0, 0.25, 0.5, 0.75, 1.0]));
    assert_eq!(xs(linspace(0.1, 0.5, 5)), json!([0.1, 0.2, 0.3, 0.4, 0.5]));
    assert_eq!(xs(linspace(2.0, 3.0, 1)), json!([2.0]));
    assert_eq!(xs(logspace(-5.0, -2.0, 4)), json!([1e-5, 1e-4, 1e-3, 1e-2]));
    assert_eq!(xs(json!({ "$logspace": [0, 3, 4], "base": 2 })), json!([1.0, 2.0, 4.0, 8.0]));
    assert_eq!(xs(geomspace(1e-5, 1e-2, 4)), json!([1e-5, 1e-4, 1e-3, 1e-2]));
    assert_eq!(xs(geomspace(8.0, 1.0, 4)), json!([8.0, 4.0, 2.0, 1.0]));
}

#[test]
fn several_words_make_every_combination_and_the_last_key_varies_fastest() {
    assert_eq!(
        values(json!({ "b": choice([1, 2]), "a": { "c": choice(["x", "y"]) }, "fixed": true })),
        [
            json!({ "a": { "c": "x" }, "b": 1, "fixed": true }),
            json!({ "a": { "c": "x" }, "b": 2, "fixed": true }),
            json!({ "a": { "c": "y" }, "b": 1, "fixed": true }),
            json!({ "a": { "c": "y" }, "b": 2, "fixed": true }),
        ]
    );
}

#[test]
fn words_stand_in_lists_too() {
    assert_eq!(
        values(json!({ "steps": [{ "$choice": [1, 2] }, "then", { "n": { "$range": [0, 2] } }] })),
        [
            json!({ "steps": [1, "then", { "n": 0 }] }),
            json!({ "steps": [1, "then", { "n": 1 }] }),
            json!({ "steps": [2, "then", { "n": 0 }] }),
            json!({ "steps": [2, "then", { "n": 1 }] }),
        ]
    );
}

#[test]
fn a_grid_is_a_map_of_every_combination() {
    assert_eq!(
        xs(grid([("a", json!([1, 2])), ("b", range(0, 2, 1))])),
        json!([{ "a": 1, "b": 0 }, { "a": 1, "b": 1 }, { "a": 2, "b": 0 }, { "a": 2, "b": 1 }])
    );
}

#[test]
fn what_is_zipped_varies_together() {
    assert_eq!(
        xs(zip([("a", json!(["x", "y"])), ("b", linspace(0.0, 1.0, 2))])),
        json!([{ "a": "x", "b": 0.0 }, { "a": "y", "b": 1.0 }])
    );
}

#[test]
fn the_keys_of_a_grid_and_a_zip_join_the_plain_keys_beside_them() {
    assert_eq!(
        values(json!({
            "m": 0,
            "n": choice([1, 2]),
            "$zip": { "a": ["x", "y"], "z": [1, 2] },
            "$grid": { "g": [true] },
        })),
        [
            json!({ "a": "x", "g": true, "m": 0, "n": 1, "z": 1 }),
            json!({ "a": "x", "g": true, "m": 0, "n": 2, "z": 1 }),
            json!({ "a": "y", "g": true, "m": 0, "n": 1, "z": 2 }),
            json!({ "a": "y", "g": true, "m": 0, "n": 2, "z": 2 }),
        ]
    );
}

#[test]
fn the_sizes_of_the_spaces_in_a_choice_add_up() {
    let template = json!({ "model": { "$choice": [
        "plain",
        { "name": "tuned", "rank": { "$range": [0, 3] } },
        { "$choice": ["x", "y"] },
    ] } });
    assert_eq!(space(template.clone()).len(), 6);
    let models: Value =
        values(template).into_iter().map(|mut value| value["model"].take()).collect();
    assert_eq!(
        models,
        json!([
            "plain",
            { "name": "tuned", "rank": 0 },
            { "name": "tuned", "rank": 1 },
            { "name": "tuned", "rank": 2 },
            "x",
            "y"
        ])
    );
}

#[test]
fn a_whole_config_may_be_a_choice() {
    assert_eq!(
        values(json!({ "$choice": [{ "a": 1 }, { "b": { "$range": [0, 2] } }] })),
        [json!({ "a": 1 }), json!({ "b": 0 }), json!({ "b": 1 })]
    );
}

#[test]
fn a_doubled_dollar_is_a_plain_one() {
    assert_eq!(
        values(json!({ "$$ref": "#/x", "n": { "$choice": [{ "$$choice": 1 }] } })),
        [json!({ "$ref": "#/x", "n": { "$choice": 1 } })]
    );
}

/// These must never change: experiments that were drawn would be others. They were computed by
/// another program (Python's `statistics.NormalDist` and `math`) from what the manual says.
#[test]
fn draws_are_the_same_on_every_machine() {
    assert_eq!(
        xs(uniform(0.0, 1.0, 3, 7)),
        json!([0.524336234091685, 0.839106981846209, 0.311931428744031])
    );
    assert_eq!(
        xs(log_uniform(1e-5, 1e-2, 3, 7)),
        json!([0.000374118084673674, 0.0032909474350198, 8.62569874532779e-05])
    );
    assert_eq!(
        xs(normal(0.0, 1.0, 3, 7)),
        json!([0.0610397755150879, 0.990794293551265, -0.490383065735227])
    );
    assert_eq!(xs(int_uniform(-5, 5, 6, 7)), json!([0, 3, -2, -2, 0, -3]));
    let grid = space(json!({ "n": range(0, 1_000_000_000, 1) }));
    let sample: Vec<u64> = grid.sample(4, 7).map(|point| point.index()).collect();
    assert_eq!(sample, [43_640_265, 184_869_850, 420_205_294, 199_425_306]);
}

#[test]
fn draws_with_one_seed_are_independent_at_different_paths() {
    let both =
        values(json!({ "$zip": { "a": uniform(0.0, 1.0, 8, 7), "b": uniform(0.0, 1.0, 8, 7) } }));
    assert!(both.iter().all(|value| value["a"] != value["b"]));
    assert_ne!(xs(uniform(0.0, 1.0, 8, 7)), xs(uniform(0.0, 1.0, 8, 8)));
}

#[test]
fn draws_have_the_distribution_they_are_named_for() {
    let floats = |generator: Value| -> Vec<f64> {
        xs(generator).as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    };
    let n = 20_000;
    let mean = |xs: &[f64]| xs.iter().sum::<f64>() / xs.len() as f64;
    let uniform = floats(uniform(2.0, 4.0, n, 1));
    assert!(uniform.iter().all(|x| (2.0..=4.0).contains(x)));
    assert!((mean(&uniform) - 3.0).abs() < 0.02);
    let logs: Vec<f64> = floats(log_uniform(1e-4, 1.0, n, 1)).iter().map(|x| x.log10()).collect();
    assert!(logs.iter().all(|x| (-4.000_001..=0.000_001).contains(x)));
    assert!((mean(&logs) + 2.0).abs() < 0.05);
    let normal = floats(normal(10.0, 2.0, n, 1));
    let squares: Vec<f64> = normal.iter().map(|x| (x - 10.0) * (x - 10.0)).collect();
    assert!((mean(&normal) - 10.0).abs() < 0.06 && (mean(&squares) - 4.0).abs() < 0.2);
    let integers = floats(int_uniform(0, 4, n, 1));
    for wanted in 0..4 {
        let share = integers.iter().filter(|x| **x == f64::from(wanted)).count() as f64 / n as f64;
        assert!((share - 0.25).abs() < 0.02, "{wanted}: {share}");
    }
}

#[test]
fn what_is_excluded_is_left_out_and_what_is_included_is_needed() {
    let template = |rules: Value| {
        json!({
            "model": choice(["a", "b"]),
            "temperature": linspace(0.0, 1.0, 5),
            "$expand": rules,
        })
    };
    let count = |rules| values(template(rules)).len();
    assert_eq!(count(json!({ "exclude": "temperature > 0.5 and model == 'a'" })), 8);
    assert_eq!(count(json!({ "include": "temperature in [0, 0.5]" })), 4);
    assert_eq!(
        count(
            json!({ "include": ["model == 'a'", "temperature < 0.5"], "exclude": "temperature == 0" })
        ),
        1
    );
}

#[test]
fn a_condition_may_name_what_only_some_configs_have() {
    let template = json!({
        "model": { "$choice": [{ "name": "a" }, { "name": "b", "rank": { "$range": [0, 4] } }] },
        "$expand": { "exclude": "model.rank > 1" },
    });
    assert_eq!(values(template).len(), 3);
}

#[test]
fn how_many_are_left_is_counted_within_a_bound() {
    let all = space(json!({ "n": range(0, 1_000_000_000, 1) }));
    assert_eq!(all.count(0), Some(1_000_000_000));
    let even = json!({ "n": range(0, 1_000, 1), "$expand": { "include": "n / 2 < 10" } });
    assert_eq!(space(even.clone()).len(), 1_000);
    assert_eq!(space(even.clone()).count(1_000), Some(20));
    assert_eq!(space(even).count(999), None);
}

#[test]
fn names_become_ids() {
    let template = json!({
        "model": choice(["a", "b"]),
        "llm": { "t": linspace(0.0, 1.0, 3) },
        "$expand": { "name": "{model}-t{ llm.t }-{{{$index}}}" },
    });
    let pool = ConfigPool::from_values([template]).unwrap();
    assert_eq!(pool[1].id().as_str(), "b-t0-{1}");
    assert_eq!(pool.get("a-t0.5-{2}").unwrap().get::<String>("config_id").unwrap(), "a-t0.5-{2}");
}

#[test]
fn a_billion_configs_cost_nothing_until_asked_for() {
    let billion = space(json!({
        "a": range(0, 1_000, 1),
        "b": range(0, 1_000, 1),
        "c": { "$grid": { "d": range(0, 100, 1), "e": range(0, 10, 1) } },
    }));
    assert_eq!(billion.len(), 1_000_000_000);
    let point = billion.at(123_456_789).unwrap();
    assert_eq!(point.digits().collect::<Vec<_>>(), [123, 456, 78, 9]);
    assert_eq!(point.get("c.d").unwrap().as_i64(), Some(78));
    assert_eq!(
        billion.get(123_456_789).unwrap().value(),
        &json!({ "a": 123, "b": 456, "c": { "d": 78, "e": 9 } })
    );
    assert!(billion.at(1_000_000_000).is_none());
    assert_eq!(billion.points().next_back().unwrap().index(), 999_999_999);
    assert_eq!(billion.points().len(), 1_000_000_000);
}

#[test]
fn axes_name_what_varies_and_what_varies_together() {
    let space = space(json!({
        "z": choice([1, 2]),
        "$zip": { "a": [1, 2, 3], "y": [4, 5, 6] },
        "list": [0, { "n": range(0, 4, 1) }],
    }));
    let axes: Vec<_> =
        space.axes().iter().map(|axis| (axis.paths().join("+"), axis.len())).collect();
    assert_eq!(axes, [("a+y".into(), 3), ("list[1].n".into(), 4), ("z".into(), 2)]);
}

#[test]
fn a_sample_has_no_repeats_and_covers_all_if_it_may() {
    let space = space(json!({ "n": range(0, 1_000, 1), "$expand": { "exclude": "n < 100" } }));
    let some: Vec<u64> = space.sample(50, 3).map(|point| point.index()).collect();
    assert_eq!(some.iter().collect::<HashSet<_>>().len(), 50);
    assert!(some.iter().all(|index| *index >= 100));
    let all: HashSet<u64> = space.sample(u64::MAX, 3).map(|point| point.index()).collect();
    assert_eq!(all, (100..1_000).collect());
}

#[test]
fn threads_share_a_space_in_runs() {
    let space = space(json!({ "a": range(0, 77, 1), "b": choice(["x", "y"]) }));
    let ids = |points: tower_spearmint::config::expand::Points<'_>| -> Vec<String> {
        points.map(|point| point.id().unwrap().to_string()).collect()
    };
    let together: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            space.split(4).map(|points| scope.spawn(move || ids(points))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(together, ids(space.points()));
    assert_eq!(space.split(1_000).count(), 154);
}

#[test]
fn values_are_resolved_before_the_id_is_made() {
    let template = json!({ "a": choice([1, 2]), "b": "${a}", "$expand": { "name": "b{b}" } });
    let resolved = space(template.clone()).resolved_by(|value| {
        value["b"] = value["a"].clone();
        Ok(Drawn::default())
    });
    let config = resolved.get(1).unwrap();
    assert_eq!(config.value(), &json!({ "a": 2, "b": 2, "config_id": "b2" }));
    assert_eq!(config.id(), &resolved.at(1).unwrap().id().unwrap());
    let failing = space(template).resolved_by(|_| Err(ConfigError::NotAMap { found: "test" }));
    assert!(failing.get(0).is_err());
}

#[test]
fn secrets_count_by_their_path_in_expanded_configs_too() {
    let template = json!({ "api_key": "k", "model": choice(["a", "b"]), "url": "http://u:p@h/" });
    let config = space(template).get(1).unwrap();
    let plain = Config::new(json!({ "api_key": "other", "model": "b", "url": "http://q:r@h/" }));
    assert_eq!(config.id(), plain.unwrap().id());
    assert_eq!(config.redacted()["api_key"], "[redacted]");
    assert_eq!(config.get::<String>("api_key").unwrap(), "k");
}

#[test]
fn a_mistake_under_the_key_of_a_secret_quotes_nothing() {
    for template in [json!({ "$choice": "sk-1" }), json!({ "$grid": { "a": "sk-1" } })] {
        let error = Space::new(json!({ "api_key": template })).unwrap_err().to_string();
        assert!(error.starts_with("`api_key.$") && !error.contains("sk-1"), "{error}");
    }
}

#[test]
fn a_pool_takes_so_many_and_says_what_to_do_with_more() {
    let template = json!({ "n": range(0, 100_001, 1) });
    let error = ConfigPool::from_values([template]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "configs[0]: 100001 configs; a pool with expanded ones takes up to 100000: narrow it with \
         `$expand: { exclude: … }`, or take a sample of it in code (`Space::sample`)"
    );
    let most = json!({ "n": range(0, MAX_EXPANDED as i64, 1) });
    let pool = ConfigPool::from_values([most]).unwrap();
    assert_eq!(pool.len(), MAX_EXPANDED);
    let last = pool[MAX_EXPANDED - 1].id().clone();
    assert_eq!(pool.get(last.as_str()).unwrap().get::<u64>("n").unwrap(), 99_999);
}

#[test]
fn a_pool_does_not_look_through_a_huge_space_for_what_is_left() {
    let template = json!({ "n": range(0, 1_000_000_000, 1), "$expand": { "exclude": "n > 5" } });
    let error = ConfigPool::from_values([template]).unwrap_err().to_string();
    assert!(
        error.starts_with(
            "configs[0]: 1000000000 configs, of which some are left out; a pool looks at up to \
             33333333 under these conditions: narrow it"
        ),
        "{error}"
    );
}

#[test]
fn an_expansion_overrides_by_id_and_extends_at_the_end() {
    let base = ConfigPool::from_values([
        json!({ "config_id": "a", "n": 1 }),
        json!({ "config_id": "b", "n": 2 }),
    ])
    .unwrap();
    let over = |values: Vec<Value>| {
        base.overridden_by(&|| values.clone().into_iter().map(Config::new).collect::<Vec<_>>())
    };
    let pool = over(vec![json!({ "config_id": "c", "n": 9 }), json!({ "config_id": "a", "n": 8 })]);
    let pool = pool.unwrap();
    let ids: Vec<_> = pool.iter().map(|config| config.id().as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    assert_eq!(pool.get("a").unwrap().get::<u64>("n").unwrap(), 8);
    let twice =
        over(vec![json!({ "config_id": "c", "n": 1 }), json!({ "config_id": "c", "n": 2 })]);
    assert!(matches!(twice, Err(ConfigError::DuplicateId { .. })));
    assert!(over(vec![json!(1)]).is_err());
    assert_eq!(over(vec![]).unwrap().len(), 2);
    let space = space(json!({ "n": range(0, 3, 1), "$expand": { "name": "n{n}" } }));
    assert_eq!(base.overridden_by(&space).unwrap().len(), 5);
    assert_eq!(ConfigPool::from_space(&space).unwrap().len(), 3);
}

/// A template: plain values, with words here and there.
fn template() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        (-1_000_i64..1_000).prop_map(Value::from),
        any::<f64>().prop_filter("finite", |x| x.is_finite()).prop_map(Value::from),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        "[a-zé€😀\"\\\\\n]{0,6}".prop_map(Value::from),
        Just(json!("http://user:pw@host/")),
        (0..50_i64, 1..5_i64).prop_map(|(start, n)| range(start, start + n, 1)),
        (-1e3..1e3_f64, -1e3..1e3_f64, 1..5_u64).prop_map(|(a, b, n)| linspace(a, b, n)),
        (1..4_u64, any::<u64>()).prop_map(|(n, seed)| uniform(0.0, 1.0, n, seed)),
        (1..4_u64, any::<u64>()).prop_map(|(n, seed)| log_uniform(1e-5, 1e-2, n, seed)),
    ];
    let key = || prop_oneof!["[a-zé\u{e000}😀]{1,3}", Just("api_key".to_owned())];
    leaf.prop_recursive(3, 24, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(choice),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(key(), inner.clone(), 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
            prop::collection::btree_map(key(), prop::collection::vec(inner.clone(), 1..3), 1..3)
                .prop_map(|map| grid(map.into_iter().map(|(key, values)| (key, json!(values))))),
            prop::collection::vec((inner.clone(), inner), 1..3).prop_map(|pairs| {
                let (a, b): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
                // Of one value each, so that the lengths agree.
                let fixed = |values: Vec<Value>| -> Value {
                    values.into_iter().map(|value| first(&value)).collect()
                };
                zip([("k", fixed(a)), ("l", fixed(b))])
            }),
        ]
    })
    .prop_map(|inner| json!({ "root": inner, "other": choice([1, 2]) }))
}

/// Words with what may or may not belong behind them.
fn anything() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        (-20_i64..20).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-10.0..10.0_f64).prop_map(Value::from),
        any::<f64>().prop_filter("finite", |x| x.is_finite()).prop_map(Value::from),
        Just(json!("x")),
    ];
    let numbers = prop::collection::vec(number.clone(), 0..4).prop_map(Value::from);
    numbers.prop_recursive(3, 16, 3, move |inner| {
        let word = prop::sample::select(vec![
            "$choice",
            "$range",
            "$linspace",
            "$logspace",
            "$geomspace",
            "$uniform",
            "$normal",
            "$log_uniform",
            "$int_uniform",
            "$grid",
            "$zip",
            "$expand",
            "$$x",
            "a",
            "b",
        ]);
        let option = prop::sample::select(vec!["count", "seed", "base", "c"]);
        let option = prop::option::of((option, number.clone()));
        prop_oneof![
            (word, inner.clone(), option).prop_map(|(word, value, option)| {
                let option = option.map(|(key, value)| (key.to_owned(), value));
                Value::Object(option.into_iter().chain([(word.to_owned(), value)]).collect())
            }),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[ab]", inner, 1..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The first value a template stands for.
fn first(template: &Value) -> Value {
    space(json!({ "x": template })).at(0).unwrap().value().unwrap()["x"].take()
}

proptest! {
    #[test]
    fn an_index_gives_what_iteration_gives_and_the_id_of_that_value(template in template()) {
        let space = space(template);
        let mut configs = Vec::new();
        for (at, point) in space.iter().take(200).enumerate() {
            prop_assert_eq!(point.index(), at as u64);
            let by_index = space.get(at as u64).unwrap();
            let plain = Config::new(point.value().unwrap()).unwrap();
            prop_assert_eq!(by_index.value(), plain.value());
            prop_assert_eq!(by_index.id(), plain.id());
            prop_assert_eq!(by_index.redacted(), plain.redacted());
            prop_assert_eq!(&point.id().unwrap(), plain.id());
            prop_assert_eq!(&*point.get("").unwrap(), plain.value());
            prop_assert_eq!(&*point.get("root").unwrap(), &plain.value()["root"]);
            configs.push(by_index);
        }
        prop_assert_eq!(configs.len() as u64, space.len().min(200));
    }

    #[test]
    fn whatever_stands_behind_a_word_is_a_space_or_an_error(template in anything()) {
        if let Ok(space) = Space::new(json!({ "x": template })) {
            let last = space.len() - 1;
            for index in [0, last / 2, last] {
                let config = space.get(index).unwrap();
                let plain = Config::new(config.value().clone()).unwrap();
                prop_assert_eq!(config.id(), plain.id());
            }
        }
    }

    #[test]
    fn the_digits_are_the_index(
        lens in prop::collection::vec(1..50_i64, 1..6), at in any::<prop::sample::Index>()
    ) {
        let template: Value = lens.iter().enumerate()
            .map(|(n, len)| (format!("k{n}"), range(0, *len, 1)))
            .collect::<serde_json::Map<_, _>>().into();
        let space = space(template);
        let index = at.index(usize::try_from(space.len()).unwrap()) as u64;
        let digits: Vec<u64> = space.at(index).unwrap().digits().collect();
        let again = digits.iter().zip(space.axes()).fold(0, |sum, (digit, axis)| sum * axis.len() + digit);
        prop_assert_eq!(again, index);
    }
}
