//! A mistake in a reference is told with its place, and with what would be right.

use crate::interpolation::{document, error, resolvers};
use serde_json::json;
use tower_spearmint::config::{
    ConfigError, Document,
    interpolate::{Resolvers, resolve, resolve_in},
};

#[test]
fn mistakes_about_bounds_and_choices_are_told_as_the_documentation_shows_them() {
    let documentation = include_str!("../../docs/configuration.md");
    let mut doubling = "l0: \"0123456789\"\n".to_owned();
    for at in 1..60 {
        doubling.push_str(&format!("l{at}: ${{l{0}}}${{l{0}}}\n", at - 1));
    }
    let mut chain = String::new();
    for at in 0..200 {
        chain.push_str(&format!("k{at:03}: ${{k{:03}}}\n", at + 1));
    }
    let mut wrong = Vec::new();
    for text in [doubling.as_str(), chain.as_str(), "k: { $choice: [1, 2] }\nname: ${k}-small\n"] {
        // Of what a file expands nothing but its configs, as `spearmint serve` does.
        let mut value = document(text).value().clone();
        let first = match resolve(&mut value, &resolvers()) {
            Err(_) => error(text).lines().next().unwrap().to_owned(),
            Ok(_) => {
                let outer = value.clone();
                let error = resolve_in(&mut value, "", &outer, &resolvers()).unwrap_err();
                format!("exp.yaml:2:7: {error}")
            }
        };
        if !documentation.contains(&first) {
            wrong.push(first);
        }
    }
    assert!(wrong.is_empty(), "not in the documentation:\n{}", wrong.join("\n"));
}

/// Each message as `docs/configuration.md` shows it.
#[test]
fn each_mistake_is_told_as_the_documentation_shows_it() {
    let documentation = include_str!("../../docs/configuration.md");
    let mut wrong = Vec::new();
    for (text, expected) in [
        (
            "llm: { model: small }\nname: ${llm.modle}\n",
            "exp.yaml:2:7: `name`: `${llm.modle}` refers to nothing: `llm` has the keys `model`; \
             did you mean `model`?",
        ),
        (
            "a: ${b}\nb: ${c.d}\nc: { e: 1 }\n",
            "exp.yaml:2:4: `b`: `${c.d}` refers to nothing: `c` has the keys `e` \
             (on the way a → b)",
        ),
        ("a: ${b.c}\nb:\n  c: ${a}\n", "exp.yaml:1:4: `a`: refers to itself: a → b.c → a"),
        (
            "home: ${evn:HOME}\n",
            "exp.yaml:1:7: `home`: there is no resolver `evn`; did you mean `env`?",
        ),
        (
            "home: ${env:HOEM}\n",
            "exp.yaml:1:7: `home`: `${env:…}`: the environment variable `HOEM` is not set; set it, or give a \
             default, as in ${env:HOEM,default}",
        ),
        (
            "now: ${time.now:UTC}\n",
            "exp.yaml:1:6: `now`: `${time.now:…}`: no argument is expected; 1 is given",
        ),
        (
            "key: ${file:key.txt}\n",
            "exp.yaml:1:6: `key`: `${file:…}`: key.txt: No such file or directory (os error 2)",
        ),
        (
            "name: ${llm.model\n",
            "exp.yaml:1:7: `name`: `${llm.model` is not closed; a `}` is missing",
        ),
        (
            "name: ${llm..model}\n",
            "exp.yaml:1:7: `name`: `${llm..model}`: a key is missing at `.model}`",
        ),
        (
            "name: ${my key}\n",
            "exp.yaml:1:7: `name`: `${my key}`: `key}` is not expected; a `}` ends a reference, and \
             before a special character in a key stands a `\\`, as in `${my\\ key}`",
        ),
        (
            "name: ${env:A,}\n",
            "exp.yaml:1:7: `name`: an argument is empty before `}`; an empty text is written ''",
        ),
        (
            "llm: { model: small }\nname: the ${llm}\n",
            "exp.yaml:2:7: `name`: `${llm}` is a map, which cannot stand inside a text",
        ),
        (
            "a: 1\nname: ${..a}\n",
            "exp.yaml:2:7: `name`: 2 dots lead out of the document; the text stands 1 deep",
        ),
        (
            "llm: { name: ${env:MODEL} }\n",
            "exp.yaml:1:15: between `{…}` or `[…]` a reference stands in quotes, as in \"${a.b}\"",
        ),
        (
            "n: ${oc.create:{x: 1}}\n",
            "exp.yaml:1:18: a reference with `: ` in it stands in quotes, as in \"${a:b: c}\"",
        ),
        (
            "n: \"\\${a}\"\n",
            "exp.yaml:1:4: `\\${` stands in single quotes, as in '\\${a}', or as \"\\\\${a}\" in double ones",
        ),
        (
            "n: ${oc.decode:'[1, '}\n",
            "exp.yaml:1:4: `n`: `${oc.decode:…}`: an argument is empty before the end; an empty \
             text is written ''",
        ),
        (
            "key: ${file:${env:REGION}}\n",
            "exp.yaml:1:6: `key`: `${file:…}` failed; why is not shown, since it has to do with a \
             value from the environment, a file or a secret",
        ),
    ] {
        let found = error(text);
        if found != expected || !documentation.contains(&found) {
            wrong.push(found);
        }
    }
    assert!(wrong.is_empty(), "not here or not in the documentation:\n{}", wrong.join("\n"));
}

#[test]
fn all_mistakes_are_told_at_once_and_each_once() {
    assert_eq!(
        error("a: ${nope}\nb: ${a}\nc: ${a}\nd: [1, \"${zap:}\"]\ne: ${e}\n").lines().count(),
        3
    );
}

#[test]
fn an_override_may_be_a_reference_and_its_mistakes_name_it() {
    let mut one = document("a: 1\nb: 2\n");
    one.set("b='${a}'").unwrap();
    one.resolve(&resolvers()).unwrap();
    assert_eq!(one.get("b"), Some(&json!(1)));
    let mut other = document("a: 1\nb: 2\n");
    other.set("b='${c}'").unwrap();
    let error = other.resolve(&resolvers()).unwrap_err().to_string();
    assert!(error.starts_with("override `b='${c}'`: `b`: `${c}` refers to nothing"), "{error}");
}

#[test]
fn errors_of_values_made_in_code_name_their_path() {
    let mut value = json!({ "a": { "b": "${c}" } });
    let error = resolve(&mut value, &resolvers()).unwrap_err();
    assert!(matches!(error, ConfigError::Mismatch { .. }));
    assert_eq!(error.to_string(), "`a.b`: `${c}` refers to nothing: the document has the keys `a`");
}

#[test]
fn a_resolver_without_its_colon_is_told_from_a_reference() {
    let mut document = Document::from_value(json!({ "since": "${time.now}" }));
    assert_eq!(
        document.resolve(&Resolvers::standard()).unwrap_err().to_string(),
        "`since`: `${time.now}` refers to nothing; a resolver is called with a colon: `${time.now:}`"
    );
}
