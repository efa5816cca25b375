//! Texts that are meant to do harm, or are just broken: a clear error, in bounded time.

use crate::support::{Files, documented};
use proptest::prelude::*;
use std::time::{Duration, Instant};
use tower_spearmint::{ConfigPool, config::Document};

fn json(text: &str) -> String {
    Document::from_json_str(text).expect_err(text).to_string()
}

fn toml(text: &str) -> String {
    Document::from_toml_str(text).expect_err(text).to_string()
}

#[test]
fn mistakes_in_json_are_told_with_line_and_column() {
    for (text, expected) in [
        ("{\n  \"a\": 1,\n}", "<text>:3:1: not JSON: key must be a string"),
        ("", "<text>:1:1: not JSON: EOF while parsing a value"),
        ("{\"é\": tru}", "<text>:1:10: not JSON: expected ident"),
        (
            "{ \"a\": 1,\n  \"b\": 2, \"a\": 3 }",
            "<text>:2:11: the key `a` is written twice in one map; keep one of them",
        ),
        (
            "{ \"a\": [1,\n 18446744073709551616] }",
            "<text>:2:2: `a[1]`: 18446744073709551616 does not fit 64 bits and would lose digits; write it in quotes",
        ),
        ("{ \"a\": 1e400 }", "<text>:1:8: `a`: not JSON: number out of range at line 1 column 5"),
        (
            "{ \"a\": \"\\ud800\" }",
            "<text>:1:8: `a`: not JSON: unexpected end of hex escape at line 1 column 8",
        ),
        ("{ \"a\": 1 } x", "<text>:1:12: not JSON: trailing characters"),
        (
            "{ \"a\": \"x\ty\" }",
            "<text>:1:9: not JSON: control character (\\u0000-\\u001F) found while parsing a string",
        ),
    ] {
        let said = json(text);
        assert_eq!(said, expected, "{text}");
    }
    documented(
        &json("{ \"a\": 1,\n  \"a\": 3 }"),
        "<text>:2:3: the key `a` is written twice in one map; keep one of them",
    );
    documented(&json("{\n  \"a\": 1,\n}"), "<text>:3:1: not JSON: key must be a string");
    let fine = Document::from_json_str(
        "\u{feff} { \"a\" : [ -0, 0.5, 1E3, \"x,]}\\\"\" , [ ] , { } ] } \r\n",
    )
    .unwrap();
    assert_eq!(fine.value().to_string(), r#"{"a":[-0.0,0.5,1000.0,"x,]}\"",[],{}]}"#);
}

#[test]
fn mistakes_in_toml_are_told_with_line_and_column() {
    for (text, expected) in [
        ("a = 1\na = 2\n", "<text>:2:1: the key `a` is written twice in one map; keep one of them"),
        (
            "[a]\nx = 1\n[a]\n",
            "<text>:3:2: the key `a` is written twice in one map; keep one of them",
        ),
        ("é = 'x'\n", "<text>:1:1: not TOML: "),
        ("a = \n", "<text>:1:5: not TOML: string values must be quoted, expected literal string"),
        (
            "a = 18446744073709551616",
            "<text>:1:5: `a`: 18446744073709551616 does not fit 64 bits and would lose digits; write it in quotes",
        ),
        ("[x]\na = [1, nan]", "<text>:2:9: `x.a[1]`: nan is not a finite number"),
        ("a = 1 b = 2", "<text>:1:9: not TOML: "),
    ] {
        let said = toml(text);
        assert!(said.starts_with(expected), "{text}: {said}");
    }
    documented(
        &toml("a = \n"),
        "<text>:1:5: not TOML: string values must be quoted, expected literal string",
    );
    let fine =
        Document::from_toml_str("a = 0xFF\nb = 1_000\nwhen = 2026-01-02\n[[c]]\nd.e = 1.5\n")
            .unwrap();
    assert_eq!(
        fine.value().to_string(),
        r#"{"a":255,"b":1000,"c":[{"d":{"e":1.5}}],"when":"2026-01-02"}"#
    );
    assert_eq!(fine.origin("c[0].d.e").unwrap().to_string(), "<text>:5:7");
}

#[test]
fn texts_nested_too_deep_are_refused() {
    let deep = |open: &str, close: &str, n| format!("{}1{}", open.repeat(n), close.repeat(n));
    for n in [66, 127, 129, 100_000] {
        let text = deep("[", "]", n);
        assert!(json(&text).ends_with(": nested deeper than 64 levels"), "{n}: {}", json(&text));
        let table = deep("{ a = ", " }", n);
        for text in [
            format!("a = {text}"),
            format!("a = {table}"),
            format!("{}a = 1", "a.".repeat(n)),
            format!("[{}a]", "a.".repeat(n)),
        ] {
            assert!(
                toml(&text).ends_with(": nested deeper than 64 levels"),
                "{n}: {}",
                toml(&text)
            );
        }
    }
    assert!(Document::from_json_str(&deep("[", "]", 64)).is_ok());
}

#[test]
fn a_file_that_is_not_utf8_or_too_large_or_of_no_known_format_is_named() {
    let files = Files::new(&[("x.ini", "a=1"), ("two.yaml", "a: 1\n---\na: 2\n")]);
    for name in ["x.json", "x.toml", "x.yaml"] {
        files.write(name, b"a\n\xc3\xa9\xe9");
        let shown = |error: String| error.replace(name, "x.yaml");
        documented(
            &shown(files.error(name, &[])),
            "x.yaml:2:2: the byte 0xe9 is not UTF-8; save the file as UTF-8",
        );
        files.write(name, vec![b' '; (16 << 20) + 1]);
        documented(&shown(files.error(name, &[])), "x.yaml: larger than 16 MiB");
    }
    documented(
        &files.error("x.ini", &[]),
        "x.ini: its name ends in none of .yaml, .yml, .json, .toml",
    );
    documented(&files.error("two.yaml", &[]), "two.yaml:1:1: 2 documents; a config file is one");
}

/// A megabyte of each may take two seconds; a build that is not optimised is given a quarter of it.
const SIZE: usize = if cfg!(debug_assertions) { 1 << 18 } else { 1 << 20 };
const LIMIT: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 2 });

#[test]
fn a_megabyte_of_anything_is_read_or_refused_in_time() {
    let repeat = |text: &str| text.repeat(SIZE / text.len());
    let long_key = format!("\"{}\"", "k".repeat(SIZE / 2));
    let many = repeat("1,");
    for (what, format, text) in [
        ("empty lists", "json", format!("[{}[]]", repeat("[],"))),
        ("small maps", "json", format!("[{}{{}}]", repeat("{\"a\":1},"))),
        ("numbers", "json", format!("[{many}1]")),
        ("a long key over many items", "json", format!("{{{long_key}:[{}1]}}", &many[..SIZE / 2])),
        ("one key twice", "json", format!("{{{}\"a\":1}}", repeat("\"a\":1,"))),
        ("a long text", "json", format!("\"{}\"", "\\n".repeat(SIZE / 2))),
        ("empty lists", "yaml", format!("[{}[]]", repeat("[],"))),
        ("small maps", "yaml", format!("[{}{{}}]", repeat("{a: 1},"))),
        ("a long key over many items", "yaml", format!("{long_key}: [{}1]", &many[..SIZE / 2])),
        ("lines", "yaml", repeat("- a\n")),
        ("numbers", "toml", format!("a = [{many}1]")),
        (
            "keys on one line",
            "toml",
            format!(
                "a = {{{}}}",
                (0..SIZE / 12).map(|n| format!("k{n}=1")).collect::<Vec<_>>().join(",")
            ),
        ),
        ("tables", "toml", (0..SIZE / 12).map(|n| format!("[t{n}]\n")).collect()),
        ("a long key over many items", "toml", format!("{long_key} = [{}1]", &many[..SIZE / 2])),
    ] {
        let files = Files::new(&[]);
        let name = format!("x.{format}");
        files.write(&name, &text);
        let start = Instant::now();
        let read = Document::load(files.path(&name));
        let took = start.elapsed();
        println!(
            "{what} as {format}: {took:?}, {}",
            read.map_or_else(|e| e.to_string().chars().take(120).collect(), |_| "read".to_owned())
        );
        assert!(took < LIMIT, "{what} as {format}: {took:?}");
    }
}

proptest! {
    #[test]
    fn no_text_is_too_strange(
        text in "[-\\[\\]{}:,'\"\\\\&*!|>#%@`~?a-c0-9=. \t\n\r\u{0}\u{feff}\u{e9}]{0,80}|.{0,80}",
        bytes in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let _ = Document::from_json_str(&text);
        let _ = Document::from_toml_str(&text);
        let _ = ConfigPool::from_yaml_str(&text);
        let files = Files::new(&[]);
        for name in ["x.yaml", "x.json", "x.toml"] {
            files.write(name, &bytes);
            let _ = Document::load(files.path(name));
        }
    }
}
