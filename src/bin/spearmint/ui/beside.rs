//! A store as an MLflow server, beside what else a command does.

use super::{Guard, certificate, configured, snippet, url::Url};
use crate::{
    Failed,
    output::{note, warning},
};
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    str::FromStr,
    time::Duration,
};
use tower_spearmint::{
    proxy::UiSettings,
    server::{MlflowServer, ServerCertificate, ServerMetrics, ServerThread},
    store::SqliteStore,
};

/// Where MLflow's own server listens, too.
const DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 5000);

/// What `--ui` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UiFlag {
    Off,
    At(SocketAddr),
}

impl FromStr for UiFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            text => text.parse().map(Self::At).map_err(|_| {
                "write an IP address and a port, as in 127.0.0.1:5000, or off".to_owned()
            }),
        }
    }
}

/// A place where a server may listen, before there is a store to serve.
pub(crate) struct Beside {
    listener: TcpListener,
    settings: UiSettings,
    guard: Guard,
    certificate: Option<ServerCertificate>,
}

/// The server at work.
pub(crate) struct Running {
    pub(crate) thread: ServerThread,
    pub(crate) metrics: ServerMetrics,
    url: Url,
}

impl Beside {
    /// By the settings, over which `--ui` goes; none if it is switched off.
    ///
    /// # Errors
    ///
    /// When the settings are wrong, or somebody else has the address that was asked for.
    pub(crate) fn bind(
        flag: Option<UiFlag>,
        settings: Option<UiSettings>,
    ) -> Result<Option<Self>, Failed> {
        let (settings, asked) = match (flag, settings) {
            (Some(UiFlag::Off), _) | (None, None) => return Ok(None),
            (Some(UiFlag::At(address)), settings) => (settings.unwrap_or_default(), Some(address)),
            (None, Some(settings)) => {
                let address = settings.listen;
                (settings, address)
            }
        };
        let guard = Guard::read("ui.token_file", settings.token_file.as_deref())?
            .at(asked.unwrap_or(DEFAULT))?;
        let certificate = certificate(&settings)?;
        let listener = match asked {
            Some(address) => Some(TcpListener::bind(address).map_err(|error| {
                let why = format!(
                    "cannot listen on {address} for MLflow's clients: {error}; choose another \
                     address (--ui), or none (--ui off)"
                );
                Failed::Run(why.into())
            })?),
            None => default_or_free(),
        };
        Ok(listener.map(|listener| Self { listener, settings, guard, certificate }))
    }

    /// Serves this store, on a thread of its own.
    pub(crate) fn start(
        self,
        store: SqliteStore,
        drain_timeout: Duration,
    ) -> Result<Running, Failed> {
        let url = Url::of(self.listener.local_addr()?, &self.settings);
        let server =
            configured(MlflowServer::new(store)?, &self.settings, self.guard, self.certificate);
        let metrics = server.metrics();
        let thread = server.drain_timeout(drain_timeout).spawn_thread(self.listener)?;
        Ok(Running { thread, metrics, url })
    }
}

impl Running {
    /// Says where it is, and how an experiment's branches are looked at from Python.
    pub(crate) fn note(&self, experiment: &str) {
        let url = &self.url;
        note(&format!("  its verdict and its branches are pages in a browser, at {url}"));
        note(&format!("  its branches are runs for MLflow's clients, at {url}; in Python:"));
        note(&snippet(&url.to_string(), experiment));
    }
}

/// The usual port, or else another one: what else the command does must not fail for it.
fn default_or_free() -> Option<TcpListener> {
    let taken = match TcpListener::bind(DEFAULT) {
        Ok(listener) => return Some(listener),
        Err(error) => error,
    };
    match TcpListener::bind(SocketAddr::new(DEFAULT.ip(), 0)) {
        Ok(listener) => {
            warning(&format!(
                "{DEFAULT} cannot be had ({taken}): MLflow's clients are served on a free port \
                 instead; --ui names another, or none"
            ));
            Some(listener)
        }
        Err(error) => {
            warning(&format!("MLflow's clients are not served: {error}"));
            None
        }
    }
}
