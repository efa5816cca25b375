//! References between values, and to what is around a config.

use proptest::prelude::*;
use serde_json::{Value, json};
use std::time::{Duration, UNIX_EPOCH};
use tower_spearmint::config::{
    Document,
    interpolate::{Resolvers, has_references, resolve},
    yaml::parse,
};

/// What differs from omegaconf on purpose: the text, what it stands for here (`None`: an error),
/// and why.
const DIFFERENT: &[(&str, Option<&str>, &str)] = &[
    ("x ${t}", Some(r#""x true""#), "as YAML and JSON write it, not as Python prints it"),
    ("x ${n}", Some(r#""x null""#), "as YAML and JSON write it, not as Python prints it"),
    ("x ${b}", None, "what Python prints of a map is of use to nobody"),
    ("x ${b.d}", None, "what Python prints of a list is of use to nobody"),
    (r"\???", Some(r#""\\???""#), "`???` is always a missing value; there is no escape for it"),
    (
        "${oc.decode:${oc.env:TEMPLATE}}",
        None,
        "what comes from outside is data, never a reference to a secret of the document",
    ),
    ("${list:,}", None, "deprecated there, with a warning; an empty text is written ''"),
    ("${list:1,}", None, "deprecated there, with a warning; an empty text is written ''"),
    ("${list:[1,,2]}", None, "deprecated there, with a warning; an empty text is written ''"),
    (
        "${list:{1:a,true:b}}",
        Some(r#"[{"1": "a", "true": "b"}]"#),
        "keys are texts, as in JSON; there 1 and true are one key",
    ),
    ("${list:a=b}", Some(r#"["a=b"]"#), "nothing is gained by refusing it"),
    ("${list:(a)}", Some(r#"["(a)"]"#), "nothing is gained by refusing it"),
    ("${list:ü}", Some(r#"["ü"]"#), "nothing is gained by refusing it"),
];

#[test]
fn references_mean_what_they_mean_to_omegaconf() {
    let table: Value = serde_json::from_str(include_str!("omegaconf_interpolation.json")).unwrap();
    let env = table["env"].clone();
    let resolvers = Resolvers::standard()
        .with_env(move |name| env.get(name)?.as_str().map(str::to_owned))
        .with("list", |arguments| Ok(arguments.to_vec().into()));
    let cases = table["cases"].as_array().unwrap();
    assert!(cases.len() >= 60);
    let mut wrong = Vec::new();
    let mut differences = 0;
    for case in cases {
        let text = case["text"].as_str();
        let mut document = match text {
            Some(text) => {
                let mut document = table["base"].clone();
                document["v"] = text.into();
                document
            }
            None => case["document"].clone(),
        };
        let path = case["path"].as_str().unwrap_or("v");
        let pointer: String = path.split('.').flat_map(|step| ["/", step]).collect();
        let resolved = resolve(&mut document, &resolvers);
        let ours = match &resolved {
            Ok(_) => document.pointer(&pointer).filter(|value| **value != "???"),
            Err(_) => None,
        };
        let expected = match DIFFERENT.iter().find(|(other, ..)| Some(*other) == text) {
            Some((_, ours, _)) => {
                differences += 1;
                let ours = ours.map(|ours| serde_json::from_str(ours).unwrap());
                assert_ne!(ours.as_ref(), case.get("value"), "{case} is no difference");
                ours
            }
            None => case.get("value").cloned(),
        };
        if ours != expected.as_ref() {
            wrong.push(format!("{case} is {ours:?} ({:?})", resolved.err().map(|e| e.to_string())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(differences, DIFFERENT.len());
}

#[test]
fn each_difference_from_omegaconf_is_in_the_documentation() {
    let documentation = include_str!("../../docs/configuration.md");
    for (text, ..) in DIFFERENT {
        assert!(documentation.contains(&format!("`{text}`")), "{text}");
    }
}

/// Resolvers that see nothing of this machine.
pub fn resolvers() -> Resolvers {
    Resolvers::standard()
        .with_env(|name| match name {
            "REGION" => Some("eu".to_owned()),
            "PORT" => Some("8080".to_owned()),
            "DB_PASSWORD" => Some("hunter2".to_owned()),
            "TEMPLATE" => Some("${a}".to_owned()),
            _ => None,
        })
        .with_clock(|| UNIX_EPOCH + Duration::from_millis(1_764_041_020_900))
}

pub fn document(text: &str) -> Document {
    parse(text, "exp.yaml").unwrap_or_else(|error| panic!("{text}: {error}")).swap_remove(0)
}

pub fn resolved(text: &str) -> Value {
    let mut document = document(text);
    document.resolve(&resolvers()).unwrap_or_else(|error| panic!("{text}: {error}"));
    document.value().clone()
}

pub fn error(text: &str) -> String {
    let result = parse(text, "exp.yaml")
        .and_then(|mut documents| documents[0].resolve(&resolvers()).map(|()| documents));
    result.expect_err(text).to_string()
}

#[test]
fn the_clock_and_the_machine_can_be_asked() {
    let value = resolved("now: ${time.now:}\nunix: ${time.unix:}\ncpus: ${sys.cpu_count:}\n");
    assert_eq!(value["now"], "2025-11-25T03:23:40Z");
    assert_eq!(value["unix"], 1_764_041_020);
    assert!(value["cpus"].as_u64().unwrap() >= 1);
    let value = resolved("host: ${sys.hostname:}\nos: ${sys.platform:}\ncwd: ${sys.cwd:}");
    assert!(!value["host"].as_str().unwrap().is_empty());
    assert_eq!(value["os"], std::env::consts::OS);
    assert_eq!(value["cwd"], std::env::current_dir().unwrap().to_str().unwrap());
}

#[test]
fn paths_are_put_together_and_taken_apart() {
    let value = resolved(
        "
root: data
join: ${path.join:${root},x,y.txt}
dir: ${path.dirname:${.join}}
base: ${path.basename:${.join}}
root_dir: ${path.dirname:/}
abs: ${path.abspath:/a/./b/../c}
relative: ${path.abspath:c}
",
    );
    assert_eq!(value["join"], "data/x/y.txt");
    assert_eq!(value["dir"], "data/x");
    assert_eq!(value["base"], "y.txt");
    assert_eq!(value["root_dir"], "/");
    assert_eq!(value["abs"], "/a/c");
    assert_eq!(value["relative"], std::env::current_dir().unwrap().join("c").to_str().unwrap());
}

#[test]
fn a_file_is_read_beside_the_document_without_the_end_of_its_last_line() {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in [("one", "a\n"), ("crlf", "a\r\n"), ("two", "a\n\n"), ("none", " a ")] {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    std::fs::write(directory.path().join("large"), vec![b'x'; (1 << 20) + 1]).unwrap();
    std::fs::write(directory.path().join("largest"), vec![b'x'; 1 << 20]).unwrap();
    std::fs::write(directory.path().join("latin"), b"\xe4").unwrap();
    let resolvers = Resolvers::standard().beside(&directory.path().join("exp.yaml"));
    let read = |text: &str| {
        let mut value = json!({ "v": text });
        resolve(&mut value, &resolvers).map(|_| value["v"].take())
    };
    assert_eq!(read("${file:one}").unwrap(), "a");
    assert_eq!(read("${file:crlf}").unwrap(), "a");
    assert_eq!(read("${file:two}").unwrap(), "a\n");
    assert_eq!(read("${file:none}").unwrap(), " a ");
    assert_eq!(read("${file:largest}").unwrap().as_str().unwrap().len(), 1 << 20);
    assert_eq!(read("${path.exists:one}").unwrap(), true);
    assert_eq!(read("${path.exists:nope}").unwrap(), false);
    let error = |text: &str| read(text).unwrap_err().to_string();
    assert!(error("${file:large}").ends_with("large: larger than 1 MiB"));
    assert!(error("${file:latin}").ends_with("latin: not UTF-8"));
    assert!(error("${file:.}").ends_with("not a regular file"));
    assert!(error("${file:nope}").contains("nope: "));
}

#[test]
fn what_comes_from_outside_is_never_a_reference() {
    assert_eq!(resolved("a: 1\nb: ${env:TEMPLATE}\nc: ${b}\n")["c"], "${a}");
}

#[test]
fn a_text_without_references_costs_no_change() {
    let value = json!({ "a": ["$", "\\$", "a}", "\\\\", { "b": "$ {a}" }] });
    assert!(!has_references(&value));
    let mut same = value.clone();
    assert!(resolve(&mut same, &resolvers()).unwrap().is_complete());
    assert_eq!(same, value);
}

#[test]
fn only_what_is_asked_for_is_resolved_when_read_lazily() {
    let document = document("a: ${b.x}\nb: ${c}\nc: { x: 1, y: \"${nope}\" }\nm: ???\n");
    assert_eq!(document.resolved("a", &resolvers()).unwrap(), 1);
    assert_eq!(document.resolved("b.x", &resolvers()).unwrap(), 1);
    let error = |path: &str| document.resolved(path, &resolvers()).unwrap_err().to_string();
    assert_eq!(
        error("b"),
        "exp.yaml:3:15: `c.y`: `${nope}` refers to nothing: the document has the keys `a`, `b`, \
         `c`, `m` (on the way b → c.y)"
    );
    assert_eq!(error("m"), "exp.yaml:4:4: `m`: missing (`???`); a value must be given");
    assert!(error("zz").starts_with("exp.yaml:1:"), "{}", error("zz"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_text_without_a_dollar_is_unchanged(text in "[^$]{0,40}") {
        let mut value = json!({ "a": text });
        resolve(&mut value, &resolvers()).unwrap();
        prop_assert_eq!(&value["a"], &text);
    }

    #[test]
    fn no_text_makes_it_panic(text in r"([$.\[\]{}:,'\\ a]|\$\{|env:|b\.c){0,24}") {
        let mut value = json!({ "a": text, "b": { "c": 1 } });
        let _ = resolve(&mut value, &resolvers());
    }

    #[test]
    fn resolving_is_all_or_nothing(texts in prop::collection::vec(r"(\$\{[a-d]\}|x|\$\{nope\}){1,3}", 1..4)) {
        let keys = ["a", "b", "c", "d"];
        let value: Value =
            keys.iter().zip(&texts).map(|(key, text)| ((*key).to_owned(), json!(text))).collect::<serde_json::Map<_, _>>().into();
        let mut resolved = value.clone();
        match resolve(&mut resolved, &resolvers()) {
            Ok(_) => prop_assert!(!has_references(&resolved)),
            Err(_) => prop_assert_eq!(resolved, value),
        }
    }
}
