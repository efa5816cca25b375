//! `spearmint outcomes list`.

use crate::{Failed, output, store_path};
use clap::Args;
use std::{
    io::Write,
    path::PathBuf,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

/// The outcomes that were reported last, the experiments they count in, and those in which they came before
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those of this name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u64,
    /// Print one JSON map in each line
    #[arg(long)]
    json: bool,
    /// The store
    #[arg(long, value_name = "FILE", default_value = "spearmint.db")]
    store: PathBuf,
}

impl List {
    pub(crate) fn run(self) -> Result<(), Failed> {
        let rows = store_path::open(&self.store)?.outcomes(self.name.as_deref(), self.limit)?;
        if self.json {
            let mut out = std::io::stdout().lock();
            for row in &rows {
                writeln!(out, "{}", serde_json::to_string(row)?)?;
            }
            return Ok(());
        }
        if rows.is_empty() {
            output::note("no outcomes yet (see `spearmint outcomes import --help`)");
            return Ok(());
        }
        let heads = ["time", "name", "value", "id", "counts in", "came before"];
        let mut table = output::table(&heads, 2..3);
        for row in rows {
            let at = UNIX_EPOCH + Duration::from_millis(row.at_ms);
            let names = |experiments: &[Arc<str>]| match experiments {
                [] => "-".to_owned(),
                some => some.join(", "),
            };
            table.add_row([
                humantime::format_rfc3339_seconds(at).to_string(),
                output::one_line(&row.name, 40),
                row.value.to_string(),
                output::one_line(&row.id, 60),
                names(&row.experiments),
                names(&row.before),
            ]);
        }
        writeln!(std::io::stdout().lock(), "{}", table.trim_fmt())?;
        Ok(())
    }
}
