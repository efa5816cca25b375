//! `spearmint store stat`.

use crate::{Failed, output, store_path};
use clap::Args;
use std::{
    io::Write,
    path::PathBuf,
    time::{Duration, UNIX_EPOCH},
};
use tower_spearmint::store::{MetricsBeyond, StoreStat};

/// What a store holds, and what it takes
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  spearmint store stat
  spearmint store stat --json | jq '.experiments[] | {experiment, branches, bytes}'

The bytes of an experiment are estimated, those of a table are counted: the whole file is read.")]
pub(crate) struct Stat {
    /// Print it as JSON
    #[arg(long)]
    json: bool,
    /// The store
    #[arg(long, value_name = "FILE", default_value = "spearmint.db")]
    store: PathBuf,
}

impl Stat {
    pub(crate) fn run(self) -> Result<(), Failed> {
        let stat = store_path::open(&self.store)?.stat()?;
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::to_string_pretty(&stat)?)?;
            return Ok(());
        }
        drop(out);
        self.print(&stat)
    }

    fn print(&self, stat: &StoreStat) -> Result<(), Failed> {
        output::heading(&self.store.display().to_string())?;
        let mut out = std::io::stdout().lock();
        let size = |bytes| output::bytes(Some(bytes));
        writeln!(
            out,
            "version {} (this program writes {}), {}, {} of it free, log {}",
            stat.version,
            stat.program_version,
            size(stat.bytes),
            size(stat.free_bytes),
            size(stat.log_bytes),
        )?;
        writeln!(
            out,
            "{} branches, {} removed, {} roll-ups",
            stat.branches, stat.removed, stat.rollups
        )?;
        if stat.outcomes + stat.removed_outcomes > 0 {
            writeln!(out, "{} outcomes, {} removed", stat.outcomes, stat.removed_outcomes)?;
        }
        if let (Some(oldest), Some(newest)) = (stat.oldest_ms, stat.newest_ms) {
            writeln!(out, "from {} to {}", time(Some(oldest)), time(Some(newest)))?;
        }
        if !stat.experiments.is_empty() {
            let header =
                ["experiment", "strategy", "branches", "removed", "roll-ups", "bytes", "since"];
            let mut table = output::table(&header, 2..6);
            for experiment in &stat.experiments {
                table.add_row([
                    experiment.experiment.clone(),
                    experiment.strategy.clone(),
                    experiment.branches.to_string(),
                    experiment.removed.to_string(),
                    experiment.rollups.to_string(),
                    size(experiment.bytes),
                    time(experiment.oldest_hour_ms),
                ]);
            }
            writeln!(out, "\n{}", table.trim_fmt())?;
        }
        for experiment in &stat.experiments {
            let beyond = experiment.metrics_beyond;
            if beyond != MetricsBeyond::default() {
                writeln!(
                    out,
                    "{}: too many names of metrics: {} values are in no roll-up, {} were not kept",
                    experiment.experiment, beyond.not_rolled_up, beyond.not_kept
                )?;
            }
        }
        if !stat.sync.is_empty() {
            let header = [
                "to",
                "experiment",
                "mode",
                "waiting",
                "sent",
                "refused",
                "removed",
                "left out",
                "since",
            ];
            let mut table = output::table(&header, 3..8);
            for sync in &stat.sync {
                table.add_row([
                    sync.to.clone(),
                    sync.experiment.clone(),
                    sync.mode.clone(),
                    sync.waiting.to_string(),
                    sync.sent.to_string(),
                    sync.refused.to_string(),
                    sync.removed.to_string(),
                    sync.left_out.to_string(),
                    time(sync.oldest_waiting_ms),
                ]);
            }
            writeln!(out, "\n{}", table.trim_fmt())?;
        }
        let mut table = output::table(&["table", "rows", "bytes"], 1..3);
        for stat in &stat.tables {
            table.add_row([stat.table.clone(), stat.rows.to_string(), size(stat.bytes)]);
        }
        writeln!(out, "\n{}", table.trim_fmt())?;
        Ok(())
    }
}

fn time(ms: Option<u64>) -> String {
    let text = |ms| humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(ms));
    ms.map_or_else(|| "-".to_owned(), |ms| text(ms).to_string())
}
