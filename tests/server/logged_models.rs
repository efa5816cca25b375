//! Models that runs log.

use crate::support::{API, Server, call, done, started};
use serde_json::{Value, json};

async fn create(server: &Server, body: Value) -> Value {
    done(server, "POST", "logged-models", body).await["model"].take()
}

fn id(model: &Value) -> &str {
    model["info"]["model_id"].as_str().unwrap()
}

async fn get(server: &Server, id: &str) -> Value {
    let answer = server.get(&format!("{API}/logged-models/{id}")).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    answer.json()["model"].take()
}

async fn run(server: &Server) -> String {
    let run = done(server, "POST", "runs/create", json!({})).await;
    run["run"]["info"]["run_id"].as_str().unwrap().to_owned()
}

/// The names of the models that a search finds; by name, if it does not say.
async fn found(server: &Server, mut search: Value) -> Vec<String> {
    search["experiment_ids"] = json!(["0"]);
    if search["order_by"].is_null() {
        search["order_by"] = json!([{"field_name": "name"}]);
    }
    let answer = done(server, "POST", "logged-models/search", search).await;
    let models = answer["models"].as_array().into_iter().flatten();
    models.map(|model| model["info"]["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_model_is_read_back_as_it_was_logged() {
    let (_directory, server) = started().await;
    let run = run(&server).await;
    let model = create(
        &server,
        json!({
            "experiment_id": "0", "name": "m", "model_type": "Agent", "source_run_id": run,
            "params": [{"key": "lr", "value": "0.1"}], "tags": [{"key": "t", "value": "1"}],
        }),
    )
    .await;
    let id = id(&model);
    assert!(id.starts_with("m-") && id.len() == 34, "{id}");
    assert_eq!(
        model,
        json!({
            "info": {
                "model_id": id, "experiment_id": "0", "name": "m", "model_type": "Agent",
                "source_run_id": run, "status": "LOGGED_MODEL_PENDING",
                "artifact_uri": format!("mlflow-artifacts:/0/models/{id}/artifacts"),
                "creation_timestamp_ms": model["info"]["creation_timestamp_ms"],
                "last_updated_timestamp_ms": model["info"]["creation_timestamp_ms"],
                "tags": [{"key": "t", "value": "1"}],
            },
            "data": {"params": [{"key": "lr", "value": "0.1"}]},
        })
    );
    assert_eq!(get(&server, id).await, model);
    let path = format!("logged-models/{id}");
    let ready = json!({"model_id": id, "status": "LOGGED_MODEL_READY"});
    let answer = done(&server, "PATCH", &path, ready).await;
    assert_eq!(answer["model"]["info"]["status"], "LOGGED_MODEL_READY");
    let failed = json!({"model_id": id, "status": 3});
    let answer = done(&server, "PATCH", &path, failed).await;
    assert_eq!(answer["model"]["info"]["status"], "LOGGED_MODEL_UPLOAD_FAILED");
    assert_eq!(call(&server, "PATCH", &path, json!({"model_id": id})).await.status, 400);
    assert_eq!(call(&server, "PATCH", &path, json!({"status": "DONE"})).await.status, 400);
}

#[tokio::test]
async fn a_model_without_a_name_is_given_one_and_a_bad_one_is_refused() {
    let (_directory, server) = started().await;
    let model = create(&server, json!({"experiment_id": "0"})).await;
    assert!(model["info"]["name"].as_str().unwrap().starts_with("model-"));
    for name in ["a/b", "a:b", "a.b", "a%b", "a\"b", "a'b"] {
        let sent = json!({"experiment_id": "0", "name": name});
        let error = call(&server, "POST", "logged-models", sent).await.error();
        assert_eq!((error.0, &*error.1), (400, "INVALID_PARAMETER_VALUE"), "{name}");
    }
    let error = call(&server, "POST", "logged-models", json!({"experiment_id": "9"})).await.error();
    assert_eq!((error.0, &*error.2), (404, "No Experiment with id=9 exists"));
    let error = server.get(&format!("{API}/logged-models/m-none")).await.error();
    assert_eq!((error.0, &*error.2), (404, "Logged model with ID 'm-none' not found."));
}

#[tokio::test]
async fn params_stay_and_tags_change() {
    let (_directory, server) = started().await;
    let model = create(&server, json!({"experiment_id": "0"})).await;
    let path = |rest: &str| format!("logged-models/{}/{rest}", id(&model));
    let param = |value: &str| json!({"params": [{"key": "p", "value": value}]});
    for _ in 0..2 {
        done(&server, "POST", &path("params"), param("1")).await;
    }
    let error = call(&server, "POST", &path("params"), param("2")).await.error();
    assert_eq!((error.0, &*error.1), (400, "BAD_REQUEST"));
    let tags = json!({"tags": [
        {"key": "a", "value": "1"}, {"key": "a", "value": "2"}, {"key": "b/c", "value": "3"},
    ]});
    done(&server, "PATCH", &path("tags"), tags).await;
    let read = get(&server, id(&model)).await;
    assert_eq!(read["data"]["params"], json!([{"key": "p", "value": "1"}]));
    assert_eq!(
        read["info"]["tags"],
        json!([{"key": "a", "value": "2"}, {"key": "b/c", "value": "3"}])
    );
    done(&server, "DELETE", &path("tags/a"), json!({})).await;
    done(&server, "DELETE", &path("tags/b%2Fc"), json!({})).await;
    let error = call(&server, "DELETE", &path("tags/a"), json!({})).await.error();
    assert_eq!((error.0, &*error.1), (404, "RESOURCE_DOES_NOT_EXIST"));
    assert_eq!(get(&server, id(&model)).await["info"]["tags"], Value::Null);
}

#[tokio::test]
async fn a_deleted_model_is_read_by_those_who_ask_for_it() {
    let (_directory, server) = started().await;
    let model = create(&server, json!({"experiment_id": "0"})).await;
    let path = format!("logged-models/{}", id(&model));
    done(&server, "DELETE", &path, json!({})).await;
    assert_eq!(server.get(&format!("{API}/{path}")).await.status, 404);
    let deleted = server.get(&format!("{API}/{path}?allow_deleted=true")).await;
    assert_eq!(deleted.json()["model"]["info"]["model_id"], model["info"]["model_id"]);
    assert_eq!(found(&server, json!({})).await, [""; 0]);
}

#[tokio::test]
async fn metrics_that_runs_measured_on_a_model_are_its_own() {
    let (_directory, server) = started().await;
    let run = run(&server).await;
    let model = create(&server, json!({"experiment_id": "0", "source_run_id": run})).await;
    let metric = json!({
        "run_id": run, "key": "acc", "value": 0.5, "timestamp": 5, "step": 1,
        "model_id": id(&model), "dataset_name": "d", "dataset_digest": "g",
    });
    done(&server, "POST", "runs/log-metric", metric).await;
    let batch = json!({"run_id": run, "metrics": [
        {"key": "acc", "value": 0.75, "timestamp": 6, "model_id": id(&model)},
        {"key": "other", "value": 1, "timestamp": 6},
    ]});
    done(&server, "POST", "runs/log-batch", batch).await;
    assert_eq!(
        get(&server, id(&model)).await["data"]["metrics"],
        json!([
            {
                "key": "acc", "value": 0.5, "timestamp": 5, "step": 1, "dataset_name": "d",
                "dataset_digest": "g", "model_id": id(&model), "run_id": run,
            },
            {
                "key": "acc", "value": 0.75, "timestamp": 6, "step": 0, "model_id": id(&model),
                "run_id": run,
            },
        ])
    );
    let outputs = json!({"run_id": run, "models": [{"model_id": id(&model), "step": 3}]});
    done(&server, "POST", "runs/outputs", outputs).await;
    let read = server.get(&format!("{API}/runs/get?run_id={run}")).await.json();
    assert_eq!(
        read["run"]["outputs"]["model_outputs"],
        json!([{"model_id": id(&model), "step": 3}])
    );
}

#[tokio::test]
async fn a_metric_of_a_model_that_is_not_there_is_refused_with_all_that_came_with_it() {
    let (_directory, server) = started().await;
    let run = run(&server).await;
    let batch = json!({"run_id": run, "metrics": [
        {"key": "loss", "value": 0.5, "timestamp": 5},
        {"key": "acc", "value": 0.5, "timestamp": 5, "model_id": "m-none"},
    ]});
    assert_eq!(
        call(&server, "POST", "runs/log-batch", batch).await.error(),
        (
            400,
            "BAD_REQUEST".into(),
            "the metric 'acc' is of the logged model 'm-none', which is not there".into()
        )
    );
    let read = server.get(&format!("{API}/runs/get?run_id={run}")).await.json();
    assert_eq!(read["run"]["data"]["metrics"], Value::Null);
}

#[tokio::test]
async fn models_are_found_by_what_belongs_to_them() {
    let (_directory, server) = started().await;
    let run = run(&server).await;
    for (name, lr, acc, dataset) in
        [("a", "0.1", Some(0.5), "train"), ("b", "0.2", Some(0.9), "test"), ("c", "0.1", None, "")]
    {
        let model = create(
            &server,
            json!({
                "experiment_id": "0", "name": name, "source_run_id": run,
                "params": [{"key": "lr", "value": lr}], "tags": [{"key": "name", "value": name}],
            }),
        )
        .await;
        if let Some(acc) = acc {
            // Two values are one model.
            for (timestamp, value) in [(1, 0.0), (2, acc)] {
                let metric = json!({
                    "run_id": run, "key": "acc", "value": value, "timestamp": timestamp,
                    "model_id": id(&model), "dataset_name": dataset, "dataset_digest": "1",
                });
                done(&server, "POST", "runs/log-metric", metric).await;
            }
        }
    }
    let of_run = format!("source_run_id = '{run}' AND name != 'a'");
    for (filter, names) in [
        ("", &["a", "b", "c"][..]),
        ("name = 'a'", &["a"]),
        ("name IN ('a', 'b')", &["a", "b"]),
        ("attributes.name ILIKE 'A%'", &["a"]),
        (&of_run, &["b", "c"]),
        ("params.lr = '0.1'", &["a", "c"]),
        ("params.lr = 0.1", &["a", "c"]),
        ("tags.name = 'c' AND params.lr = '0.1'", &["c"]),
        ("metrics.acc > 0.4", &["a", "b"]),
        ("metrics.acc > 0.6", &["b"]),
        ("metrics.acc >= 0", &["a", "b"]),
        ("creation_timestamp > 0", &["a", "b", "c"]),
        ("status = 'READY'", &[]),
    ] {
        assert_eq!(found(&server, json!({ "filter": filter })).await, names, "{filter}");
    }
    let train = json!([{"dataset_name": "train"}]);
    assert_eq!(found(&server, json!({"datasets": train})).await, ["a"]);
    let test = json!([{"dataset_name": "test", "dataset_digest": "1"}]);
    let search = json!({"datasets": test, "filter": "metrics.acc > 0.4"});
    assert_eq!(found(&server, search).await, ["b"]);
    let test = json!([{"dataset_name": "test", "dataset_digest": "2"}]);
    assert_eq!(found(&server, json!({"datasets": test})).await, [""; 0]);
    let by = |field: &str, ascending: bool| json!({"order_by": [{"field_name": field, "ascending": ascending}]});
    assert_eq!(found(&server, by("name", true)).await, ["a", "b", "c"]);
    assert_eq!(found(&server, by("metrics.acc", true)).await, ["a", "b", "c"]);
    assert_eq!(found(&server, by("metrics.acc", false)).await, ["b", "a", "c"]);
    let on_train = json!({"order_by": [
        {"field_name": "metrics.acc", "ascending": false, "dataset_name": "train"},
        {"field_name": "name", "ascending": false},
    ]});
    assert_eq!(found(&server, on_train).await, ["a", "c", "b"]);
    for search in [
        json!({"filter": "foo = 1"}),
        by("foo", true),
        by("params.lr", true),
        json!({"datasets": [{"dataset_digest": "1"}]}),
        json!({"max_results": -1}),
    ] {
        let mut search = search;
        search["experiment_ids"] = json!(["0"]);
        let answer = call(&server, "POST", "logged-models/search", search.clone()).await;
        assert_eq!(answer.error().1, "INVALID_PARAMETER_VALUE", "{search}");
    }
    assert_eq!(call(&server, "POST", "logged-models/search", json!({})).await.status, 400);
}

#[tokio::test]
async fn pages_go_through_values_that_are_missing() {
    let (_directory, server) = started().await;
    let run = run(&server).await;
    for n in 0..5 {
        let name = format!("m{n}");
        let model = create(&server, json!({"experiment_id": "0", "name": name})).await;
        if n % 2 == 0 {
            let metric = json!({
                "run_id": run, "key": "acc", "value": n, "timestamp": 1, "model_id": id(&model),
            });
            done(&server, "POST", "runs/log-metric", metric).await;
        }
    }
    let mut names = Vec::new();
    let mut token = Value::Null;
    loop {
        let search = json!({
            "experiment_ids": ["0"], "max_results": 1, "page_token": token,
            "order_by": [
                {"field_name": "metrics.acc", "ascending": false}, {"field_name": "name"},
            ],
        });
        let mut answer = done(&server, "POST", "logged-models/search", search).await;
        names.push(answer["models"][0]["info"]["name"].take());
        token = answer["next_page_token"].take();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(names, ["m4", "m2", "m0", "m1", "m3"]);
}

#[tokio::test]
async fn a_model_that_is_registered_knows_its_versions() {
    let (_directory, server) = started().await;
    let run = run(&server).await;
    let model = create(&server, json!({"experiment_id": "0", "source_run_id": run})).await;
    done(&server, "POST", "registered-models/create", json!({"name": "a"})).await;
    let path = "model-versions/create";
    let uri = &model["info"]["artifact_uri"];
    for source in [json!(format!("models:/{}", id(&model))), uri.clone()] {
        let sent = json!({"name": "a", "source": source, "model_id": id(&model)});
        let version = done(&server, "POST", path, sent).await;
        assert_eq!(version["model_version"]["source"], source);
        assert_eq!(version["model_version"]["run_id"], *run);
    }
    let location =
        server.get(&format!("{API}/model-versions/get-download-uri?name=a&version=1")).await;
    assert_eq!(&location.json()["artifact_uri"], uri);
    let tags = get(&server, id(&model)).await["info"]["tags"].take();
    assert_eq!(tags[0]["key"], "mlflow.modelVersions");
    assert_eq!(
        serde_json::from_str::<Value>(tags[0]["value"].as_str().unwrap()).unwrap(),
        json!([{"name": "a", "version": 1}, {"name": "a", "version": 2}])
    );
    let other = create(&server, json!({"experiment_id": "0"})).await;
    for (source, model_id) in [
        (format!("models:/{}", id(&model)), id(&other)),
        (format!("mlflow-artifacts:/0/models/{}/artifacts", id(&model)), id(&other)),
        (format!("runs:/{run}/model"), id(&model)),
    ] {
        let sent = json!({"name": "a", "source": source, "model_id": model_id});
        assert_eq!(call(&server, "POST", path, sent).await.status, 400, "{source}");
    }
    let none = json!({"name": "a", "source": "models:/m-none", "model_id": "m-none"});
    assert_eq!(call(&server, "POST", path, none).await.status, 404);
}

#[tokio::test]
async fn artifacts_of_a_model_are_listed_and_read_by_its_id_and_by_its_version() {
    let (_directory, server) = started().await;
    let model = create(&server, json!({"experiment_id": "0"})).await;
    let id = id(&model);
    let place = format!("/api/2.0/mlflow-artifacts/artifacts/0/models/{id}/artifacts/MLmodel");
    assert_eq!(server.call("PUT", &place, "flavors").await.status, 200);
    let listed = server.get(&format!("{API}/logged-models/{id}/artifacts/directories")).await;
    assert_eq!(
        listed.json(),
        json!({
            "root_uri": model["info"]["artifact_uri"],
            "files": [{"path": "MLmodel", "is_dir": false, "file_size": 7}],
        })
    );
    let ajax = "/ajax-api/2.0/mlflow";
    let read = format!("{ajax}/logged-models/{id}/artifacts/files?artifact_file_path=MLmodel");
    assert_eq!(server.get(&read).await.body, "flavors");
    done(&server, "POST", "registered-models/create", json!({"name": "a"})).await;
    let sent = json!({"name": "a", "source": format!("models:/{id}"), "model_id": id});
    done(&server, "POST", "model-versions/create", sent).await;
    let read = "/model-versions/get-artifact?name=a&version=1&path=MLmodel";
    assert_eq!(server.get(read).await.body, "flavors");
    let run = run(&server).await;
    let place = format!("/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/old/MLmodel");
    assert_eq!(server.call("PUT", &place, "of the run").await.status, 200);
    let sent = json!({"name": "a", "source": format!("runs:/{run}/old"), "run_id": run});
    done(&server, "POST", "model-versions/create", sent).await;
    let read = "/model-versions/get-artifact?name=a&version=2&path=MLmodel";
    assert_eq!(server.get(read).await.body, "of the run");
}
