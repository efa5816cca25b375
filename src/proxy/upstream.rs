//! An upstream whose address may change while it is used.
//!
//! A pool keeps its connections as long as they are busy, so a name that comes to mean another
//! machine would be noticed late or never. The name is therefore looked up again every
//! `dns_refresh`; when its addresses have changed, requests go to a new pool, and the old one
//! ends with its last response.

use super::{
    client::{UpstreamClient, client},
    settings::UpstreamSettings,
    target::Target,
};
use arc_swap::ArcSwap;
use rustls::ClientConfig;
use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};

/// The current pool of an upstream.
pub(super) struct Upstream {
    current: ArcSwap<UpstreamClient>,
}

impl Upstream {
    pub(super) fn new(settings: &UpstreamSettings, tls: &ClientConfig) -> Self {
        Self { current: ArcSwap::from_pointee(client(settings, tls)) }
    }

    pub(super) fn client(&self) -> Arc<UpstreamClient> {
        self.current.load_full()
    }

    /// Follows the name of `target`; returns at once if it is an address already.
    pub(super) async fn follow(
        self: Arc<Self>,
        target: Arc<Target>,
        settings: UpstreamSettings,
        tls: ClientConfig,
    ) {
        let Some(every) = settings.dns_refresh.filter(|every| *every > Duration::ZERO) else {
            return;
        };
        let host = target.authority.host().trim_matches(['[', ']']).to_owned();
        if host.parse::<std::net::IpAddr>().is_ok() {
            return;
        }
        let default_port = if target.scheme == http::uri::Scheme::HTTPS { 443 } else { 80 };
        let port = target.authority.port_u16().unwrap_or(default_port);
        let mut known = addresses(&host, port).await;
        loop {
            tokio::time::sleep(every).await;
            let Some(now) = addresses(&host, port).await else { continue };
            if known.as_ref().is_some_and(|known| *known != now) {
                tracing::info!(%host, "the addresses of an upstream have changed; using a new pool");
                self.current.store(Arc::new(client(&settings, &tls)));
            }
            known = Some(now);
        }
    }
}

/// `None` when the name cannot be looked up now: that is no reason to leave what works.
async fn addresses(host: &str, port: u16) -> Option<BTreeSet<SocketAddr>> {
    Some(tokio::net::lookup_host((host, port)).await.ok()?.collect())
}
