//! An upstream that says who it is and what it was sent.

use crate::support::respond;
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, net::SocketAddr};
use tokio::net::TcpListener;

/// Answers with its name and the two headers of the config: `even 4 4`.
pub async fn start(name: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            let service = service_fn(move |request: Request<Incoming>| {
                let header = |name: &str| {
                    request.headers().get(name).map_or("none", |value| value.to_str().unwrap())
                };
                let said = format!("{name} {} {}", header("x-first"), header("x-second"));
                async move { Ok::<_, Infallible>(respond(200, said)) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}
