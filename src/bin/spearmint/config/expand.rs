//! `spearmint config expand`.

use super::sources;
use crate::{Failed, output};
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
};
use tower_spearmint::{
    Config,
    config::{
        expand::{Point, Space},
        to_yaml,
    },
};

/// Show the configs that templates stand for, each with its config_id
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  spearmint config expand sweep.yaml --count
  spearmint config expand experiment.yaml --limit 5
  spearmint config expand sweep.yaml --env prod 'lr={$choice: [1e-3, 1e-4]}' ~dropout
  spearmint config expand sweep.yaml --sample 100 --seed 7 --format yaml > configs.yaml
  spearmint config expand sweep.yaml --json | jq -r '.[].config_id'

FILE holds configs (one, several documents, or a list) or is an experiment file. What is named later
wins: the file, env/NAME.yaml, variables SPEARMINT__A__B, overrides; each of several documents gets
them. However many configs there are, they are printed as they are made. Secrets are shown as
[redacted].
The table has the first 20 configs unless --limit says otherwise; json and yaml have all.")]
pub(crate) struct Expand {
    /// The file (.yaml, .json, .toml), or a directory with a file base.yaml
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Settings that replace those of the file, as in llm.temperature=0.1
    #[arg(value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// The same, as an option
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Lays env/NAME.yaml, beside the file, over it
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Print only how many there are
    #[arg(long, conflicts_with_all = ["limit", "sample", "format", "json"])]
    count: bool,
    /// At most so many configs
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Draw so many configs of each template, without repeats
    #[arg(long, value_name = "N")]
    sample: Option<u64>,
    /// The seed of --sample: the same seed draws the same configs
    #[arg(long, value_name = "S", default_value_t = 0, requires = "sample")]
    seed: u64,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// As --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// A space, and where its template was written.
type Placed = (Space, String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
    Yaml,
}

/// The rows of a table that nobody limited.
const SHOWN: u64 = 20;
/// The columns of a table, at most.
const COLUMNS: usize = 8;
/// What is left out has to be looked for: some ten seconds' worth.
const COUNTED: u64 = 100_000_000;

impl Expand {
    pub(crate) fn run(self) -> Result<(), Failed> {
        let overrides = [self.set.as_slice(), &self.overrides].concat();
        let spaces = sources(&self.file, self.env.as_deref(), &overrides)
            .spaces()
            .map_err(|error| Failed::Input(error.into()))?;
        if self.count {
            return count(&spaces);
        }
        match if self.json { Format::Json } else { self.format } {
            Format::Table => self.table(&spaces),
            Format::Json => self.json(&spaces),
            Format::Yaml => self.yaml(&spaces),
        }
    }

    fn points<'a>(
        &self,
        spaces: &'a [Placed],
    ) -> impl Iterator<Item = (Point<'a>, &'a str)> + use<'a> {
        let (sample, seed) = (self.sample, self.seed);
        spaces.iter().flat_map(move |(space, place)| {
            let points: Box<dyn Iterator<Item = Point<'a>>> = match sample {
                Some(count) => Box::new(space.sample(count, seed)),
                None => Box::new(space.iter()),
            };
            points.map(move |point| (point, place.as_str()))
        })
    }

    /// The configs that are printed.
    fn limited<'a>(
        &self,
        spaces: &'a [Placed],
    ) -> impl Iterator<Item = Result<Config, Failed>> + use<'a> {
        let limit = usize::try_from(self.limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        self.points(spaces).take(limit).map(|(point, place)| made(&point, place))
    }

    fn json(&self, spaces: &[Placed]) -> Result<(), Failed> {
        let mut out = BufWriter::new(io::stdout().lock());
        let mut separator = "[\n";
        for config in self.limited(spaces) {
            write!(out, "{separator}{}", serde_json::to_string(&shown(&config?))?)?;
            separator = ",\n";
        }
        writeln!(out, "{}", if separator == "[\n" { "[]" } else { "\n]" })?;
        Ok(out.flush()?)
    }

    /// A document for each config.
    fn yaml(&self, spaces: &[Placed]) -> Result<(), Failed> {
        let mut out = BufWriter::new(io::stdout().lock());
        let mut separator = "";
        for config in self.limited(spaces) {
            write!(out, "{separator}{}", to_yaml(&shown(&config?)))?;
            separator = "---\n";
        }
        Ok(out.flush()?)
    }

    fn table(&self, spaces: &[Placed]) -> Result<(), Failed> {
        let limit = usize::try_from(self.limit.unwrap_or(SHOWN)).unwrap_or(usize::MAX);
        let mut paths: Vec<&str> = Vec::new();
        for path in spaces.iter().flat_map(|(space, _)| space.axes()).flat_map(|axis| axis.paths())
        {
            if !paths.contains(&path.as_str()) && paths.len() < COLUMNS {
                paths.push(path);
            }
        }
        let header: Vec<&str> = ["config_id"]
            .into_iter()
            .chain(paths.iter().map(|path| if path.is_empty() { "config" } else { path }))
            .collect();
        let mut table = output::table(&header, 0..0);
        let mut points = self.points(spaces);
        let mut rows = 0_usize;
        for (point, place) in points.by_ref().take(limit) {
            let config = made(&point, place)?;
            let open = Config::new(config.redacted().clone())?;
            let cells = paths.iter().map(|path| match open.get::<Value>(path) {
                Ok(Value::String(text)) => output::one_line(&text, 40),
                Ok(value) => output::one_line(&value.to_string(), 40),
                Err(_) => String::new(),
            });
            table.add_row([config.id().short().to_owned()].into_iter().chain(cells));
            rows += 1;
        }
        if rows > 0 {
            writeln!(io::stdout().lock(), "{}", table.trim_fmt())?;
        }
        if points.next().is_some() {
            let all: u128 = spaces.iter().map(|(space, _)| u128::from(space.len())).sum();
            let filtered = spaces.iter().any(|(space, _)| space.is_filtered());
            let before = if filtered { " before any are left out" } else { "" };
            output::note(&format!("{rows} shown, of {all} configs{before} (--limit)"));
        }
        Ok(())
    }
}

fn count(spaces: &[Placed]) -> Result<(), Failed> {
    let mut all = 0_u128;
    for (space, _) in spaces {
        let Some(count) = space.count(COUNTED) else {
            let message = format!(
                "{} configs before `exclude` and `include`: too many to count what they leave \
                 (up to {COUNTED} are looked at)",
                space.len()
            );
            return Err(Failed::Run(message.into()));
        };
        all += u128::from(count);
    }
    writeln!(io::stdout().lock(), "{all}")?;
    Ok(())
}

/// The config without its secrets, with its id: as a file that gives the same ids again.
fn shown(config: &Config) -> Value {
    let mut value = config.redacted().clone();
    if let Value::Object(map) = &mut value {
        map.insert("config_id".to_owned(), Value::from(config.id().as_str()));
    }
    value
}

fn made(point: &Point<'_>, place: &str) -> Result<Config, Failed> {
    point.config().map_err(|error| Failed::Input(format!("{place}: {error}").into()))
}
