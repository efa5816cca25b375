//! `spearmint store snapshot`.

use crate::{Failed, store_path};
use clap::Args;
use std::{io::Write, path::PathBuf};

/// All that a store has summed up, as JSON: for a report on several replicas
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  ssh replica-1 spearmint store snapshot > 1.json; ssh replica-2 spearmint store snapshot > 2.json
  spearmint report --snapshot 1.json,2.json

It holds everything from the beginning; of the same store the newest counts. The store may be written meanwhile.")]
pub(crate) struct Snapshot {
    /// The store
    #[arg(long, value_name = "FILE", default_value = "spearmint.db")]
    store: PathBuf,
}

impl Snapshot {
    pub(crate) fn run(self) -> Result<(), Failed> {
        let snapshot = store_path::open(&self.store)?.snapshot()?;
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        serde_json::to_writer(&mut out, &snapshot).map_err(std::io::Error::from)?;
        writeln!(out)?;
        out.flush()?;
        Ok(())
    }
}
