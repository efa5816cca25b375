//! What one reading of the experiment file comes to.

use super::{
    file::ExperimentFile,
    limits::Limits,
    server::Server,
    stack::{ProxyRequest, ProxyResponse, Stack},
    tasks::Tasks,
    tls,
};
use crate::{BoxError, assign::Epoch, record::Recorder, strategy::StrategyRegistry};
use tokio_rustls::TlsAcceptor;

/// A file, and all that is made from it.
pub(super) struct Load {
    pub(super) file: ExperimentFile,
    pub(super) stack: Stack,
    pub(super) server: Server,
    pub(super) tls: Option<TlsAcceptor>,
    /// Where one upstream answers, a connection may be upgraded.
    pub(super) may_upgrade: bool,
    /// The same for CONNECT, which needs an upstream over HTTP/1.1 and the operator's yes: one that says
    /// 200 to whatever it does not know would give its caller a connection past the experiment.
    pub(super) may_connect: bool,
}

impl Load {
    pub(super) fn new(
        file: &ExperimentFile,
        recorder: Recorder,
        registry: &StrategyRegistry<ProxyRequest, ProxyResponse>,
        tasks: &Tasks,
        previous: Option<Epoch>,
    ) -> Result<Self, BoxError> {
        let may_upgrade = matches!(file.strategy(), "single" | "round_robin" | "shadow");
        let upstreams = &file.settings.upstreams;
        Ok(Self {
            stack: Stack::new(file, recorder, registry, previous)?,
            server: Server::new(file.limits(), tasks),
            tls: tls::acceptor(file)?,
            may_upgrade,
            may_connect: may_upgrade && upstreams.connect && !upstreams.http2,
            file: file.clone(),
        })
    }

    pub(super) const fn limits(&self) -> &Limits {
        self.file.limits()
    }
}
