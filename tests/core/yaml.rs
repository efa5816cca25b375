//! Configs from YAML, with the line and column of everything.

use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::{Duration, Instant},
};
use tower_spearmint::{Config, ConfigPool};

fn read(text: &str) -> Vec<Value> {
    let pool = ConfigPool::from_yaml_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    pool.iter().map(|config| config.value().clone()).collect()
}

fn error(text: &str) -> String {
    ConfigPool::from_yaml_str(text).expect_err(text).to_string()
}

/// A directory of its own for one test, gone afterwards.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("spearmint-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let file = self.0.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        file
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_same_content_has_the_same_id_in_yaml_and_in_json() {
    let yaml = "
llm:
  temperature: 0.50
  model: small
  stops: [a, 'b']
n: 1.0
";
    let value =
        json!({ "n": 1, "llm": { "stops": ["a", "b"], "model": "small", "temperature": 0.5 } });
    let pool = ConfigPool::from_yaml_str(yaml).unwrap();
    assert_eq!(pool[0].id(), Config::new(value).unwrap().id());
}

#[test]
fn a_text_is_one_config_several_documents_or_a_list() {
    assert_eq!(read("a: 1").len(), 1);
    assert_eq!(
        read("a: 1\n---\na: 2\n---\na: 3\n"),
        [json!({"a": 1}), json!({"a": 2}), json!({"a": 3})]
    );
    assert_eq!(read("- a: 1\n- a: 2\n"), [json!({"a": 1}), json!({"a": 2})]);
    assert_eq!(read("# why\n---\na: 1\n...\n").len(), 1);
}

#[test]
fn scalars_are_read_as_this_table_says() {
    for (text, expected) in [
        ("true", json!(true)),
        ("false", json!(false)),
        ("yes", json!("yes")),
        ("no", json!("no")),
        ("on", json!("on")),
        ("off", json!("off")),
        ("null", Value::Null),
        ("~", Value::Null),
        ("", Value::Null),
        ("1", json!(1)),
        ("-1", json!(-1)),
        ("0", json!(0)),
        ("0.5", json!(0.5)),
        ("1e3", json!(1000.0)),
        ("0x1F", json!(31)),
        ("0o17", json!(15)),
        ("9007199254740991", json!(9_007_199_254_740_991_u64)),
        ("'010'", json!("010")),
        ("\"2\"", json!("2")),
        ("1.2.3", json!("1.2.3")),
        ("12:30:45", json!("12:30:45")),
        ("2026-01-02", json!("2026-01-02")),
        ("150ms", json!("150ms")),
        ("a b c", json!("a b c")),
    ] {
        assert_eq!(read(&format!("x: {text}\n"))[0]["x"], expected, "{text}");
    }
}

#[test]
fn numbers_that_others_would_read_differently_are_errors_with_their_place() {
    assert_eq!(
        error("a: 1\nsize: 010\n"),
        "<text>:2:7: `size`: `010` is not a plain number; write 10, or \"010\" for a text"
    );
    assert_eq!(
        error("a: 1_000"),
        "<text>:1:4: `a`: `1_000` is not a plain number; write 1000, or \"1_000\" for a text"
    );
    assert_eq!(
        error("a: 18446744073709551616"),
        "<text>:1:4: `a`: 18446744073709551616 does not fit 64 bits and would lose digits; write \
         it in quotes"
    );
    assert_eq!(
        error("llm:\n  seeds:\n    - 1\n    - 9007199254740992\n"),
        "<text>:4:7: `llm.seeds[1]`: 9007199254740992 is an integer beyond ±(2^53−1), which other \
         JSON readers would round; write it in quotes"
    );
    assert_eq!(error("a: .inf"), "<text>:1:4: `.inf` is not a finite number");
    assert_eq!(error("a: .nan"), "<text>:1:4: `.nan` is not a finite number");
}

#[test]
fn mistakes_in_a_config_are_told_with_line_and_column() {
    assert_eq!(
        error("- a: 1\n- 7\n"),
        "<text>:2:3: `[1]`: a config is a map of settings; this is a number"
    );
    assert_eq!(
        error("- config_id: a\n-  config_id: 7\n"),
        "<text>:2:15: `[1].config_id`: 7 is not a non-empty string"
    );
    assert_eq!(error(""), "<text>: no configs; a pool needs at least one");
    assert_eq!(error("# nothing\n"), "<text>: no configs; a pool needs at least one");
    assert_eq!(error("[]"), "<text>: no configs; a pool needs at least one");
    assert_eq!(
        error("- config_id: a\n  n: 1\n- config_id: b\n- config_id: a\n  n: 2\n"),
        "two different configs have the id `a`: <text>:1 and <text>:4 (they differ at `n`)"
    );
}

#[test]
fn a_key_written_twice_is_an_error_at_the_second() {
    let text = error("a: 1\nb: 2\na: 3\n");
    assert_eq!(text, "<text>:3:1: the key `a` is written twice in one map; keep one of them");
}

#[test]
fn bad_syntax_is_told_with_line_and_column() {
    for (text, place) in [
        ("a: [1, 2\nb: 3\n", "<text>:2:"),
        ("a: 'open\nb: 3\n", "<text>:"),
        ("a: 1\n b: 2\n", "<text>:2:"),
        ("a: 1\n\tb: 2\n", "<text>:1:4:"),
        ("a: {x: 1\n", "<text>:"),
        ("a: *nobody\n", "<text>:1:4:"),
        ("%YAML 9\n a", "<text>:"),
        ("a: @x\n", "<text>:1:4:"),
    ] {
        let error = error(text);
        println!("{text:?}\n    {error}");
        assert!(error.starts_with(place), "{text:?}: {error}");
        assert!(!error.contains('\n'), "{error}");
        assert!(error.len() > place.len() + 10, "{error}");
    }
}

#[test]
fn a_tab_in_the_indentation_is_named() {
    let error = error("a:\n\tb: 2\n");
    assert!(error.starts_with("<text>:2:"), "{error}");
    assert!(error.contains("tab"), "{error}");
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_fine() {
    assert_eq!(read("\u{feff}a: 1\r\nb: x\r\n"), [json!({ "a": 1, "b": "x" })]);
}

/// Fails if it was much work; hostile files must not be.
fn bounded(what: &str, text: &str) -> String {
    let before = worked();
    let error = error(text);
    println!("{what}: {error}");
    let took = worked() - before;
    assert!(took < Duration::from_secs(10), "{what}: {took:?}");
    error
}

/// How long this thread has run: others that run meanwhile do not count, where the system tells.
fn worked() -> Duration {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let times = fs::read_to_string("/proc/thread-self/schedstat");
    let nanos = times.ok().and_then(|times| times.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| BEGAN.elapsed(), Duration::from_nanos)
}

#[test]
fn files_that_grow_by_aliases_are_refused_in_time() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let error = bounded("aliases", &bomb);
    assert!(error.ends_with(": more than 100000 values under anchors"), "{error}");
    assert_eq!(
        bounded("itself", "a: &a [*a]\n"),
        "<text>:1:8: an alias stands inside the value it refers to"
    );
}

#[test]
fn files_nested_too_deep_are_refused_in_time() {
    assert!(bounded("flow", &format!("a: {}", "[".repeat(100_000))).starts_with("<text>:1:"));
    let deep: String = (0..1_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert_eq!(bounded("block", &deep), "<text>:65:65: nested deeper than 64 levels");
    let closed = format!("a: {}{}", "[".repeat(60), "]".repeat(60));
    assert_eq!(read(&closed).len(), 1);
}

#[test]
fn files_beyond_the_bounds_are_refused_in_time() {
    let large = format!("a: {}", "x".repeat(17 << 20));
    assert_eq!(bounded("large", &large), "<text>:1:1: larger than 16 MiB");
    let documents = "---\na: 1\n".repeat(200_000);
    assert_eq!(bounded("documents", &documents), "<text>:200001:1: more than 100000 documents");
}

#[test]
fn an_honest_megabyte_is_read() {
    let text: String = (0..20_000)
        .map(|n| format!("- config_id: c{n}\n  llm: {{ model: small, temperature: 0.{n} }}\n"))
        .collect();
    assert!(text.len() > 1_000_000);
    assert_eq!(read(&text).len(), 20_000);
}

#[test]
fn anchors_and_aliases_of_honest_files_work() {
    let values = read("base: &base { model: small, n: 2 }\nuse: *base\n");
    assert_eq!(
        values,
        [json!({ "base": { "model": "small", "n": 2 }, "use": { "model": "small", "n": 2 } })]
    );
}

#[test]
fn a_file_that_is_not_utf8_is_told_with_its_place() {
    let dir = Dir::new("utf8");
    let file = dir.write("latin1.yaml", b"a: 1\nb: \xc3\xa9t\xe9\n");
    assert_eq!(
        ConfigPool::from_yaml_file(&file).unwrap_err().to_string(),
        format!("{}:2:6: the byte 0xe9 is not UTF-8; save the file as UTF-8", file.display())
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = ConfigPool::from_yaml_file("/nowhere/ranker.yaml").unwrap_err().to_string();
    assert_eq!(error, "/nowhere/ranker.yaml: No such file or directory (os error 2)");
}

#[test]
fn a_directory_is_read_recursively_and_in_the_order_of_its_paths() {
    let dir = Dir::new("tree");
    dir.write("b.yaml", "config_id: b");
    dir.write("a/z.yml", "config_id: a-z");
    dir.write("a/deep/er.yaml", "- config_id: deep-1\n- config_id: deep-2\n");
    dir.write("c.yaml", "config_id: c\n---\nconfig_id: c2\n");
    dir.write(".hidden.yaml", "config_id: hidden");
    dir.write(".git/x.yaml", "config_id: git");
    dir.write("notes.txt", "not: yaml: at all");
    let pool = ConfigPool::from_dir(&dir.0).unwrap();
    let ids: Vec<_> = pool.iter().map(|config| config.id().as_str()).collect();
    assert_eq!(ids, ["deep-1", "deep-2", "a-z", "b", "c", "c2"]);
}

#[test]
fn mistakes_in_a_directory_name_the_files() {
    let dir = Dir::new("mistakes");
    let (a, b) =
        (dir.write("a.yaml", "config_id: x\nn: 1"), dir.write("b.yaml", "\n\nconfig_id: x\nn: 2"));
    let error = ConfigPool::from_dir(&dir.0).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "two different configs have the id `x`: {}:1 and {}:3 (they differ at `n`)",
            a.display(),
            b.display()
        )
    );
    let empty = Dir::new("empty");
    assert_eq!(
        ConfigPool::from_dir(&empty.0).unwrap_err().to_string(),
        format!("{}: no configs; a pool needs at least one", empty.0.display())
    );
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_are_an_error_at_once() {
    let dir = Dir::new("circle");
    dir.write("a.yaml", "config_id: a");
    for name in ["one", "two", "three"] {
        std::os::unix::fs::symlink(&dir.0, dir.0.join(name)).unwrap();
    }
    let start = Instant::now();
    let error = ConfigPool::from_dir(&dir.0).unwrap_err().to_string();
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(error.ends_with(": a link to a directory that it stands in"), "{error}");
    assert!(Path::new(error.split(':').next().unwrap()).starts_with(&dir.0));
}
