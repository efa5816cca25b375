//! Where a server is, as its clients name it.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
};
use tower_spearmint::proxy::UiSettings;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Url {
    scheme: &'static str,
    address: SocketAddr,
}

impl Url {
    /// Of one that listens here. What listens everywhere is named by the address of this machine.
    pub(crate) fn of(mut address: SocketAddr, settings: &UiSettings) -> Self {
        if address.ip().is_unspecified() {
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        Self { scheme, address }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.address)
    }
}
