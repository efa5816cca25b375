//! Branches that are looked for as runs.

use crate::support::Server;
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::TempDir;
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial, service_fn, store::SqliteStore,
};

const API: &str = "/api/2.0/mlflow";

async fn post(server: &Server, call: &str, body: Value) -> Value {
    let answer = server.post(&format!("{API}/{call}"), &body).await;
    assert_eq!(answer.status, 200, "{call}: {:?}", answer.body);
    answer.json()
}

/// One branch of each config, in turn, each with an output.
async fn record(directory: &TempDir, experiment: &str, configs: Value, outputs: &Value) {
    let store = SqliteStore::open(directory.path().join("spearmint.db")).unwrap();
    let (recorder, recording) = Recorder::pair(store);
    tokio::spawn(recording);
    let configs = configs.as_array().unwrap().clone();
    let count = configs.len();
    let output = outputs.clone();
    let log = LogLayer::new(recorder.clone()).capture(move |n: &usize| Some(output[*n].clone()));
    let answer = service_fn(|trial: Trial<usize>| async move { Ok::<_, String>(*trial.request()) });
    let mut service = RoundRobinLayer::new(ConfigPool::from_values(configs).unwrap())
        .experiment(experiment)
        .layer(log.layer(answer));
    for n in 0..count {
        service.ready().await.unwrap().call(n).await.unwrap();
    }
    recorder.drain(Duration::from_secs(60)).await.unwrap();
}

async fn experiment(server: &Server, name: &str) -> String {
    let answer =
        server.get(&format!("{API}/experiments/get-by-name?experiment_name={name}")).await.json();
    answer["experiment"]["experiment_id"].as_str().unwrap().to_owned()
}

fn params(run: &Value) -> Vec<&Value> {
    let params = run["data"]["params"].as_array().into_iter().flatten();
    params.filter(|param| param["key"] == "k").map(|param| &param["value"]).collect()
}

#[tokio::test]
async fn branches_stand_in_the_order_of_a_param_as_it_is_shown() {
    let directory = TempDir::new().unwrap();
    let values = [json!(10), json!("abc"), json!(9), json!(true), json!("10a"), json!(null)];
    let configs: Vec<_> = values
        .iter()
        .enumerate()
        .map(|(n, value)| json!({ "config_id": format!("c{n}"), "k": value }))
        .chain([json!({ "config_id": "none" }), json!({ "config_id": "list", "k": ["z"] })])
        .collect();
    record(&directory, "e", json!(configs), &json!(["", "", "", "", "", "", "", ""])).await;
    let server = Server::start(&directory).await;
    let id = experiment(&server, "e").await;
    let run = post(&server, "runs/create", json!({ "experiment_id": id })).await;
    let run = &run["run"]["info"]["run_id"];
    post(&server, "runs/log-parameter", json!({ "run_id": run, "key": "k", "value": "99" })).await;

    let expected = ["10", "10a", "9", "99", "abc", "null", "true"];
    for ascending in [true, false] {
        let direction = if ascending { "ASC" } else { "DESC" };
        let (mut found, mut runs, mut token) = (Vec::new(), 0, Value::Null);
        for _ in 0..20 {
            let page = json!({
                "experiment_ids": [id], "order_by": [format!("params.k {direction}")],
                "max_results": 1, "page_token": token,
            });
            let page = post(&server, "runs/search", page).await;
            runs += page["runs"].as_array().unwrap().len();
            found.extend(params(&page["runs"][0]).into_iter().cloned());
            token = page["next_page_token"].clone();
            if token.is_null() {
                break;
            }
        }
        let mut expected = expected.to_vec();
        if !ascending {
            expected.reverse();
        }
        assert_eq!((found, runs), (expected.into_iter().map(Value::from).collect(), 9));
    }
}

/// The values of a param of the runs that are found, in the order in which they are.
async fn found(server: &Server, search: Value) -> Vec<String> {
    let runs = post(server, "runs/search", search).await;
    let runs = runs["runs"].as_array().cloned().unwrap_or_default();
    let param = |run: &Value| params(run)[0].as_str().unwrap().to_owned();
    runs.iter().map(param).collect()
}

#[tokio::test]
async fn what_has_dots_or_quotes_in_its_key_is_found_under_the_name_that_is_shown() {
    let directory = TempDir::new().unwrap();
    let configs = json!([
        { "config_id": "c0", "k": "flat", "a.b": 1, "say \"it\"": "x" },
        { "config_id": "c1", "k": "nested", "a": { "b": 2 } },
        { "config_id": "c2", "k": "list", "a": [{ "b": 3 }] },
    ]);
    let outputs = json!([{ "x.y": 0.5, "it's \"so\"": 7 }, { "x": { "y": 0.25 } }, { "x": 1 }]);
    record(&directory, "e", configs, &outputs).await;
    let server = Server::start(&directory).await;
    let id = experiment(&server, "e").await;
    for (filter, expected) in [
        ("params.\"a.b\" = '1'", &["flat"][..]),
        ("params.`a.b` = '2'", &["nested"]),
        ("params.a.b != '9'", &["flat", "nested"]),
        ("params.a.0.b = '3'", &["list"]),
        ("params.`say _it_` = 'x'", &["flat"]),
        ("metrics.`output.x.y` > 0.4", &["flat"]),
        ("metrics.\"output.x.y\" < 0.4", &["nested"]),
        ("metrics.output.x.y > 0", &["flat", "nested"]),
        ("metrics.`output.it_s _so_` = 7", &["flat"]),
        ("metrics.output.x = 1", &["list"]),
        ("metrics.outputs = 1", &[]),
    ] {
        let search = json!({ "experiment_ids": [id], "filter": filter });
        let mut found = found(&server, search).await;
        // (Two may begin in one millisecond.)
        found.sort();
        assert_eq!(found, expected, "{filter}");
    }
    for (order, expected) in [
        ("params.`a.b`", &["flat", "nested", "list"][..]),
        ("params.\"a.b\" DESC", &["nested", "flat", "list"]),
        ("metrics.`output.x.y`", &["nested", "flat", "list"]),
        ("metrics.`output.it_s _so_`", &["flat"]),
    ] {
        let search = json!({ "experiment_ids": [id], "order_by": [order] });
        assert_eq!(found(&server, search).await[..expected.len()], *expected, "{order}");
    }
}

#[tokio::test]
async fn a_branch_that_was_given_a_param_stands_in_the_order_of_it_and_of_its_own() {
    let directory = TempDir::new().unwrap();
    let configs = json!([
        { "config_id": "c0", "k": "first", "a.b": 1 },
        { "config_id": "c1", "k": "second", "a": { "b": 2 } },
        { "config_id": "c2", "k": "third", "a.b": 3 },
    ]);
    record(&directory, "e", configs, &json!([{ "x.y": 1 }, { "x.y": 2 }, { "x.y": 3 }])).await;
    let server = Server::start(&directory).await;
    let id = experiment(&server, "e").await;
    for (name, value) in [("first", "9"), ("third", "8")] {
        let filter = format!("params.k = '{name}'");
        let search = json!({ "experiment_ids": [id], "filter": filter });
        let runs = post(&server, "runs/search", search).await;
        let run = &runs["runs"][0]["info"]["run_id"];
        let param = json!({ "run_id": run, "key": "given.later", "value": value });
        post(&server, "runs/log-parameter", param).await;
    }
    for (order, expected) in [
        ("params.`given.later`", ["third", "first", "second"]),
        ("params.`given.later` DESC", ["first", "third", "second"]),
        ("params.`a.b`", ["first", "second", "third"]),
        ("params.`a.b` DESC", ["third", "second", "first"]),
        ("metrics.`output.x.y` DESC", ["third", "second", "first"]),
    ] {
        let search = json!({ "experiment_ids": [id], "order_by": [order] });
        assert_eq!(found(&server, search).await, expected, "{order}");
    }
}

#[tokio::test]
async fn a_metric_of_a_branch_that_is_not_a_number_stands_behind_all_that_are() {
    let directory = TempDir::new().unwrap();
    let names = ["one", "nan", "none", "minus"];
    let configs: Vec<_> =
        names.iter().map(|name| json!({ "config_id": name, "k": name })).collect();
    record(&directory, "e", json!(configs), &json!(["", "", "", ""])).await;
    let server = Server::start(&directory).await;
    let id = experiment(&server, "e").await;
    for (name, value) in [("one", json!(1)), ("nan", json!("NaN")), ("minus", json!(-1))] {
        let filter = format!("params.k = '{name}'");
        let search = json!({ "experiment_ids": [id], "filter": filter });
        let runs = post(&server, "runs/search", search).await;
        let run = &runs["runs"][0]["info"]["run_id"];
        let metric = json!({ "run_id": run, "key": "m", "value": value, "timestamp": 1 });
        post(&server, "runs/log-metric", metric).await;
    }
    for (order, expected) in [
        ("metrics.m ASC", ["minus", "one", "nan", "none"]),
        ("metrics.m DESC", ["one", "minus", "nan", "none"]),
    ] {
        let search = |token: &Value| {
            json!({
                "experiment_ids": [id], "order_by": [order], "max_results": 1, "page_token": token,
            })
        };
        let (mut all, mut token) = (Vec::new(), Value::Null);
        for _ in 0..4 {
            let page = post(&server, "runs/search", search(&token)).await;
            all.extend(
                params(&page["runs"][0]).iter().map(|name| name.as_str().unwrap().to_owned()),
            );
            token = page["next_page_token"].clone();
        }
        assert_eq!((all, token), (expected.map(str::to_owned).to_vec(), Value::Null), "{order}");
    }
}

/// Two branches, of which the first says that it took 812 tokens, and the second 90.
async fn say_tokens(directory: &TempDir) {
    let store = SqliteStore::open(directory.path().join("spearmint.db")).unwrap();
    let (recorder, recording) = Recorder::pair(store);
    tokio::spawn(recording);
    let answer = service_fn(|trial: Trial<f64>| async move {
        trial.metric("llm/tokens", *trial.request());
        trial.metric("retry_count", 77.0);
        Ok::<_, String>(())
    });
    let pool = ConfigPool::from_values([json!({ "config_id": "a" }), json!({ "config_id": "b" })]);
    let mut service = RoundRobinLayer::new(pool.unwrap())
        .experiment("e")
        .layer(LogLayer::new(recorder.clone()).layer(answer));
    for tokens in [812.0, 90.0] {
        service.ready().await.unwrap().call(tokens).await.unwrap();
    }
    recorder.drain(Duration::from_secs(60)).await.unwrap();
}

#[tokio::test]
async fn what_a_service_said_of_a_branch_is_a_metric_of_its_run() {
    let directory = TempDir::new().unwrap();
    say_tokens(&directory).await;
    let server = Server::start(&directory).await;
    let id = experiment(&server, "e").await;
    let runs = async |filter: &str, order: &str| {
        let search = json!({ "experiment_ids": [id], "filter": filter, "order_by": [order] });
        let found = post(&server, "runs/search", search).await;
        found["runs"].as_array().cloned().unwrap_or_default()
    };
    let value = |run: &Value, key: &str| {
        let metrics = run["data"]["metrics"].as_array().unwrap();
        let mut found = metrics.iter().filter(|metric| metric["key"] == key);
        let value = found.next().unwrap()["value"].as_f64().unwrap();
        assert!(found.next().is_none(), "{key} is there twice: {metrics:?}");
        value
    };
    for (order, expected) in [("ASC", [90.0, 812.0]), ("DESC", [812.0, 90.0])] {
        let all = runs("", &format!("metrics.`llm/tokens` {order}")).await;
        let shown: Vec<_> = all.iter().map(|run| value(run, "llm/tokens")).collect();
        assert_eq!(shown, expected);
        // What was measured is what it is called.
        assert!(all.iter().all(|run| value(run, "retry_count") == 0.0));
    }
    let many = runs("metrics.`llm/tokens` > 100", "start_time DESC").await;
    assert_eq!((many.len(), value(&many[0], "llm/tokens")), (1, 812.0));
    assert!(runs("metrics.never_said > 0", "start_time DESC").await.is_empty());
    let run = many[0]["info"]["run_id"].as_str().unwrap();
    let history = server
        .get(&format!("{API}/metrics/get-history?run_id={run}&metric_key=llm/tokens"))
        .await
        .json();
    assert_eq!(history["metrics"][0]["value"], json!(812.0), "{history}");
}
