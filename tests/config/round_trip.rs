//! Printing and reading again; and one id, whatever the format.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tower_spearmint::{
    Config,
    config::{ConfigError, Document, Print, to_yaml, yaml},
};

/// Any value that a file may hold, some levels deep. (Integers as the ids allow.)
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "[a-z]{1,4}( [a-z:#-]{1,4}){0,2}".prop_map(Value::from),
        "[-+0-9._eExXob:]{1,6}|null|true|~|yes|[\\[{#&*!|>@%`'\"?-] ?x?|[\n\r\t ]a"
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from), map(inner),]
    })
}

fn map(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::btree_map("[a-d]|.{0,6}|[0-9.]{1,3}|[-:#] ?", inner, 0..5)
        .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>()))
}

/// The value as TOML, which has no null.
fn to_toml(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let entries: Vec<_> = map
                .iter()
                .map(|(key, value)| format!("{} = {}", json_text(key), to_toml(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(to_toml).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => json_text(text),
        other => other.to_string(),
    }
}

/// TOML's basic strings are JSON's, but for the character 127.
fn json_text(text: &str) -> String {
    json!(text).to_string().replace('\u{7f}', "\\u007f")
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        Value::Object(map) => {
            Value::Object(map.into_iter().map(|(key, value)| (key, without_nulls(value))).collect())
        }
        other => other,
    }
}

/// As YAML in flow style, with the keys the other way round.
fn reversed(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let entries: Vec<_> = map
                .iter()
                .rev()
                .map(|(key, value)| format!("{}: {}", yaml_text(key), reversed(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(reversed).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => yaml_text(text),
        other => other.to_string(),
    }
}

/// YAML's double quotes are JSON's, but for what YAML does not print.
fn yaml_text(text: &str) -> String {
    let unprinted = |c: char| {
        ('\u{7f}'..='\u{9f}').contains(&c) || "\u{2028}\u{2029}\u{feff}\u{fffe}\u{ffff}".contains(c)
    };
    json!(text).to_string().chars().fold(String::new(), |out, c| {
        if unprinted(c) { format!("{out}\\u{:04x}", u32::from(c)) } else { format!("{out}{c}") }
    })
}

proptest! {
    #[test]
    fn yaml_that_was_printed_reads_back_as_the_same_value(value in value()) {
        // A document of nothing is none.
        prop_assume!(!value.is_null());
        let text = to_yaml(&value);
        let documents = yaml::parse(&text, "x.yaml").map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(documents.len(), 1, "{}", text);
        prop_assert_eq!(documents[0].value(), &value, "{}", text);
        let print = Print::default().with_secrets();
        prop_assert_eq!(documents[0].to_yaml(&print), text);
        let commented = documents[0].to_yaml(&print.with_origins());
        let again = yaml::parse(&commented, "x.yaml").map_err(|error| TestCaseError::fail(format!("{error}\n{commented}")))?;
        prop_assert_eq!(again[0].value(), &value, "{}", commented);
    }

    #[test]
    fn json_that_was_printed_reads_back_as_the_same_value(value in value()) {
        let text = Document::from_value(value.clone()).to_json(&Print::default().with_secrets());
        let document = Document::from_json_str(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(document.value(), &value);
    }

    #[test]
    fn the_id_is_the_same_in_every_format_and_order(value in map(value()), key in "[a-z]{1,4}") {
        let Value::Object(mut map) = without_nulls(value) else { unreachable!() };
        map.remove("config_id");
        let value = Value::Object(map.clone());
        let id = Config::new(value.clone()).unwrap().id().clone();
        let toml: String = map.iter().map(|(key, value)| format!("{} = {}\n", json_text(key), to_toml(value))).collect();
        let read = |document: Result<Document, ConfigError>| {
            let config = document.and_then(|document| document.freeze());
            let id = config.map(|config| config.id().to_string());
            id.map_err(|error| TestCaseError::fail(format!("{error}\n{toml}")))
        };
        prop_assert_eq!(read(Document::from_toml_str(&toml))?, id.as_str(), "{}", toml);
        prop_assert_eq!(read(Document::from_json_str(&value.to_string()))?, id.as_str());
        let yaml = yaml::parse(&reversed(&value), "x").map(|mut documents| documents.remove(0));
        prop_assert_eq!(read(yaml)?, id.as_str());

        // And another content has another.
        let mut other = Document::from_value(value.clone());
        other.put(&format!("{key}_more"), "x").unwrap();
        if other.value() != &value {
            let other = other.freeze().unwrap();
            prop_assert_ne!(other.id(), &id);
        }
    }

    #[test]
    fn distinct_content_has_distinct_ids(a in map(value()), b in map(value())) {
        let id = |value: &Value| {
            let mut value = value.clone();
            value.as_object_mut().unwrap().remove("config_id");
            Config::new(value.clone()).map(|config| (tower_spearmint::config::canonical_json(&value).unwrap(), config.id().clone()))
        };
        if let (Ok((a_text, a)), Ok((b_text, b))) = (id(&a), id(&b)) {
            prop_assert_eq!(a == b, a_text == b_text);
        }
    }
}

#[test]
fn what_is_printed_is_what_a_person_would_write() {
    let value = json!({
        "experiment": "ranker", "share": 0.1, "note": "a: b", "empty": {}, "none": null, "version": "1.10",
        "configs": [{ "config_id": "a", "upstream": "http://127.0.0.1:9001" }, { "tags": [1, [2, "yes"]] }],
    });
    assert_eq!(
        to_yaml(&value),
        "\
configs:
  - config_id: a
    upstream: http://127.0.0.1:9001
  - tags:
      - 1
      - - 2
        - \"yes\"
empty: {}
experiment: ranker
none: null
note: \"a: b\"
share: 0.1
version: \"1.10\"
"
    );
}
