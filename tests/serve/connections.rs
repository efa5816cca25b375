//! The connections to an upstream: kept, used again, and let go.

use crate::support::{Proxy, eventually, post, raw};
use http::Request;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const SINGLE: &str = "
experiment: plain
strategy: single
configs:
  - { config_id: a, upstream: UPSTREAM_A }
upstreams: { timeout: 2s, max_idle: 2, idle_timeout: 400ms }
";

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// How many connections an upstream has and had.
#[derive(Clone, Default)]
struct Count {
    open: Arc<AtomicUsize>,
    opened: Arc<AtomicUsize>,
}

impl Count {
    fn open(&self) -> usize {
        self.open.load(SeqCst)
    }

    fn opened(&self) -> usize {
        self.opened.load(SeqCst)
    }
}

/// Answers the requests of a connection one after the other, each with what this says, as long as
/// it says something.
async fn answering<F>(answer: F) -> (SocketAddr, Count)
where
    F: Fn(&str) -> Option<&'static [u8]> + Clone + Send + Sync + 'static,
{
    let count = Count::default();
    let counted = count.clone();
    let address = raw(move |stream| {
        let (answer, count) = (answer.clone(), counted.clone());
        async move {
            count.open.fetch_add(1, SeqCst);
            count.opened.fetch_add(1, SeqCst);
            serve(stream, answer).await;
            count.open.fetch_sub(1, SeqCst);
        }
    })
    .await;
    (address, count)
}

async fn serve(mut stream: TcpStream, answer: impl Fn(&str) -> Option<&'static [u8]>) {
    let mut asked = Vec::new();
    loop {
        let mut some = [0; 4_096];
        match stream.read(&mut some).await {
            Ok(count) if count > 0 => asked.extend_from_slice(&some[..count]),
            _ => return,
        }
        let text = String::from_utf8_lossy(&asked).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() < length.map_or(0, |length| length.parse().unwrap()) {
            continue;
        }
        asked.clear();
        let Some(answer) = answer(head) else { return };
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn one_connection_serves_one_request_after_the_other_whatever_the_answer_looks_like() {
    let (address, count) = answering(|head| {
        Some(match head.split(' ').nth(1).unwrap() {
            "/chunks" => {
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n1\r\n!\r\n0\r\n\r\n"
            }
            "/none" => b"HTTP/1.1 204 No Content\r\n\r\n",
            "/empty" => b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "/head" => b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n",
            _ => OK,
        })
    })
    .await;
    let proxy = Proxy::start(SINGLE, &[address]).await;
    for _ in 0..10 {
        assert_eq!(proxy.get("/").await.text(), "ok");
        assert_eq!(proxy.get("/chunks").await.text(), "ok!");
        assert_eq!(proxy.get("/none").await.status, 204);
        assert_eq!(proxy.get("/empty").await.text(), "");
        assert_eq!(proxy.ask(Request::head("/head"), "").await.text(), "");
        // One whose connection has a task of its own, and so has the connection from then on.
        assert_eq!(proxy.ask(post("/"), "a body").await.text(), "ok");
    }
    // The next may come before that task has seen the end of the last.
    assert!(count.opened() <= 2, "{}", count.opened());
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_replaced_and_nobody_notices() {
    let (address, count) = answering(|head| (!head.contains("/leave")).then_some(OK)).await;
    let hasty = raw(|mut stream| async move {
        let mut head = [0; 4_096];
        let _ = stream.read(&mut head).await;
        let _ = stream.write_all(OK).await;
        // Closed, though it said nothing of the kind.
    })
    .await;
    let proxy = Proxy::start(SINGLE, &[hasty]).await;
    for at in 0..20 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let request = if at % 2 == 0 { Request::get("/") } else { Request::delete("/") };
        assert_eq!(proxy.ask(request, "").await.text(), "ok");
    }
    // One that leaves in the middle of an exchange is not asked again: it may have done the work.
    let proxy = Proxy::start(SINGLE, &[address]).await;
    assert_eq!(proxy.get("/").await.text(), "ok");
    assert_eq!(proxy.get("/leave").await.status, 502);
    assert_eq!(proxy.get("/").await.text(), "ok");
    assert_eq!(count.opened(), 2);
}

#[tokio::test]
async fn a_connection_whose_upstream_says_close_is_not_used_again() {
    let (address, count) =
        answering(|_| Some(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"))
            .await;
    let proxy = Proxy::start(SINGLE, &[address]).await;
    for _ in 0..5 {
        assert_eq!(proxy.get("/").await.text(), "ok");
    }
    assert_eq!(count.opened(), 5);
    eventually("all are closed", || count.open() == 0).await;
}

/// What an upstream says unasked is nobody's answer.
#[tokio::test]
async fn an_answer_that_nobody_asked_for_reaches_nobody() {
    let (address, _) = answering(|_| {
        Some(
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok\
              HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong",
        )
    })
    .await;
    let proxy = Proxy::start(SINGLE, &[address]).await;
    for _ in 0..20 {
        assert_eq!(proxy.get("/").await.text(), "ok");
    }
}

#[tokio::test]
async fn so_many_connections_are_kept_and_for_so_long() {
    let (address, count) = answering(|_| Some(OK)).await;
    let proxy = Proxy::start(SINGLE, &[address]).await;
    // At once, so that each needs a connection of its own.
    let all = futures_util::future::join_all((0..20).map(|_| proxy.get("/"))).await;
    assert!(all.iter().all(|answer| answer.text() == "ok"));
    eventually("max_idle are left", || count.open() <= 2).await;
    eventually("none is left after the idle time", || count.open() == 0).await;
    assert_eq!(proxy.get("/").await.text(), "ok");
}
