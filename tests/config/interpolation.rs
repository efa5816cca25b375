//! References between values, and to what is around a config.

use proptest::prelude::*;
use serde_json::{Value, json};
use std::time::{Duration, Instant, UNIX_EPOCH};
use tower_spearmint::{
    ConfigPool,
    config::{
        ConfigError, Document, REDACTED, SecretKeys,
        interpolate::{Resolvers, has_references, resolve, resolve_in},
        yaml::parse,
    },
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
fn resolvers() -> Resolvers {
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

fn document(text: &str) -> Document {
    parse(text, "exp.yaml").unwrap_or_else(|error| panic!("{text}: {error}")).swap_remove(0)
}

fn resolved(text: &str) -> Value {
    let mut document = document(text);
    document.resolve(&resolvers()).unwrap_or_else(|error| panic!("{text}: {error}"));
    document.value().clone()
}

fn error(text: &str) -> String {
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

// Bounds.

#[test]
fn a_text_that_doubles_from_line_to_line_is_stopped() {
    let mut text = "l0: \"0123456789\"\n".to_owned();
    for at in 1..60 {
        text.push_str(&format!("l{at}: ${{l{}}}${{l{}}}\n", at - 1, at - 1));
    }
    let start = Instant::now();
    let message = error(&text);
    assert!(message.contains("the references make more than 32 MiB of this document"), "{message}");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_map_that_doubles_from_line_to_line_is_stopped() {
    let mut text = "l0: { a: 1 }\n".to_owned();
    for at in 1..60 {
        text.push_str(&format!("l{at}: {{ a: \"${{l{0}}}\", b: \"${{l{0}}}\" }}\n", at - 1));
    }
    let message = error(&text);
    assert!(message.contains("the references make more than 32 MiB of this document"), "{message}");
}

#[test]
fn a_long_chain_and_a_deep_value_are_stopped() {
    let chain = |length: usize| {
        let mut value = json!({ "k0": 1 });
        for at in 1..=length {
            value[format!("k{at}")] = format!("${{k{}}}", at - 1).into();
        }
        resolve(&mut value, &resolvers())
    };
    assert!(chain(100).is_ok());
    // The keys are resolved in their order, so that `k999` comes after most of the others.
    let mut value = json!({});
    for at in 0..500 {
        value[format!("k{at:03}")] = format!("${{k{:03}}}", at + 1).into();
    }
    let error = resolve(&mut value, &resolvers()).unwrap_err().to_string();
    assert!(error.contains("nested deeper than 128 levels"), "{error}");
    // Each is only one level, but what comes of it is deeper and deeper.
    let mut value = json!({ "k000": 1 });
    for at in 1..500 {
        value[format!("k{at:03}")] = json!({ "x": format!("${{k{:03}}}", at - 1) });
    }
    let error = resolve(&mut value, &resolvers()).unwrap_err().to_string();
    assert!(error.contains("nested deeper than 128 levels"), "{error}");
}

#[test]
fn references_that_fan_out_are_each_followed_once() {
    // Without memory, `r40` would be 2^40 steps.
    let mut value = json!({ "r0": { "x": { "x": 1 } } });
    for at in 1..=40 {
        let before = at - 1;
        value[format!("r{at}")] = json!(format!("${{r{before}}}"));
        value[format!("s{at}")] = json!(format!("${{r{before}.x.x}}${{r{before}.x.x}}"));
    }
    let start = Instant::now();
    resolve(&mut value, &resolvers()).unwrap();
    assert_eq!(value["s40"], "11");
    assert!(start.elapsed() < Duration::from_secs(5));
}

// Secrets.

fn pool(text: &str) -> ConfigPool {
    let mut document = document(text);
    document.resolve(&resolvers()).unwrap();
    let value = document.value().clone();
    let secrets = SecretKeys::default().and_drawn(document.drawn(), "");
    ConfigPool::new([tower_spearmint::Config::with_secrets(value, &secrets).unwrap()]).unwrap()
}

#[test]
fn what_is_made_of_a_secret_is_a_secret() {
    let pool = pool(
        "
password: hunter2
db: { password: \"${password}\", host: h }
link: x=${password}
again: ${link}!
all: ${db}
list: [1, \"${db.password}\"]
values: ${oc.dict.values:db}
named: ${env:DB_PASSWORD}
decoded: ${oc.decode:${link}}
open: ${db.host}
",
    );
    assert_eq!(
        pool[0].redacted(),
        &json!({
            "password": REDACTED,
            "db": { "password": REDACTED, "host": "h" },
            "link": REDACTED,
            "again": REDACTED,
            "all": { "password": REDACTED, "host": "h" },
            "list": [1, REDACTED],
            "values": REDACTED,
            "named": REDACTED,
            "decoded": REDACTED,
            "open": "h",
        })
    );
    assert!(!format!("{:?}", pool[0]).contains("hunter2"));
    assert_eq!(pool[0].get::<String>("link").unwrap(), "x=hunter2");
}

#[test]
fn a_secret_in_a_text_counts_only_by_its_path_in_the_id() {
    let with = |password: &str| {
        let text = format!("password: {password}\nlink: \"x=${{password}}\"\nn: 1\n");
        ConfigPool::from_yaml_str(&text).unwrap()[0].clone()
    };
    assert_eq!(with("one").id(), with("two").id());
    assert_eq!(with("one").get::<String>("link").unwrap(), "x=one");
    assert_eq!(with("one").redacted()["link"], REDACTED);
}

#[test]
fn a_mounted_secret_in_a_pool_is_redacted() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("api_key.txt"), "hunter2\n").unwrap();
    let file = directory.path().join("pool.yaml");
    std::fs::write(&file, "key: ${file:api_key.txt}\nn: 1\n").unwrap();
    let pool = ConfigPool::from_yaml_file(&file).unwrap();
    assert_eq!(pool[0].get::<String>("key").unwrap(), "hunter2");
    assert_eq!(pool[0].redacted(), &json!({ "key": REDACTED, "n": 1 }));
}

#[test]
fn no_error_quotes_what_came_from_outside_or_from_a_secret() {
    let mut document = document("port: ${env:REGION}\nlink: x=${env:DB_PASSWORD}\n");
    document.resolve(&resolvers()).unwrap();
    for error in [
        document.bind::<u16>("port").unwrap_err(),
        document.bind::<u16>("link").unwrap_err(),
        document.error("link", "`x=hunter2` is not a URL"),
        document.error("port", "`eu` is not a port"),
    ] {
        let error = error.to_string();
        assert!(!error.contains("hunter2") && !error.contains("eu"), "{error}");
        assert!(error.starts_with("exp.yaml:"), "{error}");
    }
    let pool = ConfigPool::from_yaml_str("path: ${env:PATH}\n").unwrap();
    let error = pool[0].get::<u16>("path").unwrap_err().to_string();
    assert!(!error.contains('/'), "{error}");
}

#[test]
fn where_values_were_drawn_from_is_known() {
    let mut document = document(
        "now: ${time.unix:}\nname: run-${now}\nregion: ${env:REGION}\nhost: ${sys.hostname:}\nn: 1\n\
         copy: { a: \"${name}\" }\nplain: ${n}\n",
    );
    document.resolve(&resolvers()).unwrap();
    let drawn: Vec<_> =
        document.drawn().iter().map(|(path, sources)| format!("{path}: {sources}")).collect();
    assert_eq!(drawn, ["copy.a: time", "host: sys", "name: time", "now: time", "region: env"]);
}

// Values that will be expanded.

#[test]
fn a_reference_to_what_will_be_expanded_is_left_and_resolved_for_each() {
    let mut document = document(
        r#"
team: search
base: 0.5
configs:
  - temperature: { $choice: [1, "${base}"] }
    name: ${team}-${.temperature}
    again: ${configs[0].name}
    all: "${.temperature}"
    literal: \${team}
    deep: { t: "${..temperature}" }
"#,
    );
    document.resolve(&resolvers()).unwrap();
    assert_eq!(
        document.drawn().left(),
        ["configs[0].again", "configs[0].all", "configs[0].deep.t", "configs[0].name"]
    );
    assert_eq!(document.get("configs[0].temperature"), Some(&json!({ "$choice": [1, 0.5] })));
    for temperature in [json!(1), json!(0.5)] {
        let mut one = document.get("configs[0]").unwrap().clone();
        one["temperature"] = temperature.clone();
        document.resolve_expanded(&mut one, "configs[0]", &resolvers()).unwrap();
        let name = format!("search-{temperature}");
        assert_eq!(
            one,
            json!({
                "temperature": temperature,
                "name": name,
                "again": name,
                "all": temperature,
                "literal": "${team}",
                "deep": { "t": temperature },
            })
        );
    }
}

#[test]
fn a_reference_that_is_itself_a_choice_works_where_it_comes_to_stand() {
    let mut document = json!({
        "base": 3,
        "k": { "$choice": [1, 2] },
        "pick": { "$choice": [{ "x": "${..y}", "y": "${k}", "z": "${....k}" }, 7] },
    });
    let resolvers = resolvers();
    let drawn = resolve(&mut document, &resolvers).unwrap_err().to_string();
    // `..y` counts from where the text stands: in the map in the list.
    assert!(drawn.contains("`pick.$choice[0].x`"), "{drawn}");
    let mut document = json!({
        "k": { "$choice": [1, 2] },
        "pick": { "$choice": [{ "x": "${.y}", "y": "${k}", "z": "${....k}" }, 7] },
    });
    resolve(&mut document, &resolvers).unwrap();
    let mut one = json!({ "k": 2, "pick": document["pick"]["$choice"][0] });
    resolve_in(&mut one, "", &document, &resolvers).unwrap();
    assert_eq!(one, json!({ "k": 2, "pick": { "x": 2, "y": 2, "z": 2 } }));
}

#[test]
fn a_secret_among_choices_is_one_where_it_comes_to_stand() {
    let mut document = document(
        "password: hunter2\nlink: { $choice: [a, \"x=${password}\"] }\nt: { $choice: [{ l: \"${password}\" }] }\n",
    );
    document.resolve(&resolvers()).unwrap();
    let secret: Vec<_> = document
        .drawn()
        .iter()
        .filter(|(_, sources)| sources.is_secret())
        .map(|(path, _)| path)
        .collect();
    assert!(secret.contains(&"link") && secret.contains(&"t.l"), "{secret:?}");
}

#[test]
fn keys_of_json_schema_are_no_choices() {
    let value =
        resolved("$schema: x\ntool: { $ref: \"#/a\", b: 1 }\ncopy: ${tool}\nn: ${tool.b}\n");
    assert_eq!(value["copy"], json!({ "$ref": "#/a", "b": 1 }));
    assert_eq!(value["n"], 1);
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

#[test]
fn no_id_is_made_of_a_secret() {
    for text in [
        "{ password: hunter2, config_id: \"a-${password}\" }",
        "{ config_id: \"a-${env:DB_PASSWORD,hunter2}\" }",
        "{ password: hunter2, config_id: \"a-${password}\", n: { $choice: [1] } }",
        "{ password: hunter2, $zip: { config_id: [\"${password}\", b], n: [1, 2] } }",
    ] {
        let error = ConfigPool::from_yaml_str(text).unwrap_err().to_string();
        assert!(error.contains("`config_id`: made of a secret"), "{text}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    let error = ConfigPool::from_yaml_str("{ password: hunter2, config_id: [\"${password}\"] }");
    assert_eq!(
        error.unwrap_err().to_string(),
        "<text>:1:22: `config_id`: a list is not a non-empty string"
    );
}
