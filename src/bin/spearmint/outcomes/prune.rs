//! `spearmint outcomes prune`.

use crate::{Failed, output, store::Watch, store::open_to_write};
use clap::Args;
use std::{path::PathBuf, time::Duration};
use tower_spearmint::config::parse_duration;

/// Remove old outcomes; what they come to stays, and none of that time is taken any more
#[derive(Debug, Args)]
pub(crate) struct Prune {
    /// Those that happened longer ago than this: 90d
    #[arg(long, value_name = "AGE", value_parser = parse_duration)]
    older_than: Duration,
    /// The store
    #[arg(long, value_name = "FILE", default_value = "spearmint.db")]
    store: PathBuf,
}

impl Prune {
    pub(crate) fn run(self) -> Result<(), Failed> {
        let store = open_to_write(&self.store)?;
        let watch = Watch::new();
        let removed = store.prune_outcomes(self.older_than, |progress| watch.show(progress))?;
        drop(watch);
        output::note(&format!("{removed} outcomes removed"));
        Ok(())
    }
}
