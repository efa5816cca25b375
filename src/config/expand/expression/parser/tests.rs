//! Conditions as they are read.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::borrow::Cow;

fn holds(text: &str) -> bool {
    let config = json!({
        "model": "a", "t": 0.9, "n": 3, "tags": ["x", "y"], "deep": { "x-y": [null, true] },
    });
    let find = |path: &[Box<str>]| {
        let found = crate::config::path::find(&config, &path.join("."))?;
        Some(Cow::<Value>::Owned(found.clone()))
    };
    parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).holds(&find)
}

#[test]
fn conditions_hold_as_they_read() {
    for text in [
        "t > 0.8 and model == 'a'",
        "not t > 1",
        "not (t > 1 or n == 2)",
        "model in ['a', \"b\"] and model not in ['c']",
        "'x' in tags",
        "n + 1 == 4 and n - 1 - 1 == 1 and 2 + 3 * 2 == 8 and (2 + 3) * 2 == 10",
        "n / 2 == 1.5 and -n == 0 - 3 and - -n == 3 and 8 / 4 / 2 == 1",
        "`deep.x-y[1]` and `deep.x-y[0]` == null",
        "missing == null and deep != null",
        "1e-3 < .5 and 1.5E+2 == 150",
        "true or false and false",
        "'it\\'s' == \"it's\"",
    ] {
        assert!(holds(text), "{text}");
    }
}

#[test]
fn what_makes_no_sense_is_false_not_an_error() {
    for text in [
        "'a' < 1",
        "null < 1",
        "model + 1 == 1",
        "n / 0 > 0",
        "tags > 1",
        "n in model",
        "n",
        "model",
    ] {
        assert!(!holds(text), "{text}");
    }
}

#[test]
fn mistakes_are_shown_where_they_are() {
    for (text, wanted) in [
        ("t = 1", "column 3: `=` is no comparison; write `==`\n  t = 1\n    ^"),
        (
            "t >",
            "column 4: a value is expected here, as in temperature or 0.8 or 'text', not the \
             end\n  t >\n     ^",
        ),
        (
            "0 < t < 1",
            "column 7: comparisons are not chained; write 0 < x and x < 1\n  0 < t < 1\n        ^",
        ),
        ("t > 1 && n", "column 7: write `and`\n  t > 1 && n\n        ^"),
        (
            "(t > 1",
            "column 7: `)` is expected here, for the bracket of column 1, not the end\n  (t > 1\n        ^",
        ),
        ("t + 1", "column 1: a condition is expected here, as in temperature > 0.8\n  t + 1\n  ^"),
        ("t == 'a", "column 6: the closing ' is missing\n  t == 'a\n       ^"),
        ("t == 1x", "column 6: `1x` is not a number\n  t == 1x\n       ^"),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), wanted, "{text}");
    }
}

#[test]
fn what_is_too_much_is_refused() {
    for text in [
        format!("{}t{}", "(".repeat(60), ")".repeat(60)),
        format!("{}t", "not ".repeat(60)),
        format!("t == 1{}", " + 1".repeat(400)),
        "t == 1 or ".repeat(1_000),
    ] {
        assert!(parse(&text).is_err());
    }
}

proptest! {
    #[test]
    fn any_text_is_an_expression_or_an_error(text in any::<String>()) {
        let _ = parse(&text).map_err(|error| error.to_string());
    }

    #[test]
    fn any_mix_of_tokens_is_an_expression_or_an_error(
        tokens in prop::collection::vec(
            prop::sample::select(vec![
                "t", "n", "1", "'a'", "(", ")", "[", "]", ",", "and", "or", "not", "in", "==",
                "<", "+", "-", "*", "/", "null", "true", "`x`", "!", "=",
            ]),
            0..40,
        )
    ) {
        if let Ok(expression) = parse(&tokens.join(" ")) {
            expression.holds(&|_| Some(Cow::Owned(json!(1))));
        }
    }
}
