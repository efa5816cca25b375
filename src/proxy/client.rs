//! How an upstream is reached.

use super::{
    body::{ProxyBody, UpstreamBody},
    connector::Connector,
    h2_pool::H2Pool,
    pool::Pool,
    settings::UpstreamSettings,
};
use crate::branch::Failure;
use http::{Request, Response, Uri};
use rustls::ClientConfig;
use std::sync::Arc;

/// The connections to an upstream: many at once, or over HTTP/2 one for all.
pub(super) enum UpstreamClient {
    Http1(Arc<Pool>),
    Http2(Arc<H2Pool>),
}

impl UpstreamClient {
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub(super) fn new(address: Uri, settings: &UpstreamSettings, tls: &ClientConfig) -> Self {
        let connector = Connector::new(address, settings, tls);
        if settings.http2 {
            Self::Http2(H2Pool::new(connector, settings.idle_timeout))
        } else {
            Self::Http1(Pool::new(connector, settings.max_idle, settings.idle_timeout))
        }
    }

    /// Sends the request, which it takes out.
    pub(super) async fn request(
        &self,
        request: &mut Request<ProxyBody>,
    ) -> Result<Response<UpstreamBody>, Failure> {
        match self {
            Self::Http1(pool) => Ok(pool.request(request).await?.map(Into::into)),
            // Seldom, and large: it has a place of its own.
            Self::Http2(pool) => Ok(Box::pin(pool.request(request)).await?.map(Into::into)),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::branch::FailureKind;
    use bytes::Bytes;
    use futures_util::FutureExt;
    use http_body_util::Full;
    use hyper::{server::conn::http2, service::service_fn};
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use std::{convert::Infallible, net::SocketAddr, time::Duration};
    use tokio::{io::AsyncReadExt, net::TcpListener, task::JoinSet, time::timeout};

    /// Trusts nobody.
    pub(in crate::proxy) fn tls() -> ClientConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth()
    }

    /// Resets every connection when something has come on it.
    async fn resetting() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let _ = stream.read(&mut [0; 16]).await;
                    stream.set_zero_linger().unwrap();
                });
            }
        });
        address
    }

    /// Answers every request over HTTP/2.
    async fn answering() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = service_fn(async |_| {
                    Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
                });
                let connection = http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), answer);
                tokio::spawn(connection);
            }
        });
        address
    }

    fn over_http2(address: SocketAddr) -> (Uri, UpstreamClient) {
        let address = Uri::try_from(format!("http://{address}/")).unwrap();
        let settings =
            UpstreamSettings { http2: true, max_waiting: 10_000, ..UpstreamSettings::default() };
        let client = UpstreamClient::new(address.clone(), &settings, &tls());
        (address, client)
    }

    /// So many at once that some are on their way to a connection, on another thread, at the very
    /// moment it ends.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn requests_that_share_a_connection_that_is_reset_end_with_it() {
        let (address, client) = over_http2(resetting().await);
        let client = Arc::new(client);
        for _ in 0..3 {
            let mut requests = JoinSet::new();
            for _ in 0..2_000 {
                let (client, request) = (client.clone(), Request::post(&address));
                let mut request = request.body(Full::from("some").into()).unwrap();
                requests.spawn(timeout(Duration::from_secs(30), async move {
                    client.request(&mut request).await.map(|_| ())
                }));
            }
            while let Some(ended) = requests.join_next().await {
                let failure = ended.unwrap().expect("each request ends").unwrap_err();
                let kinds = [FailureKind::Reset, FailureKind::Connect];
                assert!(kinds.contains(&failure.kind), "{failure:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_caller_that_leaves_while_the_shared_connection_is_opened_takes_nobody_with_it() {
        let (address, client) = over_http2(answering().await);
        let request = || Request::get(&address).body(Full::default().into()).unwrap();
        let (mut first, mut second) = (request(), request());
        let mut leaves = Box::pin(client.request(&mut first));
        let mut stays = Box::pin(client.request(&mut second));
        assert!((&mut leaves).now_or_never().is_none());
        assert!((&mut stays).now_or_never().is_none());
        drop(leaves);
        let response = timeout(Duration::from_secs(30), stays).await.expect("an answer in time");
        assert_eq!(response.unwrap().status(), 200);
    }
}
