//! What grows from reference to reference is stopped.

use crate::interpolation::{error, resolvers};
use serde_json::json;
use std::time::{Duration, Instant};
use tower_spearmint::config::interpolate::resolve;

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
