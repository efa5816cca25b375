//! `spearmint sync`.

use crate::{Failed, output, since::parse_since, store_path};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::{
    io::Write,
    path::PathBuf,
    time::{Duration, UNIX_EPOCH},
};
use tower_spearmint::{
    config::parse_duration,
    mlflow::MlflowBackend,
    mlflow_sync::{MlflowSync, SyncError, SyncMode, SyncProgress},
    store::{SqliteStore, StoreError, SyncStat},
};

/// Send what a store holds to a team's MLflow, each branch once
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  spearmint sync --to http://mlflow.example:5000 --dry-run
  spearmint sync --to http://mlflow.example:5000 --experiment ranker --sample 0.1 --since 1d
  spearmint sync --to http://mlflow.example:5000 --mode summary,traces
  MLFLOW_TRACKING_TOKEN=… spearmint sync --to https://mlflow.example

What was sent is remembered in the store: the next time it goes on from there, also after it was
stopped or killed. Credentials come from the address, or from MLFLOW_TRACKING_USERNAME and
MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN. The store may be written meanwhile.

Exit codes: 0 all of it is there; 1 some is not, and the error says why; 2 wrong arguments.")]
pub(crate) struct Sync {
    /// The MLflow server [default: MLFLOW_TRACKING_URI]
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Only of this experiment
    #[arg(long, value_name = "NAME")]
    experiment: Option<String>,
    /// What is sent: runs (each branch), traces (each request), summary (what they come to by the minute)
    #[arg(long, value_name = "MODE", value_delimiter = ',', default_value = "runs")]
    mode: Vec<SyncMode>,
    /// The share of requests that are sent as runs or traces, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, value_parser = share)]
    sample: f64,
    /// Only those that started since: so long ago (15m, 1h, 2d), or a time (2026-01-31T12:00:00Z)
    #[arg(long, value_name = "TIME", value_parser = parse_since)]
    since: Option<u64>,
    /// At most so many runs and traces a second
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,
    /// How long MLflow may fail to answer
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_duration)]
    give_up_after: Duration,
    /// Only say what waits
    #[arg(long)]
    dry_run: bool,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
    /// The store
    #[arg(long, value_name = "FILE", default_value = "spearmint.db")]
    store: PathBuf,
}

impl Sync {
    pub(crate) fn run(self) -> Result<(), Failed> {
        output::start_log();
        let backend = match &self.to {
            Some(uri) => MlflowBackend::new(uri).map(MlflowBackend::with_env),
            None => MlflowBackend::from_env(),
        };
        let backend = backend.map_err(|error| Failed::Input(error.into()))?;
        // Reading first: a command that is not for this file changes nothing in it.
        let store = store_path::open(&self.store)?;
        if self.dry_run {
            return self.print_waiting(&self.sync(store, backend).waiting().map_err(failed)?);
        }
        let store = SqliteStore::open(&self.store).map_err(|error| Failed::Input(error.into()))?;
        let sync = self.sync(store, backend);
        let waiting = sync.waiting().map_err(failed)?;
        let bar = bar(waiting.iter().map(|stat| stat.waiting).sum());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut last = SyncProgress::default();
        let sent = runtime.block_on(sync.run(&mut |progress| {
            last = progress;
            bar.set_position(
                progress.sent + progress.refused + progress.removed + progress.left_out,
            );
        }));
        bar.finish_and_clear();
        self.print(sent.as_ref().unwrap_or(&last))?;
        match sent {
            Ok(sent) if sent.refused > 0 => {
                let text = format!(
                    "MLflow does not take {} branches: the log above says why",
                    sent.refused
                );
                Err(Failed::Run(text.into()))
            }
            Ok(_) => Ok(()),
            Err(SyncError::Store(error)) => Err(failed(error)),
            Err(error) => Err(error.into()),
        }
    }

    fn sync(&self, store: SqliteStore, backend: MlflowBackend) -> MlflowSync {
        let mut sync = MlflowSync::new(store, backend)
            .modes(&self.mode)
            .sample(self.sample)
            .give_up_after(Some(self.give_up_after));
        if let Some(name) = &self.experiment {
            sync = sync.experiment(name);
        }
        if let Some(since) = self.since {
            sync = sync.since_ns(since);
        }
        if let Some(rate) = self.rate {
            sync = sync.rate(rate);
        }
        sync
    }

    fn print(&self, sent: &SyncProgress) -> Result<(), Failed> {
        if self.json {
            let mut out = std::io::stdout().lock();
            writeln!(out, "{}", serde_json::to_string_pretty(sent)?)?;
            return Ok(());
        }
        let mut text = format!("{} branches sent", sent.sent);
        if self.mode.contains(&SyncMode::Summary) {
            text += &format!(", {} minutes of configs", sent.minutes);
        }
        for (count, what) in [
            (sent.refused, "refused"),
            (sent.removed, "removed before they were sent"),
            (sent.left_out, "not of the sample"),
        ] {
            if count > 0 {
                text += &format!(", {count} {what}");
            }
        }
        output::note(&text);
        Ok(())
    }

    fn print_waiting(&self, waiting: &[SyncStat]) -> Result<(), Failed> {
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::to_string_pretty(&json!({ "waiting": waiting }))?)?;
            return Ok(());
        }
        let mut table =
            output::table(&["experiment", "mode", "waiting", "sent", "refused", "since"], 2..5);
        for stat in waiting {
            table.add_row([
                stat.experiment.clone(),
                stat.mode.clone(),
                stat.waiting.to_string(),
                stat.sent.to_string(),
                stat.refused.to_string(),
                stat.oldest_waiting_ms.map_or_else(|| "-".to_owned(), time),
            ]);
        }
        writeln!(out, "{}", table.trim_fmt())?;
        Ok(())
    }
}

fn bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let template = "{spinner} {human_pos} of {human_len} branches [{bar:30}] {per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// What the user named wrong is another exit code than what went wrong.
fn failed(error: StoreError) -> Failed {
    match error {
        StoreError::NoExperiment { .. } => Failed::Input(error.into()),
        error => error.into(),
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "write a number from 0 to 1".to_owned())
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| *rate > 0.0 && rate.is_finite());
    rate.ok_or_else(|| "write a number of runs a second above 0".to_owned())
}

fn time(ms: u64) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(ms)).to_string()
}
