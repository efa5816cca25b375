//! What varies: a frozen value with a stable id.

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tower_spearmint::{
    Config, ConfigPool,
    config::{SecretKeys, canonical_json},
};

fn id(value: Value) -> String {
    Config::new(value).unwrap().id().to_string()
}

#[test]
fn the_same_content_has_the_same_id_for_ever() {
    // Pinned: records of earlier versions would belong to other configs.
    assert_eq!(
        id(json!({ "llm": { "model": "small", "temperature": 0.5 } })),
        blake3::hash(br#"{"llm":{"model":"small","temperature":0.5}}"#).to_hex().as_str()
    );
}

#[test]
fn the_order_of_keys_and_the_way_a_number_is_written_do_not_matter() {
    let one: Value = serde_json::from_str(r#"{"a": 1, "b": {"c": 2.50, "d": [1e2]}}"#).unwrap();
    let other: Value = serde_json::from_str(r#"{"b": {"d": [100], "c": 2.5}, "a": 1.0}"#).unwrap();
    assert_eq!(id(one), id(other));
}

#[test]
fn the_id_of_the_user_comes_first() {
    assert_eq!(id(json!({ "config_id": "stable", "n": 1 })), "stable");
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-(1_i64 << 53) + 1..(1_i64 << 53)).prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |f| {
            let whole = f.fract() == 0.0 && f.abs() >= (1_u64 << 53) as f64;
            (f.is_finite() && !whole).then(|| Value::from(f))
        }),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-e]{1,3}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn config_value() -> impl Strategy<Value = Value> {
    prop::collection::btree_map("[a-e]{1,3}", json_value(), 0..6)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
}

/// The same value, written with the keys of every map the other way round.
fn written_backwards(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let entries: Vec<_> = map
                .iter()
                .rev()
                .map(|(key, value)| format!("{}: {}", json!(key), written_backwards(value)))
                .collect();
            format!("{{ {} }}", entries.join(" , "))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(written_backwards).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// As canonical JSON sees it: 1 and 1.0 are one number.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

/// Visits the value and every value in it, each with its number; how many there are.
fn places(value: &mut Value, visit: &mut dyn FnMut(usize, &mut Value)) -> usize {
    fn walk(value: &mut Value, count: &mut usize, visit: &mut dyn FnMut(usize, &mut Value)) {
        let place = *count;
        *count += 1;
        match value {
            Value::Object(map) => map.values_mut().for_each(|value| walk(value, count, visit)),
            Value::Array(items) => items.iter_mut().for_each(|value| walk(value, count, visit)),
            _ => {}
        }
        visit(place, value);
    }
    let mut count = 0;
    walk(value, &mut count, visit);
    count
}

/// Makes the least of changes.
fn change(value: &mut Value) {
    match value {
        Value::Null => *value = json!(false),
        Value::Bool(value) => *value = !*value,
        Value::Number(number) => *value = json!(number.to_string()),
        Value::String(text) => text.push(' '),
        Value::Array(items) => items.push(Value::Null),
        Value::Object(map) => {
            map.insert("one more".to_owned(), Value::Null);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_id_does_not_depend_on_the_order_of_keys(value in config_value()) {
        let other: Value = serde_json::from_str(&written_backwards(&value)).unwrap();
        prop_assert_eq!(id(value), id(other));
    }

    #[test]
    fn different_content_has_a_different_id(a in config_value(), b in config_value()) {
        prop_assert_eq!(same(&a, &b), id(a) == id(b));
    }

    #[test]
    fn a_change_anywhere_makes_another_id(value in config_value(), at: prop::sample::Index) {
        let before = id(value.clone());
        let mut changed = value;
        let at = at.index(places(&mut changed, &mut |_, _| {}));
        places(&mut changed, &mut |place, value| if place == at { change(value) });
        prop_assert_ne!(before, id(changed));
    }

    #[test]
    fn canonical_json_is_json_of_the_same_value(value in config_value()) {
        let canonical = canonical_json(&value).unwrap();
        let read: Value = serde_json::from_str(&canonical).unwrap();
        prop_assert!(same(&value, &read), "{canonical}");
        prop_assert_eq!(&canonical, &canonical_json(&read).unwrap());
    }

    #[test]
    fn nothing_below_a_secret_key_is_ever_shown(value in json_value()) {
        prop_assume!(!value.is_null() && !value.is_boolean());
        let config = Config::new(json!({ "a": { "api_key": value } })).unwrap();
        let expected = json!({ "a": { "api_key": "[redacted]" } });
        prop_assert_eq!(config.redacted(), &expected);
    }
}

#[test]
fn a_secret_is_in_no_output_and_counts_in_the_id_by_its_path_alone() {
    let config =
        |key: &str| Config::new(json!({ "llm": { "api_key": key, "model": "small" } })).unwrap();
    let (one, other) = (config("hunter2"), config("correct horse"));
    assert_eq!(one.id(), other.id());
    assert_eq!(one.get::<String>("llm.api_key").unwrap(), "hunter2");
    assert!(!format!("{one:?}").contains("hunter2"));
    assert_eq!(
        serde_json::to_string(&one).unwrap(),
        r#"{"llm":{"api_key":"[redacted]","model":"small"}}"#
    );
    assert_ne!(one.id().to_string(), id(json!({ "llm": { "model": "small" } })));
    assert_ne!(
        one.id().to_string(),
        id(json!({ "llm": { "api_key": { "$secret": "x" }, "model": "small", "x": 1 } }))
    );
}

#[test]
fn which_keys_are_secret_can_be_said() {
    let value = json!({ "pin": 1234, "token": "t" });
    let keys = SecretKeys::none().and(["pin"]);
    let config = Config::with_secrets(value, &keys).unwrap();
    assert_eq!(config.redacted(), &json!({ "pin": "[redacted]", "token": "t" }));
}

#[test]
fn the_password_of_a_url_does_not_make_another_config() {
    let with = |url: &str| id(json!({ "upstream": url }));
    assert_eq!(with("http://user:old@host/a"), with("http://user:new@host/a"));
    assert_ne!(with("http://user:old@host/a"), with("http://user:old@host/b"));
}

#[derive(Debug, Deserialize, PartialEq)]
struct Llm {
    model: String,
    temperature: f64,
    #[serde(default)]
    stops: Vec<String>,
}

#[test]
fn values_are_read_by_path_and_by_type() {
    let config = Config::new(json!({
        "llm": { "model": "small", "temperature": 0.5, "stops": ["a", "b"] }, "off": null
    }))
    .unwrap();
    assert_eq!(config.get::<f64>("llm.temperature").unwrap(), 0.5);
    assert_eq!(config.get::<String>("llm.stops[1]").unwrap(), "b");
    assert_eq!(config.get::<String>("llm.stops.0").unwrap(), "a");
    assert_eq!(config.get_or("llm.top_p", 1.0).unwrap(), 1.0);
    assert_eq!(config.get_or("off", 3).unwrap(), 3);
    assert!(config.has("off") && config.has("llm.stops") && !config.has("llm.stops[2]"));
    let llm: Llm = config.bind("llm").unwrap();
    assert_eq!(llm.model, "small");
    assert_eq!(config.bind::<Map<String, Value>>("").unwrap().len(), 2);
}

#[test]
fn errors_say_where_and_what_would_be_right() {
    let config = Config::new(json!({
        "llm": { "model": "small", "temperature": "warm", "stops": ["a", 2] }
    }))
    .unwrap();
    let text = |error: tower_spearmint::config::ConfigError| error.to_string();
    assert_eq!(
        text(config.get::<f64>("llm.topp").unwrap_err()),
        "`llm.topp`: not set; `llm` has the keys `model`, `stops`, `temperature`"
    );
    assert_eq!(
        text(config.get::<f64>("model").unwrap_err()),
        "`model`: not set; the config has the keys `llm`"
    );
    assert_eq!(
        text(config.get::<f64>("llm.stops[7]").unwrap_err()),
        "`llm.stops[7]`: not set; `llm.stops` is a list of 2 items"
    );
    assert_eq!(
        text(config.get::<f64>("llm.model.size").unwrap_err()),
        "`llm.model.size`: not set; `llm.model` is a string"
    );
    assert_eq!(
        text(config.get::<f64>("llm.temperature").unwrap_err()),
        "`llm.temperature`: invalid type: string \"warm\", expected f64"
    );
    assert_eq!(
        text(config.get_or("llm.temperature", 0.5).unwrap_err()),
        "`llm.temperature`: invalid type: string \"warm\", expected f64"
    );
    let stops =
        Config::new(json!({ "llm": { "model": "m", "temperature": 1, "stops": ["a", 2] } }));
    assert_eq!(
        text(stops.unwrap().bind::<Llm>("llm").unwrap_err()),
        "`llm.stops[1]`: invalid type: integer `2`, expected a string"
    );
    assert_eq!(
        text(Config::new(json!({ "llm": {} })).unwrap().bind::<Llm>("llm").unwrap_err()),
        "`llm`: missing field `model`"
    );
    assert_eq!(
        text(Config::new(json!([1])).unwrap_err()),
        "a config is a map of settings; this is a list"
    );
    assert_eq!(
        text(Config::new(json!({ "config_id": " " })).unwrap_err()),
        "`config_id`: \" \" is not a non-empty string"
    );
    assert_eq!(
        text(Config::new(json!({ "config_id": 7 })).unwrap_err()),
        "`config_id`: 7 is not a non-empty string"
    );
    assert_eq!(
        text(Config::new(json!({ "a": [{ "seed": 9_007_199_254_740_992_u64 }] })).unwrap_err()),
        "`a[0].seed`: 9007199254740992 is an integer beyond ±(2^53−1), which other JSON readers \
         would round; write it in quotes"
    );
}

#[test]
fn a_pool_says_what_is_wrong_with_it() {
    let text = |values: Vec<Value>| ConfigPool::from_values(values).unwrap_err().to_string();
    assert_eq!(text(vec![]), "the pool: no configs; a pool needs at least one");
    assert_eq!(
        text(vec![
            json!({ "config_id": "a", "n": 1 }),
            json!({}),
            json!({ "config_id": "a", "n": 2 })
        ]),
        "two different configs have the id `a`: configs[0] and configs[2] (they differ at `n`)"
    );
    assert_eq!(
        text(vec![json!({}), json!("x")]),
        "configs[1]: a config is a map of settings; this is a string"
    );
    let pool = ConfigPool::from_values([json!({ "config_id": "a" }), json!({ "b": 1 })]).unwrap();
    let hash = pool[1].id().short().to_owned();
    assert_eq!(
        pool.primary("c").unwrap_err().to_string(),
        format!("no config `c`; the pool has `a`, `{hash}`")
    );
    assert_eq!(hash.len(), 12);
}

#[test]
fn the_same_config_twice_counts_once_in_the_order_of_the_first() {
    let pool = ConfigPool::from_values([
        json!({ "config_id": "b", "n": 1 }),
        json!({ "config_id": "a" }),
        json!({ "config_id": "b", "n": 1.0 }),
    ])
    .unwrap();
    let ids: Vec<_> = pool.iter().map(|config| config.id().as_str()).collect();
    assert_eq!(ids, ["b", "a"]);
}

#[test]
fn anything_that_serialises_to_a_map_is_a_config() {
    #[derive(serde::Serialize)]
    struct Settings {
        model: &'static str,
        top: u8,
    }
    let config = Config::from_serialize(&Settings { model: "small", top: 3 }).unwrap();
    assert_eq!(config.id().to_string(), id(json!({ "top": 3, "model": "small" })));
    assert!(Config::from_serialize(&7).is_err());
}
