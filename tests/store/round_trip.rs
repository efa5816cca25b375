//! What is written is what is read.

use super::support::{Dir, as_json, block_on, branches, branches_of, id, pool, write};
use serde_json::{Value, json};
use std::fs;
use tower_spearmint::{
    Branch, ConfigPool,
    branch::{Failure, FailureKind, Role, SkipReason, Status, TraceParent},
    record::{LoggerBackend, RunId},
    store::{BranchRow, Filter, SqliteStore, StoreError, StoreOptions},
};

fn read(store: &SqliteStore) -> Vec<BranchRow> {
    store.branches(&Filter::new()).unwrap().map(Result::unwrap).collect()
}

/// Every role, status, kind of failure and reason, with every optional part there or not.
fn all_kinds() -> Vec<Branch> {
    let mut all = branches("kinds", 60);
    for (n, branch) in all.iter_mut().enumerate() {
        branch.role = Role::ALL[n % Role::ALL.len()];
        branch.status = Status::ALL[n % Status::ALL.len()];
        if branch.status == Status::Failed {
            branch.output = None;
            branch.failure = Some(
                Failure::new(FailureKind::ALL[n / 4 % FailureKind::ALL.len()], "größer als 1")
                    .with_type("some::Error")
                    .with_trace("one\ncaused by: two"),
            );
        }
        if branch.status == Status::Skipped {
            branch.output = None;
            branch.skip = Some(SkipReason::ALL[n / 4 % SkipReason::ALL.len()]);
        }
        if n % 3 == 0 {
            branch.parent = Some(id(7, n as u32));
            branch.parent_config_id = Some(pool()[n % 2].id().clone());
            branch.request_id = id(5, n as u32);
        }
        let trace = TraceParent::parse(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03");
        branch.trace = [trace, None][n % 2];
        branch.unit = [None, Some(0), Some(u64::MAX), Some(1 << 63)][n % 4];
        branch.probability = [1.0, 1.0 / 3.0, 0.1, f64::MIN_POSITIVE, 0.0][n % 5];
        branch.retry_count = [0, 1, u32::MAX][n % 3];
        branch.first_byte_ns = [None, Some(0), Some(1 << 62)][n % 3];
        branch.bytes_in = [Some(5), None][n % 2];
        branch.bytes_out = [None, Some(0), Some(1 << 40)][n / 2 % 3];
    }
    all[0].output = Some(json!({ "π": [0.1, 1e300, -0.0, 1.0, u64::MAX, null, true, "\u{0}"] }));
    all[4].output = Some(Value::Null);
    all[8].output = Some(json!("… [cut: 3 bytes in all]"));
    all[1].failure = Some(Failure::new(FailureKind::Error, ""));
    all
}

#[test]
fn a_branch_read_back_equals_the_branch_written() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let written = all_kinds();
    write(&store, &written).unwrap();
    let read = read(&store);
    assert_eq!(read.len(), written.len());
    for (read, written) in read.iter().zip(&written) {
        assert_eq!(as_json(read), as_json(written));
    }
}

#[test]
fn a_probability_that_is_not_a_number_comes_back_as_such() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let mut batch = branches("nan", 1);
    batch[0].probability = f64::NAN;
    write(&store, &batch).unwrap();
    assert!(read(&store)[0].probability.is_nan());
}

#[test]
fn writing_the_same_batch_twice_keeps_one_row_each() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let batch = all_kinds();
    write(&store, &batch).unwrap();
    let before = as_json(&read(&store));
    write(&store, &batch).unwrap();
    write(&SqliteStore::open(dir.file("s.db")).unwrap(), &batch[10..30]).unwrap();
    assert_eq!(as_json(&read(&store)), before);
    assert_eq!(store.counts().unwrap().branches, batch.len() as u64);
}

#[test]
fn a_config_is_kept_once_by_id_and_content() {
    let dir = Dir::new();
    let make = |model: &str| {
        let value = json!({ "config_id": "stable", "model": model });
        branches_of(ConfigPool::from_values([value]).unwrap(), "once", 10)
    };
    for round in 0..2 {
        let store = SqliteStore::open(dir.file("s.db")).unwrap();
        for model in ["v1", "v2"] {
            write(&store, &make(model)).unwrap();
        }
        let counts = store.counts().unwrap();
        assert_eq!((counts.configs, counts.experiments), (2, 1));
        assert_eq!(counts.branches, 20 * (round + 1));
        let models: Vec<_> = read(&store).iter().map(|b| b.config["model"].clone()).collect();
        assert_eq!(models.iter().filter(|m| *m == "v1").count() as u64, 10 * (round + 1));
    }
}

#[test]
fn an_output_or_failure_beyond_its_limit_is_cut_and_says_so() {
    let dir = Dir::new();
    let store =
        StoreOptions::new().output_limit(10).failure_limit(10).open(dir.file("s.db")).unwrap();
    let mut batch = branches("cut", 2);
    batch[0].output = Some(json!("ä".repeat(50)));
    batch[1].status = Status::Failed;
    batch[1].output = None;
    batch[1].failure =
        Some(Failure::new(FailureKind::Error, "0123456789ab").with_type("T").with_trace("trace"));
    write(&store, &batch).unwrap();
    let rows = read(&store);
    assert_eq!(rows[0].output, Some(json!("\"ääää… [cut: 102 bytes in all]")));
    assert_eq!(rows[0].output_cut, Some(102));
    let failure = rows[1].failure.as_ref().unwrap();
    assert_eq!(failure.type_name, "T");
    assert_eq!(failure.message, "012345678… [cut: 12 bytes in all]");
    assert_eq!(failure.trace, "… [cut: 5 bytes in all]");
}

#[test]
fn secrets_are_never_in_the_bytes_of_the_files() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let pool = ConfigPool::from_values([json!({
        "config_id": "with-secrets",
        "llm": { "api_key": "sk-hush-hush", "model": "open-model" },
        "headers": [{ "authorization": "Bearer hush-hush" }],
        "upstream": "http://user:hush-hush@127.0.0.1:9000/",
    })])
    .unwrap();
    let search = |text: &str| {
        fs::read_dir(dir.path())
            .unwrap()
            .filter(|entry| {
                let bytes = fs::read(entry.as_ref().unwrap().path()).unwrap();
                bytes.windows(text.len()).any(|window| window == text.as_bytes())
            })
            .count()
    };
    let store = SqliteStore::open(&file).unwrap();
    write(&store, &branches_of(pool, "quiet", 100)).unwrap();
    assert!(fs::metadata(dir.file("s.db-wal")).unwrap().len() > 0);
    assert_eq!((search("open-model"), search("hush-hush")), (1, 0));
    drop(store);
    assert_eq!((search("open-model"), search("hush-hush")), (1, 0));
    let row = &read(&SqliteStore::open_read_only(&file).unwrap())[0];
    assert_eq!(row.config["llm"]["api_key"], "[redacted]");
}

#[test]
fn the_four_single_calls_come_to_the_same_as_a_batch() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    for finished in all_kinds() {
        // The run is opened before its end is known.
        let mut opened = finished.clone();
        opened.status = Status::Cancelled;
        (opened.failure, opened.output, opened.skip) = (None, None, None);
        (opened.duration_ns, opened.retry_count) = (0, 0);
        (opened.first_byte_ns, opened.bytes_in, opened.bytes_out) = (None, None, None);
        block_on(async {
            let run = store.start_run(&opened).await.unwrap();
            assert_eq!(run.0, finished.id.to_string());
            store.log_params(&run, finished.config.redacted()).await.unwrap();
            if let Some(failure) = &finished.failure {
                store.log_exception(&run, failure).await.unwrap();
            }
            store.log_status(&run, &finished).await.unwrap();
        });
    }
    assert_eq!(as_json(&read(&store)), as_json(&all_rows(&dir)));
}

/// The rows of a second store, written as a batch.
fn all_rows(dir: &Dir) -> Vec<BranchRow> {
    let first = SqliteStore::open(dir.file("s.db")).unwrap();
    let by_id = read(&first);
    let store = SqliteStore::open(dir.file("batch.db")).unwrap();
    let mut batch = all_kinds();
    for (branch, row) in batch.iter_mut().zip(&by_id) {
        // Made a second time: only ids and times differ.
        let same_request = branch.request_id == branch.id;
        branch.id = row.id;
        branch.request_id = if same_request { row.id } else { branch.request_id };
        (branch.start_ns, branch.duration_ns) = (row.start_ns, row.duration_ns);
        branch.end_ns = row.end_ns;
    }
    write(&store, &batch).unwrap();
    read(&store)
}

#[test]
fn a_run_that_was_never_started_is_an_error() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let branch = &branches("none", 1)[0];
    for run in [branch.id.to_string(), "no id".to_owned()] {
        let error = block_on(store.log_status(&RunId(run), branch)).unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(StoreError::NoRun { .. })), "{error}");
    }
}

#[test]
fn the_view_shows_a_branch_with_its_names() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let store = SqliteStore::open(&file).unwrap();
    let written = all_kinds();
    write(&store, &written).unwrap();
    let connection = rusqlite::Connection::open(&file).unwrap();
    let sql = "SELECT id, request_id, parent, parent_config_id, experiment, strategy, role,
               config_id, json_extract(config, '$.llm.model'), end_ns, status, failure_kind,
               failure_message, skip, unit_hex, started LIKE '20%Z' FROM branches ORDER BY id";
    let mut statement = connection.prepare(sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    let text = |text: Option<String>| text.map_or(Value::Null, Value::String);
    for branch in written {
        let json = as_json(&branch);
        let row = rows.next().unwrap().unwrap();
        let column = |n| text(row.get(n).unwrap());
        assert_eq!(column(0), json["id"]);
        assert_eq!(column(1), json["request_id"]);
        assert_eq!(column(2), json["parent"]);
        assert_eq!(column(3), json["parent_config_id"]);
        assert_eq!(column(4), json["experiment"]);
        assert_eq!(column(5), json["strategy"]);
        assert_eq!(column(6), json["role"]);
        assert_eq!(column(7), json["config_id"]);
        assert_eq!(column(8), json["config"]["llm"]["model"]);
        assert_eq!(row.get::<_, i64>(9).unwrap() as u64, branch.end_ns);
        assert_eq!(column(10), json["status"]);
        assert_eq!(column(11), json["failure"]["kind"]);
        assert_eq!(column(12), json["failure"]["message"]);
        assert_eq!(column(13), json["skip"]);
        assert_eq!(column(14), text(branch.unit.map(|unit| format!("{unit:016x}"))));
        assert!(row.get::<_, bool>(15).unwrap());
    }
}
