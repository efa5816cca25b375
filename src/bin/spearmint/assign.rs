//! `spearmint assign`.

use crate::{Failed, config::sources, output};
use clap::Args;
use std::{io::Write, net::IpAddr, path::PathBuf, time::SystemTime};
use tower_spearmint::{
    assign::Explanation,
    config::parse_time,
    proxy::{AssignRequest, ExperimentFile},
};

/// Show who gets what, and why
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  spearmint assign experiment.yaml --unit user-42
  spearmint assign experiment.yaml --unit user-42 --explain
  spearmint assign experiment.yaml --header 'x-country: de' --path /rank --at 2026-01-31T09:00:00Z --json

Nothing is sent, drawn or recorded.")]
pub(crate) struct Assign {
    /// The experiment file (.yaml, .json, .toml), or a directory with a file base.yaml
    #[arg(value_name = "EXPERIMENT.YAML")]
    file: PathBuf,
    /// The key of the unit, wherever the file looks for it; may be given several times
    #[arg(long, short, value_name = "KEY")]
    unit: Vec<String>,
    /// A header of the request; may be given several times
    #[arg(long, value_name = "NAME: VALUE", value_parser = parse_header)]
    header: Vec<(String, String)>,
    /// The path of the request
    #[arg(long, default_value = "/", value_name = "PATH")]
    path: String,
    /// The method of the request
    #[arg(long, default_value = "GET", value_name = "METHOD", value_parser = parse_method)]
    method: http::Method,
    /// The body of the request, as JSON
    #[arg(long, value_name = "JSON", value_parser = parse_json)]
    body: Option<serde_json::Value>,
    /// The address the request comes from
    #[arg(long, value_name = "ADDRESS")]
    client: Option<IpAddr>,
    /// At this time instead of now (2026-01-31T09:00:00Z)
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<SystemTime>,
    /// Change a value of the file, as in round_robin.ramp.share=0.5; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Lays env/NAME.yaml, beside the file, over it
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Say why, step by step
    #[arg(long)]
    explain: bool,
    /// Print JSON, with the steps
    #[arg(long)]
    json: bool,
}

impl Assign {
    pub(crate) fn run(self) -> Result<(), Failed> {
        let sources = sources(&self.file, self.env.as_deref(), &self.overrides);
        let file = ExperimentFile::load(&sources).map_err(|error| Failed::Input(error.into()))?;
        let mut request = AssignRequest::new(&self.path).method(self.method.clone());
        for (name, value) in &self.header {
            request = request.header(name, value).map_err(|error| Failed::Input(error.into()))?;
        }
        if let Some(body) = &self.body {
            request = request.json(body.clone());
        }
        if let Some(client) = self.client {
            request = request.client(client);
        }
        // The same moment for all of them.
        let request = request.at(self.at.unwrap_or_else(SystemTime::now));
        let units = self.unit.iter().map(|unit| Some(unit.as_str()));
        let units: Vec<_> = if self.unit.is_empty() { vec![None] } else { units.collect() };
        let mut told = Vec::new();
        for unit in units {
            let request = match unit {
                None => request.clone(),
                Some(unit) => request.clone().unit(unit),
            };
            let explanation = file.explain(&request).map_err(Failed::Input)?;
            told.push((unit, explanation));
        }
        self.print(&told)
    }

    fn print(&self, told: &[(Option<&str>, Explanation)]) -> Result<(), Failed> {
        let mut out = std::io::stdout().lock();
        if self.json {
            let list: Vec<_> = told
                .iter()
                .map(|(unit, told)| serde_json::json!({ "key": unit, "assigned": told }))
                .collect();
            writeln!(out, "{}", serde_json::to_string_pretty(&list)?)?;
            return Ok(());
        }
        for (unit, told) in told {
            let who = unit.map(|unit| format!("{unit}: ")).unwrap_or_default();
            writeln!(out, "{who}{told}")?;
            if !self.explain {
                continue;
            }
            writeln!(out, "  epoch {}", told.epoch)?;
            if let Some(unit) = &told.unit {
                writeln!(out, "  point {}, entry {}, hash {}", unit.point, unit.entry, unit.hash)?;
            }
            let mut table = output::table(&["step", "decided", "why"], 0..0);
            for step in &told.steps {
                let decided = if step.decided { "yes" } else { "no" };
                table.add_row([step.step, decided, &step.detail]);
            }
            writeln!(out, "{}", table.trim_fmt())?;
        }
        Ok(())
    }
}

fn parse_header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once(':')
        .ok_or_else(|| "write a name and a value, as in `x-country: de`".to_owned())?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn parse_method(text: &str) -> Result<http::Method, String> {
    text.parse().map_err(|_| "write a method as in GET, POST".to_owned())
}

fn parse_json(text: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}
