//! Merging, overrides, types and access, against Python's omegaconf: `omegaconf.py` wrote what it
//! makes of the same cases.

use serde_json::{Value, json};
use tower_spearmint::config::{Document, Lists};

/// Where we differ on purpose: what comes out here instead (`Err` for a refusal), and why. Listed in
/// `docs/configuration.md`, too.
fn differences() -> Vec<(&'static str, Result<Value, ()>, &'static str)> {
    const LOOSE: &str = "readers do not agree on the number, so it is refused";
    const WORDS: &str = "true and false are the only booleans";
    const BARE: &str = "a bare value of an override is a number, a word or a text, never YAML";
    const PLAIN: &str = "an override does not guess";
    const REFERRED: &str = "what else refers to it would change, too";
    const HYDRA: &str = "`~` and `+` mean what they mean in Hydra";
    vec![
        (
            "a map over a reference to a map",
            Ok(json!({ "a": { "x": 1 }, "b": { "y": 2 } })),
            "references are resolved after merging",
        ),
        ("override: no equals sign", Err(()), PLAIN),
        ("override: a leading zero", Err(()), LOOSE),
        ("override: underscores", Err(()), LOOSE),
        ("override: beyond 64 bits", Err(()), LOOSE),
        ("override: infinity", Err(()), LOOSE),
        ("override: yes", Ok(json!({ "a": "yes" })), WORDS),
        ("override: off", Ok(json!({ "a": "off" })), WORDS),
        ("override: sexagesimal", Ok(json!({ "a": "12:30" })), BARE),
        ("override: a blank in front of the sign", Ok(json!({ "a": 1 })), PLAIN),
        ("override: a colon and a blank", Ok(json!({ "a": "x: y" })), BARE),
        ("override: a number sign", Ok(json!({ "a": "x #y" })), BARE),
        ("override: a dash and a blank", Ok(json!({ "a": "- 1" })), BARE),
        ("override: a map without blanks", Ok(json!({ "a": { "x": 1 } })), BARE),
        ("override: an alias", Ok(json!({ "a": "*x" })), BARE),
        ("override: an at sign", Ok(json!({ "a": "@x" })), BARE),
        ("override: a tag", Ok(json!({ "a": "!!str 1" })), BARE),
        ("override: from the end of a list", Err(()), PLAIN),
        ("override: two dots", Err(()), PLAIN),
        ("override: no key", Err(()), PLAIN),
        ("override: through a leaf", Err(()), "a value is not thrown away by a slip in a path"),
        ("override: through a reference to a map", Err(()), REFERRED),
        ("override: through a reference to a leaf", Err(()), REFERRED),
        ("override: a reference in a list", Ok(json!({ "a": ["${b}"], "b": 1 })), BARE),
        ("override: a tilde in front", Ok(json!({ "b": 2 })), HYDRA),
        ("override: a plus in front", Ok(json!({ "a": 1, "b": 2 })), HYDRA),
        ("file: a leading zero", Err(()), LOOSE),
        ("file: underscores", Err(()), LOOSE),
        ("file: octal with an o", Ok(json!({ "a": 15 })), "YAML 1.2 has octal numbers"),
        ("file: yes and no", Ok(json!({ "a": "yes", "b": "no" })), WORDS),
        ("file: not finite", Err(()), LOOSE),
        ("file: a number as a key", Ok(json!({ "1": "x" })), "keys are texts"),
        ("select: from the end of a list", Ok(Value::Null), PLAIN),
        ("update: through a reference", Err(()), REFERRED),
        ("update: through a leaf", Err(()), "a value is not thrown away by a slip in a path"),
    ]
}

fn ours(operation: &str, inputs: &[Value]) -> Result<Value, ()> {
    let text = |at: usize| inputs[at].as_str().unwrap();
    if operation == "yaml" {
        let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
        std::fs::write(file.path(), text(0)).unwrap();
        let document = Document::load(file.path()).map_err(drop)?;
        // A config is a map or a list; that is said when it is frozen or read.
        let whole = document.value().clone();
        return if whole.is_object() || whole.is_array() { Ok(whole) } else { Err(()) };
    }
    let mut document = Document::from_value(inputs[0].clone());
    match operation {
        "merge" => {
            for over in &inputs[1..] {
                document.merge(Document::from_value(over.clone())).map_err(drop)?;
            }
        }
        "dotlist" => {
            for at in 1..inputs.len() {
                document.set(text(at)).map_err(drop)?;
            }
        }
        "select" => return Ok(document.get(text(1)).cloned().unwrap_or_default()),
        "update" => {
            document.update(text(1), inputs[2].clone(), &Lists::Replace).map_err(drop)?;
        }
        other => panic!("{other}"),
    }
    Ok(document.value().clone())
}

#[test]
fn we_do_as_omegaconf_does_but_for_the_differences_that_are_listed() {
    let table: Value = serde_json::from_str(include_str!("omegaconf.json")).unwrap();
    let cases = table["cases"].as_array().unwrap();
    assert!(cases.len() >= 100);
    let mut differences = differences();
    let mut wrong = Vec::new();
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let theirs = case.get("result").cloned().ok_or(());
        let ours = ours(case["operation"].as_str().unwrap(), case["inputs"].as_array().unwrap());
        let listed = differences.iter().position(|(listed, ..)| *listed == name);
        let expected = match listed {
            Some(at) => {
                let (_, expected, _) = differences.swap_remove(at);
                if expected == theirs {
                    wrong.push(format!("{name}: listed as a difference, but is none"));
                }
                expected
            }
            None => theirs,
        };
        if ours != expected {
            wrong.push(format!("{name}: {ours:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(differences.is_empty(), "no such cases: {differences:?}");
}

#[test]
fn every_difference_is_told_in_the_documentation() {
    let documentation = include_str!("../../docs/configuration.md");
    let section = documentation.split("## Differences from OmegaConf").nth(1).unwrap();
    for (name, _, reason) in differences() {
        let said = section.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(reason), "{name}: {reason}");
    }
}
