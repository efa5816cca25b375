//! `spearmint config schema`.

use crate::Failed;
use clap::Args;
use std::io::Write;
use tower_spearmint::proxy::ExperimentFile;

/// Print the JSON Schema of an experiment file, for editors that complete and check it
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  spearmint config schema > experiment.schema.json

and as the first line of experiment.yaml, for editors with a YAML language server:
  # yaml-language-server: $schema=experiment.schema.json")]
pub(crate) struct Schema {}

impl Schema {
    #[expect(clippy::unused_self, reason = "as the other commands")]
    pub(crate) fn run(self) -> Result<(), Failed> {
        let text = serde_json::to_string_pretty(&ExperimentFile::json_schema())?;
        writeln!(anstream::stdout().lock(), "{text}")?;
        Ok(())
    }
}
