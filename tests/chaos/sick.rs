//! Shadows that misbehave.

use crate::{
    errand::Errand,
    ledger::Ledger,
    support::{Body, full, respond},
    visit::Protocol,
    well,
    wire::Wire,
};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use std::{convert::Infallible, future::pending, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{mpsc, oneshot},
};
use tower_spearmint::BoxError;

/// How an upstream misbehaves. What it answers, it answers after it has read the whole request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sick {
    /// Not at all.
    Well,
    /// Answers after two seconds.
    Slow,
    /// Reads the request, and then nothing more happens.
    Hangs,
    NeverReads,
    /// Reads after three seconds; is well then.
    ReadsLate,
    ResetsAtOnce,
    ResetsAfterTheHead,
    /// Nobody listens.
    Refuses,
    /// Its system lets no more connections in, and does not say so.
    NeverConnects,
    Answers500,
    /// At once, as one that greets its callers in another protocol.
    GreetsWithGarbage,
    /// When it has read some of the request.
    AnswersGarbage,
    Answers100Megabytes,
    SendsOneByteASecond,
    ClosesMidBody,
    /// Closes its own direction without an answer, and goes on reading.
    HalfCloses,
}

const LATE: Duration = Duration::from_secs(3);
const MEGABYTE: usize = 1 << 20;

/// A shadow on a thread of its own: what it does takes nothing from the others.
pub struct Shadow {
    pub address: SocketAddr,
    pub ledger: Ledger,
    _stop: oneshot::Sender<()>,
}

impl Sick {
    pub async fn start(self, protocol: Protocol) -> Shadow {
        let ledger = Ledger::default();
        let entries = ledger.clone();
        let (tell, address) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                tokio::select! {
                    () = self.listen(protocol, entries, tell) => {}
                    _ = stopped => {}
                }
            });
        });
        Shadow { address: address.await.unwrap(), ledger, _stop: stop }
    }

    async fn listen(self, protocol: Protocol, ledger: Ledger, tell: oneshot::Sender<SocketAddr>) {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        if matches!(self, Self::Refuses | Self::NeverConnects) {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(any).unwrap();
            let address = socket.local_addr().unwrap();
            if self == Self::Refuses {
                // The port is taken, so that nobody else gets it, but not listened at.
                tell.send(address).unwrap();
                return pending().await;
            }
            let _listener = socket.listen(1).unwrap();
            // These fill what it lets in without asking.
            let mut waiting = Vec::new();
            while let Ok(Ok(stream)) =
                tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await
            {
                waiting.push(stream);
            }
            tell.send(address).unwrap();
            return pending().await;
        }
        let listener = TcpListener::bind(any).await.unwrap();
        tell.send(listener.local_addr().unwrap()).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            if protocol == Protocol::Http2 && !self.is_rude() {
                tokio::spawn(self.serve_http2(stream, ledger.clone()));
            } else {
                tokio::spawn(self.serve_http1(stream, ledger.clone()));
            }
        }
    }

    /// It does what it does whatever is spoken.
    const fn is_rude(self) -> bool {
        matches!(
            self,
            Self::ResetsAtOnce
                | Self::ResetsAfterTheHead
                | Self::GreetsWithGarbage
                | Self::AnswersGarbage
                | Self::HalfCloses
        )
    }

    async fn serve_http1(self, mut stream: TcpStream, ledger: Ledger) {
        match self {
            Self::ResetsAtOnce => {
                stream.set_zero_linger().unwrap();
                return;
            }
            Self::NeverReads => {
                let _held = stream;
                return pending().await;
            }
            Self::ReadsLate => tokio::time::sleep(LATE).await,
            _ => {}
        }
        if matches!(self, Self::ResetsAfterTheHead | Self::AnswersGarbage | Self::HalfCloses) {
            // Some of the head, at least.
            let _ = stream.read(&mut [0; 16]).await;
        }
        match self {
            Self::ResetsAfterTheHead => {
                stream.set_zero_linger().unwrap();
                return;
            }
            Self::GreetsWithGarbage | Self::AnswersGarbage => {
                let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n\r\n").await;
                return Wire::new(stream).drain().await;
            }
            Self::HalfCloses => {
                let _ = stream.shutdown().await;
                return Wire::new(stream).drain().await;
            }
            _ => {}
        }
        let mut wire = Wire::new(stream);
        while let Some(head) = wire.head().await {
            if !wire.body(&head, &ledger).await.whole || self.answer(&mut wire).await.is_err() {
                return;
            }
        }
    }

    /// An error: the connection is at its end.
    async fn answer(self, wire: &mut Wire) -> std::io::Result<()> {
        let stream = wire.0.get_mut();
        match self {
            Self::Slow => {
                tokio::time::sleep(Duration::from_secs(2)).await;
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nlate").await
            }
            Self::Hangs => {
                wire.drain().await;
                Err(std::io::ErrorKind::UnexpectedEof.into())
            }
            Self::Answers500 => {
                stream.write_all(b"HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nno").await
            }
            Self::Answers100Megabytes => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
                let chunk = [b"100000\r\n", vec![7; MEGABYTE].as_slice(), b"\r\n"].concat();
                for _ in 0..100 {
                    stream.write_all(&chunk).await?;
                }
                stream.write_all(b"0\r\n\r\n").await
            }
            Self::SendsOneByteASecond => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 600\r\n\r\n").await?;
                for _ in 0..600 {
                    stream.write_all(b"x").await?;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                Ok(())
            }
            Self::ClosesMidBody => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 600\r\n\r\nhalf").await?;
                stream.shutdown().await?;
                Err(std::io::ErrorKind::UnexpectedEof.into())
            }
            _ => stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwell").await,
        }
    }

    async fn serve_http2(self, stream: TcpStream, ledger: Ledger) {
        let service = hyper::service::service_fn(|request: Request<Incoming>| {
            let ledger = ledger.clone();
            async move { Ok::<_, Infallible>(self.respond(request, &ledger).await) }
        });
        let _ = auto::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }

    /// As [`answer`](Self::answer), for one of many on a connection.
    async fn respond(self, request: Request<Incoming>, ledger: &Ledger) -> Response<Body> {
        match self {
            Self::NeverReads => return pending().await,
            Self::ReadsLate => tokio::time::sleep(LATE).await,
            _ => {}
        }
        let errand = Errand::at(request.uri().path()).unwrap();
        ledger.begin(errand).all(request.into_body()).await;
        let (sender, receiver) = mpsc::channel(1);
        let mut response = respond(200, "");
        *response.body_mut() = well::fed(receiver);
        match self {
            Self::Slow => {
                tokio::time::sleep(Duration::from_secs(2)).await;
                return respond(200, "late");
            }
            Self::Hangs => return pending().await,
            Self::Answers500 => return respond(500, "no"),
            Self::Answers100Megabytes => {
                tokio::spawn(async move {
                    let megabyte = Bytes::from(vec![7; MEGABYTE]);
                    for _ in 0..100 {
                        if sender.send(megabyte.clone()).await.is_err() {
                            return;
                        }
                    }
                });
            }
            Self::SendsOneByteASecond => {
                tokio::spawn(async move {
                    while sender.send(Bytes::from_static(b"x")).await.is_ok() {
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                });
            }
            Self::ClosesMidBody => {
                let frames = [Ok(Frame::data(Bytes::from("half"))), Err(BoxError::from("closed"))];
                let frames = futures_util::stream::iter(frames);
                *response.body_mut() = BodyExt::boxed(StreamBody::new(frames));
            }
            _ => *response.body_mut() = full("well"),
        }
        response
    }

    /// Long enough for those that come to an end, and so long that a primary that waits for it shows.
    pub const fn timeout(self) -> &'static str {
        match self {
            Self::Hangs | Self::NeverReads | Self::NeverConnects | Self::SendsOneByteASecond => {
                "2s"
            }
            // All that is sent at once shares one connection over HTTP/2.
            Self::Answers100Megabytes => "20s",
            _ => "9s",
        }
    }
}
