//! `spearmint diff`.

use crate::support::{run, stderr, stdout};
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;
use tower::{Layer, Service};
use tower_spearmint::{
    Branch, ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial,
    branch::{BranchId, Role},
    compare::{Comparison, DifferenceKind, Differences},
    record::{LoggerBackend, MemoryBackend},
    service_fn,
    store::SqliteStore,
};

/// A branch of each config, as a strategy makes them.
async fn branches() -> [Branch; 2] {
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);
    let pool =
        ConfigPool::from_values(["stable", "candidate"].map(|id| json!({ "config_id": id })));
    let answer = service_fn(|_: Trial<()>| async { Ok::<_, String>(()) });
    let log = LogLayer::new(recorder.clone());
    let layer = RoundRobinLayer::new(pool.unwrap()).experiment("ranker");
    let mut service = layer.layer(log.layer(answer));
    for _ in 0..2 {
        service.call(()).await.unwrap();
    }
    recorder.drain(std::time::Duration::from_secs(5)).await.unwrap();
    memory.take().try_into().unwrap()
}

fn id(number: u64) -> BranchId {
    let mut bytes = [0; 16];
    bytes[4] = 1;
    bytes[6] = 0x70;
    bytes[8..].copy_from_slice(&(0x8000_0000_0000_0000 | number).to_be_bytes());
    BranchId::from_bytes(bytes)
}

/// 200 pairs of the candidate: the time differs in all, the price in 10, the header once with
/// something that is not for a terminal. And as many of the control, if wanted, where the time
/// differs in 198.
async fn store(directory: &Path, control: bool) {
    let [mut primary, mut shadow] = branches().await;
    let mut batch = Vec::new();
    for n in 0..200 {
        (primary.id, primary.request_id) = (id(4 * n), id(4 * n));
        (shadow.id, shadow.request_id, shadow.role) = (id(4 * n + 1), id(4 * n), Role::Shadow);
        let mut differences = Differences::default();
        let time = (Some("\"12:00:00\""), Some("\"12:00:01\""));
        differences.push("/time", DifferenceKind::Changed, time.0, time.1);
        if n % 20 == 0 {
            differences.push("/price", DifferenceKind::Changed, Some("12.5"), Some("12.0"));
        }
        if n == 7 {
            differences.push("header:x-\u{1b}[2J", DifferenceKind::Added, None, Some("\u{1b}[31m"));
        }
        batch.push(Comparison::new(&primary, &shadow, differences));
        if control {
            let mut again = primary.clone();
            (again.id, again.role) = (id(4 * n + 2), Role::Control);
            let mut differences = Differences::default();
            if n >= 2 {
                differences.push("/time", DifferenceKind::Changed, time.0, time.1);
            }
            batch.push(Comparison::new(&primary, &again, differences));
        }
    }
    let store = SqliteStore::open(directory.join("spearmint.db")).unwrap();
    store.log_comparisons(&batch).await.unwrap();
}

fn diff(directory: &Path, arguments: &str) -> std::process::Output {
    let arguments: Vec<_> = std::iter::once("diff").chain(arguments.split_whitespace()).collect();
    run(&arguments, directory)
}

#[tokio::test]
async fn paths_are_shown_with_their_rates_beside_the_noise_and_with_examples() {
    let directory = TempDir::new().unwrap();
    store(directory.path(), true).await;
    let output = diff(directory.path(), "");
    assert_eq!(stderr(&output), "");
    assert_eq!(output.status.code(), Some(0));
    let expected = "\
ranker: candidate
200 pairs compared, 0.00% equal, 200 different
control: 200 pairs compared, 1.00% equal, 198 different

 path           pairs     rate   noise     net         how
 /price            10    5.00%   0.00%  +5.00%         changed
 header:x- [2J      1    0.50%   0.00%  +0.50%         added
 /time            200  100.00%  99.00%  +1.00%  noise  changed

/price
  12.5 -> 12.0
  00000000-0100-7000-8000-0000000002d0 -> 00000000-0100-7000-8000-0000000002d1

header:x- [2J
  (nothing) ->  [31m
  00000000-0100-7000-8000-00000000001c -> 00000000-0100-7000-8000-00000000001d
";
    assert_eq!(stdout(&output), expected);
}

#[tokio::test]
async fn without_a_control_it_says_how_to_get_one() {
    let directory = TempDir::new().unwrap();
    store(directory.path(), false).await;
    let output = diff(directory.path(), "--path /time --examples 2");
    assert_eq!(
        stderr(&output),
        "\nranker has no control, so all of this may be noise; `shadow: { control: true }` adds one\n"
    );
    let expected = "\
ranker: candidate
200 pairs compared, 0.00% equal, 200 different

 path   pairs     rate  how
 /time    200  100.00%  changed

/time
  \"12:00:00\" -> \"12:00:01\"
  00000000-0100-7000-8000-00000000004c -> 00000000-0100-7000-8000-00000000004d
  \"12:00:00\" -> \"12:00:01\"
  00000000-0100-7000-8000-000000000048 -> 00000000-0100-7000-8000-000000000049
";
    assert_eq!(stdout(&output), expected);
}

#[tokio::test]
async fn the_exit_code_says_whether_anything_differs_beyond_the_noise() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    store(directory, true).await;
    for (arguments, code) in [
        ("", 0),
        ("--exit-code", 1),
        ("--exit-code --json", 1),
        ("--exit-code --limit 0", 1),
        ("--exit-code --path /time", 0),
        ("--exit-code --path /time --relative 0 --absolute 0.5%", 1),
        ("--exit-code --absolute 5%", 0),
        ("--exit-code --relative 1", 0),
        ("--relative 120%", 2),
        ("--config none", 2),
        ("--store none.db", 2),
    ] {
        let output = diff(directory, arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments}: {}", stderr(&output));
        assert_eq!(stderr(&output).is_empty(), code < 2, "{arguments}: {}", stderr(&output));
    }
}

#[tokio::test]
async fn json_has_all_paths_under_the_names_of_the_records() {
    let directory = TempDir::new().unwrap();
    store(directory.path(), true).await;
    let found: Value = serde_json::from_str(&stdout(&diff(directory.path(), "--json"))).unwrap();
    let one = &found[0];
    assert_eq!(
        (&one["config_id"], &one["compared"], &one["equal"], &one["beyond_noise"]),
        (&json!("candidate"), &json!(200), &json!(0), &json!(2))
    );
    assert_eq!(one["control"], json!({ "compared": 200, "equal": 2, "different": 198 }));
    assert_eq!(
        one["paths"][1],
        json!({
            "path": "header:x-\u{1b}[2J",
            "pairs": 1,
            "rate": 0.005,
            "noise": 0.0,
            "net": 0.005,
            "beyond_noise": true,
            "kinds": { "added": 1 },
            "examples": [{
                "primary_id": id(28),
                "branch_id": id(29),
                "kind": "added",
                "primary": null,
                "shadow": "\u{1b}[31m",
            }],
        })
    );
    assert_eq!(one["paths"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_store_without_comparisons_says_so() {
    let directory = TempDir::new().unwrap();
    drop(SqliteStore::open(directory.path().join("spearmint.db")).unwrap());
    let output = diff(directory.path(), "--exit-code");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stderr(&output), "no shadow was compared in spearmint.db\n");
    assert_eq!(stdout(&diff(directory.path(), "--json")), "[]\n");
}
