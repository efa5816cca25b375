//! `spearmint ui`: a store as an MLflow server.

mod beside;
mod guard;
mod snippet;
mod token;
mod url;

pub(crate) use beside::{Beside, Running, UiFlag};
pub(crate) use guard::Guard;
pub(crate) use snippet::snippet;

use self::url::Url;
use crate::{
    Failed,
    listen::{bind, stop_signal},
    output::{note, start_log},
};
use clap::{Args, Subcommand};
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use tower_spearmint::{
    config::parse_size,
    proxy::{TlsSettings, UiSettings},
    server::{MlflowServer, ServerCertificate},
    store::StoreOptions,
};

/// Open a store to MLflow's clients: branches are runs, and new runs can be logged.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  spearmint ui                                   the store of this directory, at 127.0.0.1:5000
  spearmint ui --store ranker.db --listen 127.0.0.1:5001
  spearmint ui token new --name ann --token-file tokens
  spearmint ui --listen 0.0.0.0:5000 --token-file tokens

  import mlflow
  mlflow.set_tracking_uri(\"http://127.0.0.1:5000\")
  print(mlflow.search_runs(search_all_experiments=True, max_results=20))

Whoever reaches it may use it; so an address that other machines reach needs tokens. MLflow's client
sends the one in MLFLOW_TRACKING_TOKEN, or in MLFLOW_TRACKING_PASSWORD with any name in
MLFLOW_TRACKING_USERNAME.

SIGTERM or Ctrl-C: no more requests are accepted, and those under way are waited for up to 10s. A
second signal ends at once."
)]
pub(crate) struct Ui {
    #[command(subcommand)]
    command: Option<UiCommand>,
    /// The store; it is created if it is not there.
    #[arg(long, value_name = "FILE", default_value = "spearmint.db")]
    store: PathBuf,
    /// Answer a call that writes only when it has reached the disk, so that it outlives a loss of
    /// power.
    #[arg(long)]
    durable: bool,
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5000")]
    listen: SocketAddr,
    /// Where the artifacts of its runs are kept; beside the store, in FILE.artifacts, unless named.
    #[arg(long, value_name = "DIRECTORY")]
    artifacts: Option<PathBuf>,
    /// The largest artifact that is taken.
    #[arg(long, value_name = "SIZE", default_value = "16GiB", value_parser = parse_size)]
    max_artifact_size: usize,
    /// A name by which clients may ask for it, beside its address and localhost; may be repeated.
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
    /// A site whose pages may use it, as in http://localhost:3000; may be repeated.
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<String>,
    /// The tokens of those who may use it, a line each; see `spearmint ui token new`. One more may
    /// stand in SPEARMINT_UI_TOKEN.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Speak TLS, with this chain of certificates (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The key of the certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum UiCommand {
    Token(token::Token),
}

impl Ui {
    pub(crate) fn run(self) -> Result<(), Failed> {
        if let Some(UiCommand::Token(command)) = self.command {
            return command.run();
        }
        start_log();
        let guard = Guard::read("--token-file", self.token_file.as_deref())?.at(self.listen)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let served = runtime.block_on(self.serve(guard));
        // A call that reads on at the deadline is not waited for.
        runtime.shutdown_timeout(Duration::from_millis(100));
        served
    }

    async fn serve(self, guard: Guard) -> Result<(), Failed> {
        let stop = stop_signal("requests")?;
        let listener = bind(self.listen).await?;
        let mut settings = UiSettings::default();
        settings.artifacts = self.artifacts;
        settings.max_artifact_size = Some(self.max_artifact_size);
        settings.allow_hosts = self.allow_host;
        settings.allow_origins = self.allow_origin;
        settings.tls = self
            .tls_cert
            .zip(self.tls_key)
            .map(|(certificate, key)| TlsSettings { certificate, key });
        // Whatever may stand in the way comes before the store, so that it leaves no empty file behind.
        let certificate = certificate(&settings)?;
        let store = StoreOptions::new().durable(self.durable).open(&self.store)?;
        let server = configured(MlflowServer::new(store)?, &settings, guard, certificate);
        let url = Url::of(listener.local_addr()?, &settings);
        note(&format!("{} at {url}", self.store.display()));
        Ok(server.serve(listener, stop).await?)
    }
}

/// A server as these settings want it, for those whom the guard knows.
fn configured(
    server: MlflowServer,
    settings: &UiSettings,
    guard: Guard,
    certificate: Option<ServerCertificate>,
) -> MlflowServer {
    let mut server = server.tokens(guard.tokens);
    if let Some(bytes) = settings.max_artifact_size {
        server = server.max_artifact_size(u64::try_from(bytes).unwrap_or(u64::MAX));
    }
    if let Some(directory) = &settings.artifacts {
        server = server.artifacts(directory);
    }
    for name in &settings.allow_hosts {
        server = server.allow_host(name);
    }
    for origin in &settings.allow_origins {
        server = server.allow_origin(origin);
    }
    if let Some(certificate) = certificate {
        server = server.tls(certificate);
    }
    server
}

/// What it shows over TLS, read.
fn certificate(settings: &UiSettings) -> Result<Option<ServerCertificate>, Failed> {
    let Some(TlsSettings { certificate, key }) = &settings.tls else { return Ok(None) };
    let read = ServerCertificate::from_files(certificate, key);
    read.map(Some).map_err(|error| Failed::Input(error.into()))
}
