//! The model registry: models, their versions, and what these are known by.

use crate::support::{API, Server, call, done, started};
use serde_json::{Value, json};

async fn refused(server: &Server, method: &str, path: &str, body: Value) -> (u16, String, String) {
    let answer = call(server, method, path, body).await;
    assert_ne!(answer.status, 200, "{path}: {:?}", answer.body);
    answer.error()
}

async fn get(server: &Server, path: &str) -> Value {
    let answer = server.get(&format!("{API}/{path}")).await;
    assert_eq!(answer.status, 200, "{path}: {:?}", answer.body);
    answer.json()
}

async fn get_refused(server: &Server, path: &str) -> (u16, String, String) {
    let answer = server.get(&format!("{API}/{path}")).await;
    assert_ne!(answer.status, 200, "{path}: {:?}", answer.body);
    answer.error()
}

async fn model(server: &Server, name: &str) {
    done(server, "POST", "registered-models/create", json!({ "name": name })).await;
}

/// A version whose artifacts are elsewhere.
async fn version(server: &Server, name: &str) -> Value {
    let sent = json!({"name": name, "source": "s3://bucket/model"});
    done(server, "POST", "model-versions/create", sent).await["model_version"].take()
}

/// A search with these parameters, and the names and versions that it finds.
async fn search(server: &Server, what: &str, query: &[(&str, &str)]) -> (Value, Vec<String>) {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    let answer = get(server, &format!("{what}/search?{query}")).await;
    let list = answer["registered_models"].as_array().or(answer["model_versions"].as_array());
    let names = list.into_iter().flatten().map(|entry| {
        let name = entry["name"].as_str().unwrap();
        entry["version"].as_str().map_or(name.to_owned(), |version| format!("{name}/{version}"))
    });
    let names = names.collect();
    (answer, names)
}

#[tokio::test]
async fn a_model_is_read_back_with_its_tags_versions_and_aliases() {
    let (_directory, server) = started().await;
    let created = done(
        &server,
        "POST",
        "registered-models/create",
        json!({"name": "a", "description": "d", "tags": [{"key": "k", "value": "v"}]}),
    )
    .await;
    let created = &created["registered_model"];
    assert_eq!(created["creation_timestamp"], created["last_updated_timestamp"]);
    assert_eq!(created["tags"], json!([{"key": "k", "value": "v"}]));
    let first = version(&server, "a").await;
    assert_eq!(
        first,
        json!({
            "name": "a", "version": "1", "current_stage": "None", "description": "",
            "source": "s3://bucket/model", "run_id": "", "run_link": "", "status": "READY",
            "creation_timestamp": first["creation_timestamp"],
            "last_updated_timestamp": first["creation_timestamp"],
        })
    );
    let second = version(&server, "a").await;
    let alias = json!({"name": "a", "alias": "best", "version": "2"});
    assert_eq!(done(&server, "POST", "registered-models/alias", alias).await, json!({}));
    let read = get(&server, "registered-models/get?name=a").await;
    let read = &read["registered_model"];
    assert_eq!(read["description"], "d");
    assert_eq!(read["latest_versions"], json!([second]));
    assert_eq!(read["aliases"], json!([{"alias": "best", "version": "2"}]));
    let read = get(&server, "model-versions/get?name=a&version=2").await;
    assert_eq!(read["model_version"]["aliases"], json!(["best"]));
}

#[tokio::test]
async fn names_are_refused_as_mlflow_refuses_them() {
    let (_directory, server) = started().await;
    model(&server, "a").await;
    let create = "registered-models/create";
    for (name, status, code, message) in [
        ("a", 400, "RESOURCE_ALREADY_EXISTS", "Registered Model (name=a) already exists."),
        (
            "a/b",
            400,
            "INVALID_PARAMETER_VALUE",
            "Invalid model name 'a/b'. Names cannot contain '/' or ':'.",
        ),
        (
            "",
            400,
            "INVALID_PARAMETER_VALUE",
            "Missing value for required parameter 'name'. See the API docs for more information \
             about request parameters.",
        ),
    ] {
        let error = refused(&server, "POST", create, json!({ "name": name })).await;
        assert_eq!(error, (status, code.to_owned(), message.to_owned()));
    }
    let none = (
        404,
        "RESOURCE_DOES_NOT_EXIST".to_owned(),
        "Registered Model with name=none not found".to_owned(),
    );
    assert_eq!(get_refused(&server, "registered-models/get?name=none").await, none);
    let sent = json!({"name": "none", "source": "s3://b/x"});
    assert_eq!(refused(&server, "POST", "model-versions/create", sent).await, none);
    let (status, _, message) = get_refused(&server, "model-versions/get?name=a&version=7").await;
    assert_eq!((status, &*message), (404, "Model Version (name=a, version=7) not found"));
    let (_, code, message) = get_refused(&server, "model-versions/get?name=a&version=x").await;
    assert_eq!(code, "INVALID_PARAMETER_VALUE");
    assert_eq!(message, "Parameter 'version' must be an integer, got 'x'.");
}

#[tokio::test]
async fn a_renamed_model_keeps_its_versions() {
    let (_directory, server) = started().await;
    model(&server, "old").await;
    model(&server, "taken").await;
    version(&server, "old").await;
    let rename = |to: &str| json!({"name": "old", "new_name": to});
    let path = "registered-models/rename";
    let (status, code, message) = refused(&server, "POST", path, rename("taken")).await;
    assert_eq!((status, &*code), (400, "RESOURCE_ALREADY_EXISTS"));
    assert!(message.starts_with("Registered Model (name=taken) already exists."), "{message}");
    done(&server, "POST", path, rename("new")).await;
    let (_, found) = search(&server, "model-versions", &[]).await;
    assert_eq!(found, ["new/1"]);
    assert_eq!(get_refused(&server, "registered-models/get?name=old").await.0, 404);
}

#[tokio::test]
async fn the_number_of_a_deleted_version_is_not_given_again() {
    let (_directory, server) = started().await;
    model(&server, "a").await;
    version(&server, "a").await;
    version(&server, "a").await;
    let alias = json!({"name": "a", "alias": "best", "version": "2"});
    done(&server, "POST", "registered-models/alias", alias).await;
    let second = json!({"name": "a", "version": "2"});
    assert_eq!(done(&server, "DELETE", "model-versions/delete", second.clone()).await, json!({}));
    assert_eq!(refused(&server, "DELETE", "model-versions/delete", second).await.0, 404);
    assert_eq!(get_refused(&server, "model-versions/get?name=a&version=2").await.0, 404);
    let read = get(&server, "registered-models/get?name=a").await;
    assert_eq!(read["registered_model"]["aliases"], Value::Null, "the alias went with it");
    assert_eq!(search(&server, "model-versions", &[]).await.1, ["a/1"]);
    assert_eq!(version(&server, "a").await["version"], "3");
    done(&server, "DELETE", "registered-models/delete", json!({"name": "a"})).await;
    model(&server, "a").await;
    assert_eq!(version(&server, "a").await["version"], "1", "of another model");
}

#[tokio::test]
async fn a_stage_has_a_latest_version_and_may_be_cleared_for_it() {
    let (_directory, server) = started().await;
    model(&server, "a").await;
    for _ in 0..4 {
        version(&server, "a").await;
    }
    let path = "model-versions/transition-stage";
    let to = |version: &str, stage: &str, archive: bool| {
        json!({
            "name": "a", "version": version, "stage": stage, "archive_existing_versions": archive,
        })
    };
    done(&server, "POST", path, to("1", "production", false)).await;
    done(&server, "POST", path, to("2", "Production", false)).await;
    let moved = done(&server, "POST", path, to("3", "PRODUCTION", true)).await;
    assert_eq!(moved["model_version"]["current_stage"], "Production");
    let stages = |answer: &Value| {
        let versions = answer["model_versions"].as_array().unwrap().iter();
        versions
            .map(|version| {
                let text = |name: &str| version[name].as_str().unwrap().to_owned();
                text("version") + " " + &text("current_stage")
            })
            .collect::<Vec<_>>()
    };
    let latest = get(&server, "registered-models/get-latest-versions?name=a").await;
    assert_eq!(stages(&latest), ["2 Archived", "3 Production", "4 None"]);
    let asked = "registered-models/get-latest-versions?name=a&stages=production&stages=None";
    assert_eq!(stages(&get(&server, asked).await), ["3 Production", "4 None"]);
    let asked = json!({"name": "a", "stages": ["Archived"]});
    let latest = done(&server, "POST", "registered-models/get-latest-versions", asked).await;
    assert_eq!(stages(&latest), ["2 Archived"]);
    let (_, code, message) = refused(&server, "POST", path, to("4", "Best", false)).await;
    assert_eq!(code, "INVALID_PARAMETER_VALUE");
    assert_eq!(
        message,
        "Invalid Model Version stage: Best. Value must be one of None, Staging, Production, \
         Archived."
    );
    let (status, _, message) = refused(&server, "POST", path, to("4", "archived", true)).await;
    assert_eq!(status, 500);
    assert!(message.contains("'archived' is not an Active stage"), "{message}");
    // What a refused call did before it was refused is undone.
    refused(&server, "POST", path, to("9", "Production", true)).await;
    let asked = "registered-models/get-latest-versions?name=a&stages=Production";
    assert_eq!(stages(&get(&server, asked).await), ["3 Production"]);
}

#[tokio::test]
async fn an_alias_means_the_version_that_it_was_given_to_last() {
    let (_directory, server) = started().await;
    model(&server, "a").await;
    version(&server, "a").await;
    version(&server, "a").await;
    let path = "registered-models/alias";
    for version in ["1", "2"] {
        let alias = json!({"name": "a", "alias": "best", "version": version});
        done(&server, "POST", path, alias).await;
        let found = get(&server, "registered-models/alias?name=a&alias=best").await;
        assert_eq!(found["model_version"]["version"], version);
    }
    done(
        &server,
        "POST",
        "model-versions/transition-stage",
        json!({
            "name": "a", "version": "1", "stage": "Staging",
        }),
    )
    .await;
    let found = get(&server, "registered-models/alias?name=a&alias=Latest").await;
    assert_eq!(found["model_version"]["version"], "2", "of whatever stage");
    for alias in ["latest", "v1", "a b"] {
        let sent = json!({"name": "a", "alias": alias, "version": "1"});
        assert_eq!(refused(&server, "POST", path, sent).await.1, "INVALID_PARAMETER_VALUE");
    }
    let alias = json!({"name": "a", "alias": "best"});
    for _ in 0..2 {
        assert_eq!(done(&server, "DELETE", path, alias.clone()).await, json!({}));
    }
    let (status, code, message) =
        get_refused(&server, "registered-models/alias?name=a&alias=best").await;
    assert_eq!((status, &*code), (400, "INVALID_PARAMETER_VALUE"));
    assert_eq!(message, "Registered model alias best not found.");
}

#[tokio::test]
async fn tags_are_set_replaced_and_deleted() {
    let (_directory, server) = started().await;
    model(&server, "a").await;
    version(&server, "a").await;
    for (room, of) in [
        ("registered-models", json!({"name": "a"})),
        ("model-versions", json!({"name": "a", "version": "1"})),
    ] {
        let with = |key: &str, value: &str| {
            let mut sent = of.clone();
            sent["key"] = key.into();
            sent["value"] = value.into();
            sent
        };
        let (set, delete) = (format!("{room}/set-tag"), format!("{room}/delete-tag"));
        done(&server, "POST", &set, with("k", "1")).await;
        done(&server, "POST", &set, with("k", "2")).await;
        done(&server, "POST", &set, with("gone", "1")).await;
        for _ in 0..2 {
            done(&server, "DELETE", &delete, with("gone", "")).await;
        }
        let (_, code, _) = refused(&server, "POST", &set, with("a!", "1")).await;
        assert_eq!(code, "INVALID_PARAMETER_VALUE");
        let long = "x".repeat(100_001);
        assert_eq!(refused(&server, "POST", &set, with("k", &long)).await.0, 400);
    }
    let tags = json!([{"key": "k", "value": "2"}]);
    let read = get(&server, "registered-models/get?name=a").await;
    assert_eq!(read["registered_model"]["tags"], tags);
    let read = get(&server, "model-versions/get?name=a&version=1").await;
    assert_eq!(read["model_version"]["tags"], tags);
}

#[tokio::test]
async fn an_update_without_a_description_takes_it_away() {
    let (_directory, server) = started().await;
    model(&server, "a").await;
    version(&server, "a").await;
    for (room, entry, of) in [
        ("registered-models", "registered_model", json!({"name": "a"})),
        ("model-versions", "model_version", json!({"name": "a", "version": "1"})),
    ] {
        let path = format!("{room}/update");
        let mut sent = of.clone();
        sent["description"] = "words".into();
        assert_eq!(done(&server, "PATCH", &path, sent).await[entry]["description"], "words");
        assert_eq!(done(&server, "PATCH", &path, of).await[entry]["description"], Value::Null);
    }
}

#[tokio::test]
async fn models_are_found_by_name_and_tags() {
    let (_directory, server) = started().await;
    for (name, team) in [("apple", "red"), ("Apricot", "red"), ("banana", "yellow"), ("b_", "")] {
        let sent = json!({"name": name, "tags": [{"key": "team", "value": team}]});
        done(&server, "POST", "registered-models/create", sent).await;
    }
    for (filter, found) in [
        ("", &["Apricot", "apple", "b_", "banana"][..]),
        ("name = 'apple'", &["apple"]),
        ("name LIKE 'a%'", &["apple"]),
        ("name ILIKE 'a%'", &["Apricot", "apple"]),
        ("name IN ('apple', 'banana', 'none')", &["apple", "banana"]),
        ("name NOT IN ('apple')", &["Apricot", "b_", "banana"]),
        ("tags.team = 'red' AND name != 'apple'", &["Apricot"]),
        ("tag.`team` != 'red'", &["b_", "banana"]),
        ("tags.other != 'red'", &[]),
    ] {
        let (_, names) = search(&server, "registered-models", &[("filter", filter)]).await;
        assert_eq!(names, found, "{filter}");
    }
    for (parameter, value) in [
        ("filter", "run_id = 'a'"),
        ("filter", "name > 'a'"),
        ("order_by", "foo"),
        ("max_results", "1001"),
        ("page_token", "!"),
    ] {
        let query =
            form_urlencoded::Serializer::new(String::new()).append_pair(parameter, value).finish();
        let error = get_refused(&server, &format!("registered-models/search?{query}")).await;
        assert_eq!((error.0, &*error.1), (400, "INVALID_PARAMETER_VALUE"), "{value}");
    }
}

#[tokio::test]
async fn versions_are_found_by_what_they_are_of() {
    let (_directory, server) = started().await;
    let run = done(&server, "POST", "runs/create", json!({})).await;
    let run = run["run"]["info"]["run_id"].as_str().unwrap();
    model(&server, "a").await;
    model(&server, "b").await;
    version(&server, "a").await;
    let source = format!("runs:/{run}/model");
    for name in ["a", "b"] {
        let sent = json!({
            "name": name, "source": source, "run_id": run,
            "tags": [{"key": "kind", "value": name}],
        });
        done(&server, "POST", "model-versions/create", sent).await;
    }
    let of_run = format!("run_id = '{run}'");
    for (filter, found) in [
        ("", &["a/2", "a/1", "b/1"][..]),
        ("name = 'a'", &["a/2", "a/1"]),
        (&of_run, &["a/2", "b/1"]),
        ("source_path LIKE 's3:%'", &["a/1"]),
        ("version_number > 1", &["a/2"]),
        ("version_number = '1' AND tags.kind = 'b'", &["b/1"]),
    ] {
        let query = [("filter", filter), ("order_by", "name")];
        let (_, names) = search(&server, "model-versions", &query).await;
        assert_eq!(names, found, "{filter}");
    }
    let query = [("order_by", "version_number ASC"), ("order_by", "name DESC")];
    assert_eq!(search(&server, "model-versions", &query).await.1, ["b/1", "a/1", "a/2"]);
}

#[tokio::test]
async fn pages_neither_repeat_nor_miss_what_stays() {
    let (_directory, server) = started().await;
    for n in 0..7 {
        model(&server, &format!("m{n}")).await;
        version(&server, &format!("m{n}")).await;
    }
    for (what, last) in [("registered-models", ""), ("model-versions", "/1")] {
        let (mut token, mut names) = (String::new(), Vec::new());
        loop {
            let query = [("order_by", "name DESC"), ("max_results", "3"), ("page_token", &*token)];
            let (answer, page) = search(&server, what, &query).await;
            names.extend(page);
            match answer["next_page_token"].as_str() {
                Some(next) => token = next.to_owned(),
                None => break,
            }
            // What comes before the place of a token shifts nothing.
            if names.len() == 3 {
                model(&server, &format!("z-{what}")).await;
            }
        }
        let all: Vec<_> = (0..7).rev().map(|n| format!("m{n}{last}")).collect();
        let kept: Vec<_> = names.into_iter().filter(|name| name.starts_with('m')).collect();
        assert_eq!(kept, all);
    }
}

#[tokio::test]
async fn a_source_does_not_lead_to_what_it_does_not_name() {
    let (_directory, server) = started().await;
    model(&server, "a").await;
    let run = done(&server, "POST", "runs/create", json!({})).await;
    let run = run["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    let other = done(&server, "POST", "runs/create", json!({})).await;
    let other = other["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    let of = |source: String| json!({"name": "a", "source": source, "run_id": run});
    let path = "model-versions/create";
    for source in [
        format!("runs:/{run}/model"),
        format!("mlflow-artifacts:/0/{run}/artifacts/model"),
        "s3://bucket/x".to_owned(),
        "dbfs:/x".to_owned(),
    ] {
        done(&server, "POST", path, of(source)).await;
    }
    for source in [
        format!("runs:/{other}/model"),
        format!("mlflow-artifacts:/0/{other}/artifacts/model"),
        format!("mlflow-artifacts:/0/{run}/artifacts/../../{other}/artifacts"),
        format!("mlflow-artifacts:/0/{run}/artifacts/%2e%2e/x"),
        format!("mlflow-artifacts://host/0/{run}/artifacts"),
        "/etc".to_owned(),
        "file:///etc".to_owned(),
        "relative".to_owned(),
        "http://host/x".to_owned(),
        "models:/m-0123".to_owned(),
        "models:/a".to_owned(),
        "models:/a/1/2".to_owned(),
    ] {
        let error = refused(&server, "POST", path, of(source.clone())).await;
        assert_eq!((error.0, &*error.1), (400, "INVALID_PARAMETER_VALUE"), "{source}");
    }
    // A path of the machine is one where the run's own artifacts are there.
    let local = done(
        &server,
        "POST",
        "experiments/create",
        json!({
            "name": "local", "artifact_location": "/srv/mlruns",
        }),
    )
    .await;
    let sent = json!({"experiment_id": local["experiment_id"]});
    let run = done(&server, "POST", "runs/create", sent).await;
    let run = run["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    let of = |source: String| json!({"name": "a", "source": source, "run_id": run});
    done(&server, "POST", path, of(format!("/srv/mlruns/{run}/artifacts/model"))).await;
    done(&server, "POST", path, of(format!("file:///srv/mlruns/{run}/artifacts"))).await;
    let up = of(format!("/srv/mlruns/{run}/artifacts/../../x"));
    assert_eq!(refused(&server, "POST", path, up).await.0, 400);
}

#[tokio::test]
async fn a_version_of_a_version_is_of_the_same_run() {
    let (_directory, server) = started().await;
    model(&server, "a").await;
    model(&server, "b").await;
    let sent = json!({"name": "a", "source": "s3://bucket/x", "run_id": "r"});
    done(&server, "POST", "model-versions/create", sent).await;
    let alias = json!({"name": "a", "alias": "best", "version": "1"});
    done(&server, "POST", "registered-models/alias", alias).await;
    for source in ["models:/a/1", "models:/a@best", "models:/a/latest", "models:/a/none"] {
        let sent = json!({"name": "b", "source": source});
        let made = done(&server, "POST", "model-versions/create", sent).await;
        assert_eq!(made["model_version"]["source"], "models:/a/1", "{source}");
        assert_eq!(made["model_version"]["run_id"], "r");
    }
    let uri = get(&server, "model-versions/get-download-uri?name=b&version=1").await;
    assert_eq!(uri["artifact_uri"], "s3://bucket/x");
    let other = json!({"name": "b", "source": "models:/a/1", "run_id": "other"});
    let (status, _, message) = refused(&server, "POST", "model-versions/create", other).await;
    assert_eq!(status, 400);
    assert!(message.contains("must match the referenced model version"), "{message}");
}

#[tokio::test]
async fn prompts_are_found_only_where_they_are_asked_for() {
    let (_directory, server) = started().await;
    let is_prompt = json!({"key": "mlflow.prompt.is_prompt", "value": "true"});
    let text = json!({"key": "mlflow.prompt.text", "value": "Hello {{name}}"});
    let prompt = json!({"name": "greet", "tags": [is_prompt]});
    done(&server, "POST", "registered-models/create", prompt.clone()).await;
    let sent = json!({"name": "greet", "source": "prompt-template", "tags": [is_prompt, text]});
    done(&server, "POST", "model-versions/create", sent).await;
    model(&server, "model").await;
    version(&server, "model").await;
    let prompts = [("filter", "tags.`mlflow.prompt.is_prompt` = 'true'")];
    let models = [("filter", "tags.`mlflow.prompt.is_prompt` != 'true'")];
    for (what, last) in [("registered-models", ""), ("model-versions", "/1")] {
        assert_eq!(search(&server, what, &prompts).await.1, [format!("greet{last}")]);
        assert_eq!(search(&server, what, &models).await.1, [format!("model{last}")]);
        assert_eq!(search(&server, what, &[]).await.1, [format!("model{last}")]);
    }
    let create = "registered-models/create";
    let (_, _, message) = refused(&server, "POST", create, prompt).await;
    assert_eq!(message, "Prompt (name=greet) already exists.");
    let (_, _, message) = refused(&server, "POST", create, json!({"name": "greet"})).await;
    assert!(message.contains("already taken by a prompt"), "{message}");
    let elsewhere = json!({"name": "greet", "source": "s3://bucket/x", "tags": [is_prompt]});
    assert_eq!(refused(&server, "POST", "model-versions/create", elsewhere).await.0, 400);
    let as_model = json!({"name": "model", "source": "models:/greet/1"});
    assert_eq!(refused(&server, "POST", "model-versions/create", as_model).await.0, 400);
}
