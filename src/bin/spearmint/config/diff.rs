//! `spearmint config diff`.

use crate::{Failed, output};
use anstyle::{AnsiColor, Style};
use clap::Args;
use serde_json::Value;
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};
use tower_spearmint::{
    BoxError, ConfigPool,
    config::{self, yaml},
    proxy::ExperimentFile,
};

/// Show what differs between two configs, files of configs or experiment files, by path
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  spearmint config diff experiment.yaml next.yaml   two files: of configs, or experiments
  spearmint config diff ranker.yaml stable candidate   two configs of one file, by id
  spearmint config diff a.yaml b.yaml --json | jq '.[].path'

Configs are paired by their config_id, those without one in their order. 1 and 1.0 are equal, the
order of keys does not count, secrets are not shown.
Exit codes: 0 nothing differs; 1 something does; 2 wrong arguments or a mistake in a file.")]
pub(crate) struct Diff {
    /// A file of configs, a directory of such files, or an experiment file
    a: PathBuf,
    /// Another one; or, with a third argument, the id of a config of the first
    b: String,
    /// The id of another config of the first file
    c: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const ADDED: Style = AnsiColor::Green.on_default();
const REMOVED: Style = AnsiColor::Red.on_default();

impl Diff {
    pub(crate) fn run(self) -> Result<(), Failed> {
        let diff = self.diff().map_err(Failed::Input)?;
        if self.json {
            writeln!(io::stdout().lock(), "{}", serde_json::to_string_pretty(&diff)?)?;
        } else {
            let mut out = anstream::stdout().lock();
            for change in diff.changes() {
                let style = match change.kind() {
                    "added" => ADDED,
                    "removed" => REMOVED,
                    _ => Style::new(),
                };
                writeln!(out, "{style}{change}{style:#}")?;
            }
            if diff.is_empty() {
                output::note("nothing differs");
            }
        }
        if diff.is_empty() { Ok(()) } else { Err(Failed::Differs) }
    }

    fn diff(&self) -> Result<config::Diff, BoxError> {
        let first = File::read(&self.a)?;
        if let Some(id) = &self.c {
            let pool = first.pool();
            return Ok(pool.get(&self.b)?.diff(pool.get(id)?));
        }
        match (&first, &File::read(Path::new(&self.b))?) {
            (File::Experiment(a), File::Experiment(b)) => Ok(a.diff(b)),
            (File::Pool(a), File::Pool(b)) => Ok(a.diff(b)),
            _ => Err("one is an experiment file, the other is of configs; compare two of a kind, \
                      or two configs of one file by their ids"
                .into()),
        }
    }
}

enum File {
    Experiment(Box<ExperimentFile>),
    Pool(ConfigPool),
}

impl File {
    fn read(path: &Path) -> Result<Self, BoxError> {
        if path.is_dir() {
            return Ok(Self::Pool(ConfigPool::from_dir(path)?));
        }
        let place = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| format!("{place}: {error}"))?;
        let is_experiment = |value: &Value| {
            ["experiment", "strategy", "configs"]
                .iter()
                .filter(|key| value.get(key).is_some())
                .count()
                > 1
        };
        let documents = yaml::parse(&text, &place.to_string())?;
        Ok(match documents.as_slice() {
            [document] if is_experiment(document.value()) => {
                Self::Experiment(Box::new(ExperimentFile::from_yaml_file(path)?))
            }
            _ => Self::Pool(ConfigPool::from_yaml_file(path)?),
        })
    }

    fn pool(&self) -> &ConfigPool {
        match self {
            Self::Experiment(file) => file.pool(),
            Self::Pool(pool) => pool,
        }
    }
}
