//! `spearmint store prune`.

use super::{Watch, failed, open_to_write};
use crate::{Failed, output, store_path};
use clap::Args;
use serde_json::json;
use std::{io::Write, path::PathBuf, time::Duration};
use tower_spearmint::config::parse_duration;

/// Remove old branches; what they come to by the minute stays
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  spearmint store prune --older-than 30d --dry-run
  spearmint store prune --older-than 7d --experiment ranker

It works in small steps: the store may be written meanwhile. The file keeps its size and is
filled again; `spearmint store compact` makes it smaller.")]
pub(crate) struct Prune {
    /// Those that were dispatched longer ago than this: 12h, 30d
    #[arg(long, value_name = "AGE", value_parser = parse_duration)]
    older_than: Duration,
    /// Only of this experiment
    #[arg(long, value_name = "NAME")]
    experiment: Option<String>,
    /// Only say how many there are
    #[arg(long)]
    dry_run: bool,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
    /// The store
    #[arg(long, value_name = "FILE", default_value = "spearmint.db")]
    store: PathBuf,
}

impl Prune {
    pub(crate) fn run(self) -> Result<(), Failed> {
        let experiment = self.experiment.as_deref();
        let pruned = if self.dry_run {
            store_path::open(&self.store)?.prunable(self.older_than, experiment).map_err(failed)?
        } else {
            let store = open_to_write(&self.store)?;
            let watch = Watch::new();
            let pruned = store.prune(self.older_than, experiment, |progress| watch.show(progress));
            drop(watch);
            pruned.map_err(failed)?
        };
        if self.json {
            let mut out = std::io::stdout().lock();
            let said = json!({ "branches": pruned.branches, "dry_run": self.dry_run });
            writeln!(out, "{}", serde_json::to_string_pretty(&said)?)?;
        } else {
            let what = if self.dry_run { "would be removed" } else { "removed" };
            output::note(&format!("{} branches {what}", pruned.branches));
        }
        Ok(())
    }
}
