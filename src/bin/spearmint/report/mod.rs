//! `spearmint report`.

mod fixed;
mod sources;
mod text;
mod trust;

pub(crate) use text::verdicts;

use crate::{Failed, output, since::parse_since};
use clap::{Args, ValueEnum};
use std::{io::Write, path::PathBuf};
use tower_spearmint::{
    proxy::ExperimentFile,
    report::{Candidate, HtmlReport, Plan, Report, Verdict},
};

/// Say which config to keep, and how sure that is
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  spearmint report
  spearmint report ranker --since 7d
  spearmint report ranker --file ranker.yaml --format json | jq '.[].candidates[] | {config_id, verdict}'
  spearmint report ranker --format html > report.html
  spearmint report ranker --fail-on keep,undecided,broken && ./deploy candidate
  spearmint report ranker --fixed --until 2026-01-31T12:00:00Z --bounds score=0..1
  spearmint report --store replica-1.db,replica-2.db --snapshot replica-3.json --looks looks.db

Verdicts: ship (the candidate), keep (the baseline), undecided (go on), broken (the traffic was not split
as it should have been). They hold however often they are looked at. Each look is kept in the store (if it may be written,
and without --since; of several stores: in that of --looks), so that a verdict that is reached stays, with its date. Exit code 1 if one is
named by --fail-on, or nothing is there to be judged.")]
pub(crate) struct ReportCommand {
    /// Only this experiment
    #[arg(value_name = "EXPERIMENT")]
    experiment: Option<String>,
    /// Only minutes since: so long ago (15m, 1h, 2d), or a time (2026-01-31T12:00:00Z)
    #[arg(long, value_name = "TIME", value_parser = parse_since)]
    since: Option<u64>,
    /// What the others are held against: a config's id, or the beginning of just one
    /// [default: that of --file, or what `spearmint serve` kept in the store; without it the primary, and among
    /// equals the one that was there first]
    #[arg(long, value_name = "ID")]
    baseline: Option<String>,
    /// The experiment file, for its `metrics` [default: what `spearmint serve` kept in the store; without it
    /// errors, latency and agreement]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The textbook's tests, of each branch: for data that is complete, and looked at once; there is no verdict
    #[arg(long, conflicts_with = "looks")]
    fixed: bool,
    /// Only branches before: so long ago, or a time
    #[arg(long, value_name = "TIME", value_parser = parse_since, requires = "fixed")]
    until: Option<u64>,
    /// With --fixed: all values of this metric lie between these, as in score=0..1; then there is an interval of its mean
    /// that may be looked at at any time
    #[arg(long, value_name = "NAME=LOW..HIGH,…", value_delimiter = ',', value_parser = fixed::parse_bounds, requires = "fixed")]
    bounds: Vec<fixed::Bounds>,
    /// Do not keep this look in the store
    #[arg(long, conflicts_with = "looks")]
    no_look: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// End with exit code 1 if a verdict is one of these, or if there is none
    #[arg(long, value_name = "VERDICT,…", value_delimiter = ',')]
    fail_on: Vec<Verdict>,
    #[command(flatten)]
    sources: sources::Sources,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Terminal,
    Json,
    /// One file that needs no other
    Html,
}

impl ReportCommand {
    pub(crate) fn run(self) -> Result<(), Failed> {
        if self.fixed {
            return fixed::run(&self);
        }
        let plan = self.plan()?;
        let sources::Found { reports, stores, looks, stands_alone } =
            self.sources.read(&plan, !self.no_look)?;
        if self.json || self.format == Format::Json {
            writeln!(std::io::stdout().lock(), "{}", serde_json::to_string_pretty(&reports)?)?;
        } else if self.format == Format::Html {
            let mut page = HtmlReport::new(&reports);
            for store in &stores {
                page = page.differences_in(store)?;
            }
            let alone = stores.first().filter(|_| !stands_alone);
            if let Some(store) = looks.as_ref().or(alone) {
                page = page.looks_in(store)?;
            }
            writeln!(std::io::stdout().lock(), "{page}")?;
        } else if reports.is_empty() {
            output::note(&format!("nothing to report in {}", self.sources.names()));
        } else {
            text::print(&reports)?;
            if stands_alone && plan.since_ns.is_none() {
                let text = "\nthis look stands alone: --looks FILE keeps those at several stores, to decide together";
                writeln!(std::io::stdout().lock(), "{text}")?;
            }
        }
        self.judge(&reports)
    }

    /// Whether a verdict is one that is to fail; says which.
    fn judge(&self, reports: &[Report]) -> Result<(), Failed> {
        if self.fail_on.is_empty() {
            return Ok(());
        }
        let candidates = || reports.iter().flat_map(|r| r.candidates.iter().map(move |c| (r, c)));
        let failing = || candidates().filter(|(_, c)| self.fail_on.contains(&c.verdict));
        for (report, candidate) in failing() {
            let Candidate { config_id, verdict, .. } = candidate;
            output::note(&format!("{}: {verdict} {config_id} (--fail-on)", report.experiment));
        }
        if candidates().next().is_none() {
            output::note("there is no verdict, so --fail-on fails");
            return Err(Failed::Differs);
        }
        if failing().next().is_some() { Err(Failed::Differs) } else { Ok(()) }
    }

    fn plan(&self) -> Result<Plan, Failed> {
        let mut plan = Plan::new();
        if let Some(file) = &self.file {
            let file = ExperimentFile::from_yaml_file(file).map_err(|e| Failed::Input(e.into()))?;
            if let Some(asked) =
                self.experiment.as_deref().filter(|name| *name != file.experiment())
            {
                output::warning(&format!(
                    "the file is of the experiment `{}`; its metrics are taken for `{asked}`",
                    file.experiment()
                ));
            }
            plan = file.plan();
        }
        if self.experiment.is_some() {
            plan.experiment.clone_from(&self.experiment);
        }
        if self.baseline.is_some() {
            plan.baseline.clone_from(&self.baseline);
        }
        plan.since_ns = self.since;
        Ok(plan)
    }
}
