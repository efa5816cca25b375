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
    use http_body_util::Full;
    use std::{net::SocketAddr, time::Duration};
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

    fn client(address: SocketAddr, http2: bool) -> UpstreamClient {
        let address = format!("http://{address}/").parse().unwrap();
        let settings =
            UpstreamSettings { http2, max_waiting: 10_000, ..UpstreamSettings::default() };
        UpstreamClient::new(address, &settings, &tls())
    }

    /// So many requests at once that some are on their way to a connection, on another thread, at
    /// the very moment it ends.
    async fn end_with_the_connection(http2: bool) {
        let address = resetting().await;
        let client = Arc::new(client(address, http2));
        for _ in 0..3 {
            let mut requests = JoinSet::new();
            for _ in 0..2_000 {
                let client = client.clone();
                requests.spawn(timeout(Duration::from_secs(30), async move {
                    let request = Request::post(format!("http://{address}/"));
                    let mut request = request.body(Full::from("some").into()).unwrap();
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

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn requests_that_share_a_connection_that_is_reset_end_with_it() {
        end_with_the_connection(true).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn requests_whose_connection_is_reset_end_with_it() {
        end_with_the_connection(false).await;
    }
}
