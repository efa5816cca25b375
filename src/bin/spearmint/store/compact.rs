//! `spearmint store compact`.

use super::{Watch, open_to_write};
use crate::{Failed, output};
use clap::Args;
use std::{io::Write, path::PathBuf};

/// Give the space of what was removed back to the disk
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  spearmint store prune --older-than 30d && spearmint store compact

It works in small steps: the store may be written meanwhile. Roll-ups of minutes that are older
than two days become hours, which hold the same.")]
pub(crate) struct Compact {
    /// Print it as JSON
    #[arg(long)]
    json: bool,
    /// The store
    #[arg(long, value_name = "FILE", default_value = "spearmint.db")]
    store: PathBuf,
}

impl Compact {
    pub(crate) fn run(self) -> Result<(), Failed> {
        let store = open_to_write(&self.store)?;
        let watch = Watch::new();
        let compacted = store.compact(|progress| watch.show(progress));
        drop(watch);
        let compacted = compacted?;
        if self.json {
            let mut out = std::io::stdout().lock();
            writeln!(out, "{}", serde_json::to_string_pretty(&compacted)?)?;
        } else {
            output::note(&format!(
                "{}: {} before, {} now",
                self.store.display(),
                output::bytes(Some(compacted.bytes_before)),
                output::bytes(Some(compacted.bytes_after)),
            ));
        }
        Ok(())
    }
}
