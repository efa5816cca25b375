//! A caller with everything that is to be tried.

use crate::{
    errand::{Errand, Verb},
    ledger::Ledger,
    support::{Body, PATIENCE, full},
    well,
};
use bytes::{Bytes, BytesMut};
use http::{Method, Request, Response, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{net::TcpStream, sync::mpsc, task::JoinSet, time::timeout};
use tower_spearmint::BoxError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http2,
}

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    Get,
    Post100K,
    /// Of unknown length.
    Chunked100K,
    Post6M,
    Post20M,
    Events,
    /// An upload that its caller broke off.
    Aborted,
    /// One of many at once.
    Load,
}

/// What was asked, in this order, and how long it took at worst.
#[derive(Debug, Default)]
pub struct Visit {
    pub asked: Vec<(Work, usize)>,
    /// Asked at the end, by many at once.
    pub load: usize,
    pub get: Duration,
    pub upload: Duration,
    /// From when an event was sent.
    pub event: Duration,
    pub loaded: Duration,
}

/// How often and how long: once and briefly, unless `SPEARMINT_SOAK_ROUNDS` says more.
pub fn rounds() -> u32 {
    std::env::var("SPEARMINT_SOAK_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap())
}

const AT_ONCE: usize = 64;
const LOAD: Duration = Duration::from_millis(500);
const EVENTS: usize = 4;

/// One connection, which is not opened again.
#[derive(Clone)]
pub struct Connection {
    address: SocketAddr,
    sender: Sender,
}

/// Over HTTP/2 it can be cloned, over HTTP/1.1 it is behind a lock that nobody contends for.
#[derive(Clone)]
enum Sender {
    Http1(std::sync::Arc<tokio::sync::Mutex<http1::SendRequest<Body>>>),
    Http2(http2::SendRequest<Body>),
}

impl Connection {
    pub async fn open(address: SocketAddr, protocol: Protocol) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let io = TokioIo::new(stream);
        let sender = match protocol {
            Protocol::Http1 => {
                let (sender, connection) = http1::handshake(io).await.unwrap();
                tokio::spawn(connection);
                Sender::Http1(std::sync::Arc::new(tokio::sync::Mutex::new(sender)))
            }
            Protocol::Http2 => {
                let (sender, connection) =
                    http2::handshake(TokioExecutor::new(), io).await.unwrap();
                tokio::spawn(connection);
                Sender::Http2(sender)
            }
        };
        Self { address, sender }
    }

    async fn send(&mut self, errand: Errand, body: Body) -> hyper::Result<Response<Incoming>> {
        let method = if errand.verb == Verb::Post { Method::POST } else { Method::GET };
        let request = Request::builder().method(method);
        match &mut self.sender {
            Sender::Http1(sender) => {
                let request = request
                    .uri(errand.path())
                    .header(header::HOST, self.address.to_string())
                    .body(body)
                    .unwrap();
                let mut sender = sender.lock().await;
                sender.ready().await?;
                sender.send_request(request).await
            }
            Sender::Http2(sender) => {
                let uri = format!("http://{}{}", self.address, errand.path());
                let request = request.uri(uri).body(body).unwrap();
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }

    /// Asks, and checks every byte of the answer. Returns how long it took.
    pub async fn ask(&mut self, errand: Errand, body: Body) -> Duration {
        let began = Instant::now();
        let answer = async {
            let response = self.send(errand, body).await.unwrap();
            assert_eq!(response.status(), 200, "{errand:?}");
            response.into_body().collect().await.unwrap().to_bytes()
        };
        let answer = timeout(PATIENCE, answer).await.expect("an answer in time");
        assert!(answer == errand.bytes(), "{errand:?} was answered with other bytes");
        began.elapsed()
    }

    /// Each event must come when it is sent. Returns how late one was at worst.
    async fn listen(&mut self, errand: Errand, ledger: &Ledger) -> Duration {
        let response = timeout(PATIENCE, self.send(errand, full(""))).await.unwrap().unwrap();
        assert_eq!(response.status(), 200);
        let (mut body, mut heard) = (response.into_body(), BytesMut::new());
        let mut late = Duration::ZERO;
        for number in 0..errand.len {
            let event = well::event(number);
            while heard.len() < event.len() {
                let frame = timeout(PATIENCE, body.frame()).await.expect("an event in time");
                heard.extend_from_slice(frame.unwrap().unwrap().data_ref().unwrap());
            }
            assert_eq!(heard.split_to(event.len()), event);
            late = late.max(ledger.event_sent(errand.seed, number).elapsed());
        }
        let rest = timeout(PATIENCE, body.collect()).await.expect("an end in time").unwrap();
        assert!(heard.is_empty() && rest.to_bytes().is_empty());
        late
    }

    /// Sends half of an upload, and breaks it off when it has arrived.
    async fn abort(&mut self, errand: Errand, is_chunked: bool, ledger: &Ledger) {
        let (sender, receiver) = mpsc::channel(1);
        let length = (!is_chunked).then_some(errand.len as u64);
        let body = Body::new(Breakable { receiver, length });
        let half = errand.bytes().slice(..errand.len / 2);
        let breaking = async {
            sender.send(Ok(half)).await.unwrap();
            crate::support::eventually("the upload arrives", || ledger.has_begun(errand.seed))
                .await;
            sender.send(Err("the caller changed its mind".into())).await.unwrap();
            drop(sender);
        };
        let (answer, ()) = tokio::join!(timeout(PATIENCE, self.send(errand, body)), breaking);
        let answer = answer.expect("an end in time");
        assert!(answer.is_err(), "half an upload was answered: {answer:?}");
    }
}

/// A body that may break off, of a length that is known or not.
struct Breakable {
    receiver: mpsc::Receiver<Result<Bytes, BoxError>>,
    length: Option<u64>,
}

impl http_body::Body for Breakable {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.receiver.poll_recv(cx).map(|data| Some(data?.map(Frame::data)))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.length.map_or_else(http_body::SizeHint::default, http_body::SizeHint::with_exact)
    }
}

/// In frames of odd sizes.
fn chunked(bytes: Bytes) -> Body {
    let mut rest = bytes;
    let frames = std::iter::from_fn(move || {
        let frame = rest.split_to(rest.len().min(7_001));
        (!frame.is_empty()).then(|| Ok::<_, BoxError>(Frame::data(frame)))
    });
    BodyExt::boxed(StreamBody::new(futures_util::stream::iter(frames.collect::<Vec<_>>())))
}

/// Between two rounds, for what is stuck to time out: the buffers have room for one round of it.
pub const PAUSE: Duration = Duration::from_secs(3);

/// Asks everything of this address; `ledger` is that of the upstream that answers.
pub async fn visit(
    address: SocketAddr,
    protocol: Protocol,
    ledger: &Ledger,
    pause: Duration,
) -> Visit {
    let mut visit = Visit::default();
    let mut connection = Connection::open(address, protocol).await;
    for _ in 0..rounds() {
        visit.one_by_one(&mut connection, ledger).await;
        for is_chunked in [false, true] {
            let errand = visit.errand(Work::Aborted, Verb::Post, 600_000);
            // Over HTTP/1.1 it is the end of the connection.
            let mut own = Connection::open(address, protocol).await;
            own.abort(errand, is_chunked, ledger).await;
        }
        // The first connection is as good as ever.
        let errand = visit.errand(Work::Get, Verb::Get, 1_000);
        connection.ask(errand, full("")).await;
        if rounds() > 1 {
            tokio::time::sleep(pause).await;
        }
    }
    visit.all_at_once(address, protocol).await;
    visit
}

impl Visit {
    fn errand(&mut self, work: Work, verb: Verb, len: usize) -> Errand {
        let seed = self.asked.len();
        self.asked.push((work, seed));
        Errand { verb, seed, len }
    }

    async fn one_by_one(&mut self, connection: &mut Connection, ledger: &Ledger) {
        for _ in 0..5 {
            let errand = self.errand(Work::Get, Verb::Get, 10_000);
            self.get = self.get.max(connection.ask(errand, full("")).await);
        }
        let uploads = [
            (Work::Post100K, 100_000),
            (Work::Chunked100K, 100_000),
            (Work::Post6M, 6 << 20),
            (Work::Post20M, 20 << 20),
        ];
        for (work, len) in uploads {
            let errand = self.errand(work, Verb::Post, len);
            let sent = errand.sent();
            let body = if work == Work::Chunked100K { chunked(sent) } else { full(sent) };
            let took = connection.ask(errand, body).await;
            self.upload = self.upload.max(took);
        }
        let errand = self.errand(Work::Events, Verb::Events, EVENTS);
        self.event = self.event.max(connection.listen(errand, ledger).await);
    }

    /// Every connection must get its answers, to the end.
    async fn all_at_once(&mut self, address: SocketAddr, protocol: Protocol) {
        let mut callers = JoinSet::new();
        let end = Instant::now() + LOAD * rounds();
        for number in 0..AT_ONCE {
            callers.spawn(async move {
                let mut connection = Connection::open(address, protocol).await;
                let (mut count, mut worst) = (0, Duration::ZERO);
                while count == 0 || Instant::now() < end {
                    let seed = 1_000_000 + count * AT_ONCE + number;
                    let verb = if count % 4 == 0 { Verb::Post } else { Verb::Get };
                    let errand = Errand { verb, seed, len: 2_000 };
                    worst = worst.max(connection.ask(errand, full(errand.sent())).await);
                    count += 1;
                }
                (count, worst)
            });
        }
        while let Some(caller) = callers.join_next().await {
            let (count, worst) = caller.unwrap();
            self.load += count;
            self.loaded = self.loaded.max(worst);
        }
    }
}
