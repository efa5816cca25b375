//! `spearmint ui` as a process: what its artifacts cost when there is no room for them.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};
use tempfile::tempdir;

/// The server, killed at the end.
struct Ui(Child);

impl Drop for Ui {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn call(address: &str, head: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head = format!(
        "{head} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A limit to the size of files stands for a disk that is full: both are found out when a piece
/// is written.
#[cfg(unix)]
#[test]
fn an_artifact_for_which_there_is_no_room_is_refused_and_leaves_nothing() {
    let directory = tempdir().unwrap();
    let command = "ulimit -f 8192 && trap '' XFSZ && exec \"$0\" \"$@\"";
    let mut child = Command::new("sh")
        .args(["-c", command, env!("CARGO_BIN_EXE_spearmint"), "ui", "--listen", "127.0.0.1:0"])
        .current_dir(directory.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let _ui = Ui(child);
    let first = said.next().unwrap().unwrap();
    let address = first.rsplit_once("http://").unwrap().1;
    let artifacts = "/api/2.0/mlflow-artifacts/artifacts";

    // (The unit of the limit is 512 or 1024 bytes, by shell.)
    let refused = call(address, &format!("PUT {artifacts}/large"), &vec![7; 16 << 20]);
    assert!(refused.starts_with("HTTP/1.1 507") && refused.contains("no room left"), "{refused}");
    let uploads = directory.path().join("spearmint.db.artifacts/uploads");
    assert_eq!(std::fs::read_dir(uploads).unwrap().count(), 0);
    let none = call(address, &format!("GET {artifacts}/large"), b"");
    assert!(none.starts_with("HTTP/1.1 404"), "{none}");
    let small = call(address, &format!("PUT {artifacts}/small"), b"fits");
    assert!(small.starts_with("HTTP/1.1 200"), "{small}");
}

#[test]
fn a_certificate_that_cannot_be_read_leaves_no_store_behind() {
    let directory = tempdir().unwrap();
    let arguments = ["ui", "--listen", "127.0.0.1:0", "--tls-cert", "a.pem", "--tls-key", "b.pem"];
    let output = crate::support::run(&arguments, directory.path());
    assert_eq!(output.status.code(), Some(2));
    let said = crate::support::stderr(&output);
    assert!(said.starts_with("error: a.pem: "), "{said}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    let half = crate::support::run(&arguments[..5], directory.path());
    assert_eq!(half.status.code(), Some(2));
    assert!(crate::support::stderr(&half).contains("--tls-key"));
}
