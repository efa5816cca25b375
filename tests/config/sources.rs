//! Files, overlays, the environment, overrides: what wins.

use crate::support::{Files, documented};
use serde_json::json;
use tower_spearmint::{
    ConfigPool,
    config::{Document, Sources},
};

const BASE: &str = "a: base\nb: base\nc: base\nd: base\nmap: { x: 1 }\n";

#[test]
fn what_is_named_later_wins() {
    let files = Files::new(&[
        ("base.yaml", BASE),
        ("env/prod.yaml", "b: overlay\nc: overlay\nd: overlay\nmap: { y: 2 }\n"),
    ]);
    let sources = Sources::new(files.directory())
        .overlay("prod")
        .environment("APP__", [("APP__C", "variable"), ("APP__D", "variable"), ("APP_X", "no")])
        .overrides(["d=override"]);
    let document = sources.load().unwrap();
    assert_eq!(
        document.value(),
        &json!({ "a": "base", "b": "overlay", "c": "variable", "d": "override", "map": { "x": 1, "y": 2 } })
    );
    let origin = |path: &str| {
        document
            .origin(path)
            .unwrap()
            .to_string()
            .replace(&format!("{}/", files.directory().display()), "")
    };
    assert_eq!(origin("a"), "base.yaml:1:4");
    assert_eq!(origin("b"), "env/prod.yaml:1:4");
    assert_eq!(origin("c"), "environment variable APP__C");
    assert_eq!(origin("d"), "override `d=override`");
    assert_eq!(origin("map.y"), "env/prod.yaml:4:11");
    assert_eq!(document.files(), [files.path("base.yaml"), files.path("env/prod.yaml")]);
    assert!(!format!("{sources:?}").contains("override\""), "{sources:?}");
}

#[test]
fn a_file_is_read_by_the_ending_of_its_name() {
    let files = Files::new(&[
        ("x.yaml", "a: { b: [1, two] }\n"),
        ("x.yml", "a: { b: [1, two] }\n"),
        ("x.json", "{ \"a\": { \"b\": [1, \"two\"] } }"),
        ("x.toml", "[a]\nb = [1, 'two']\n"),
    ]);
    for (name, place) in
        [("x.yaml", "1:13"), ("x.yml", "1:13"), ("x.json", "1:19"), ("x.toml", "2:9")]
    {
        let document = files.load(name, &[]).unwrap();
        assert_eq!(document.value(), &json!({ "a": { "b": [1, "two"] } }), "{name}");
        let origin = document.origin("a.b[1]").unwrap().to_string();
        assert!(origin.ends_with(&format!("{name}:{place}")), "{origin}");
    }
}

#[test]
fn a_mistake_is_told_where_it_was_made() {
    let files = Files::new(&[
        ("base.toml", "threads = 4\n"),
        ("env/prod.json", "{\n  \"threads\": \"many\" }"),
    ]);
    let bind = |sources: Sources| {
        let error = sources.load().unwrap().bind::<u8>("threads").unwrap_err();
        files.said(&error)
    };
    let sources = Sources::new(files.directory()).overlay("prod");
    documented(
        &bind(sources.clone()),
        "env/prod.json:2:14: `threads`: a whole number from 0 is expected here, not the text \"many\"",
    );
    documented(
        &bind(sources.clone().environment("SPEARMINT__", [("SPEARMINT__THREADS", "few")])),
        "environment variable SPEARMINT__THREADS: `threads`: a whole number from 0 is expected here, not the text \"few\"",
    );
    documented(
        &bind(sources.overrides(["threads=no"])),
        "override `threads=no`: `threads`: a whole number from 0 is expected here, not the text \"no\"",
    );
}

#[test]
fn what_is_not_there_is_named_with_what_there_is() {
    let files = Files::new(&[
        ("x/experiment.yaml", BASE),
        ("x/env/prod.yaml", ""),
        ("x/env/staging.toml", ""),
        ("twice/base.yaml", ""),
        ("twice/base.json", ""),
        ("none/readme.txt", ""),
    ]);
    let overlay = |name: &str| {
        files.said(&Sources::new(files.path("x/experiment.yaml")).overlay(name).load().unwrap_err())
    };
    documented(&overlay("prd"), "x/env: no overlay `prd`; there are `prod`, `staging`");
    assert_eq!(
        overlay("../experiment"),
        "x/env: no overlay `../experiment`; there are `prod`, `staging`"
    );
    let error = |name: &str| files.said(&Document::load(files.path(name)).unwrap_err());
    documented(&error("x"), "x: a directory without a file base.yaml; there are `experiment`");
    assert_eq!(
        error("none"),
        "none: a directory without a file base.yaml; it holds no config files"
    );
    documented(&error("twice"), "twice: both base.yaml and base.json are there; keep one");
    assert_eq!(error("y.yaml"), "y.yaml: No such file or directory (os error 2)");
}

#[test]
fn an_overlay_of_nothing_changes_nothing() {
    let files = Files::new(&[("base.yaml", BASE), ("env/empty.yaml", "# nothing\n")]);
    let document = Sources::new(files.directory()).overlay("empty").load().unwrap();
    assert_eq!(document.value(), Document::load(files.directory()).unwrap().value());
}

#[test]
fn a_pool_comes_from_a_file_of_any_format() {
    let files = Files::new(&[
        ("list.json", "[{ \"config_id\": \"a\" }, { \"config_id\": \"b\" }]"),
        ("one.toml", "config_id = 'a'\nx = 1\n"),
        ("list.yaml", "- config_id: a\n- config_id: b\n- config_id: 7\n"),
    ]);
    let pool = ConfigPool::from_file(files.path("list.json")).unwrap();
    assert_eq!(pool.iter().map(|c| c.id().as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(
        ConfigPool::from_file(files.path("one.toml")).unwrap()[0].get::<i32>("x").unwrap(),
        1
    );
    assert_eq!(
        files.said(&ConfigPool::from_file(files.path("list.yaml")).unwrap_err()),
        "list.yaml:3:14: `[2].config_id`: 7 is not a non-empty string"
    );
}
