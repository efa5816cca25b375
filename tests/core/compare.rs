//! Two JSON values are compared by their structure.

use proptest::prelude::*;
use serde_json::{Value, json};
use tower_spearmint::{
    compare::{DifferenceKind, Differences, JsonRules, Tolerance, json},
    config::SecretKeys,
};

fn diff(primary: &Value, shadow: &Value) -> Differences {
    json(primary, shadow, &JsonRules::default())
}

/// Path, kind, count and samples, as one line each.
fn lines(differences: &Differences) -> Vec<String> {
    let line = |sample: &Option<String>| sample.clone().unwrap_or_else(|| "-".to_owned());
    let differences = differences.list().iter();
    differences
        .map(|it| {
            format!(
                "{} {} x{} {} {}",
                it.path,
                it.kind,
                it.count,
                line(&it.primary),
                line(&it.shadow)
            )
        })
        .collect()
}

#[test]
fn each_kind_of_difference_is_told_at_its_path() {
    let primary =
        json!({ "a": 1, "b": { "c": [1, 2, 3], "d": "x" }, "gone": null, "t": 1, "~/": 0 });
    let shadow = json!({ "a": 2, "b": { "c": [1, 5], "d": "y" }, "new": [], "t": "1", "~/": 1 });
    assert_eq!(
        lines(&diff(&primary, &shadow)),
        [
            "/a changed x1 1 2",
            "/b/c/* changed x1 2 5",
            "/b/c/* missing x1 3 -",
            "/b/d changed x1 \"x\" \"y\"",
            "/gone missing x1 null -",
            "/t type x1 1 \"1\"",
            "/~0~1 changed x1 0 1",
            "/new added x1 - []",
        ]
    );
    assert_eq!(lines(&diff(&json!(1), &json!([]))), ["body type x1 1 []"]);
    assert_eq!(lines(&diff(&json!([]), &json!([[]]))), ["/* added x1 - []"]);
    assert_eq!(
        lines(&diff(&json!({ "": { "": 1 } }), &json!({ "": { "": 2 } }))),
        ["// changed x1 1 2"]
    );
}

#[test]
fn what_differs_in_many_items_is_one_path_with_a_count() {
    let items =
        |score: f64| -> Value { (0..1000).map(|id| json!({ "id": id, "score": score })).collect() };
    let differences =
        diff(&json!({ "items": items(0.5), "z": 1 }), &json!({ "items": items(0.25), "z": 2 }));
    assert_eq!(lines(&differences), ["/items/*/score changed x1000 0.5 0.25", "/z changed x1 1 2"]);
    assert_eq!(differences.more(), 0);
}

#[test]
fn an_ignored_path_covers_all_that_is_below_it_and_nothing_else() {
    let rules = JsonRules::default().ignore(["/id", "/items/*/meta", "/map/*", "/list/1"]).unwrap();
    let primary = json!({ "id": 1, "items": [{ "meta": { "at": 1 }, "v": 1 }], "map": { "a": 1 }, "list": [1, 2] });
    let shadow = json!({ "id": [2], "items": [{ "v": 1 }], "map": { "b": 2 }, "list": [1, 3, 4] });
    assert_eq!(lines(&json(&primary, &shadow, &rules)), ["/list/* added x1 - 4"]);
    let all = JsonRules::default().ignore([""]).unwrap();
    assert!(json(&primary, &shadow, &all).is_empty());
}

#[test]
fn a_tolerance_holds_where_it_is_set_and_everywhere_else_the_general_one() {
    let rules = JsonRules::default()
        .tolerance(Tolerance::absolute(0.1))
        .tolerances([("/exact", Tolerance::EXACT), ("/rough/*", Tolerance::relative(0.5))])
        .unwrap();
    let primary = json!({ "a": 1.0, "exact": { "b": 1.0 }, "rough": [100, 100] });
    let shadow = json!({ "a": 1.05, "exact": { "b": 1.05 }, "rough": [150, 201] });
    assert_eq!(
        lines(&json(&primary, &shadow, &rules)),
        ["/exact/b changed x1 1.0 1.05", "/rough/* changed x1 100 201"]
    );
}

#[test]
fn unordered_items_are_matched_by_what_the_rules_leave_of_them() {
    let rules = JsonRules::default()
        .ignore(["/items/*/id"])
        .unwrap()
        .tolerances([("/items/*/score", Tolerance::absolute(0.01))])
        .unwrap()
        .unordered(["/items", "/items/*/tags"])
        .unwrap();
    let primary = json!({ "items": [
        { "id": 1, "name": "a", "score": 0.5, "tags": [1, 2] },
        { "id": 2, "name": "b", "score": 0.5, "tags": [] },
        { "id": 3, "name": "c", "score": 0.7, "tags": ["x"] },
    ] });
    let same = json!({ "items": [
        { "id": 9, "name": "c", "score": 0.701, "tags": ["x"] },
        { "id": 8, "name": "b", "score": 0.499, "tags": [] },
        { "id": 7, "name": "a", "score": 0.5, "tags": [2.0, 1.0] },
    ] });
    assert!(json(&primary, &same, &rules).is_empty());
    let other = json!({ "items": [
        { "id": 9, "name": "c", "score": 0.701, "tags": ["x"] },
        { "id": 8, "name": "B", "score": 0.499, "tags": [] },
        { "id": 7, "name": "a", "score": 0.5, "tags": [2.0, 1.0] },
        { "id": 6 },
    ] });
    assert_eq!(
        lines(&json(&primary, &other, &rules)),
        ["/items/*/name changed x1 \"b\" \"B\"", "/items/* added x1 - {\"id\":6}"]
    );
    assert!(
        !json(&json!([[1, 2]]), &json!([[2, 1]]), &JsonRules::default().unordered([""]).unwrap())
            .is_empty()
    );
    assert!(
        json(&json!([[1, 2]]), &json!([[2, 1]]), &JsonRules::default().unordered_everywhere())
            .is_empty()
    );
    // A multiset: as often, not only as such.
    let tags = JsonRules::default().unordered([""]).unwrap();
    assert_eq!(lines(&json(&json!([1, 1, 2]), &json!([1, 2, 2]), &tags)), ["/* changed x1 1 2"]);
}

#[test]
fn large_unordered_arrays_take_no_quadratic_time() {
    let rules = JsonRules::default().unordered_everywhere().tolerance(Tolerance::absolute(0.1));
    let primary: Value = (0..200_000).map(|n| json!(n)).collect();
    let shadow: Value = (200_000..400_000).map(|n| json!(n)).collect();
    let differences = json(&primary, &shadow, &rules);
    assert_eq!(differences.list()[0].count, 200_000);
}

#[test]
fn deep_unordered_arrays_are_looked_at_a_few_times_each() {
    let rules = JsonRules::default().unordered_everywhere().tolerance(Tolerance::absolute(0.1));
    let deep = |last: u64| {
        let leaves: Value = (0..200_000_u64).map(|n| json!(n)).chain([json!(last)]).collect();
        (0..100).fold(leaves, |inner, level| json!([level, inner]))
    };
    let differences = json(&deep(1_000_000), &deep(2_000_000), &rules);
    assert_eq!(lines(&differences), [format!("{} changed x1 1000000 2000000", "/*".repeat(101))]);
}

#[test]
fn samples_of_long_texts_show_where_they_part() {
    let text = |end: &str| json!({ "text": format!("{}{end}", "word ".repeat(1000)) });
    let differences = diff(&text("Ann"), &text("Bob"));
    let [text] = differences.list() else { panic!("{differences:?}") };
    assert!(text.primary.as_deref().unwrap().ends_with("word Ann\""), "{text:?}");
    assert!(text.shadow.as_deref().unwrap().ends_with("word Bob\""), "{text:?}");
}

#[test]
fn secrets_and_redacted_paths_are_found_but_not_shown() {
    let rules = JsonRules::default().redact(["/user", "/log/*/line"]).unwrap();
    let primary = json!({
        "user": { "name": "SECRET" },
        "log": [{ "line": "SECRET", "level": 1 }],
        "auth": { "password": "SECRET", "session_id": "SECRET" },
        "gone": { "deep": [{ "api_key": "SECRET", "max_tokens": 7 }] },
        "token": "SECRET",
    });
    let shadow = json!({
        "user": { "name": "SECRET2" }, "log": [], "auth": { "password": null }, "token": ["SECRET"],
    });
    let differences = json(&primary, &shadow, &rules);
    assert_eq!(
        lines(&differences),
        [
            "/auth/password type x1 [redacted] null",
            "/auth/session_id missing x1 [redacted] -",
            "/gone missing x1 {\"deep\":[{\"api_key\":[redacted],\"max_tokens\":7}]} -",
            "/log/* missing x1 {\"level\":1,\"line\":[redacted]} -",
            "/token type x1 [redacted] [redacted]",
            "/user/name changed x1 [redacted] [redacted]",
        ]
    );
    let open = JsonRules::default().secrets(SecretKeys::none());
    assert!(lines(&json(&primary, &shadow, &open)).iter().any(|line| line.contains("SECRET")));
}

/// Any JSON, with few keys, so that paths meet.
fn values() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0..5).prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    scalar.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((key(), inner), 0..6)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof!["[a-d]", Just("~/*".to_owned()), Just(String::new()), ".{0,3}"]
}

/// The places of all values: keys as they stand, places of arrays as numbers.
fn places(value: &Value, here: &str, out: &mut Vec<String>) {
    out.push(here.to_owned());
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            places(value, &format!("{here}/{}", key.replace('~', "~0").replace('/', "~1")), out);
        }),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(at, item)| places(item, &format!("{here}/{at}"), out));
        }
        _ => {}
    }
}

/// The path a difference at a place has.
fn path_of(value: &Value, place: &str) -> String {
    let mut here = value;
    let mut path = String::new();
    for segment in place.split('/').skip(1) {
        let is_array = here.is_array();
        path += if is_array { "/*" } else { "/" };
        path += if is_array { "" } else { segment };
        here = here.pointer(&format!("/{segment}")).unwrap();
    }
    if path.is_empty() { "body".to_owned() } else { path }
}

/// The same, with the items of every array in another order.
fn shuffled(value: &Value, seed: u64) -> Value {
    let next = |at: u64| (seed ^ at).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17);
    match value {
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().map(|item| shuffled(item, next(1))).collect();
            for at in (1..items.len()).rev() {
                items.swap(at, (next(at as u64) % (at as u64 + 1)) as usize);
            }
            items.into()
        }
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.clone(), shuffled(value, next(2)))).collect()
        }
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn nothing_differs_from_itself(value in values()) {
        prop_assert!(diff(&value, &value.clone()).is_empty());
        let read: Value = serde_json::from_str(&value.to_string()).unwrap();
        prop_assert!(diff(&value, &read).is_empty());
        let unordered = JsonRules::default().unordered_everywhere();
        prop_assert!(json(&value, &read, &unordered).is_empty());
    }

    #[test]
    fn order_does_not_count_where_it_should_not(value in values(), seed: u64) {
        let other = shuffled(&value, seed);
        for tolerance in [Tolerance::EXACT, Tolerance::relative(1e-9)] {
            let rules = JsonRules::default().unordered_everywhere().tolerance(tolerance);
            prop_assert!(json(&value, &other, &rules).is_empty(), "{other}");
        }
    }

    #[test]
    fn one_change_is_told_at_its_place_and_ignored_there(value in values(), at: prop::sample::Index) {
        let mut all = Vec::new();
        places(&value, "", &mut all);
        let place = at.get(&all);
        let mut other = value.clone();
        *other.pointer_mut(place).unwrap() = json!({ "another": "value that is nowhere else" });

        for (primary, shadow) in [(&value, &other), (&other, &value)] {
            let differences = diff(primary, shadow);
            let path = path_of(&value, place);
            // An object that became another one differs in its fields.
            let is_object = value.pointer(place).unwrap().is_object();
            let below = format!("{}/", if path == "body" { "" } else { &path });
            prop_assert!(!differences.is_empty());
            for difference in differences.list() {
                let there = if is_object { difference.path.starts_with(&below) } else { difference.path == path };
                prop_assert!(there, "{:?} is not at {path}", difference);
            }
            let ignoring = JsonRules::default().ignore([place.as_str()]).unwrap();
            prop_assert!(json(primary, shadow, &ignoring).is_empty(), "{}", place);
        }
    }

    #[test]
    fn a_field_more_is_added_and_a_field_less_is_missing(value in values(), at: prop::sample::Index) {
        let value = json!({ "whole": value });
        let mut all = Vec::new();
        places(&value, "", &mut all);
        all.retain(|place| value.pointer(place).unwrap().is_object());
        let place = at.get(&all);
        let mut other = value.clone();
        other.pointer_mut(place).unwrap().as_object_mut().unwrap().insert("only here".to_owned(), json!(1));
        let path = path_of(&value, place);
        let path = format!("{}/only here", if path == "body" { "" } else { &path });
        let one = |differences: Differences| {
            let [difference] = differences.list() else { panic!("{differences:?}") };
            (difference.path.clone(), difference.kind)
        };
        prop_assert_eq!(one(diff(&value, &other)), (path.clone(), DifferenceKind::Added));
        prop_assert_eq!(one(diff(&other, &value)), (path, DifferenceKind::Missing));
    }

    #[test]
    fn what_is_redacted_is_in_no_sample(value in values(), other in values(), at: prop::sample::Index) {
        const SECRET: &str = "kept under wraps";
        let mut all = Vec::new();
        places(&value, "", &mut all);
        let place = at.get(&all);
        let mut primary = value.clone();
        *primary.pointer_mut(place).unwrap() = json!([{ "deep": SECRET }, SECRET]);
        let path = path_of(&value, place);
        let rules = JsonRules::default().redact([if path == "body" { "" } else { &path }]).unwrap();
        for (primary, shadow) in
            [(&primary, &value), (&value, &primary), (&primary, &other), (&other, &primary)]
        {
            for rules in [rules.clone(), rules.clone().unordered_everywhere()] {
                let text = serde_json::to_string(&json(primary, shadow, &rules)).unwrap();
                prop_assert!(!text.contains(SECRET), "{text}");
            }
        }
    }
}
