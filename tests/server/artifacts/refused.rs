//! What is refused, and how it is said.

use super::*;

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
async fn a_client_that_asks_first_is_refused_before_it_sends() {
    let directory = tempdir().unwrap();
    let server = Server::start_with(&directory, |server| server.max_artifact_size(10)).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let host = server.address;
    let asks = "expect: 100-continue\r\ncontent-length: 11";
    let head = format!("PUT {ARTIFACTS}/a HTTP/1.1\r\nhost: {host}\r\n{asks}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    server.stop().await;
}
