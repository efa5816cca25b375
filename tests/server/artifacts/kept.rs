//! What is kept, for how long, and that nothing else is.

use super::*;

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
async fn an_upload_that_breaks_off_leaves_nothing() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    server.put("there", "before").await;
    for (path, head) in
        [("there", "content-length: 9000000"), ("new", "transfer-encoding: chunked")]
    {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let host = server.address;
        let head = format!("PUT {ARTIFACTS}/{path} HTTP/1.1\r\nhost: {host}\r\n{head}\r\n\r\n");
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
