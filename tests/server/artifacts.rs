//! Artifacts: what is put comes back, and nothing else is left.

use crate::support::{Answer, Server, files, until};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::StreamBody;
use hyper::body::Frame;
use serde_json::{Value, json};
use std::{
    convert::Infallible,
    fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};
use tempfile::{TempDir, tempdir};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tower::{Layer, ServiceExt};
use tower_spearmint::{
    ConfigPool, LogLayer, Recorder, SingleLayer, Trial, service_fn, store::SqliteStore,
};

const ARTIFACTS: &str = "/api/2.0/mlflow-artifacts/artifacts";

impl Server {
    async fn put(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.call("PUT", &format!("{ARTIFACTS}/{path}"), body).await
    }

    async fn artifact(&self, path: &str) -> Answer {
        self.get(&format!("{ARTIFACTS}/{path}")).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", &format!("{ARTIFACTS}/{path}"), "").await
    }

    async fn list(&self, path: &str) -> Value {
        self.get(&format!("{ARTIFACTS}?path={path}")).await.json()
    }

    fn directory(&self) -> PathBuf {
        self.store.with_extension("db.artifacts")
    }

    fn objects(&self) -> Vec<PathBuf> {
        files(&self.directory().join("objects"))
    }

    fn uploads(&self) -> Vec<PathBuf> {
        files(&self.directory().join("uploads"))
    }
}

/// Bytes that look like no others at another place.
fn content(size: usize) -> Bytes {
    (0_u64..).flat_map(|n| (n ^ 0x5eed).to_le_bytes()).take(size).collect::<Vec<_>>().into()
}

/// A branch in a store, which is a run to MLflow: its id.
async fn branch(directory: &TempDir) -> String {
    let store = SqliteStore::open(directory.path().join("spearmint.db")).unwrap();
    let (recorder, recording) = Recorder::pair(store);
    tokio::spawn(recording);
    let pool = ConfigPool::from_values([json!({ "config_id": "a" })]).unwrap();
    let service = service_fn(|trial: Trial<()>| async move {
        Ok::<_, Infallible>(trial.place().branch_id().to_string())
    });
    let layer = SingleLayer::new(pool.get("a").unwrap().clone());
    let service = layer.layer(LogLayer::new(recorder.clone()).layer(service));
    let id = service.oneshot(()).await.unwrap();
    recorder.drain(Duration::from_secs(5)).await.unwrap();
    id.replace('-', "")
}

#[tokio::test]
async fn an_artifact_comes_back_as_it_was_put() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let put = server.put("0/run/artifacts/dir/data.json", r#"{"a":1}"#).await;
    assert_eq!((put.status.as_u16(), &*put.body), (200, &b""[..]));
    let got = server.artifact("0/run/artifacts/dir/data.json").await;
    assert_eq!((got.status.as_u16(), &*got.body), (200, &br#"{"a":1}"#[..]));
    assert_eq!(got.header("content-type"), "text/plain");
    assert_eq!(got.header("content-disposition"), "attachment; filename=data.json");
    assert_eq!(got.header("x-content-type-options"), "nosniff");
    assert_eq!(got.header("content-length"), "7");

    assert_eq!(server.put("0/run/artifacts/%C3%BC%20b.png", "").await.status, 200);
    let got = server
        .call("GET", "/ajax-api/2.0/mlflow-artifacts/artifacts/0/run/artifacts/%C3%BC%20b.png", "")
        .await;
    assert_eq!((got.status.as_u16(), got.body.len()), (200, 0));
    assert_eq!(got.header("content-type"), "image/png");
    server.stop().await;
}

#[tokio::test]
async fn an_artifact_outlives_the_server() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    server.put("a/b", "kept").await;
    server.stop().await;
    let server = Server::start(&directory).await;
    assert_eq!(&*server.artifact("a/b").await.body, b"kept");
    server.stop().await;
}

#[tokio::test]
async fn a_head_is_answered_without_the_content() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    server.put("a", content(1_000_000)).await;
    let got = server.call("HEAD", &format!("{ARTIFACTS}/a"), "").await;
    assert_eq!(
        (got.status.as_u16(), got.header("content-length"), got.body.len()),
        (200, "1000000", 0)
    );
    server.stop().await;
}

#[tokio::test]
async fn a_large_artifact_streams_in_and_out() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let whole = content(20_000_003);
    // Without a length: the server learns it at the end.
    let pieces: Vec<_> = (0..whole.len())
        .step_by(300_007)
        .map(|at| whole.slice(at..whole.len().min(at + 300_007)))
        .map(|piece| Ok::<_, Infallible>(Frame::data(piece)))
        .collect();
    let body = StreamBody::new(stream::iter(pieces));
    let put = server.try_call("PUT", &format!("{ARTIFACTS}/big.bin"), body).await.unwrap();
    assert_eq!(put.status, 200);
    let got = server.artifact("big.bin").await;
    assert_eq!(got.header("content-length"), "20000003");
    assert!(got.body == whole);
    server.stop().await;
}

#[tokio::test]
async fn equal_contents_are_kept_once_and_as_long_as_a_path_names_them() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    for path in ["a/one", "a/two", "b/three"] {
        server.put(path, "same").await;
    }
    server.put("b/other", "other").await;
    assert_eq!(server.objects().len(), 2);
    assert_eq!(server.delete("a").await.json(), json!({}));
    server.put("b/other", "same").await;
    until("the replaced content is gone", || server.objects().len() == 1).await;
    assert_eq!(&*server.artifact("b/three").await.body, b"same");
    server.delete("b/three").await;
    assert_eq!(&*server.artifact("b/other").await.body, b"same");
    server.delete("b/other").await;
    until("the last content is gone", || server.objects().is_empty()).await;
    assert_eq!(server.list("").await, json!({}));
    server.stop().await;
}

#[tokio::test]
async fn a_directory_is_listed_by_name_with_sizes() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    for (path, size) in [("r/b.txt", 3), ("r/b/c/d", 4), ("r/b/e", 5), ("r/a", 0), ("rr/x", 1)] {
        server.put(path, content(size)).await;
    }
    let file = |path: &str, size: u64| json!({ "path": path, "is_dir": false, "file_size": size });
    let dir = |path: &str| json!({ "path": path, "is_dir": true });
    assert_eq!(
        server.list("r").await,
        json!({ "files": [file("a", 0), dir("b"), file("b.txt", 3)] })
    );
    assert_eq!(server.list("r/b/").await, json!({ "files": [dir("c"), file("e", 5)] }));
    assert_eq!(server.list("").await, json!({ "files": [dir("r"), dir("rr")] }));
    // As MLflow: a file has nothing in it, and nor has what is not there.
    assert_eq!(server.list("r/a").await, json!({}));
    assert_eq!(server.list("r/none").await, json!({}));
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_said_as_mlflow_says_it() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    server.put("dir/file", "x").await;
    let (status, code, message) = server.artifact("dir/none").await.error();
    assert_eq!((status, &*code), (404, "RESOURCE_DOES_NOT_EXIST"));
    assert_eq!(message, "No such artifact: 'dir/none'");
    let (status, code, message) = server.artifact("dir").await.error();
    assert_eq!((status, &*code), (400, "INVALID_PARAMETER_VALUE"));
    assert_eq!(message, "Artifact path refers to a directory, not a file: 'dir'");
    assert_eq!(server.delete("dir/none").await.json(), json!({}));
    server.stop().await;
}

#[tokio::test]
async fn a_file_is_no_directory_and_a_directory_no_file() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    server.put("dir/file", "x").await;
    assert_eq!(server.put("dir/file/below", "y").await.error().0, 400);
    assert_eq!(server.put("dir", "y").await.error().0, 400);
    assert_eq!(&*server.artifact("dir/file").await.body, b"x");
    assert_eq!(server.uploads(), [] as [PathBuf; 0]);
    server.stop().await;
}

#[tokio::test]
async fn a_path_that_leads_elsewhere_is_refused_in_every_call() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let long = "l".repeat(256);
    for path in [
        "../x",
        "a/../../x",
        "a/..",
        "%2e%2e/x",
        "a/%2e%2e%2f%2e%2e%2fx",
        "%252e%252e/x",
        "/etc/x",
        "%2fetc/x",
        "a%5c..%5cx",
        "..%5cx",
        "C:/x",
        "file:///etc/x",
        "a%00b",
        "a%0ab",
        "a%23b",
        "a%ff",
        &long,
    ] {
        for answer in [
            server.put(path, "x").await,
            server.artifact(path).await,
            server.delete(path).await,
            server.get(&format!("{ARTIFACTS}?path={path}")).await,
            server.get(&format!("/get-artifact?run_id=x&path={path}")).await,
            server
                .call(
                    "POST",
                    &format!("/ajax-api/2.0/mlflow/upload-artifact?run_uuid=x&path={path}"),
                    "x",
                )
                .await,
        ] {
            let (status, code, message) = answer.error();
            assert_eq!((status, &*code), (400, "INVALID_PARAMETER_VALUE"), "{path}");
            assert!(message.starts_with("Invalid path"), "{path}: {message}");
        }
    }
    assert_eq!(server.list("").await, json!({}));
    let beside: Vec<_> = files(directory.path());
    assert!(
        beside.iter().all(|file| file.to_str().unwrap().contains("spearmint.db")),
        "{beside:?}"
    );
    server.stop().await;
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    server.put("there", "before").await;
    for (path, head) in
        [("there", "content-length: 9000000"), ("new", "transfer-encoding: chunked")]
    {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let head = format!("PUT {ARTIFACTS}/{path} HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        if path == "new" {
            stream.write_all(b"F4240\r\n").await.unwrap();
        }
        stream.write_all(&content(1_000_000)).await.unwrap();
        until("the upload has begun", || server.uploads().len() == 1).await;
        drop(stream);
        until("the upload is gone", || server.uploads().is_empty()).await;
    }
    assert_eq!(&*server.artifact("there").await.body, b"before");
    assert_eq!(server.artifact("new").await.status, 404);
    assert_eq!(server.objects().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn an_artifact_that_is_too_large_is_refused_and_leaves_nothing() {
    let directory = tempdir().unwrap();
    let server = Server::start_with(&directory, |server| server.max_artifact_size(1_000_000)).await;
    assert_eq!(server.put("fits", content(1_000_000)).await.status, 200);
    let path = format!("{ARTIFACTS}/large");
    // The client sends all of it before it reads the answer.
    let with_length = server.put("large", content(9_000_000)).await;
    let pieces = (0..90).map(|_| Ok::<_, Infallible>(Frame::data(content(100_000))));
    let without =
        server.try_call("PUT", &path, StreamBody::new(stream::iter(pieces))).await.unwrap();
    for answer in [with_length, without] {
        let (status, code, message) = answer.error();
        assert_eq!((status, &*code), (413, "RESOURCE_LIMIT_EXCEEDED"));
        assert!(message.contains("at most 1000000 bytes"), "{message}");
    }
    assert_eq!(server.artifact("large").await.status, 404);
    until("the upload is gone", || server.uploads().is_empty()).await;
    assert_eq!(server.objects().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn an_upload_that_cannot_be_written_is_an_error_and_leaves_nothing() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    server.put("a", "kept").await;
    let objects = server.directory().join("objects");
    fs::rename(&objects, server.directory().join("aside")).unwrap();
    fs::write(&objects, "in the way").unwrap();
    let (status, code, message) = server.put("b", "lost").await.error();
    assert_eq!((status, &*code), (500, "INTERNAL_ERROR"));
    assert!(!message.contains(directory.path().to_str().unwrap()), "{message}");
    assert_eq!(server.list("").await["files"].as_array().unwrap().len(), 1);
    assert_eq!(server.uploads(), [] as [PathBuf; 0]);

    fs::remove_file(&objects).unwrap();
    fs::rename(server.directory().join("aside"), &objects).unwrap();
    assert_eq!(server.put("b", "there").await.status, 200);
    assert_eq!(&*server.artifact("a").await.body, b"kept");
    server.stop().await;
}

#[tokio::test]
async fn what_a_killed_process_left_is_removed_at_the_next_start() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    server.put("a", "kept").await;
    let (kept, uploads) = (server.objects(), server.directory().join("uploads"));
    server.stop().await;
    // An upload, and a content that got its name before its path was committed.
    let dead = uploads.join("dead");
    fs::write(&dead, "half").unwrap();
    let file = fs::File::options().write(true).open(&dead).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(3_600)).unwrap();
    let unnamed = uploads.with_file_name("objects").join("00").join("0".repeat(62));
    fs::create_dir_all(unnamed.parent().unwrap()).unwrap();
    fs::write(&unnamed, "unnamed").unwrap();
    let server = Server::start(&directory).await;
    until("both are gone", || !dead.exists() && !unnamed.exists()).await;
    assert_eq!(server.objects(), kept);
    assert_eq!(&*server.artifact("a").await.body, b"kept");
    server.stop().await;
}

#[tokio::test]
async fn a_content_that_was_damaged_is_not_sent() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    server.put("a", "as it was").await;
    let object = server.objects().remove(0);
    fs::write(&object, "as").unwrap();
    assert_eq!(server.artifact("a").await.error().0, 500);
    fs::remove_file(&object).unwrap();
    assert_eq!(server.artifact("a").await.error().0, 500);
    // Logged again, it is whole again.
    server.put("b", "as it was").await;
    assert_eq!(&*server.artifact("a").await.body, b"as it was");
    server.stop().await;
}

#[tokio::test]
async fn a_download_goes_on_while_its_artifact_is_deleted() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let whole = content(30_000_000);
    server.put("a", whole.clone()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!("GET {ARTIFACTS}/a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut got = vec![0; 1_000];
    stream.read_exact(&mut got).await.unwrap();
    server.delete("a").await;
    until("the content has lost its name", || server.objects().is_empty()).await;
    stream.read_to_end(&mut got).await.unwrap();
    assert!(got.ends_with(&whole));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sees_half_an_artifact_while_others_replace_and_delete_it() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let contents: Vec<Bytes> = (0..4).map(|n| content(300_000 + n).slice(n..)).collect();
    let work = (0..4).map(|n| {
        let (server, contents) = (&server, &contents);
        async move {
            for round in 0..12 {
                match (n + round) % 4 {
                    0 => assert_eq!(server.delete("a").await.status, 200),
                    1 => {
                        let got = server.artifact("a/b").await;
                        let whole = contents.contains(&got.body);
                        assert!(got.status == 404 || got.status == 200 && whole, "{}", got.status);
                    }
                    _ => {
                        let put = server.put("a/b", contents[n].clone()).await;
                        assert_eq!(put.status, 200, "{:?}", put.body);
                    }
                }
            }
        }
    });
    futures_util::future::join_all(work).await;
    server.put("a/b", contents[0].clone()).await;
    until("only the last is left", || server.objects().len() == 1).await;
    assert!(server.artifact("a/b").await.body == contents[0]);
    server.stop().await;
}

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
async fn a_client_is_told_to_send_and_fetch_whole_files() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let upload = "Multipart upload is not supported for the current artifact repository";
    let body = json!({ "path": "m", "num_parts": 2 });
    for step in ["create", "complete", "abort"] {
        let path = format!("/api/2.0/mlflow-artifacts/mpu/{step}/0/run/artifacts/m");
        let expected = (501, "NOT_IMPLEMENTED".to_owned(), upload.to_owned());
        assert_eq!(server.post(&path, &body).await.error(), expected);
    }
    let path = "/api/2.0/mlflow-artifacts/presigned/0/run/artifacts/m";
    assert_eq!(server.get(path).await.error().0, 501);
    let run = branch(&directory).await;
    for call in ["presigned-upload-url", "presigned-download-url"] {
        let path = format!("/api/2.0/mlflow/artifacts/{call}");
        let (status, code, message) =
            server.post(&path, &json!({ "run_id": run, "path": "m" })).await.error();
        assert_eq!((status, &*code), (400, "INVALID_PARAMETER_VALUE"));
        assert!(message.contains("(artifact URI scheme: mlflow-artifacts)"), "{message}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_stops_reading_holds_up_nobody() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    server.put("a", content(20_000_000)).await;
    let mut idle = Vec::new();
    for _ in 0..40 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let head = format!("GET {ARTIFACTS}/a HTTP/1.1\r\nhost: x\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut first = [0; 1];
        stream.read_exact(&mut first).await.unwrap();
        idle.push(stream);
    }
    assert_eq!(server.put("b", content(10)).await.status, 200);
    assert_eq!(server.artifact("b").await.body.len(), 10);
    drop(idle);
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_asks_first_is_refused_before_it_sends() {
    let directory = tempdir().unwrap();
    let server = Server::start_with(&directory, |server| server.max_artifact_size(10)).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "PUT {ARTIFACTS}/a HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 11\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn two_stores_do_not_share_a_directory() {
    let (one, other) = (tempdir().unwrap(), tempdir().unwrap());
    let shared = one.path().join("shared");
    let server = Server::start_with(&one, |server| server.artifacts(&shared)).await;
    server.put("a", "one's").await;
    let second = Server::start_with(&other, |server| server.artifacts(&shared)).await;
    assert_eq!(second.put("a", "other's").await.error().0, 500);
    assert_eq!(second.list("").await, json!({}));
    assert_eq!(&*server.artifact("a").await.body, b"one's");
    second.stop().await;
    server.stop().await;
}
