//! `spearmint store check`.

use super::Watch;
use crate::{Failed, output, store_path};
use clap::Args;
use std::{io::Write, path::PathBuf};

/// Whether a store is whole, and its roll-ups are what its branches come to
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  spearmint store check
  spearmint store check --store backup.db && echo whole

Exit codes: 0 whole; 1 something is wrong, or the file cannot be read; 2 wrong arguments.
It may run while the store is written; the log of the file grows meanwhile.")]
pub(crate) struct Check {
    /// Print it as JSON
    #[arg(long)]
    json: bool,
    /// The store
    #[arg(long, value_name = "FILE", default_value = "spearmint.db")]
    store: PathBuf,
}

impl Check {
    pub(crate) fn run(self) -> Result<(), Failed> {
        let store = store_path::open(&self.store)?;
        let watch = Watch::new();
        let report = store.check(|progress| watch.show(progress));
        drop(watch);
        let report = report?;
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
        } else {
            for fault in &report.faults {
                writeln!(out, "{}", output::one_line(fault, 500))?;
            }
            if report.more_faults > 0 {
                writeln!(out, "and {} more", report.more_faults)?;
            }
            let verdict = if report.is_whole() { "whole" } else { "not whole" };
            output::note(&format!(
                "{} is {verdict}: {} branches checked",
                self.store.display(),
                report.branches
            ));
        }
        if report.is_whole() { Ok(()) } else { Err(Failed::Differs) }
    }
}
