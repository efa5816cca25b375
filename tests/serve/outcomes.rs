//! What users do later, reported to the operator's listener, to the store's server, and from files.

use crate::support::{
    Answer, PATIENCE, Proxy, ask, at, caller, eventually, full, post, read, run, saying, spearmint,
    stderr, stdout,
};
use http::Request;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    io::Write as _,
    process::Stdio,
    time::{Instant, SystemTime, UNIX_EPOCH},
};
use tokio::task::JoinSet;
use tower_spearmint::store::{OutcomeSum, RollupFilter, SqliteStore};

fn yaml(sticky: &str) -> String {
    format!(
        "
experiment: shop
strategy: round_robin
round_robin: {{ sticky: {{ {sticky}key: {{ header: x-user }} }} }}
variant_header: x-variant
watch: false
outcomes: {{ window: 2d }}
metrics:
  purchase: {{ role: success, increase: true, mde: 1% }}
configs:
  - {{ config_id: a, upstream: UPSTREAM_A }}
  - {{ config_id: b, upstream: UPSTREAM_A }}
"
    )
}

async fn shop(sticky: &str) -> Proxy {
    let a = saying("welcome").await;
    Proxy::start(&yaml(sticky), &[a.address]).await
}

async fn report_to(proxy: &Proxy, body: impl Into<String>) -> Answer {
    ask(proxy.admin, post("/outcomes"), body.into()).await
}

/// So many users come once each; which config each got.
async fn visits(proxy: &Proxy, users: std::ops::Range<usize>) -> Vec<(String, String)> {
    let client = caller();
    let mut visits = JoinSet::new();
    for lane in 0..8 {
        let (client, address) = (client.clone(), proxy.address);
        let own: Vec<_> = users.clone().filter(|user| user % 8 == lane).collect();
        visits.spawn(async move {
            let mut got = Vec::new();
            for user in own {
                let key = format!("user-{user}");
                let request = at(address, Request::get("/").header("x-user", &key), full(""));
                let answer = tokio::time::timeout(PATIENCE, client.request(request)).await;
                let answer = read(answer.unwrap().unwrap()).await;
                got.push((key, answer.headers["x-variant"].to_str().unwrap().to_owned()));
            }
            got
        });
    }
    visits.join_all().await.into_iter().flatten().collect()
}

async fn visit(proxy: &Proxy, user: &str) {
    let answer = proxy.ask(Request::get("/").header("x-user", user), "").await;
    assert_eq!(answer.text(), "welcome");
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

fn sums(proxy: &Proxy) -> Vec<OutcomeSum> {
    let store = SqliteStore::open_read_only(proxy.path("store.db")).unwrap();
    store.outcome_sums(&RollupFilter::new()).unwrap()
}

fn total(proxy: &Proxy) -> f64 {
    sums(proxy).iter().map(|sum| sum.total).sum()
}

/// The users buy, and what the report says of the candidate.
async fn verdict(buying: impl Fn(usize, &str) -> bool) -> (Value, String) {
    let mut proxy = shop("").await;
    let got = visits(&proxy, 0..400).await;
    let mut bought = String::new();
    for (n, (user, config)) in got.iter().enumerate() {
        if buying(n, config) {
            writeln!(
                bought,
                "{}",
                json!({ "id": format!("order-{user}"), "unit": user, "name": "purchase" })
            )
            .unwrap();
        }
    }
    let answer = report_to(&proxy, bought.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let orders = bought.lines().count();
    assert_eq!((&answer.json()["new"], &answer.json()["known"]), (&json!(orders), &json!(0)));
    // Once more, and backwards: nothing changes.
    let backwards: String = bought.lines().rev().flat_map(|line| [line, "\n"]).collect();
    let answer = report_to(&proxy, backwards).await;
    assert_eq!(answer.json()["known"], orders);
    // Whatever of the branches was not written yet finds its outcomes.
    proxy.rows().await;
    assert_eq!(total(&proxy), orders as f64);
    let directory = proxy.path("");
    let check = run(&["store", "check", "--store", "store.db"], &directory);
    assert!(check.status.success(), "{}", stdout(&check));
    let arguments = ["report", "shop", "--file", "experiment.yaml", "--store", "store.db"];
    let said = run(&[&arguments[..], &["--json"]].concat(), &directory);
    let reports: Value = serde_json::from_slice(&said.stdout).unwrap();
    (reports, stdout(&run(&arguments, &directory)))
}

/// The first candidate, wherever it stands in what is printed.
fn candidate(reports: &Value) -> &Value {
    let report = reports.as_array().map_or(reports, |all| &all[0]);
    &report["candidates"][0]
}

#[tokio::test]
async fn purchases_that_a_better_config_causes_end_in_ship() {
    let (reports, said) = verdict(|n, config| n % 10 < if config == "b" { 7 } else { 1 }).await;
    let candidate = candidate(&reports);
    assert_eq!(candidate["verdict"], "ship", "{reports:#}");
    let purchase = &candidate["findings"][0];
    assert_eq!((&purchase["measure"], &purchase["by_unit"]), (&json!("purchase"), &json!(true)));
    let count = |side: &str| purchase[side].as_u64().unwrap();
    assert_eq!(count("baseline_count") + count("candidate_count"), 400);
    assert!(said.contains("ship"), "{said}");
}

#[tokio::test]
async fn purchases_that_have_nothing_to_do_with_the_config_decide_nothing() {
    let (reports, said) = verdict(|n, _| n % 10 < 3).await;
    assert_eq!(candidate(&reports)["verdict"], "undecided", "{reports:#}");
    assert!(said.contains("purchase is open"), "{said}");
}

#[tokio::test]
async fn an_outcome_that_comes_before_the_branch_is_written_counts_when_it_is() {
    // The salt is one of its own.
    let proxy = shop("salt: hush, ").await;
    let soon = json!([
        { "id": 1.to_string(), "unit": "ann", "name": "purchase", "time_ms": now_ms() + 60_000 },
        { "id": "late", "unit": "ann", "name": "purchase", "time_ms": now_ms() - 3 * 86_400_000 },
    ]);
    let answer = report_to(&proxy, soon.to_string()).await;
    assert_eq!(answer.json(), json!({ "new": 2, "known": 0, "attributed": 0, "unattributed": 2 }));
    visit(&proxy, "ann").await;
    eventually("it counts", || sums(&proxy).len() == 1).await;
    assert_eq!(total(&proxy), 1.0);
    // By its hash, too.
    let branch = proxy.stored().remove(0);
    let hash = format!("{:016x}", branch.unit.unwrap());
    let answer = report_to(
        &proxy,
        json!({ "id": "2", "unit_hash": hash, "name": "purchase", "value": 2.5 }).to_string(),
    );
    assert_eq!(answer.await.json()["attributed"], 1);
    assert_eq!(total(&proxy), 3.5);
    let page = proxy.admin("/metrics").await.text().to_owned();
    assert!(page.contains("spearmint_outcomes_total{result=\"new\"} 3\n"), "{page}");
    assert!(page.contains("spearmint_outcomes_unattributed_total 2\n"), "{page}");
}

#[tokio::test]
async fn units_of_another_salt_have_outcomes_as_soon_as_the_file_has_it() {
    let proxy = shop("").await;
    visit(&proxy, "ann").await;
    let text = std::fs::read_to_string(proxy.path("experiment.yaml")).unwrap();
    let text = text.replace("sticky: { ", "sticky: { salt: another, ");
    std::fs::write(proxy.path("experiment.yaml"), text).unwrap();
    assert_eq!(ask(proxy.admin, post("/reload"), "").await.text(), "reloaded\n");
    visit(&proxy, "ann").await;
    let bought = json!({ "id": "1", "unit": "ann", "name": "purchase" }).to_string();
    assert_eq!(report_to(&proxy, bought).await.json()["new"], 1);
    eventually("it counts in both epochs", || total(&proxy) == 2.0).await;
}

#[tokio::test]
async fn a_file_is_reloaded_while_the_store_cannot_be_written_and_its_salt_is_noted_by_the_next_reload()
 {
    let proxy = shop("").await;
    visit(&proxy, "ann").await;
    proxy.stores(1).await;
    let text = std::fs::read_to_string(proxy.path("experiment.yaml")).unwrap();
    let reload = async |text: &str| {
        std::fs::write(proxy.path("experiment.yaml"), text).unwrap();
        assert_eq!(ask(proxy.admin, post("/reload"), "").await.text(), "reloaded\n");
    };
    let other = Connection::open(proxy.path("store.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let is_noted = || !proxy.log().contains("could not note how the units of the file are hashed");
    reload(&text.replace("x-variant", "x-which")).await;
    assert!(is_noted());
    let salted = text.replace("sticky: { ", "sticky: { salt: another, ");
    reload(&salted).await;
    eventually("it warns", || !is_noted()).await;
    other.execute_batch("ROLLBACK").unwrap();
    reload(&salted).await;
    visit(&proxy, "ann").await;
    let bought = json!({ "id": "1", "unit": "ann", "name": "purchase" }).to_string();
    assert_eq!(report_to(&proxy, bought).await.json()["new"], 1);
    eventually("it counts in both epochs", || total(&proxy) == 2.0).await;
}

#[tokio::test]
async fn outcomes_older_than_their_retention_are_removed_while_it_serves() {
    let a = saying("welcome").await;
    let yaml = yaml("").replace("watch: false", "watch: false\nretention: { outcomes: 20s }");
    let proxy = Proxy::start(&yaml, &[a.address]).await;
    visit(&proxy, "ann").await;
    proxy.stores(1).await;
    let bought = json!([
        { "id": "1", "unit": "ann", "name": "purchase" },
        { "id": "2", "unit": "ann", "name": "purchase", "time_ms": now_ms() - 3_600_000 },
    ]);
    assert_eq!(report_to(&proxy, bought.to_string()).await.json()["new"], 2);
    let removed = || {
        let store = SqliteStore::open_read_only(proxy.path("store.db")).unwrap();
        store.stat().unwrap().removed_outcomes
    };
    let deadline = Instant::now() + PATIENCE;
    while removed() == 0 {
        assert!(Instant::now() < deadline);
        // (It goes on whenever something is written.)
        visit(&proxy, "ann").await;
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_batch_is_said_and_none_of_it_is_kept() {
    let proxy = shop("").await;
    let fine = r#"{"id":"1","unit":"ann","name":"purchase","time_ms":5}"#;
    assert_eq!(report_to(&proxy, fine).await.status, 200);
    for (body, status, error, line) in [
        (
            "{\"id\":\"2\",\"unit\":\"ann\",\"name\":\"n\"}\n\n{\"id\":\"3\",\"name\":\"n\"}"
                .to_owned(),
            400,
            "`unit` is missing; none was kept",
            json!(3),
        ),
        (
            format!(
                "[{{\"id\":\"2\",\"unit\":\"ann\",\"name\":\"n\"}},{}]",
                fine.replace('5', "6")
            ),
            409,
            "there is an outcome `1` already, of another time; give this one an id of its own; none was kept",
            json!(2),
        ),
        (
            r#"{"id":"2","unit":"ann","name":"error_rate"}"#.to_owned(),
            400,
            "`error_rate` is measured of every branch; give the outcome another name; none was kept",
            json!(1),
        ),
        (
            "{\"id\":\"2\",\"unit\":\"ann\",\"name\":\"n\"}\n".repeat(10_001),
            413,
            "10001 outcomes at once; send at most 10000; none was kept",
            Value::Null,
        ),
        (
            "x".repeat(8 * 1024 * 1024 + 1),
            413,
            "a batch has at most 8388608 bytes; send less at once",
            Value::Null,
        ),
    ] {
        let answer = report_to(&proxy, body).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        let said = answer.json();
        assert_eq!((said["error"].as_str(), &said["line"]), (Some(error), &line));
    }
    assert_eq!(proxy.admin("/outcomes").await.status, 405);
    let elsewhere = post("/outcomes").header("origin", "https://example.org");
    assert_eq!(ask(proxy.admin, elsewhere, fine).await.status, 403);
    let page = proxy.admin("/metrics").await.text().to_owned();
    assert!(page.contains("spearmint_outcomes_refused_total 5\n"), "{page}");
    assert!(page.contains("spearmint_outcomes_total{result=\"new\"} 1\n"), "{page}");
}

#[tokio::test]
async fn the_stores_server_takes_outcomes_too() {
    let a = saying("welcome").await;
    let directory = tempfile::TempDir::new().unwrap();
    let arguments = ["--ui", "127.0.0.1:0"];
    let proxy = Proxy::start_with(directory, &yaml(""), &[a.address], &arguments).await;
    let ui = proxy.ui().await;
    visit(&proxy, "ann").await;
    let bought = json!({ "id": "1", "unit": "ann", "name": "purchase" }).to_string();
    let answer = ask(ui, post("/outcomes"), bought.clone()).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["new"]), (200, &json!(1)));
    let other = bought.clone() + "\n" + &bought.replace("ann", "bob");
    let answer = ask(ui, post("/outcomes"), other).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json(),
        json!({
            "error_code": "RESOURCE_ALREADY_EXISTS",
            "message": "line 2: there is an outcome `1` already, of another unit; give this one an id of \
                        its own; none was kept",
        })
    );
    let answer = ask(ui, post("/outcomes"), (bought + "\n").repeat(10_001)).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["error_code"]),
        (413, &json!("RESOURCE_LIMIT_EXCEEDED"))
    );
    eventually("it counts", || total(&proxy) == 1.0).await;
}

#[tokio::test]
async fn a_table_and_lines_of_json_are_imported() {
    let proxy = shop("").await;
    for user in ["ann", "bob"] {
        visit(&proxy, user).await;
    }
    proxy.stores(2).await;
    let directory = proxy.path("");
    let today = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    let table = format!(
        "id,unit,name,value,time\n1,ann,purchase,19.9,{today}\n2,bob,purchase,,{today}\n\
         3,ann,purchase,much,{today}\n4,,purchase,1,{today}\n5,ann,purchase,1,\n6,ann\n\
         2,bob,purchase,7,{today}\n7,nobody,purchase,1,{today}\n"
    );
    std::fs::write(proxy.path("orders.csv"), table).unwrap();
    let import = |arguments: &[&str]| {
        run(&[&["outcomes", "import", "--store", "store.db"], arguments].concat(), &directory)
    };
    let refused = "warning: line 4: the value `much` is no number\n\
        warning: line 5: `unit` is missing\n\
        warning: line 6: `time` is missing: a file says when it was\n\
        warning: line 7: it has 2 cells, and the header has 5\n\
        warning: line 8: there is an outcome `2` already, of another value; give this one an id of its own\n";
    let tried = import(&["orders.csv", "--dry-run"]);
    assert_eq!(
        stderr(&tried),
        refused.to_owned()
            + "8 outcomes: 3 would be new (2 belong to an exposure, 1 to none so far), 0 known, 5 refused\n"
    );
    assert_eq!(total(&proxy), 0.0);
    // As spreadsheets write it.
    std::fs::write(proxy.path("dos.csv"), "id,name\r\n1,purchase\r\n").unwrap();
    let tried = import(&["dos.csv", "--dry-run", "--json"]);
    let said: Value = serde_json::from_slice(&tried.stdout).unwrap();
    assert_eq!(said["reasons"], json!([{ "line": 2, "reason": "`unit` is missing" }]));
    let done = import(&["orders.csv"]);
    assert_eq!(done.status.code(), Some(2));
    assert_eq!(
        stderr(&done),
        refused.to_owned()
            + "8 outcomes: 3 new (2 belong to an exposure, 1 to none so far), 0 known, 5 refused\n"
    );
    assert_eq!(total(&proxy), 20.9);

    let lines = format!(
        "{{\"id\": \"2\", \"unit\": \"bob\", \"name\": \"purchase\", \"time\": \"{today}\"}}\n\n\
         {{\"id\": \"8\", \"unit\": \"bob\", \"name\": \"return\", \"time\": \"{today}\"}}\n"
    );
    let mut piped = spearmint()
        .args(["outcomes", "import", "-", "--json", "--store", "store.db"])
        .current_dir(&directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    piped.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let piped = piped.wait_with_output().unwrap();
    assert!(piped.status.success());
    let said: Value = serde_json::from_slice(&piped.stdout).unwrap();
    assert_eq!(
        said,
        json!({ "new": 1, "known": 1, "attributed": 1, "unattributed": 0, "refused": 0, "reasons": [], "dry_run": false })
    );

    let list = run(&["outcomes", "list", "--store", "store.db", "--json"], &directory);
    let listed = stdout(&list);
    let newest: Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    assert_eq!((&newest["id"], &newest["experiments"]), (&json!("8"), &json!(["shop"])));
    assert_eq!(listed.lines().count(), 4);
    let list =
        stdout(&run(&["outcomes", "list", "--store", "store.db", "--name", "return"], &directory));
    assert!(
        list.contains("counts in") && list.contains("shop") && !list.contains("19.9"),
        "{list}"
    );
    let stat = stdout(&run(&["store", "stat", "--store", "store.db"], &directory));
    assert!(stat.contains("4 outcomes, 0 removed\n"), "{stat}");
    let pruned =
        run(&["outcomes", "prune", "--older-than", "30d", "--store", "store.db"], &directory);
    assert_eq!(stderr(&pruned), "0 outcomes removed\n");
}

#[tokio::test]
async fn a_file_that_is_no_table_of_outcomes_is_refused_as_a_whole() {
    let proxy = shop("").await;
    let directory = proxy.path("");
    for (content, said) in [
        (
            "user,name\nann,purchase\n",
            "error: orders: line 1: there is no column `user`; there are id, unit, unit_hash, name, value, \
             time, time_ms\n",
        ),
        (
            "unit,name\nann,n\n",
            "error: orders: line 1: there is no column `id`, which every outcome has\n",
        ),
        (
            "[{}]",
            "error: orders: a JSON list is not read by lines; write one outcome in each, as `jq -c '.[]'` does\n",
        ),
    ] {
        std::fs::write(proxy.path("orders"), content).unwrap();
        let output = run(&["outcomes", "import", "orders", "--store", "store.db"], &directory);
        assert_eq!((stderr(&output).as_str(), output.status.code()), (said, Some(2)));
    }
}

#[test]
fn outcomes_without_units_or_a_window_are_a_mistake_in_the_file() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("x.yaml");
    let text = "experiment: shop\nstrategy: single\noutcomes: { window: 0s }\nconfigs:\n  \
                - { config_id: a, upstream: 'http://127.0.0.1:1' }\nretention: { outcomes: 0s }\n";
    std::fs::write(&file, text).unwrap();
    let output = run(&["config", "validate", "x.yaml"], directory.path());
    let said = stderr(&output) + &stdout(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("x.yaml:3:21: `outcomes.window`: 0; no outcome would count"), "{said}");
    let removed = "x.yaml:6:24: `retention.outcomes`: 0; outcomes would be removed as they come; say how long they are kept, as in 90d";
    assert!(said.contains(removed), "{said}");
    assert!(
        said.contains("x.yaml:3:1: `outcomes`: they are those of units; say what a unit is"),
        "{said}"
    );
}

#[tokio::test]
async fn the_file_says_how_long_before_the_first_visit_outcomes_count() {
    for (setting, expected) in
        [("window: 2d", 2.0), ("window: 2d, before: 2h", 1.0), ("window: 2d, before: 0s", 0.0)]
    {
        let a = saying("welcome").await;
        let yaml = yaml("").replace("window: 2d", setting);
        let proxy = Proxy::start(&yaml, &[a.address]).await;
        let hour = 3_600_000;
        let bought = |id: u64, at_ms: u64| json!({ "id": id.to_string(), "unit": "ann", "name": "purchase", "time_ms": at_ms });
        let history = json!([bought(1, now_ms() - hour), bought(2, now_ms() - 3 * hour)]);
        assert_eq!(report_to(&proxy, history.to_string()).await.status, 200);
        visit(&proxy, "ann").await;
        assert_eq!(report_to(&proxy, bought(3, now_ms() + 1_000).to_string()).await.status, 200);
        let count = || sums(&proxy).iter().map(|sum| (sum.total, sum.total_before)).next();
        eventually("all are counted", || count() == Some((1.0, expected))).await;
    }
}
