//! An upstream whose address may change while it is used.
//!
//! A pool keeps its connections as long as they are busy, so a name that comes to mean another
//! machine would be noticed late or never. The name is therefore looked up again every
//! `dns_refresh`; when its addresses have changed, requests go to a new pool, and the old one
//! ends with its last response.

use super::{client::UpstreamClient, settings::UpstreamSettings, target::Target};
use arc_swap::ArcSwap;
use http::Uri;
use rustls::ClientConfig;
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Weak},
    time::Duration,
};

/// The current pool of an upstream.
pub(super) struct Upstream {
    current: ArcSwap<UpstreamClient>,
}

impl Upstream {
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub(super) fn new(address: Uri, settings: &UpstreamSettings, tls: &ClientConfig) -> Self {
        Self { current: ArcSwap::from_pointee(UpstreamClient::new(address, settings, tls)) }
    }

    pub(super) fn client(&self) -> Arc<UpstreamClient> {
        self.current.load_full()
    }

    /// Follows the name of `target` until the upstream is gone; returns at once if it is an
    /// address already.
    pub(super) async fn follow(
        upstream: Weak<Self>,
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
        let renew = || {
            tracing::info!(%host, "the addresses of an upstream have changed; using a new pool");
            UpstreamClient::new(target.address(), &settings, &tls)
        };
        Self::follow_by(upstream, every, || addresses(host.clone(), port), renew).await;
    }

    async fn follow_by<L: Future<Output = Option<BTreeSet<SocketAddr>>>>(
        upstream: Weak<Self>,
        every: Duration,
        look_up: impl Fn() -> L,
        renew: impl Fn() -> UpstreamClient,
    ) {
        let mut known = look_up().await;
        while upstream.strong_count() > 0 {
            tokio::time::sleep(every).await;
            let Some(now) = look_up().await else { continue };
            if known.as_ref().is_some_and(|known| *known != now)
                && let Some(upstream) = upstream.upgrade()
            {
                upstream.current.store(Arc::new(renew()));
            }
            known = Some(now);
        }
    }
}

/// `None` when the name cannot be looked up now: that is no reason to leave what works.
async fn addresses(host: String, port: u16) -> Option<BTreeSet<SocketAddr>> {
    Some(tokio::net::lookup_host((host.as_str(), port)).await.ok()?.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::client::tests::tls;
    use std::cell::Cell;

    /// What the pool did at each look-up: `true` where it was replaced.
    async fn replaced(answers: &[Option<&str>]) -> Vec<bool> {
        let (settings, tls) = (UpstreamSettings::default(), tls());
        let address = Uri::from_static("http://upstream.test");
        let upstream = Arc::new(Upstream::new(address.clone(), &settings, &tls));
        let (asked, renewed) = (Cell::new(0), Cell::new(0));
        let look_up = || {
            let answer = answers.get(asked.get()).copied().flatten();
            asked.set(asked.get() + 1);
            std::future::ready(answer.map(|answer| BTreeSet::from([answer.parse().unwrap()])))
        };
        let renew = || {
            renewed.set(renewed.get() + 1);
            UpstreamClient::new(address.clone(), &settings, &tls)
        };
        let every = Duration::from_secs(30);
        let following = Upstream::follow_by(Arc::downgrade(&upstream), every, look_up, renew);
        let watching = async {
            let mut replaced = Vec::new();
            let mut before = upstream.client();
            tokio::time::sleep(every / 2).await;
            for _ in 1..answers.len() {
                tokio::time::sleep(every).await;
                let now = upstream.client();
                replaced.push(!Arc::ptr_eq(&before, &now));
                before = now;
            }
            assert_eq!(replaced.iter().filter(|replaced| **replaced).count(), renewed.get());
            // The following ends with the upstream.
            drop(upstream);
            replaced
        };
        tokio::join!(following, watching).1
    }

    #[tokio::test(start_paused = true)]
    async fn a_pool_is_replaced_when_the_addresses_change_and_only_then() {
        let (a, b) = (Some("192.0.2.1:80"), Some("192.0.2.2:80"));
        assert_eq!(replaced(&[a, a, b, b, a]).await, [false, true, false, true]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_cannot_be_looked_up_leaves_the_pool_as_it_is() {
        let (a, b) = (Some("192.0.2.1:80"), Some("192.0.2.2:80"));
        assert_eq!(
            replaced(&[None, a, None, a, None, b]).await,
            [false, false, false, false, true]
        );
    }
}
