//! What pages are told while they are looked at.

use super::{PATIENCE, page, record};
use crate::support::Server;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::time::{Duration, Instant};
use tempfile::tempdir;
use tokio::{net::TcpStream, time::timeout};

/// A page that is told of changes.
struct Follower {
    body: hyper::body::Incoming,
    heard: String,
}

impl Follower {
    async fn of(server: &Server, path: &str) -> Result<Self, u16> {
        let stream = TcpStream::connect(server.address).await.unwrap();
        let (mut client, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = http::Request::get(path).header("host", server.address.to_string());
        let answer = client.send_request(request.body(Full::<Bytes>::default()).unwrap()).await;
        let answer = answer.unwrap();
        if answer.status() != 200 {
            return Err(answer.status().as_u16());
        }
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Ok(Self { body: answer.into_body(), heard: String::new() })
    }

    /// What is told next; `None` at the end.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((event, rest)) = self.heard.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.heard = rest;
                if let Some(data) = event.strip_prefix("event: report\ndata: ") {
                    return Some(serde_json::from_str(data).unwrap());
                }
                continue;
            }
            let frame = timeout(PATIENCE, self.body.frame()).await.unwrap()?.unwrap();
            self.heard += std::str::from_utf8(&frame.into_data().unwrap()).unwrap();
        }
    }
}

#[tokio::test]
async fn who_looks_is_told_when_something_changes() {
    let directory = tempdir().unwrap();
    record(&directory, "ranker", 6, "x").await;
    let server = Server::start(&directory).await;
    let mut one = Follower::of(&server, "/events?experiment=ranker").await.unwrap();
    let mut all = Follower::of(&server, "/events").await.unwrap();
    let first = one.next().await.unwrap();
    assert_eq!(first["verdicts"][0]["verdict"], "undecided");
    let part = first["parts"]["figures-0"].as_str().unwrap();
    let experiment = page(&server, "/experiments/ranker").await;
    assert!(experiment.contains(&format!("<div id=\"figures-0\">{part}</div>")));
    let list = all.next().await.unwrap()["parts"]["experiments"].as_str().unwrap().to_owned();
    assert!(page(&server, "/").await.contains(&list));

    record(&directory, "ranker", 4, "x").await;
    let told = loop {
        let told = one.next().await.unwrap();
        if told["verdicts"][0]["requests"] == 5 {
            break told;
        }
    };
    assert_ne!(told["parts"]["figures-0"], first["parts"]["figures-0"]);
    assert!(all.next().await.is_some());
    server.stop().await;
}

#[tokio::test]
async fn the_end_of_the_server_is_the_end_of_what_it_tells() {
    let directory = tempdir().unwrap();
    record(&directory, "ranker", 2, "x").await;
    let server = Server::start(&directory).await;
    let mut follower = Follower::of(&server, "/events").await.unwrap();
    assert!(follower.next().await.is_some());
    let began = Instant::now();
    server.stop().await;
    // Long before it would be cut off.
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    assert_eq!(follower.next().await, None);
}

#[tokio::test]
async fn only_so_many_are_told_and_one_that_leaves_makes_room() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let mut followers = Vec::new();
    for _ in 0..64 {
        followers.push(Follower::of(&server, "/events").await.unwrap());
    }
    assert_eq!(Follower::of(&server, "/events").await.err(), Some(503));
    drop(followers.pop());
    let began = Instant::now();
    while Follower::of(&server, "/events").await.is_err() {
        assert!(began.elapsed() < PATIENCE);
        tokio::task::yield_now().await;
    }
    assert_eq!(server.get("/").await.status, 200);
    server.stop().await;
}
