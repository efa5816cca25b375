//! `spearmint demo`: the whole thing at work, with nothing to set up.

mod drive;
mod upstreams;

use crate::{
    Failed, output,
    report::verdicts,
    ui::{Beside, Running, UiFlag, snippet},
};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::{
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{net::TcpListener, sync::oneshot};
use tower_spearmint::{
    BoxError, Recorder,
    proxy::{ExperimentFile, Proxy, UiSettings},
    record::RecorderStats,
    report::Report,
    store::{ConfigSummary, Filter, SqliteStore, StoreError},
};

/// Run all three strategies on live requests, with nothing to set up
///
/// Starts two small services that really differ (the candidate is slower and fails now and then),
/// sends requests through each strategy, and shows what was recorded and which of the two to keep.
/// Needs no network and leaves nothing running.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  spearmint demo --requests 10000 --store /tmp/demo.db")]
pub(crate) struct Demo {
    /// How many requests for each strategy
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..))]
    requests: u64,
    /// Where the branches go; a store that is there already is added to
    #[arg(long, value_name = "FILE", default_value = "spearmint-demo.db")]
    store: PathBuf,
    /// Where to serve the store to MLflow's clients meanwhile, or off [default: 127.0.0.1:5000, or a
    /// free port if that one is taken]
    #[arg(long, value_name = "ADDR|off")]
    ui: Option<UiFlag>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

const STRATEGIES: [(&str, &str, &str); 3] = [
    (
        "demo-round-robin",
        "strategy: round_robin",
        "round robin: each request goes to one of the two, in turn",
    ),
    (
        "demo-shadow",
        "strategy: shadow\nprimary: stable\nshadow: { methods: [GET, POST], timeout: 2s, \
         control: true, control_methods: [GET, POST] }",
        "shadow: stable answers, the candidate runs in the background, and stable again as control",
    ),
    (
        "demo-multi-branch",
        "strategy: multi_branch\nmulti_branch: { combine: json }",
        "multi-branch: both run, the caller gets both answers",
    ),
];

/// The experiment whose branches are shown as an example.
const SHOWN: &str = "demo-shadow";
/// How long MLflow's clients are waited for at the end.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// What one strategy came to.
#[derive(Debug, Serialize)]
struct Outcome {
    experiment: &'static str,
    #[serde(skip)]
    title: &'static str,
    seconds: f64,
    callers: drive::Callers,
    recorder: RecorderStats,
    configs: Vec<ConfigSummary>,
    /// What all branches of the experiment in the store come to, earlier demos' too.
    report: Option<Report>,
}

impl Demo {
    pub(crate) fn run(self) -> Result<(), Failed> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let outcomes = runtime.block_on(self.strategies());
        runtime.shutdown_timeout(Duration::from_secs(1));
        let outcomes = outcomes?;
        if self.json {
            let mut out = std::io::stdout().lock();
            writeln!(out, "{}", serde_json::to_string_pretty(&outcomes)?)?;
            return Ok(());
        }
        for outcome in &outcomes {
            self.show(outcome)?;
        }
        let store = quoted(&self.store);
        let mut out = anstream::stdout().lock();
        writeln!(out, "\nWhat was measured, metric by metric:")?;
        writeln!(out, "  spearmint report --store {store}")?;
        writeln!(out, "\nEvery branch is in {store}. To look at them:")?;
        writeln!(out, "  spearmint branches --store {store} --status failed")?;
        writeln!(out, "  spearmint branches --store {store} --experiment demo-shadow --summary")?;
        writeln!(out, "  spearmint diff --store {store} --experiment demo-shadow")?;
        writeln!(out, "  sqlite3 {store} 'select * from branch limit 5'")?;
        writeln!(out, "\nAs MLflow's runs, once `spearmint ui --store {store}` serves them:")?;
        writeln!(out, "{}", snippet("http://127.0.0.1:5000", SHOWN))?;
        Ok(())
    }

    async fn strategies(&self) -> Result<Vec<Outcome>, Failed> {
        let ui = Beside::bind(self.ui, Some(UiSettings::default()))?;
        let store = SqliteStore::open(&self.store)?;
        let ui = ui.map(|ui| ui.start(store.clone(), DRAIN_TIMEOUT)).transpose()?;
        if let Some(ui) = &ui {
            ui.note(SHOWN);
        }
        let stable = upstreams::start(upstreams::STABLE).await?;
        let candidate = upstreams::start(upstreams::CANDIDATE).await?;
        let mut outcomes = Vec::new();
        for (experiment, strategy, title) in STRATEGIES {
            let file = format!(
                "experiment: {experiment}\n{strategy}\nconfigs:\n\
                 - {{ config_id: stable, upstream: 'http://{stable}' }}\n\
                 - {{ config_id: candidate, upstream: 'http://{candidate}' }}\n"
            );
            let file = ExperimentFile::from_yaml_str(&file)?;
            file.plan().keep(&store)?;
            outcomes.push(self.one(&store, &file, experiment, title).await?);
        }
        if let Some(Running { thread, .. }) = ui {
            tokio::task::spawn_blocking(|| thread.stop()).await?;
        }
        Ok(outcomes)
    }

    /// The same path a request takes through `spearmint serve`.
    async fn one(
        &self,
        store: &SqliteStore,
        file: &ExperimentFile,
        experiment: &'static str,
        title: &'static str,
    ) -> Result<Outcome, BoxError> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64;
        let (recorder, recording) = Recorder::pair(store.clone());
        let recording = recording.spawn_thread()?;
        let proxy = Proxy::new(file, recorder)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(proxy.serve(listener, async {
            let _ = stopped.await;
        }));

        let bar = ProgressBar::new(self.requests)
            .with_style(ProgressStyle::with_template("{msg:18} {wide_bar} {pos}/{len} {per_sec}")?)
            .with_message(experiment);
        let began = Instant::now();
        let callers = drive::drive(address, self.requests, &bar).await?;
        let seconds = began.elapsed().as_secs_f64();
        bar.finish_and_clear();

        let _ = stop.send(());
        let report = serving.await?;
        recording.stop();
        let filter = Filter::new().experiment(experiment).since_ns(since);
        let (store, recorder) = (store.clone(), report.recorder);
        let plan = file.plan();
        let read = move || -> Result<_, StoreError> {
            Ok((store.summary(&filter)?, Report::read(&store, &plan)?.pop()))
        };
        let (configs, report) = tokio::task::spawn_blocking(read).await??;
        Ok(Outcome { experiment, title, seconds, callers, recorder, configs, report })
    }

    fn show(&self, outcome: &Outcome) -> Result<(), Failed> {
        output::heading(&format!("\n{}", outcome.title))?;
        let mut out = anstream::stdout().lock();
        writeln!(out, "{}", output::summary(&outcome.configs).trim_fmt())?;
        let callers = &outcome.callers;
        writeln!(
            out,
            "the callers: {} requests in {:.1}s, {} answered below 500, {} with 500 or above, p99 {}",
            callers.requests,
            outcome.seconds,
            callers.answered,
            callers.server_errors,
            output::duration(Some(callers.p99_ns)),
        )?;
        let recorder = &outcome.recorder;
        if recorder.dropped + recorder.lost > 0 {
            writeln!(out, "not recorded: {} dropped, {} lost", recorder.dropped, recorder.lost)?;
        }
        if let Some(report) = &outcome.report {
            verdicts(&mut out, report)?;
        }
        Ok(())
    }
}

fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = text.chars().all(|c| c.is_alphanumeric() || "/._-+:@".contains(c));
    if plain { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}
