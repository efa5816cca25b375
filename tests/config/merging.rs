//! One document over another.

use crate::support::documented;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tower_spearmint::config::{Document, Lists};

fn merged(values: &[Value], lists: &Lists) -> Value {
    let mut document = Document::from_value(values[0].clone());
    for value in &values[1..] {
        document.merge_with(Document::from_value(value.clone()), lists).unwrap();
    }
    document.value().clone()
}

#[test]
fn lists_replace_or_append_or_merge_by_a_key() {
    let under = json!({ "a": [{ "id": 1, "x": 1 }, { "id": 2, "x": 2 }, 7] });
    let over = json!({ "a": [{ "id": 2, "y": 3 }, { "id": 3 }, 7] });
    let both = |lists| merged(&[under.clone(), over.clone()], &lists)["a"].clone();
    assert_eq!(both(Lists::Replace), json!([{ "id": 2, "y": 3 }, { "id": 3 }, 7]));
    assert_eq!(
        both(Lists::Append),
        json!([{ "id": 1, "x": 1 }, { "id": 2, "x": 2 }, 7, { "id": 2, "y": 3 }, { "id": 3 }, 7])
    );
    assert_eq!(
        both(Lists::MergeBy("id".to_owned())),
        json!([{ "id": 1, "x": 1 }, { "id": 2, "x": 2, "y": 3 }, 7, { "id": 3 }, 7])
    );
}

#[test]
fn merging_folds_from_the_left() {
    let values = [json!({ "a": { "x": 1 } }), json!({ "a": null }), json!({ "a": { "y": 2 } })];
    assert_eq!(merged(&values, &Lists::Replace), json!({ "a": { "y": 2 } }));
    assert_eq!(merged(&values[..2], &Lists::Replace), json!({ "a": null }));
}

#[test]
fn each_part_keeps_its_origin() {
    let mut document =
        Document::from_json_str("{ \"a\": { \"x\": 1, \"y\": 1 },\n  \"l\": [1] }").unwrap();
    let over =
        Document::from_json_str("\n{ \"a\": { \"y\": 2, \"z\": { \"w\": 3 } }, \"l\": [2] }")
            .unwrap();
    document.merge(over).unwrap();
    document.set("a.z={v: 4}").unwrap();
    document.put("a.p", 5).unwrap();
    document.update("a.q", json!({ "r": [6] }), &Lists::Append).unwrap();
    let origin = |path: &str| document.origin(path).map(|origin| origin.to_string());
    for (path, expected) in [
        ("a", "<text>:1:3"),
        ("a.x", "<text>:1:15"),
        ("a.y", "<text>:2:15"),
        ("a.z", "<text>:2:18"),
        ("a.z.w", "<text>:2:30"),
        ("a.z.v", "override `a.z={v: 4}`"),
        ("l[0]", "<text>:2:43"),
        ("a.p", "the program"),
        ("a.q.r[0]", "the program"),
    ] {
        assert_eq!(origin(path).as_deref(), Some(expected), "{path}");
    }
    assert_eq!(origin("a.nothing"), None);
}

#[test]
fn a_map_and_a_list_are_not_merged() {
    let mut document = Document::from_json_str("{ \"a\": { \"b\": [1], \"c\": 1 } }").unwrap();
    let over = Document::from_json_str("\n\n{ \"a\": { \"b\": { \"x\": 1 }, \"c\": 2 } }").unwrap();
    documented(
        &document.merge(over).unwrap_err().to_string(),
        "<text>:3:10: `a.b`: a map cannot be merged with a list that stands there (<text>:1:10); \
         clear it with null first",
    );
    assert_eq!(document.value(), &json!({ "a": { "b": [1], "c": 1 } }), "nothing was changed");
}

#[test]
fn what_is_changed_by_the_program_can_be_read_and_frozen() {
    let mut document = Document::new();
    document.put("llm.model", "small").unwrap();
    document.put("llm.stops", json!(["a", "b", "c"])).unwrap();
    document.update("llm", json!({ "top_p": 1 }), &Lists::Replace).unwrap();
    assert_eq!(document.delete("llm.stops[1]").unwrap(), json!("b"));
    assert_eq!(
        document.value(),
        &json!({ "llm": { "model": "small", "stops": ["a", "c"], "top_p": 1 } })
    );
    assert!(document.has("llm.stops[1]") && !document.has("llm.stops[2]"));
    assert_eq!(document.bind::<f64>("llm.top_p").unwrap(), 1.0);
    assert_eq!(document.freeze().unwrap().get::<String>("llm.stops[1]").unwrap(), "c");
    assert_eq!(
        document.delete("llm.stop").unwrap_err().to_string(),
        "`llm.stop`: not set; `llm` has the keys `model`, `stops`, `top_p`"
    );
    assert_eq!(
        document.put("llm.model.size", 1).unwrap_err().to_string(),
        "`llm.model.size`: the path leads through something that is not a map or a list item"
    );
    let deep = vec!["a"; 65].join(".");
    assert!(
        document
            .put(&deep, 1)
            .unwrap_err()
            .to_string()
            .ends_with("the path has more than 64 steps")
    );
}

#[test]
fn a_key_with_a_dot_is_reached_by_a_backslash() {
    let mut document =
        Document::from_json_str("{ \"weights\": { \"v1.2\": 1, \"v1\": { \"2\": 2 } } }").unwrap();
    assert_eq!(document.get("weights.v1\\.2"), Some(&json!(1)));
    assert_eq!(document.get("weights.v1.2"), Some(&json!(2)));
    document.set("weights.v1\\.2=3").unwrap();
    assert_eq!(document.delete("weights.v1").unwrap(), json!({ "2": 2 }));
    assert_eq!(document.value(), &json!({ "weights": { "v1.2": 3 } }));
    let error = document.bind::<std::collections::BTreeMap<String, bool>>("weights").unwrap_err();
    assert_eq!(
        error.to_string(),
        "override `weights.v1\\.2=3`: `weights.v1\\.2`: true or false is expected here, not the number 3"
    );
}

/// Trees that agree in kind wherever they have the same path: a key ends in what it holds.
fn agreeing() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![any::<i32>().prop_map(Value::from), "[a-z]{0,3}".prop_map(Value::from)];
    let tree = leaf.clone().prop_recursive(3, 24, 4, move |inner| {
        prop::collection::btree_map("[ab]", inner, 1..3).prop_map(|map| {
            let kind = |value: &Value| match value {
                Value::Object(_) => "map",
                Value::Array(_) => "list",
                _ => "leaf",
            };
            let named =
                map.into_iter().map(|(key, value)| (format!("{key}_{}", kind(&value)), value));
            Value::Object(named.collect::<Map<_, _>>())
        })
    });
    (tree, prop::collection::vec(any::<u8>(), 0..3)).prop_map(|(tree, list)| json!({ "tree_map": if tree.is_object() { tree } else { json!({}) }, "c_list": list }))
}

proptest! {
    #[test]
    fn merging_is_associative_where_kinds_agree_and_nothing_is_cleared(
        a in agreeing(), b in agreeing(), c in agreeing(), append in any::<bool>()
    ) {
        let lists = if append { Lists::Append } else { Lists::Replace };
        let left = merged(&[merged(&[a.clone(), b.clone()], &lists), c.clone()], &lists);
        let right = merged(&[a, merged(&[b, c], &lists)], &lists);
        prop_assert_eq!(left, right);
    }

    #[test]
    fn merging_with_itself_changes_nothing(a in agreeing()) {
        prop_assert_eq!(merged(&[a.clone(), a.clone()], &Lists::Replace), a);
    }
}
