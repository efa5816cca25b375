//! Whatever a file holds: no panic, a clear error or a value, within bounds of time and memory.
//!
//! `PROPTEST_CASES` sets how many texts are tried; `.ci/soak` tries many.

use crate::hostile_files;
use proptest::prelude::*;
use std::{
    num::NonZero,
    path::Path,
    process::{Command, ExitStatus},
    sync::{LazyLock, Mutex},
    time::{Duration, Instant},
};
use tower_spearmint::{
    ConfigPool,
    config::{ConfigError, Sources, schema::Schema, yaml::parse},
    proxy::ExperimentFile,
};

/// Far above what a small text takes, in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads a text in every way there is.
fn read(text: &str) -> Result<(), TestCaseError> {
    let start = Instant::now();
    match parse(text, "x.yaml") {
        Ok(documents) => {
            for mut document in documents {
                // A path that leads anywhere, and one that leads nowhere.
                document.spot("a.b[0]");
                let _ = document.set("a.b[0].c=1");
                let _ = Schema::from_value(document.value().clone());
                let printed = document.value().to_string();
                // JSON is YAML, and a value survives it.
                let again = parse(&printed, "y.yaml")
                    .map_err(|error| TestCaseError::fail(format!("{printed}: {error}")))?;
                prop_assert_eq!(again[0].value(), document.value());
            }
        }
        Err(ConfigError::Syntax { place, line, column, message }) => {
            prop_assert_eq!(place, "x.yaml");
            // A lone CR ends a line, too.
            let lines = text.split(['\n', '\r']).count() as u64 + 1;
            prop_assert!(line >= 1 && line <= lines, "line {} of {}", line, lines);
            prop_assert!(column >= 1, "{}", message);
            prop_assert!(!message.trim().is_empty());
        }
        Err(error) => return Err(TestCaseError::fail(format!("no place: {error:?}"))),
    }
    let _ = ConfigPool::from_yaml_str(text);
    let _ = ExperimentFile::from_yaml_str(text);
    let found = ExperimentFile::validate_str(text, "x.yaml");
    // They are of one mind.
    prop_assert_eq!(
        found.mistakes.is_empty(),
        ExperimentFile::from_yaml_str(text).is_ok(),
        "{:?}",
        found.mistakes
    );
    prop_assert!(start.elapsed() < PATIENCE, "took {:?}", start.elapsed());
    Ok(())
}

/// Pieces of the grammars of YAML, JSON and TOML, and what goes wrong in editors.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop_oneof![
            Just("a: "), Just("b:\n"), Just("- "), Just("\n"), Just("\n  "), Just("\n    - "), Just(", "),
            Just(": "), Just("{"), Just("}"), Just("["), Just("]"), Just("\""), Just("'"), Just("? "),
            Just("\n---\n"), Just("\n...\n"), Just("&x "), Just("*x"), Just("<<: *x"), Just("!!str "),
            Just("!tag "), Just("|\n  "), Just(">-\n  "), Just("# c\n"), Just("%YAML 1.2\n"),
        ].prop_map(str::to_owned),
        2 => prop_oneof![
            Just("\t"), Just("\r\n"), Just("\r"), Just("\u{feff}"), Just("\0"), Just("\u{85}"),
            Just("\u{2028}"), Just("\u{1b}[0m"), Just("\\u0000"), Just("\\ud800"), Just("é"), Just("\u{10ffff}"),
        ].prop_map(str::to_owned),
        2 => prop_oneof![
            Just("0"), Just("010"), Just("0x1f"), Just("1e400"), Just(".nan"), Just("-.inf"), Just("1_000"),
            Just("18446744073709551616"), Just("true"), Just("yes"), Just("null"), Just("~"), Just("12:30:45"),
            Just("2026-01-31"), Just("1."), Just("${a.b}"), Just("[table]\nk = 1\n"), Just("k = \"v\"\n"),
        ].prop_map(str::to_owned),
        1 => "[ -~]{0,12}",
        1 => any::<String>(),
    ]
}

const REAL: &str = "\
experiment: ranker             # also the name of the MLflow experiment
strategy: shadow
primary: &p stable
shadow: { methods: [GET, POST], sample: 1.0, timeout: 2s, only: { paths: ['/v2/*'] } }
limits: { max_head_size: 64KiB }
configs:
  - config_id: *p
    upstream: http://127.0.0.1:9001
    prompt: |
      Answer in one word.
        Or two.
  - config_id: candidate
    upstream: \"http://127.0.0.1:9002\"
    request: { headers: { x-model: b }, json: { /model: small-v2 } }
";

/// A cut at a boundary of characters.
fn at(text: &str, share: f64) -> usize {
    let mut at = (text.len() as f64 * share) as usize;
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

proptest! {
    #[test]
    fn what_looks_like_a_file_is_read_or_refused(pieces in prop::collection::vec(piece(), 0..40)) {
        read(&pieces.concat())?;
    }

    #[test]
    fn a_real_file_with_mistakes_is_read_or_refused(
        edits in prop::collection::vec((0.0..1.0_f64, 0.0..0.1_f64, piece()), 1..4),
    ) {
        let mut text = REAL.to_owned();
        for (start, length, piece) in edits {
            let start = at(&text, start);
            let end = at(&text, (start as f64 / text.len().max(1) as f64 + length).min(1.0)).max(start);
            text.replace_range(start..end, &piece);
        }
        read(&text)?;
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        read(&text)?;
    }

    #[test]
    fn any_override_is_taken_or_refused(pieces in prop::collection::vec(piece(), 0..12), at in 0..12_usize) {
        let mut pieces = pieces;
        pieces.insert(at.min(pieces.len()), "=".to_owned());
        let text = pieces.concat();
        let mut document = parse(REAL, "x.yaml").unwrap().remove(0);
        if let Err(error) = document.set(&text) {
            prop_assert!(error.to_string().starts_with("override `"), "{}", error);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("x.yaml");
        std::fs::write(&file, &bytes).unwrap();
        let found = ExperimentFile::validate(&Sources::new(&file));
        prop_assert!(!found.mistakes.is_empty());
        let text = found.mistakes[0].to_string();
        prop_assert!(text.starts_with(&file.display().to_string()), "{}", text);
        if std::str::from_utf8(&bytes).is_err() {
            prop_assert!(text.contains("is not UTF-8"), "{}", text);
        }
    }
}

#[test]
fn the_real_file_is_right() {
    assert!(ExperimentFile::validate_str(REAL, "x.yaml").mistakes.is_empty());
    let windows = format!("\u{feff}{}", REAL.replace('\n', "\r\n"));
    let found = ExperimentFile::validate_str(&windows, "x.yaml");
    assert!(found.mistakes.is_empty(), "{:?}", found.mistakes);
}

/// Reads one hostile file and says on stdout how much memory the process took at most. The test below
/// runs it, in a process of its own for each file.
#[test]
#[ignore = "run by the test below"]
fn one_hostile_file() {
    let Some(file) = std::env::var_os("SPEARMINT_HOSTILE_FILE") else { return };
    let path = Path::new(&file);
    let is_override = path.extension().is_some_and(|ending| ending == "override");
    let text = if is_override { std::fs::read_to_string(path).unwrap() } else { String::new() };
    let before = peak_kib();
    let start = spent();
    let first = if is_override {
        let mut document = parse(REAL, "x.yaml").unwrap().remove(0);
        document.set(&text).err().map(|error| error.to_string())
    } else {
        let found = ExperimentFile::validate(&Sources::new(path));
        found.mistakes.first().map(ToString::to_string)
    };
    let took = spent() - start;
    let first = first.unwrap_or_default();
    let first: String = first.chars().take(200).collect();
    println!("HOSTILE {} {} {} {first:?}", took.as_millis(), before, peak_kib());
}

/// What this thread has had of the processor, so that a busy machine finds no file too slow; where the
/// system does not tell, the time.
fn spent() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns = told.split_whitespace().next().and_then(|ns| ns.parse().ok());
    ns.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or_default()
}

#[test]
fn a_hostile_file_of_one_mebibyte_costs_no_more_than_two_seconds_and_256_mebibytes() {
    let files = Mutex::new(hostile_files::all().into_iter());
    let (table, beyond): (Mutex<Vec<String>>, Mutex<Vec<String>>) = Default::default();
    let next = || files.lock().unwrap().next();
    let read_all = || {
        while let Some((name, ending, bytes)) = next() {
            match measured(ending, &bytes) {
                Ok((line, is_beyond)) => {
                    let line = format!("{ending:8} {name:32} {:5} KiB: {line}", bytes.len() >> 10);
                    if is_beyond {
                        beyond.lock().unwrap().push(line.clone());
                    }
                    table.lock().unwrap().push(line);
                }
                Err(status) => {
                    beyond.lock().unwrap().push(format!("{name} as {ending}: ended with {status}"));
                }
            }
        }
    };
    std::thread::scope(|scope| {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        for _ in 0..processors {
            scope.spawn(read_all);
        }
    });
    println!("{}", table.into_inner().unwrap().join("\n"));
    let beyond = beyond.into_inner().unwrap();
    assert!(beyond.is_empty(), "{beyond:#?}");
}

/// What a process that reads such a file says of it, and whether that is more than it may cost; or how
/// the process ended.
fn measured(ending: &str, bytes: &[u8]) -> Result<(String, bool), ExitStatus> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(format!("hostile.{ending}"));
    std::fs::write(&file, bytes).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "fuzz::one_hostile_file", "--nocapture"])
        .env("SPEARMINT_HOSTILE_FILE", &file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().find_map(|line| line.split_once("HOSTILE ")).map(|(_, rest)| rest);
    let line = line.ok_or(output.status)?;
    let numbers: Vec<u64> = line.split(' ').take(3).map(|number| number.parse().unwrap()).collect();
    let (ms, mib) = (numbers[0], numbers[2] >> 10);
    // A debug build takes some eight times as long as a release build.
    let patience = if cfg!(debug_assertions) { 16_000 } else { 2_000 };
    let first = line.splitn(4, ' ').last().unwrap_or_default();
    Ok((format!("{ms:5} ms, {mib:4} MiB  {first}"), ms > patience || mib > 256))
}
