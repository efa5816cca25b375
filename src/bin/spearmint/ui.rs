//! `spearmint ui`: a store as an MLflow server.

use crate::Failed;
use clap::Args;
use std::{net::SocketAddr, path::PathBuf};
use tokio::net::TcpListener;
use tower_spearmint::{config::parse_size, server::MlflowServer, store::StoreOptions};

/// Open a store to MLflow's clients: branches are runs, and new runs can be logged.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  spearmint ui                                   the store of this directory, at 127.0.0.1:5000
  spearmint ui --store ranker.db --listen 127.0.0.1:5001

  import mlflow
  mlflow.set_tracking_uri(\"http://127.0.0.1:5000\")
  print(mlflow.search_runs(experiment_names=[\"ranker\"], max_results=20))")]
pub(crate) struct Ui {
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
}

impl Ui {
    pub(crate) fn run(self) -> Result<(), Failed> {
        let store = StoreOptions::new().durable(self.durable).open(&self.store)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let listener = TcpListener::bind(self.listen).await?;
            anstream::eprintln!("{} at http://{}", self.store.display(), listener.local_addr()?);
            let stop = async {
                let _ = tokio::signal::ctrl_c().await;
            };
            let mut server = MlflowServer::new(store)?
                .max_artifact_size(u64::try_from(self.max_artifact_size).unwrap_or(u64::MAX));
            if let Some(directory) = self.artifacts {
                server = server.artifacts(directory);
            }
            server.serve(listener, stop).await;
            Ok(())
        })
    }
}
