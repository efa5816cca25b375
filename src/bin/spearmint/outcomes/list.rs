//! `spearmint outcomes list`.

use crate::{Failed, output, store_path};
use clap::Args;
use std::{
    io::Write,
    path::PathBuf,
    time::{Duration, UNIX_EPOCH},
};

/// The outcomes that were reported last, and the experiments they count in
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
        let mut table = output::table(&["time", "name", "value", "id", "counts in"], 2..3);
        for row in rows {
            let at = UNIX_EPOCH + Duration::from_millis(row.at_ms);
            let experiments = row.experiments.join(", ");
            table.add_row([
                humantime::format_rfc3339_seconds(at).to_string(),
                output::one_line(&row.name, 40),
                row.value.to_string(),
                output::one_line(&row.id, 60),
                if experiments.is_empty() { "-".to_owned() } else { experiments },
            ]);
        }
        writeln!(std::io::stdout().lock(), "{}", table.trim_fmt())?;
        Ok(())
    }
}
