//! What is put comes back, whole, to any number of clients at once.

use super::*;

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
async fn a_download_goes_on_while_its_artifact_is_deleted() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let whole = content(30_000_000);
    server.put("a", whole.clone()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let host = server.address;
    let head = format!("GET {ARTIFACTS}/a HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
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
