//! `spearmint config show`.

use super::sources;
use crate::Failed;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::{io::Write, path::PathBuf};
use tower_spearmint::config::{Print, interpolate::Resolvers};

/// Show what a file comes to: merged, overridden, resolved, and where each value came from
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  spearmint config show experiment.yaml --env prod --origins shadow.sample=0.1

What is named later wins: the file and what its `defaults:` list names, env/NAME.yaml, variables
SPEARMINT__A__B, overrides. Secrets are shown as [redacted].")]
pub(crate) struct Show {
    /// The file (.yaml, .json, .toml), or a directory with a file base.yaml
    file: PathBuf,
    /// Settings that replace those of the file, as in shadow.sample=0.1
    #[arg(value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// The same, as an option
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Lays env/NAME.yaml, beside the file, over it
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Leaves references (`${…}`) as they are written
    #[arg(long)]
    raw: bool,
    /// Says of each value where it came from
    #[arg(long)]
    origins: bool,
    /// With --origins, JSON is { \"config\": …, \"origins\": { path: origin } }
    #[arg(long, value_enum, default_value_t = Format::Yaml)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Yaml,
    Json,
}

impl Show {
    pub(crate) fn run(self) -> Result<(), Failed> {
        let overrides = [self.set, self.overrides].concat();
        let sources = sources(&self.file, self.env.as_deref(), &overrides);
        let mut document = sources.load().map_err(|error| Failed::Input(error.into()))?;
        let mut secrets = document.secret_keys();
        if !self.raw {
            let resolvers = Resolvers::standard()
                .relative_to(sources.directory())
                .with_secrets(secrets.clone());
            document.resolve(&resolvers).map_err(|error| Failed::Input(error.into()))?;
            secrets = secrets.and_drawn(document.drawn(), "");
        }
        let print = Print::default().hiding(secrets.clone());
        let text = match (self.format, self.origins) {
            (Format::Yaml, true) => document.to_yaml(&print.with_origins()),
            (Format::Yaml, false) => document.to_yaml(&print),
            (Format::Json, false) => document.to_json(&print),
            (Format::Json, true) => {
                let origins: serde_json::Map<_, _> = document
                    .origins(&print)
                    .into_iter()
                    .map(|(path, origin)| (path, Value::String(origin)))
                    .collect();
                format!(
                    "{:#}\n",
                    json!({ "config": secrets.redact(document.value()), "origins": origins })
                )
            }
        };
        Ok(anstream::stdout().lock().write_all(text.as_bytes())?)
    }
}
