//! What is wrong with a template, as it is said. The texts stand in `docs/expansion.md`, too.

use tower_spearmint::ConfigPool;

fn error(text: &str) -> String {
    ConfigPool::from_yaml_str(text).expect_err(text).to_string()
}

#[test]
fn mistakes_in_templates_are_shown_with_their_place() {
    for (text, wanted) in MISTAKES {
        assert_eq!(error(text), *wanted, "{text}");
    }
}

#[test]
fn the_manual_shows_each_message_as_it_is_printed() {
    let manual = include_str!("../../docs/expansion.md");
    for (_, message) in MISTAKES.iter().chain(LARGE) {
        assert!(manual.contains(message), "docs/expansion.md does not show:\n{message}");
    }
}

#[test]
fn what_is_too_large_is_said_before_anything_is_made() {
    for (text, wanted) in LARGE {
        assert_eq!(error(text), *wanted, "{text}");
    }
}

#[test]
fn every_other_mistake_has_a_message_too() {
    for text in [
        "a: { $range: [0, 5, 0] }",
        "a: { $range: [5, 0] }",
        "a: { $range: [0, 5, -1] }",
        "a: { $range: [0] }",
        "a: { $range: [0, x] }",
        "a: { $range: [0, 1e300] }",
        "a: { $range: [0, 9007199254740993] }",
        "a: { $range: [0, 1, 1e-20] }",
        "a: { $linspace: [0, 1, 0] }",
        "a: { $linspace: [0, 1, 2.5] }",
        "a: { $linspace: [0, 1] }",
        "a: { $logspace: [0, 300, 3] }",
        "a: { $logspace: [0, 3, 4], base: 1 }",
        "a: { $logspace: [0, 3, 4], base: -2 }",
        "a: { $geomspace: [0, 1, 3] }",
        "a: { $uniform: [1, 1], count: 2 }",
        "a: { $uniform: [0, 1], count: 0 }",
        "a: { $uniform: [0, 1], count: 2, seed: -1 }",
        "a: { $log_uniform: [-1, 1], count: 2 }",
        "a: { $normal: [0, 0], count: 2 }",
        "a: { $int_uniform: [0, 0.5], count: 2 }",
        "a: { $choice: { b: 1 } }",
        "a: { $grid: [1, 2] }",
        "a: { $grid: {} }",
        "a: { $grid: { b: 1 } }",
        "a: { $grid: { $choice: [1] } }",
        "a: { $zip: { b: [] } }",
        "a: { $zip: { b: [1] }, b: 2 }",
        "a: { $choice: [1], $zip: { b: [1] } }",
        "a: { $expand: { name: x } }",
        "$choice: [{ a: 1 }, 2]",
        "{ a: { $choice: [1, 2] }, $expand: [x] }",
        "{ a: { $choice: [1, 2] }, $expand: { exclude: 1 } }",
        "{ a: { $choice: [1, 2] }, $expand: { exclude: [\"a == 1\", \"a ==\"] } }",
        "{ a: { $choice: [1, 2] }, $expand: { name: \"\" } }",
        "{ a: { $choice: [1, 2] }, $expand: { name: \"{a\" } }",
        "{ a: { $choice: [1, 2] }, $expand: { name: \"{}\" } }",
        "{ a: { $choice: [{ b: 1 }, 2] }, $expand: { name: \"{a.b}\" } }",
        "{ a: { $choice: [{ b: 1 }, 2] }, $expand: { name: \"{a}\" } }",
        "{ a: { $choice: [1, 2] }, $expand: { name: \"same\" } }",
        "{ config_id: { $choice: [a, 1] } }",
        "{ config_id: x, a: 1, $expand: { name: \"{a}\" } }",
        "{ a: { $choice: [1, 9007199254740993] } }",
    ] {
        let error = error(text);
        assert!(error.starts_with("<text>:1:") || error.contains("same"), "{text}: {error}");
        assert!(!error.contains("[ ]") && error.len() < 400, "{text}: {error}");
    }
}

const LARGE: &[(&str, &str)] = &[
    (
        "n: { $range: [0, 1000000000] }",
        "<text>:1:1: 1000000000 configs; a pool with expanded ones takes up to 100000: narrow it \
         with `$expand: { exclude: … }`, or take a sample of it in code (`Space::sample`)",
    ),
    (
        "{ a: { $range: [0, 9000000000000000] }, b: { $range: [0, 9000] } }",
        "<text>:1:1: would be 2^64 configs or more; narrow it",
    ),
];

const MISTAKES: &[(&str, &str)] = &[
    (
        r#"model: { $chioce: [a, b] }"#,
        r#"<text>:1:10: `model.$chioce`: unknown word `$chioce`; did you mean `$choice`? (a key that really begins with $ is written `$$chioce`)"#,
    ),
    (
        r#"model: { $choice: [] }"#,
        r#"<text>:1:10: `model.$choice`: empty; at least one value is needed"#,
    ),
    (
        r#"model: { $choice: a }"#,
        r#"<text>:1:19: `model.$choice`: "a" is not a list of values, as in [a, b]"#,
    ),
    (
        r#"model: { $choice: [a, b], default: a }"#,
        r#"<text>:1:36: `model.default`: `$choice` stands alone in its map; `default` is beside it"#,
    ),
    (
        r#"depth: { $range: [10, 0] }"#,
        r#"<text>:1:10: `depth.$range`: empty: 10 is not below 0; give a negative step to count down"#,
    ),
    (
        r#"depth: { $range: [0, 10, 0] }"#,
        r#"<text>:1:10: `depth.$range`: the step is 0; it would never end"#,
    ),
    (
        r#"depth: { $range: 10 }"#,
        r#"<text>:1:18: `depth.$range`: 10 is not [start, stop] or [start, stop, step], as in [0, 10]"#,
    ),
    (
        r#"lr: { $log_uniform: [0, 1], count: 8 }"#,
        r#"<text>:1:7: `lr.$log_uniform`: 0 is not positive; a logarithm is taken of it"#,
    ),
    (
        r#"lr: { $uniform: [0, 1] }"#,
        r#"<text>:1:7: `lr.$uniform`: no `count` beside it; say how many to draw, as in `count: 8`"#,
    ),
    (
        r#"lr: { $uniform: [0, 1], count: 0 }"#,
        r#"<text>:1:32: `lr.count`: 0 is not a count; write a whole number from 1"#,
    ),
    (
        r#"lr: { $linspace: [0, 1, none] }"#,
        r#"<text>:1:7: `lr.$linspace`: [0,1,"none"] is not [start, stop, count], as in [0, 1, 5]"#,
    ),
    (
        r#"$zip: { a: [1, 2], b: [1, 2, 3] }"#,
        r#"<text>:1:1: `$zip`: lengths differ: `a` has 2, `b` has 3; what is zipped has one length"#,
    ),
    (
        r#"{ config_id: a, n: { $choice: [1, 2] } }"#,
        r#"<text>:1:14: `config_id`: "a" would be the id of 2 configs; write `$expand: { name: … }` in its place, as in "a-{n}""#,
    ),
    (
        r#"{ temperature: { $choice: [0, 1] }, $expand: { exclude: "temprature > 0.5" } }"#,
        r#"<text>:1:57: `$expand.exclude`: column 1: no config has `temprature`; did you mean `temperature`?
  temprature > 0.5
  ^"#,
    ),
    (
        r#"{ temperature: { $choice: [0, 1] }, $expand: { exclude: "temperature = 1" } }"#,
        r#"<text>:1:57: `$expand.exclude`: column 13: `=` is no comparison; write `==`
  temperature = 1
              ^"#,
    ),
    (
        r#"{ n: { $choice: [1, 2] }, $expand: { exclude: "n > 0" } }"#,
        r#"<text>:1:27: `$expand`: all of its 2 configs are left out"#,
    ),
    (
        r#"{ n: { $choice: [1, 2] }, $expand: { name: "{m}" } }"#,
        r#"<text>:1:44: `$expand.name`: no config has `m`; there are `n`"#,
    ),
    (
        r#"{ api_key: { $choice: [a, b] }, $expand: { name: "{api_key}" } }"#,
        r#"<text>:1:50: `$expand.name`: `api_key` is a secret; a name is shown everywhere"#,
    ),
    (
        r#"{ n: { $choice: [1, 2] }, $expand: { exlude: "n > 1" } }"#,
        r#"<text>:1:46: `$expand.exlude`: unknown key `exlude`; did you mean `exclude`?"#,
    ),
];
