//! Callers that ask again and again, each on a connection that must last, and look at every
//! answer.

use crate::support::{PATIENCE, full};
use http::Request;
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};
use tokio::{net::TcpStream, task::JoinSet, time::timeout};

pub const CONNECTIONS: usize = 8;

pub struct Callers {
    done: Arc<AtomicBool>,
    tasks: JoinSet<Seen>,
}

#[derive(Default)]
pub struct Seen {
    pub requests: u64,
    pub generations: BTreeSet<usize>,
}

impl Callers {
    pub fn start(address: SocketAddr) -> Self {
        let (done, mut tasks) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
        for _ in 0..CONNECTIONS {
            tasks.spawn(call(address, done.clone()));
        }
        Self { done, tasks }
    }

    pub async fn stop(mut self) -> Seen {
        self.done.store(true, SeqCst);
        let mut all = Seen::default();
        while let Some(seen) = self.tasks.join_next().await {
            let seen = seen.unwrap();
            all.requests += seen.requests;
            all.generations.extend(seen.generations);
        }
        all
    }
}

async fn call(address: SocketAddr, done: Arc<AtomicBool>) -> Seen {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let (mut seen, mut newest) = (Seen::default(), 0);
    while !done.load(SeqCst) {
        let request = Request::get("/").header("host", address.to_string()).body(full("")).unwrap();
        sender.ready().await.expect("the connection lasts");
        let response = timeout(PATIENCE, sender.send_request(request)).await.unwrap().unwrap();
        assert_eq!(response.status(), 200);
        let variant = response.headers()["x-variant"].to_str().unwrap().to_owned();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let generation: usize = variant.strip_prefix("g-").unwrap().parse().unwrap();
        // Whatever the file says must be of one generation.
        let who = if generation.is_multiple_of(2) { "even" } else { "odd" };
        assert_eq!(body, format!("{who} {generation} {generation}"));
        assert!(generation >= newest, "{generation} after {newest}");
        newest = generation;
        seen.requests += 1;
        seen.generations.insert(generation);
    }
    drop(sender);
    connection.await.unwrap().unwrap();
    seen
}
