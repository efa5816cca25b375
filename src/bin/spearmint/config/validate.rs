//! `spearmint config validate`.

use super::sources;
use crate::{Failed, output};
use clap::Args;
use serde_json::{Value, json};
use std::{io::Write, path::PathBuf};
use tower_spearmint::{
    config::ConfigError,
    proxy::{ExperimentFile, Validation},
    strategy::StrategyRegistry,
};

/// Check experiment files: everything that is wrong with them, not the first thing
#[derive(Debug, Args)]
#[command(after_help = "\
What passes is served: certificates and schemas that a file names are read, but nothing is connected
to, and whether a port is free and the store can be written shows only then. Exit code 2 when
something is wrong, else 0.

Examples:
  spearmint config validate experiment.yaml
  spearmint config validate experiments/*.yaml --strict
  spearmint config validate experiment.yaml --set shadow.sample=0.1 --json")]
pub(crate) struct Validate {
    /// The experiment files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A setting that replaces that of the files, as in shadow.sample=0.1
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// An overlay to lay over the files: env/NAME.yaml beside them
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Warnings count as mistakes
    #[arg(long)]
    strict: bool,
    /// What was found as JSON, on stdout
    #[arg(long)]
    json: bool,
}

impl Validate {
    pub(crate) fn run(self) -> Result<(), Failed> {
        let mut is_wrong = false;
        let mut report = Vec::new();
        for file in &self.files {
            let Validation { mistakes, warnings } = ExperimentFile::validate_start(
                &sources(file, self.env.as_deref(), &self.set),
                &StrategyRegistry::new(),
            );
            is_wrong |= !mistakes.is_empty() || (self.strict && !warnings.is_empty());
            if self.json {
                report.push(json!({
                    "file": file,
                    "mistakes": listed(&mistakes),
                    "warnings": listed(&warnings),
                }));
                continue;
            }
            mistakes.iter().for_each(|mistake| output::error(mistake));
            warnings.iter().for_each(|warning| output::warning(&warning.to_string()));
            if mistakes.is_empty() && warnings.is_empty() {
                output::note(&format!("{}: nothing is wrong", file.display()));
            }
        }
        if self.json {
            let text = serde_json::to_string_pretty(&Value::Array(report))?;
            writeln!(anstream::stdout().lock(), "{text}")?;
        }
        if is_wrong { Err(Failed::Said) } else { Ok(()) }
    }
}

/// Each with its place, as far as it has one.
fn listed(errors: &[ConfigError]) -> Vec<Value> {
    let one = |error: &ConfigError| match error {
        ConfigError::Syntax { place, line, column, message } => {
            json!({ "place": place, "line": line, "column": column, "message": message })
        }
        ConfigError::Environment { name, message } => {
            json!({ "variable": name, "message": message })
        }
        ConfigError::Override { text, message } => json!({ "override": text, "message": message }),
        other => json!({ "message": other.to_string() }),
    };
    errors.iter().map(one).collect()
}
