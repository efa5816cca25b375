//! Experiments that clients make, change and look for.

use crate::support::{Server, started};
use serde_json::{Value, json};

const API: &str = "/api/2.0/mlflow/experiments";

async fn done(server: &Server, call: &str, body: Value) -> Value {
    let answer = server.post(&format!("{API}/{call}"), &body).await;
    assert_eq!(answer.status, 200, "{call}: {:?}", answer.body);
    answer.json()
}

async fn create(server: &Server, name: &str) -> String {
    let made = done(server, "create", json!({"name": name})).await;
    made["experiment_id"].as_str().unwrap().to_owned()
}

async fn found(server: &Server, mut search: Value) -> Vec<String> {
    search["max_results"] = json!(100);
    let answer = done(server, "search", search).await;
    let experiments = answer["experiments"].as_array().cloned().unwrap_or_default();
    experiments.iter().map(|e| e["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_experiment_is_renamed_tagged_deleted_and_restored() {
    let (_directory, server) = started().await;
    let id = create(&server, "a").await;
    done(&server, "update", json!({"experiment_id": id, "new_name": "b"})).await;
    done(&server, "set-experiment-tag", json!({"experiment_id": id, "key": "k", "value": "v"}))
        .await;
    let read = server.get(&format!("{API}/get?experiment_id={id}")).await.json();
    assert_eq!(read["experiment"]["name"], "b");
    assert_eq!(read["experiment"]["tags"], json!([{"key": "k", "value": "v"}]));
    done(&server, "delete-experiment-tag", json!({"experiment_id": id, "key": "k"})).await;

    let call = async |call: &str, body: &Value| server.post(&format!("{API}/{call}"), body).await;
    let taken = json!({"experiment_id": id, "new_name": "Default"});
    assert_eq!(call("update", &taken).await.error().1, "BAD_REQUEST");
    let by_id = json!({"experiment_id": id});
    done(&server, "delete", by_id.clone()).await;
    assert_eq!(call("delete", &by_id).await.error().1, "RESOURCE_DOES_NOT_EXIST");
    let rename = json!({"experiment_id": id, "new_name": "c"});
    assert_eq!(call("update", &rename).await.error().0, 500);
    let tag = json!({"experiment_id": id, "key": "k", "value": "v"});
    assert_eq!(call("set-experiment-tag", &tag).await.error().1, "INVALID_PARAMETER_VALUE");
    done(&server, "restore", by_id).await;
    done(&server, "set-experiment-tag", tag).await;
}

#[tokio::test]
async fn its_runs_go_and_come_with_an_experiment() {
    let (_directory, server) = started().await;
    let id = create(&server, "a").await;
    let runs = "/api/2.0/mlflow/runs";
    let run = server.post(&format!("{runs}/create"), &json!({"experiment_id": id})).await.json();
    let run = run["run"]["info"]["run_id"].as_str().unwrap();
    let stage = async || {
        let run = server.get(&format!("{runs}/get?run_id={run}")).await.json();
        run["run"]["info"]["lifecycle_stage"].as_str().unwrap().to_owned()
    };
    done(&server, "delete", json!({"experiment_id": id})).await;
    assert_eq!(stage().await, "deleted");
    let refused = server.post(&format!("{runs}/create"), &json!({"experiment_id": id})).await;
    assert_eq!(refused.error().1, "INVALID_PARAMETER_VALUE");
    done(&server, "restore", json!({"experiment_id": id})).await;
    assert_eq!(stage().await, "active");
}

#[tokio::test]
async fn experiments_are_found_by_name_tag_and_time() {
    let (_directory, server) = started().await;
    for name in ["alpha", "Beta", "beta*"] {
        let id = create(&server, name).await;
        let tag = json!({"experiment_id": id, "key": "a b", "value": name});
        done(&server, "set-experiment-tag", tag).await;
    }
    let deleted = create(&server, "deleted").await;
    done(&server, "delete", json!({"experiment_id": deleted})).await;
    for (filter, names) in [
        ("name = 'alpha'", &["alpha"][..]),
        ("name != 'alpha'", &["beta*", "Beta", "Default"]),
        ("name LIKE 'b%'", &["beta*"]),
        ("name ILIKE 'b%'", &["beta*", "Beta"]),
        ("name LIKE '%*'", &["beta*"]),
        ("tags.`a b` = 'alpha'", &["alpha"]),
        ("tags.`a b` IS NULL", &["Default"]),
        ("tags.`a b` IS NOT NULL AND name LIKE '%a'", &["Beta", "alpha"]),
        ("creation_time > 0 AND experiment_id IN ('0', '1')", &["alpha", "Default"]),
        ("experiment_id != '0'", &["beta*", "Beta", "alpha"]),
        ("last_update_time < 5", &[]),
    ] {
        // By id, because all may be made within a millisecond.
        let search = json!({"filter": filter, "order_by": ["experiment_id DESC"]});
        assert_eq!(found(&server, search).await, names, "{filter}");
    }
    let view = |view: &str| json!({"view_type": view, "order_by": ["name"]});
    assert_eq!(found(&server, view("DELETED_ONLY")).await, ["deleted"]);
    assert_eq!(found(&server, view("ALL")).await, ["Beta", "Default", "alpha", "beta*", "deleted"]);
    let answer = server.post(&format!("{API}/search"), &json!({})).await;
    assert_eq!(answer.error().1, "INVALID_PARAMETER_VALUE");
}

#[tokio::test]
async fn experiments_are_read_in_pages() {
    let (_directory, server) = started().await;
    for n in 0..10 {
        create(&server, &format!("e{n}")).await;
    }
    for order in [json!([]), json!(["name DESC"]), json!(["last_update_time", "name"])] {
        let (mut names, mut token) = (Vec::new(), String::new());
        loop {
            let search = json!({"max_results": 3, "order_by": order, "page_token": token});
            let page = done(&server, "search", search).await;
            names.extend(
                page["experiments"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|e| e["name"].as_str().unwrap().to_owned()),
            );
            match page["next_page_token"].as_str() {
                Some(next) => token = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(names, found(&server, json!({"order_by": order})).await, "{order}");
        assert_eq!(names.len(), 11);
    }
}
