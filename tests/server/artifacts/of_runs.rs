//! Artifacts by the run whose they are.

use super::*;

#[tokio::test]
async fn a_run_has_its_artifacts() {
    let directory = tempdir().unwrap();
    let run = branch(&directory).await;
    let server = Server::start(&directory).await;
    let upload = format!("/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=dir/v.txt");
    assert_eq!(server.call("POST", &upload, "hello").await.status, 200);
    let listed =
        server.get(&format!("/api/2.0/mlflow/artifacts/list?run_id={run}&path=dir")).await.json();
    let root = listed["root_uri"].as_str().unwrap();
    assert!(
        root.starts_with("mlflow-artifacts:/") && root.ends_with(&format!("/{run}/artifacts")),
        "{root}"
    );
    assert_eq!(listed["files"], json!([{ "path": "dir/v.txt", "is_dir": false, "file_size": 5 }]));
    let got = server.get(&format!("/get-artifact?run_uuid={run}&path=dir/v.txt")).await;
    assert_eq!(&*got.body, b"hello");
    let place = root.strip_prefix("mlflow-artifacts:/").unwrap();
    assert_eq!(&*server.artifact(&format!("{place}/dir/v.txt")).await.body, b"hello");
    server.stop().await;
}

#[tokio::test]
async fn calls_for_a_run_say_what_they_miss() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let absent = "0".repeat(32);
    for id in [&*absent, "deadbeef", "é"] {
        let encoded = id.replace('é', "%C3%A9");
        for path in [
            format!("/api/2.0/mlflow/artifacts/list?run_id={encoded}"),
            format!("/get-artifact?path=x&run_id={encoded}"),
        ] {
            let (status, code, message) = server.get(&path).await.error();
            assert_eq!((status, &*code), (404, "RESOURCE_DOES_NOT_EXIST"));
            assert_eq!(message, format!("Run with id={id} not found"));
        }
    }
    let upload = "/ajax-api/2.0/mlflow/upload-artifact";
    let error = |answer: Answer| answer.error().2;
    assert_eq!(error(server.call("POST", upload, "x").await), "Request must specify run_uuid.");
    let upload = format!("{upload}?run_uuid={absent}");
    assert_eq!(error(server.call("POST", &upload, "x").await), "Request must specify path.");
    let upload = format!("{upload}&path=x");
    assert_eq!(error(server.call("POST", &upload, "").await), "Request must specify data.");
    assert_eq!(server.call("POST", &upload, "x").await.error().0, 404);
    assert_eq!(server.call("POST", &upload, content(11 << 20)).await.error().0, 413);
    assert_eq!(server.uploads(), [] as [PathBuf; 0]);
    assert_eq!(server.objects(), [] as [PathBuf; 0]);
    server.stop().await;
}

#[tokio::test]
async fn a_client_s_run_has_its_artifacts_where_its_experiment_has_them() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    for (name, location, place) in [
        ("here", Value::Null, Some("1/RUN/artifacts")),
        ("named", json!("mlflow-artifacts:/some/place"), Some("some/place/RUN/artifacts")),
        ("elsewhere", json!("s3://bucket/key?secret=1"), None),
    ] {
        let asked = json!({ "name": name, "artifact_location": location });
        let made = server.post("/api/2.0/mlflow/experiments/create", &asked).await.json();
        let made = server.post("/api/2.0/mlflow/runs/create", &made).await.json();
        let run = made["run"]["info"]["run_id"].as_str().unwrap();
        let upload = format!("/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=a");
        let list = format!("/api/2.0/mlflow/artifacts/list?run_id={run}");
        let put = server.call("POST", &upload, "x").await;
        let listed = server.get(&list).await;
        if let Some(place) = place {
            assert_eq!(put.status, 200);
            assert_eq!(listed.json()["root_uri"], made["run"]["info"]["artifact_uri"]);
            let place = place.replace("RUN", run);
            assert_eq!(&*server.artifact(&format!("{place}/a")).await.body, b"x");
        } else {
            for answer in [put, listed] {
                let (status, _, message) = answer.error();
                assert!(status == 400 && message.contains("elsewhere (s3:)"), "{message}");
            }
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_branch_keeps_its_artifacts_when_its_experiment_is_renamed() {
    let directory = tempdir().unwrap();
    let run = branch(&directory).await;
    let server = Server::start(&directory).await;
    let upload = format!("/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=a");
    assert_eq!(server.call("POST", &upload, "x").await.status, 200);
    let get = format!("/api/2.0/mlflow/runs/get?run_id={run}");
    let info = server.get(&get).await.json()["run"]["info"].clone();
    let renamed = json!({ "experiment_id": info["experiment_id"], "new_name": "another" });
    let answer = server.post("/api/2.0/mlflow/experiments/update", &renamed).await;
    assert_eq!(answer.status, 200);
    let listed = server.get(&format!("/api/2.0/mlflow/artifacts/list?run_id={run}")).await.json();
    assert_eq!(listed["root_uri"], info["artifact_uri"]);
    assert_eq!(listed["files"][0]["path"], "a");
    server.stop().await;
}
