//! `a.b=1` on a command line, and in the environment.

use crate::support::documented;
use proptest::prelude::*;
use serde_json::{Value, json};
use tower_spearmint::config::Document;

fn set(value: Value, overrides: &[&str]) -> Result<Value, String> {
    let mut document = Document::from_value(value);
    for text in overrides {
        document.set(text).map_err(|error| error.to_string())?;
    }
    Ok(document.value().clone())
}

#[test]
fn a_plus_sets_only_what_is_not_there() {
    assert_eq!(set(json!({}), &["+a.b=1"]), Ok(json!({ "a": { "b": 1 } })));
    assert_eq!(set(json!({ "a": 1 }), &["++a=2"]), Ok(json!({ "a": 2 })));
    documented(
        &set(json!({ "a": 1 }), &["+a=2"]).unwrap_err(),
        "override `+a=2`: `a` is there already; without the `+` it is replaced",
    );
}

#[test]
fn a_tilde_takes_out() {
    let value = json!({ "a": { "b": 1, "c": [1, 2] } });
    assert_eq!(set(value.clone(), &["~a.b", "~a.c[0]"]), Ok(json!({ "a": { "c": [2] } })));
    assert_eq!(set(value.clone(), &["~a.b=1"]), Ok(json!({ "a": { "c": [1, 2] } })));
    documented(
        &set(value.clone(), &["~a.b=2"]).unwrap_err(),
        "override `~a.b=2`: another value stands there, so it was not taken out",
    );
    documented(
        &set(value, &["~a.d"]).unwrap_err(),
        "override `~a.d`: `a.d`: not set; `a` has the keys `b`, `c`",
    );
}

#[test]
fn an_override_does_not_change_what_a_reference_leads_to_by_the_way() {
    let value =
        json!({ "llm": { "model": "a" }, "judge": "${llm}", "all": ["${.${x}}"], "x": "a ${y}" });
    documented(
        &set(value.clone(), &["judge.model=b"]).unwrap_err(),
        "override `judge.model=b`:1:1: `judge` is a reference; change `llm.model`, or the whole of `judge`",
    );
    assert_eq!(
        set(value.clone(), &["~judge.model"]).unwrap_err(),
        "override `~judge.model`: `judge` is a reference; change `llm.model`, or the whole of `judge`"
    );
    assert_eq!(
        set(value.clone(), &["all[0].b={c: 1}"]).unwrap_err(),
        "override `all[0].b={c: 1}`:1:1: `all[0]` is a reference; change what it leads to, or the whole of `all[0]`"
    );
    // A text with a reference in it is no map, wherever that leads.
    let error = set(value.clone(), &["x.b=1"]).unwrap_err();
    assert!(error.ends_with("the path leads through something that is not a map or a list item"));
    let judge = set(value, &["judge={model: b}"]).unwrap()["judge"].clone();
    assert_eq!(judge, json!({ "model": "b" }));
    let mut document = Document::from_value(json!({ "judge": "${llm[0]}" }));
    let error = document.apply_env("A__", [("A__JUDGE__MODEL", "b")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "environment variable A__JUDGE__MODEL: `judge.model`: `judge` is a reference; change `llm[0].model`, or the whole of `judge`"
    );
}

#[test]
fn mistakes_in_an_override_are_told_with_their_column() {
    for (text, expected) in [
        (
            "shadow.sample",
            "override `shadow.sample`:1:1: not `key=value`; write one as in shadow.sample=0.1",
        ),
        (
            "a..b=1",
            "override `a..b=1`:1:1: not a path; write one as in a.b, a[0].b, or v1\\.2 for a dot in a key",
        ),
        ("tags=[a, b", "override `tags=[a, b`:1:11: `]` is missing"),
        (
            "size=010",
            "override `size=010`:1:6: `010` is not a plain number; write 10, or \"010\" for a text",
        ),
        (
            "note='a' b",
            "override `note='a' b`:1:10: more text after the end of the value; quote the whole",
        ),
        (
            "m={a: 1, a: 2}",
            "override `m={a: 1, a: 2}`:1:10: this key is written twice in one map; keep one of them",
        ),
        (
            "list[7]=x",
            "override `list[7]=x`:1:1: the path leads through something that is not a map or a list item",
        ),
        (
            "list={x: 1}",
            "override `list={x: 1}`:1:1: a map cannot be merged with a list that stands there (the program); clear it with null first",
        ),
    ] {
        documented(&set(json!({ "list": [1] }), &[text]).unwrap_err(), expected);
    }
    for text in ["a[0=1", "a]=1", "a[]=1", ".a=1", "a.=1", "a[0]b=1", "a\\=1", "[=1", "+=1", "~"] {
        assert!(set(json!({}), &[text]).is_err(), "{text}");
    }
}

#[test]
fn a_secret_is_in_no_message() {
    for text in [
        "llm.api_key=s3cret[",
        "llm={api_key: s3cret, x: [}",
        "api_key=[s3cret",
        "list[9].token=s3cret",
        "list.x={password: s3cret}",
        "list[9]='http://u:s3cret@h/'",
        "llm={url: http://u:s3cret@h/, x: [}",
    ] {
        let mut document = Document::from_value(json!({ "list": [1], "llm": {} }));
        let said = match document.set(text) {
            Ok(()) => format!("{document:?} {:?}", document.origin("llm.api_key")),
            Err(error) => error.to_string(),
        };
        assert!(!said.contains("s3cret"), "{text}: {said}");
    }
    let mut document = Document::new();
    document.apply_env("APP__", [("APP__API_KEY", "s3cret")]).unwrap();
    let said = format!("{document:?} {}", document.error("api_key", "wrong"));
    assert!(!said.contains("s3cret"), "{said}");
    assert!(said.ends_with("environment variable APP__API_KEY: `api_key`: wrong"), "{said}");
}

#[test]
fn variables_are_applied_in_the_order_of_their_names() {
    let mut document = Document::from_value(
        json!({ "shadow": { "sample": 1 }, "configs": [{ "upStream": "a" }] }),
    );
    let variables = [
        ("SPEARMINT__SHADOW__TIMEOUT", "2s"),
        ("SPEARMINT__SHADOW", "{sample: 0.5}"),
        ("SPEARMINT__CONFIGS__0__UPSTREAM", "http://b"),
        ("SPEARMINT__NEW__KEY", "[1, x]"),
        ("SPEARMINT_LOG", "debug"),
        ("PATH", "/bin"),
    ];
    document.apply_env("SPEARMINT__", variables).unwrap();
    assert_eq!(
        document.value(),
        &json!({
            "shadow": { "sample": 0.5, "timeout": "2s" },
            "configs": [{ "upStream": "http://b" }],
            "new": { "key": [1, "x"] },
        })
    );
    assert_eq!(
        document.origin("new.key[1]").unwrap().to_string(),
        "environment variable SPEARMINT__NEW__KEY"
    );
}

#[test]
fn mistakes_in_a_variable_name_it_and_not_its_value() {
    for (name, value, expected) in [
        (
            "SPEARMINT__A____B",
            "1",
            "environment variable SPEARMINT__A____B: its name has an empty part; write one as in SPEARMINT__SHADOW__SAMPLE",
        ),
        (
            "SPEARMINT__A",
            "[1, 2",
            "environment variable SPEARMINT__A: its value cannot be read from character 6 on; put it in quotes",
        ),
        (
            "SPEARMINT__LIST__9",
            "1",
            "environment variable SPEARMINT__LIST__9: `list[9]`: the path leads through something that is not a map or a list item",
        ),
        (
            "SPEARMINT__LIST__X",
            "1",
            "environment variable SPEARMINT__LIST__X: `list` is a list, and X not the number of an item",
        ),
    ] {
        let mut document = Document::from_value(json!({ "list": [1] }));
        let error = document.apply_env("SPEARMINT__", [(name, value)]).unwrap_err();
        documented(&error.to_string(), expected);
    }
}

proptest! {
    #[test]
    fn no_override_is_too_strange(text in "[+~a-c.\\[\\]0-2=\\\\{}'\",: \u{e9}]{0,30}|.{0,30}") {
        let mut document = Document::from_value(json!({ "a": { "b": [1, { "c": null }] }, "c": 1 }));
        if let Err(error) = document.set(&text) {
            prop_assert!(!error.to_string().is_empty());
        }
        let _ = document.apply_env("A__", [(format!("A__{text}"), text.clone())]);
    }

    #[test]
    fn what_is_set_is_what_is_read(key in "[a-z.\\[\\]\\\\=0-9]{1,8}", number in any::<i32>()) {
        // Every key can be written, with backslashes.
        let escaped: String = key.chars().flat_map(|c| {
            let escape = (!c.is_ascii_alphanumeric()).then_some('\\');
            escape.into_iter().chain([c])
        }).collect();
        let value = set(json!({}), &[&format!("top.{escaped}={number}")]).map_err(TestCaseError::fail)?;
        prop_assert_eq!(&value["top"][&key], &json!(number));
    }
}
