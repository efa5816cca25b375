//! Runs that clients make, and what they log to them.

use crate::support::{Answer, Server, started};
use serde_json::{Value, json};

const API: &str = "/api/2.0/mlflow";

async fn post(server: &Server, call: &str, body: Value) -> Answer {
    server.post(&format!("{API}/{call}"), &body).await
}

async fn done(server: &Server, call: &str, body: Value) -> Value {
    let answer = post(server, call, body).await;
    assert_eq!(answer.status, 200, "{call}: {:?}", answer.body);
    answer.json()
}

async fn create(server: &Server, body: Value) -> String {
    let run = done(server, "runs/create", body).await;
    run["run"]["info"]["run_id"].as_str().unwrap().to_owned()
}

async fn get(server: &Server, id: &str) -> Value {
    server.get(&format!("{API}/runs/get?run_id={id}")).await.json()["run"].take()
}

/// The value of a key in a list of keys and values.
fn of<'a>(list: &'a Value, key: &str) -> Option<&'a Value> {
    let mut entries = list.as_array()?.iter();
    entries.find(|entry| entry["key"] == key).map(|entry| &entry["value"])
}

#[tokio::test]
async fn a_run_is_read_back_as_it_was_logged() {
    let (_directory, server) = started().await;
    let id = create(
        &server,
        json!({
            "experiment_id": "0", "run_name": "first", "user_id": "me", "start_time": "5",
            "tags": [{"key": "a"}],
        }),
    )
    .await;
    done(
        &server,
        "runs/log-batch",
        json!({
            "run_id": id,
            "metrics": [
                {"key": "m", "value": 0.5, "timestamp": 1, "step": 1},
                {"key": "nan", "value": "NaN", "timestamp": 1},
                {"key": "inf", "value": "-Infinity", "timestamp": "1"},
            ],
            "params": [{"key": "p", "value": "1"}, {"key": "empty"}],
            "tags": [{"key": "t", "value": "é"}],
        }),
    )
    .await;
    done(&server, "runs/update", json!({"run_id": id, "status": "FINISHED", "end_time": 9})).await;
    let run = get(&server, &id).await;
    assert_eq!(
        run["info"],
        json!({
            "run_uuid": id, "run_id": id, "experiment_id": "0", "run_name": "first",
            "user_id": "me", "status": "FINISHED", "start_time": 5, "end_time": 9,
            "artifact_uri": format!("mlflow-artifacts:/0/{id}/artifacts"),
            "lifecycle_stage": "active",
        })
    );
    let data = &run["data"];
    assert_eq!(of(&data["params"], "p"), Some(&json!("1")));
    assert_eq!(of(&data["params"], "empty"), Some(&json!("")));
    assert_eq!(of(&data["tags"], "a"), Some(&json!("")));
    assert_eq!(of(&data["tags"], "t"), Some(&json!("é")));
    assert_eq!(of(&data["tags"], "mlflow.runName"), Some(&json!("first")));
    assert_eq!(of(&data["metrics"], "m"), Some(&json!(0.5)));
    assert_eq!(of(&data["metrics"], "nan"), Some(&json!("NaN")));
    assert_eq!(of(&data["metrics"], "inf"), Some(&json!(f64::MIN)));
}

#[tokio::test]
async fn a_run_without_a_name_is_given_one() {
    let (_directory, server) = started().await;
    let id = create(&server, json!({})).await;
    let run = get(&server, &id).await;
    let name = run["info"]["run_name"].as_str().unwrap();
    assert_eq!(name, format!("run-{}", &id[24..]));
    assert_eq!(of(&run["data"]["tags"], "mlflow.runName"), Some(&json!(name)));
}

#[tokio::test]
async fn the_name_of_a_run_and_its_tag_are_one() {
    let (_directory, server) = started().await;
    let id = create(&server, json!({"tags": [{"key": "mlflow.runName", "value": "a"}]})).await;
    assert_eq!(get(&server, &id).await["info"]["run_name"], "a");
    done(&server, "runs/set-tag", json!({"run_id": id, "key": "mlflow.runName", "value": "b"}))
        .await;
    assert_eq!(get(&server, &id).await["info"]["run_name"], "b");
    done(&server, "runs/update", json!({"run_id": id, "run_name": "c"})).await;
    let run = get(&server, &id).await;
    assert_eq!(run["info"]["run_name"], "c");
    assert_eq!(of(&run["data"]["tags"], "mlflow.runName"), Some(&json!("c")));
    let two_names = json!({"run_name": "a", "tags": [{"key": "mlflow.runName", "value": "b"}]});
    let (status, code, message) = post(&server, "runs/create", two_names).await.error();
    assert_eq!((status, &*code), (400, "INVALID_PARAMETER_VALUE"));
    assert!(message.starts_with("Both 'run_name' argument and 'mlflow.runName' tag"), "{message}");
}

#[tokio::test]
async fn a_param_never_changes() {
    let (_directory, server) = started().await;
    let id = create(&server, json!({})).await;
    let param = |value: &str| json!({"run_id": id, "key": "p", "value": value});
    done(&server, "runs/log-parameter", param("1")).await;
    done(&server, "runs/log-parameter", param("1")).await;
    let (status, code, message) = post(&server, "runs/log-parameter", param("2")).await.error();
    assert_eq!((status, &*code), (400, "INVALID_PARAMETER_VALUE"));
    assert_eq!(
        message,
        format!(
            "Changing param values is not allowed. Param with key='p' was already logged with \
             value='1' for run ID='{id}'. Attempted logging new value '2'."
        )
    );
    // A batch is written whole or not at all.
    let batch = json!({
        "run_id": id,
        "metrics": [{"key": "m", "value": 1, "timestamp": 1}],
        "params": [{"key": "new", "value": "1"}, {"key": "p", "value": "2"}],
    });
    let (_, _, message) = post(&server, "runs/log-batch", batch).await.error();
    assert!(message.contains("[{'key': 'p', 'old_value': '1', 'new_value': '2'}]"), "{message}");
    let data = get(&server, &id).await["data"].take();
    assert_eq!(of(&data["params"], "new"), None);
    assert_eq!(of(&data["metrics"], "m"), None);
}

#[tokio::test]
async fn the_latest_value_of_a_metric_is_that_of_the_highest_step() {
    let (_directory, server) = started().await;
    let id = create(&server, json!({})).await;
    for (value, timestamp, step, latest) in [
        (json!(5), 10, 1, json!(5.0)),
        (json!(1), 20, 0, json!(5.0)),
        (json!(2), 5, 2, json!(2.0)),
        (json!(3), 5, 2, json!(3.0)),
        (json!(2.5), 5, 2, json!(3.0)),
        // Not a number counts as 0 here.
        (json!("NaN"), 5, 2, json!(3.0)),
        (json!("NaN"), 6, 2, json!("NaN")),
    ] {
        let metric =
            json!({"run_id": id, "key": "m", "value": value, "timestamp": timestamp, "step": step});
        done(&server, "runs/log-metric", metric).await;
        let run = get(&server, &id).await;
        assert_eq!(of(&run["data"]["metrics"], "m"), Some(&latest), "{value} at {step}");
    }
}

#[tokio::test]
async fn a_history_is_read_in_pages_that_neither_repeat_nor_miss() {
    let (_directory, server) = started().await;
    let id = create(&server, json!({})).await;
    let log = |metrics: Vec<Value>| json!({"run_id": id, "metrics": metrics});
    let metric = |n: u64| json!({"key": "m", "value": n % 3, "timestamp": n / 4, "step": n % 2});
    done(&server, "runs/log-batch", log((0..100).map(metric).collect())).await;
    let path = format!("{API}/metrics/get-history?run_id={id}&metric_key=m");
    let whole = server.get(&path).await.json();
    let whole = whole["metrics"].as_array().unwrap();
    let (mut pages, mut token) = (Vec::new(), String::new());
    loop {
        let page = server.get(&format!("{path}&max_results=7&page_token={token}")).await.json();
        pages.extend(page["metrics"].as_array().unwrap().iter().cloned());
        // What comes meanwhile, before the page, shifts nothing.
        let early = json!({"key": "m", "value": pages.len(), "timestamp": 0, "step": 0});
        done(&server, "runs/log-batch", log(vec![early])).await;
        match page["next_page_token"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(&pages, whole);
    let sorted: Vec<_> =
        whole.iter().map(|m| (m["timestamp"].as_i64(), m["step"].as_i64())).collect();
    assert!(sorted.is_sorted());
    let (_, code, _) = server.get(&format!("{path}&page_token=%21%21")).await.error();
    assert_eq!(code, "INVALID_PARAMETER_VALUE");
}

#[tokio::test]
async fn a_sample_of_a_history_has_its_first_and_its_last_value() {
    let (_directory, server) = started().await;
    let id = create(&server, json!({})).await;
    let metrics: Vec<_> =
        (0..1_000).map(|n| json!({"key": "m", "value": n, "timestamp": n, "step": n})).collect();
    done(&server, "runs/log-batch", json!({"run_id": id, "metrics": metrics})).await;
    let ask = async |rest: &str| {
        let path = format!(
            "/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?run_ids={id}&metric_key=m{rest}"
        );
        let answer = server.get(&path).await.json();
        let metrics = answer["metrics"].as_array().cloned().unwrap_or_default();
        metrics.iter().map(|m| m["step"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    let steps = ask("&max_results=10").await;
    assert_eq!((steps.len(), steps[0], steps[9]), (10, 0, 999));
    assert_eq!(ask("&max_results=1").await, [999]);
    assert_eq!(ask("&start_step=5&end_step=7").await, [5, 6, 7]);
    let bulk = format!(
        "/ajax-api/2.0/mlflow/metrics/get-history-bulk?run_id={id}&metric_key=m&max_results=3"
    );
    let bulk = server.get(&bulk).await.json();
    assert_eq!(bulk["metrics"].as_array().unwrap().len(), 3);
    assert_eq!(bulk["metrics"][2]["run_id"], id);
}

#[tokio::test]
async fn a_deleted_run_is_not_written_to_until_it_is_restored() {
    let (_directory, server) = started().await;
    let id = create(&server, json!({})).await;
    done(&server, "runs/delete", json!({"run_id": id})).await;
    assert_eq!(get(&server, &id).await["info"]["lifecycle_stage"], "deleted");
    let tag = json!({"run_id": id, "key": "a", "value": "b"});
    let (_, code, message) = post(&server, "runs/set-tag", tag.clone()).await.error();
    assert_eq!(code, "INVALID_PARAMETER_VALUE");
    assert!(message.ends_with("must be in the 'active' state. Current state is deleted."));
    done(&server, "runs/restore", json!({"run_id": id})).await;
    done(&server, "runs/set-tag", tag).await;
    done(&server, "runs/delete-tag", json!({"run_id": id, "key": "a"})).await;
    let again = post(&server, "runs/delete-tag", json!({"run_id": id, "key": "a"})).await;
    assert_eq!(
        again.error(),
        (
            404,
            "RESOURCE_DOES_NOT_EXIST".to_owned(),
            format!("No tag with name: a in run with id {id}")
        )
    );
}

#[tokio::test]
async fn inputs_and_outputs_are_what_was_logged_first() {
    let (_directory, server) = started().await;
    let id = create(&server, json!({})).await;
    let dataset =
        |source: &str| json!({"name": "d", "digest": "x", "source_type": "t", "source": source});
    let tags = json!([{"key": "mlflow.data.context", "value": "train"}]);
    for source in ["first", "second"] {
        let inputs = json!({
            "run_id": id,
            "datasets": [{"dataset": dataset(source), "tags": tags}],
            "models": [{"model_id": "m-1"}],
        });
        done(&server, "runs/log-inputs", inputs).await;
    }
    let models = json!({"run_id": id, "models": [{"model_id": "m-2", "step": 3}]});
    done(&server, "runs/outputs", models).await;
    let run = get(&server, &id).await;
    assert_eq!(
        run["inputs"],
        json!({
            "dataset_inputs": [{"dataset": dataset("first"), "tags": tags}],
            "model_inputs": [{"model_id": "m-1"}],
        })
    );
    assert_eq!(run["outputs"], json!({"model_outputs": [{"model_id": "m-2", "step": 3}]}));
}

#[tokio::test]
async fn models_of_old_clients_are_listed_in_a_tag() {
    let (_directory, server) = started().await;
    let id = create(&server, json!({})).await;
    for path in ["a", "b"] {
        let model = json!({
            "artifact_path": path, "run_id": id, "utc_time_created": "2020", "other": 1,
            "flavors": {"f": {"v": 1, "config": 2}},
        });
        let body = json!({"run_id": id, "model_json": model.to_string()});
        done(&server, "runs/log-model", body).await;
    }
    let run = get(&server, &id).await;
    let models = of(&run["data"]["tags"], "mlflow.log-model.history").unwrap().as_str().unwrap();
    let models: Value = serde_json::from_str(models).unwrap();
    assert_eq!(models[1]["artifact_path"], "b");
    assert_eq!(
        models[0],
        json!({
            "artifact_path": "a", "run_id": id, "utc_time_created": "2020",
            "flavors": {"f": {"v": 1}},
        })
    );
    let body = json!({"run_id": id, "model_json": "{}"});
    let (_, _, message) = post(&server, "runs/log-model", body).await.error();
    assert!(message.starts_with("Model json is missing mandatory fields"), "{message}");
}

#[tokio::test]
async fn what_mlflow_refuses_is_refused_in_its_words() {
    let (_directory, server) = started().await;
    let id = create(&server, json!({})).await;
    let many =
        |count: usize| -> Vec<_> { (0..count).map(|n| json!({"key": n.to_string()})).collect() };
    let names = "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), \
                 spaces ( ), colon(:) and slashes (/).";
    let docs = "See the API docs for more information about request parameters.";
    for (call, mut body, message) in [
        (
            "log-metric",
            json!({"key": "k", "timestamp": 1}),
            format!("Missing value for required parameter 'value'. {docs}"),
        ),
        (
            "log-metric",
            json!({"key": "k", "value": 1, "timestamp": -1}),
            "Invalid value -1 for parameter 'timestamp' supplied: metric 'k' (value=1.0). \
             Timestamp must be a nonnegative long (64-bit integer) "
                .to_owned(),
        ),
        (
            "log-metric",
            json!({"key": "k".repeat(251), "value": 1, "timestamp": 1}),
            "'Metric name' exceeds the maximum length of 250 characters".to_owned(),
        ),
        (
            "log-metric",
            json!({"key": "a\nb", "value": 1, "timestamp": 1}),
            format!("Invalid value \"a\\nb\" for parameter 'name' supplied: {names}"),
        ),
        (
            "log-batch",
            json!({"metrics": [{"key": "a", "value": 1}]}),
            format!("Missing value for required parameter 'metrics[0].timestamp'. {docs}"),
        ),
        (
            "log-batch",
            json!({"params": [{"value": "1"}]}),
            format!("Missing value for required parameter 'params[0].key'. {docs}"),
        ),
        (
            "log-batch",
            json!({"params": many(101)}),
            "A batch logging request can contain at most 100 params. Got 101 params. Please split \
             up params across multiple requests and try again."
                .to_owned(),
        ),
        (
            "log-batch",
            json!({"params": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}),
            "Duplicate parameter keys have been submitted: ['a']. Please ensure the request \
             contains only one param value per param key."
                .to_owned(),
        ),
        (
            "log-batch",
            json!({"tags": [{"key": "a/../b"}]}),
            "Invalid value \"a/../b\" for parameter 'tags[0].key' supplied: Names may be treated \
             as files in certain cases, and must not resolve to other names when treated as such. \
             This name would resolve to 'b'"
                .to_owned(),
        ),
        (
            "set-tag",
            json!({"key": "", "value": "x"}),
            format!("Missing value for required parameter 'key'. {docs}"),
        ),
    ] {
        body["run_id"] = json!(id);
        let found = post(&server, &format!("runs/{call}"), body).await.error();
        assert_eq!(found, (400, "INVALID_PARAMETER_VALUE".to_owned(), message));
    }
}

#[tokio::test]
async fn a_run_that_is_not_there_is_not_found() {
    let (_directory, server) = started().await;
    for id in ["nope", "0123456789abcdef0123456789abcdef"] {
        let tag = json!({"run_id": id, "key": "a", "value": "b"});
        let none =
            (404, "RESOURCE_DOES_NOT_EXIST".to_owned(), format!("Run with id={id} not found"));
        assert_eq!(post(&server, "runs/set-tag", tag).await.error(), none);
        assert_eq!(server.get(&format!("{API}/runs/get?run_id={id}")).await.error(), none);
    }
}
