//! `defaults:` lists.

use crate::support::{Files, documented};
use serde_json::json;
use tower_spearmint::config::Sources;

fn models() -> Files {
    Files::new(&[
        (
            "x.yaml",
            "defaults:\n  - base\n  - model: gpt\n  - _self_\nname: x\nmodel: { top_p: 0.9 }\n",
        ),
        ("base.yaml", "name: base\nthreads: 4\n"),
        ("model/gpt.yaml", "name: gpt\ntop_p: 1\n"),
        ("model/claude.toml", "name = 'claude'\n"),
        ("model/tiny.json", "{ \"name\": \"tiny\", \"top_p\": 0.5 }"),
        ("judge/strict.yaml", "strict: true\n"),
    ])
}

#[test]
fn a_list_composes_files_and_what_stands_later_wins() {
    let files = models();
    assert_eq!(
        files.value("x.yaml", &[]),
        json!({ "name": "x", "threads": 4, "model": { "name": "gpt", "top_p": 0.9 } })
    );
    let document = files.load("x.yaml", &[]).unwrap();
    let origin = |path: &str| document.origin(path).unwrap().to_string();
    assert!(origin("model.name").ends_with("model/gpt.yaml:1:7"), "{}", origin("model.name"));
    assert!(origin("threads").ends_with("base.yaml:2:10"));
    assert!(origin("model.top_p").ends_with("x.yaml:6:17"));
    assert_eq!(document.files().len(), 3);
}

#[test]
fn the_file_itself_comes_last_unless_it_says_otherwise() {
    let files = models();
    files.write("last.yaml", "defaults: [base]\nname: own\n");
    files.write("first.yaml", "defaults: [_self_, base]\nname: own\n");
    assert_eq!(files.value("last.yaml", &[])["name"], json!("own"));
    assert_eq!(files.value("first.yaml", &[])["name"], json!("base"));
}

#[test]
fn an_override_chooses_another_file() {
    let files = models();
    let model = |overrides: &[&str]| files.value("x.yaml", overrides)["model"].clone();
    assert_eq!(model(&["model=claude"]), json!({ "name": "claude", "top_p": 0.9 }));
    assert_eq!(model(&["model=claude", "model=tiny"]), json!({ "name": "tiny", "top_p": 0.9 }));
    assert_eq!(model(&["model=[tiny, claude]"]), json!({ "name": "claude", "top_p": 0.9 }));
    assert_eq!(model(&["model=null"]), json!({ "top_p": 0.9 }));
    assert_eq!(model(&["~model"]), json!({ "top_p": 0.9 }));
    assert_eq!(
        model(&["model=claude", "model.top_p=0.1"]),
        json!({ "name": "claude", "top_p": 0.1 })
    );
    assert_eq!(
        model(&["model={name: own}"]),
        json!({ "name": "own", "top_p": 0.9 }),
        "a map is a value"
    );
    assert_eq!(files.value("x.yaml", &["+judge=strict"])["judge"], json!({ "strict": true }));
    assert_eq!(files.value("x.yaml", &["+threshold=3"])["threshold"], json!(3), "not a group");
    documented(
        &files.error("x.yaml", &["model=gtp"]),
        "override `model=gtp`: no `gtp` in the group `model`; there are `claude`, `gpt`, `tiny`",
    );
    documented(
        &files.error("x.yaml", &["db/engine=lite"]),
        "override `db/engine=lite`: no `defaults:` list has the group `db/engine`",
    );
    assert_eq!(
        files.error("x.yaml", &["+judge=mild"]),
        "override `+judge=mild`: no `mild` in the group `judge`; there are `strict`"
    );
}

#[test]
fn groups_have_packages_and_may_be_optional_or_absolute() {
    let files = Files::new(&[
        (
            "x.yaml",
            "defaults:\n- db/engine: lite\n- model@judge: small\n- model@_global_: small\n- optional model: none\n\
             - optional nothing: x\n- optional neither\n- override db/engine/cache: big\n- cache: null\n",
        ),
        ("db/engine/lite.yaml", "defaults: [common, cache: small, /model: small]\nkind: lite\n"),
        ("db/engine/common.yaml", "pool: 4\n"),
        ("db/engine/cache/small.yaml", "mb: 1\n"),
        ("db/engine/cache/big.yaml", "mb: 100\n"),
        ("model/small.yaml", "size: 1\n"),
    ]);
    assert_eq!(
        files.value("x.yaml", &[]),
        json!({
            "db": { "engine": { "pool": 4, "kind": "lite", "cache": { "mb": 100 } } },
            "model": { "size": 1 }, "judge": { "size": 1 }, "size": 1,
        })
    );
    let small = files.value("x.yaml", &["db/engine/cache=small", "model@judge=null"]);
    assert_eq!(small["db"]["engine"]["cache"], json!({ "mb": 1 }));
    assert_eq!(small.get("judge"), None);
}

#[test]
fn mistakes_in_a_list_are_told_with_their_place() {
    let files = models();
    for (list, expected) in [
        (
            "[bse]",
            "y.yaml:1:12: `defaults[0]`: no file `bse` beside this one; there are `base`, `x`, `y`",
        ),
        (
            "[model: gtp]",
            "y.yaml:1:12: `defaults[0]`: no `gtp` in the group `model`; there are `claude`, `gpt`, `tiny`",
        ),
        (
            "[{ modle: gpt }]",
            "y.yaml:1:12: `defaults[0]`: no group `modle`: modle is no directory; did you mean `model`?",
        ),
        ("[base, _self_, _self_]", "y.yaml:1:26: `defaults[2]`: `_self_` stands in the list twice"),
        (
            "[7]",
            "y.yaml:1:12: `defaults[0]`: a number is no entry of a `defaults:` list; an entry is `- file`, `- group: file` or `- _self_`",
        ),
        (
            "[../base]",
            "y.yaml:1:12: `defaults[0]`: `../base` is not the name of a file beside or below this one",
        ),
        (
            "[model: ../../etc/passwd]",
            "y.yaml:1:12: `defaults[0]`: no `../../etc/passwd` in the group `model`; there are `claude`, `gpt`, `tiny`",
        ),
        (
            "[{ optinal model: gpt }]",
            "y.yaml:1:12: `defaults[0]`: `optinal` is not known here; there are optional, override",
        ),
        (
            "[y]",
            "y.yaml:1:12: `defaults[0]`: y.yaml is being read already: the files include each other in a circle",
        ),
        (
            "[model: { a: 1 }]",
            "y.yaml:1:12: `defaults[0]`: a map does not name a file; an entry is `- file`, `- group: file` or `- _self_`",
        ),
    ] {
        files.write("y.yaml", format!("defaults: {list}\n"));
        documented(&files.error("y.yaml", &[]), expected);
    }
    // A file that is included may be wrong, too, and is the one named then.
    files.write("y.yaml", "defaults: [z]\n");
    files.write("z.yaml", "defaults: [y]\n");
    assert!(files.error("y.yaml", &[]).starts_with("z.yaml:1:12: `defaults[0]`: "));
    files.write("z.yaml", "- a\n");
    documented(
        &files.error("y.yaml", &[]),
        "z.yaml:1:1: a file that a `defaults:` list names is a map",
    );
}

#[test]
fn a_map_called_defaults_is_a_value() {
    let files = Files::new(&[("x.yaml", "defaults: { a: 1 }\n")]);
    assert_eq!(files.value("x.yaml", &[]), json!({ "defaults": { "a": 1 } }));
}

#[test]
fn an_overlay_may_have_a_list_of_its_own() {
    let files = models();
    files.write("env/prod.yaml", "defaults: [common]\nthreads: 8\n");
    files.write("env/common.yaml", "name: prod\n");
    let document = Sources::new(files.path("x.yaml"))
        .overlay("prod")
        .overrides(["model=tiny"])
        .load()
        .unwrap();
    assert_eq!(
        document.value(),
        &json!({ "name": "prod", "threads": 8, "model": { "name": "tiny", "top_p": 0.9 } })
    );
}
