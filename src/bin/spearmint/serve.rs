//! `spearmint serve`.

use crate::{
    Failed,
    config::sources,
    listen::{bind, stop_signal},
    output::{note, start_log},
    ui::{Beside, UiFlag},
};
use clap::Args;
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tower_spearmint::{
    Recorder,
    metrics::MetricsBackend,
    mlflow::MlflowBackend,
    mlflow_sync::{MlflowSync, SyncWatch},
    otlp::OtlpBackend,
    proxy::{ExperimentFile, Proxy, ProxyHandle, ServeReport},
    record::{LoggerBackend, Recording, RecordingThread},
    report::Looker,
    store::{Retention, SqliteStore, StoreOptions},
    strategy::StrategyRegistry,
};

/// Run an experiment in front of HTTP services, as a reverse proxy
#[derive(Debug, Args)]
#[command(after_help = "\
Example, experiment.yaml:
  experiment: ranker
  strategy: shadow            # single | round_robin | shadow | multi_branch
  primary: stable
  shadow: { methods: [GET, POST], sample: 1.0, timeout: 2s }
  configs:
    - { config_id: stable, upstream: 'http://127.0.0.1:9001' }
    - { config_id: candidate, upstream: 'http://127.0.0.1:9002' }

  spearmint serve experiment.yaml --listen 127.0.0.1:8080 shadow.sample=0.1

SPEARMINT__SHADOW__SAMPLE=0.1 in the environment does the same; what is given here wins.

SIGTERM or Ctrl-C: no more requests are accepted; those under way, the shadows and the records
are waited for up to drain_timeout (10s). A second signal ends at once.
The file is followed: what changes in it is in use from the next request on; if something in it is
wrong, the log says what, and the one in use stays in use. SIGHUP: it is read again now.")]
pub(crate) struct Serve {
    /// The experiment file (.yaml, .json, .toml), or a directory with a file base.yaml
    file: PathBuf,
    /// Settings that replace those of the file, as in shadow.sample=0.1
    #[arg(value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Lays env/NAME.yaml, beside the file, over it
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Where to listen [default: the file's `listen`, or 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Where to serve /healthz, /readyz, /stats, /metrics and the switches [default: the file's `admin`, or nowhere]
    #[arg(long, value_name = "ADDR")]
    admin: Option<SocketAddr>,
    /// The store for the branches [default: the file's `store`, or spearmint.db]
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Where to serve the store to MLflow's clients, or off [default: the file's `ui`, or
    /// 127.0.0.1:5000, or a free port if that one is taken]
    #[arg(long, value_name = "ADDR|off")]
    ui: Option<UiFlag>,
    /// An MLflow server that gets the branches, too [default: the file's `mlflow`, or
    /// MLFLOW_TRACKING_URI, or none]
    #[arg(long, value_name = "URL")]
    mlflow: Option<String>,
    /// How many threads serve [default: the file's `threads`, or one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Do not follow the file [default: the file's `watch`, or follow it]
    #[arg(long)]
    no_watch: bool,
}

impl Serve {
    pub(crate) fn run(self) -> Result<(), Failed> {
        start_log();
        let sources = sources(&self.file, self.env.as_deref(), &self.overrides);
        let file = ExperimentFile::load(&sources)
            .and_then(|file| file.check_start(&StrategyRegistry::new()).map(|()| file))
            .map_err(|error| Failed::Input(error.into()))?;
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = self.threads.map(usize::from).or(file.threads()).unwrap_or_else(cores);
        // One thread needs no queues between threads.
        let mut builder = match threads {
            1 => tokio::runtime::Builder::new_current_thread(),
            _ => tokio::runtime::Builder::new_multi_thread(),
        };
        let runtime = builder.worker_threads(threads).enable_all().build()?;
        let report = runtime.block_on(self.serve(&file));
        // What was cut off at the deadline is not waited for again.
        runtime.shutdown_timeout(Duration::from_millis(100));
        let report = report?;
        if report.recorder.dropped + report.recorder.lost > 0 {
            tracing::warn!(
                dropped = report.recorder.dropped,
                lost = report.recorder.lost,
                "some branches were not recorded"
            );
        }
        Ok(())
    }

    /// The MLflow server that is named here, in the file, or in the environment.
    fn mlflow_backend(&self, file: &ExperimentFile) -> Result<Option<MlflowBackend>, Failed> {
        const VARIABLE: &str = "MLFLOW_TRACKING_URI";
        let variable = || std::env::var(VARIABLE).ok().filter(|uri| !uri.is_empty());
        let (uri, named_by) = match (&self.mlflow, file.mlflow()) {
            (Some(uri), _) => (uri.clone(), "--mlflow"),
            (None, Some(uri)) => (uri.to_owned(), "mlflow"),
            // The server of the environment is not a second one.
            (None, None) if file.sync().is_some() => return Ok(None),
            (None, None) => match variable() {
                Some(uri) => (uri, VARIABLE),
                None => return Ok(None),
            },
        };
        let backend = MlflowBackend::new(&uri)
            .map_err(|error| Failed::Input(format!("{named_by}: {error}").into()))?;
        Ok(Some(backend.with_env()))
    }

    /// What the file says of sending what is in the store.
    fn sync(file: &ExperimentFile, store: &SqliteStore) -> Result<Option<MlflowSync>, Failed> {
        let Some(sync) = file.sync() else { return Ok(None) };
        let backend = MlflowBackend::new(sync.to)
            .map_err(|error| Failed::Input(format!("sync.to: {error}").into()))?;
        let modes = sync.modes.iter().map(|mode| mode.parse()).collect::<Result<Vec<_>, _>>();
        let modes = modes.map_err(|error| Failed::Input(format!("sync.mode: {error}").into()))?;
        let mut to = MlflowSync::new(store.clone(), backend.with_env())
            .experiment(file.experiment())
            .modes(&modes)
            .sample(sync.sample);
        if let Some(rate) = sync.rate {
            to = to.rate(rate);
        }
        Ok(Some(to))
    }

    async fn serve(&self, file: &ExperimentFile) -> Result<ServeReport, Failed> {
        // From here on a signal is heard, even while the rest is being set up.
        let stop = stop_signal("requests, shadows and records")?;
        let hang_up = signal(SignalKind::hangup())?;
        // Whatever may stand in the way comes before the store, so that it leaves no empty file behind.
        let mlflow = self.mlflow_backend(file)?;
        let otlp = file.otlp_backend().map_err(|error| Failed::Input(error.into()))?;
        let spans = otlp.as_ref().map(OtlpBackend::stats);
        let listen = self
            .listen
            .or(file.listen())
            .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
        let listener = bind(listen).await?;
        let admin = match self.admin.or(file.admin()) {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let ui = Beside::bind(self.ui, file.ui())?;
        let store_path =
            self.store.clone().or_else(|| file.store()).unwrap_or_else(|| "spearmint.db".into());
        let metrics = MetricsBackend::new();
        let mut retention = Retention::new();
        (retention.age, retention.size) = file.retention();
        let mut options =
            StoreOptions::new().durable(file.durable()).keep_of(file.experiment(), retention);
        if let Some(age) = file.keep_outcomes() {
            options = options.keep_outcomes(age);
        }
        let store = options.open(&store_path)?;
        let mut ui = ui.map(|ui| ui.start(store.clone(), file.drain_timeout())).transpose()?;
        let sync = Self::sync(file, &store)?;
        let outcomes = store.clone();
        let mut recordings = Vec::new();
        let mlflow = behind_a_queue(mlflow, &mut recordings);
        let otlp = behind_a_queue(otlp, &mut recordings);
        let backend = ((store.clone(), metrics.clone()), (mlflow.clone(), otlp.clone()));
        let (recorder, recording) = Recorder::pair(backend);
        // The one in front first: at the end it hands on what it has.
        recordings.insert(0, recording);
        let recordings: Vec<_> =
            recordings.into_iter().map(Recording::spawn_thread).collect::<std::io::Result<_>>()?;

        let proxy = Proxy::new(file, recorder).map_err(Failed::Input)?;
        proxy.handle().keep_outcomes(outcomes)?;
        proxy.handle().expose(move |page| metrics.collect(page));
        if let Some(metrics) = ui.as_ref().map(|ui| ui.metrics.clone()) {
            proxy.handle().expose(move |page| metrics.collect(page));
        }
        if let Some(mlflow) = mlflow.clone() {
            proxy.handle().expose(move |page| page.recorder("mlflow", &mlflow.stats()));
        }
        if let (Some(otlp), Some(spans)) = (otlp.clone(), spans) {
            proxy.handle().expose(move |page| {
                page.recorder("otlp", &otlp.stats());
                spans.collect(page);
            });
        }
        let looks = Looker::new(store, proxy.handle().plans()).spawn_thread()?;
        let sync = match sync {
            Some(sync) => {
                let watch = SyncWatch::default();
                let exposed = watch.clone();
                proxy.handle().expose(move |page| exposed.collect(page));
                Some(sync.spawn_thread(watch)?)
            }
            None => None,
        };
        tokio::spawn(reload_at(hang_up, proxy.handle()));
        if file.watch() && !self.no_watch {
            tokio::spawn(proxy.handle().follow());
        }
        let admin = match admin {
            Some(listener) => {
                let address = listener.local_addr()?;
                Some((proxy.serve_admin(listener), address))
            }
            None => None,
        };

        note(&format!(
            "{}: {} of {} configs on {}://{}",
            file.experiment(),
            file.strategy(),
            file.pool().len(),
            if file.has_tls() { "https" } else { "http" },
            listener.local_addr()?
        ));
        for (id, upstream) in file.upstreams() {
            note(&format!("  {} -> {upstream}", id.short()));
        }
        if let Some((_, address)) = &admin {
            note(&format!("  health, readiness and counters on http://{address}"));
        }
        note(&format!(
            "  branches in {} (see `spearmint branches` and `spearmint report`)",
            store_path.display()
        ));
        if let Some(ui) = &ui {
            ui.note(file.experiment());
        }

        let stop = async {
            stop.await;
            if let Some(ui) = &mut ui {
                ui.thread.begin_stop();
            }
        };
        let report = proxy.serve(listener, stop).await;
        if report.connections_cut_off + report.shadows_cut_off > 0 {
            tracing::warn!(
                connections = report.connections_cut_off,
                shadows = report.shadows_cut_off,
                "cut off at the drain timeout"
            );
        }
        let drains =
            [("MLflow", mlflow), ("the collector", otlp)].map(|(name, recorder)| async move {
                if let Some(recorder) = recorder {
                    drain(name, &recorder, file.drain_timeout()).await;
                }
            });
        let [mlflow, otlp] = drains;
        tokio::join!(mlflow, otlp);
        recordings.into_iter().for_each(RecordingThread::stop);
        if let Some(ui) = ui {
            ui.thread.stop();
        }
        // What it did not send waits in the store.
        drop(sync);
        drop(looks);
        let stats = report.recorder;
        note(&format!(
            "{} branches recorded, {} dropped, {} lost",
            stats.written, stats.dropped, stats.lost
        ));
        Ok(report)
    }
}

/// A recorder in front of a backend that may be slow, so that it never holds up the store.
fn behind_a_queue<B: LoggerBackend>(
    backend: Option<B>,
    recordings: &mut Vec<Recording>,
) -> Option<Recorder> {
    let (recorder, recording) = Recorder::pair(backend?);
    recordings.push(recording);
    Some(recorder)
}

/// Waits until it has got everything, and says what it got.
async fn drain(name: &str, recorder: &Recorder, deadline: Duration) {
    if let Err(error) = recorder.drain(deadline).await {
        tracing::warn!(%error, "{name} did not get everything");
    }
    let stats = recorder.stats();
    tracing::info!(written = stats.written, lost = stats.lost, dropped = stats.dropped, "{name}");
}

/// Each SIGHUP reads the file again.
async fn reload_at(mut hang_up: Signal, proxy: ProxyHandle) {
    while hang_up.recv().await.is_some() {
        // What came of it is in the log.
        let _ = proxy.reread_and_log().await;
    }
}
