//! `spearmint diff`.

use crate::{Failed, output, store_path};
use clap::Args;
use std::{
    collections::HashSet,
    io::{self, Write},
    path::PathBuf,
};
use tower_spearmint::store::{
    ConfigDifferences, DifferenceFilter, NoiseThresholds, PathDifferences,
};

/// Show where shadows answered otherwise than the primary
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  spearmint diff
  spearmint diff --experiment ranker --config candidate --path /items --examples 5
  spearmint diff --json | jq '.[].paths[] | select(.beyond_noise) | .path'
  spearmint diff --exit-code || echo 'something differs'

A path counts as noise if the control (`shadow: { control: true }`) differs there about as often.
The first 20 paths of each config are shown unless --limit says otherwise; json has all.")]
pub(crate) struct Diff {
    /// Only of this experiment
    #[arg(long, value_name = "NAME")]
    experiment: Option<String>,
    /// Only of this config: its id, or the beginning of just one
    #[arg(long, value_name = "ID")]
    config: Option<String>,
    /// Only at this path and below it: /items, status, header:etag
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// At most so many paths of each config
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// How many examples of each path (20 are kept)
    #[arg(long, value_name = "N", default_value_t = 1)]
    examples: usize,
    /// More than noise: the rate must be above the control's by this share of both together
    #[arg(long, value_name = "SHARE", default_value = "20%", value_parser = parse_share)]
    relative: f64,
    /// More than noise: and by this share of all pairs
    #[arg(long, value_name = "SHARE", default_value = "0.03%", value_parser = parse_share)]
    absolute: f64,
    /// End with exit code 1 if anything differs by more than noise
    #[arg(long)]
    exit_code: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The store
    #[arg(long, value_name = "FILE", default_value = "spearmint.db")]
    store: PathBuf,
}

const SHOWN: usize = 20;

impl Diff {
    pub(crate) fn run(self) -> Result<(), Failed> {
        let store = store_path::open(&self.store)?;
        let found = store.differences(&self.filter()).map_err(|e| Failed::Input(e.into()))?;
        if self.json {
            writeln!(io::stdout().lock(), "{}", serde_json::to_string_pretty(&found)?)?;
        } else if found.is_empty() {
            output::note(&format!("no shadow was compared in {}", self.store.display()));
        } else {
            for (at, config) in found.iter().enumerate() {
                if at > 0 {
                    writeln!(anstream::stdout().lock())?;
                }
                self.print(config)?;
            }
            note_missing_controls(&found);
        }
        let differs = found.iter().any(ConfigDifferences::is_beyond_noise);
        if self.exit_code && differs { Err(Failed::Differs) } else { Ok(()) }
    }

    fn filter(&self) -> DifferenceFilter {
        let mut filter = DifferenceFilter::new().examples(self.examples);
        filter.experiment.clone_from(&self.experiment);
        filter.config.clone_from(&self.config);
        filter.path.clone_from(&self.path);
        filter.thresholds = NoiseThresholds { relative: self.relative, absolute: self.absolute };
        filter.limit = self.limit.unwrap_or(if self.json { usize::MAX } else { SHOWN });
        filter
    }

    fn print(&self, config: &ConfigDifferences) -> io::Result<()> {
        output::heading(&format!("{}: {}", config.experiment, config.config_id.short()))?;
        let mut out = anstream::stdout().lock();
        writeln!(out, "{}", pairs(config.compared, config.equal, config.different))?;
        if let Some(control) = &config.control {
            let pairs = pairs(control.compared, control.equal, control.different);
            writeln!(out, "control: {pairs}")?;
        }
        if config.paths.is_empty() {
            return Ok(());
        }
        writeln!(out)?;
        let with_noise = config.control.is_some();
        let header: &[&str] = if with_noise {
            &["path", "pairs", "rate", "noise", "net", "", "how"]
        } else {
            &["path", "pairs", "rate", "how"]
        };
        let mut table = output::table(header, 1..if with_noise { 5 } else { 3 });
        for path in &config.paths {
            table.add_row(row(path));
        }
        let mut lines = table.trim_fmt();
        lines.push('\n');
        for (at, line) in lines.lines().enumerate() {
            // The header is a line of its own.
            let is_noise = at > 0 && config.paths.get(at - 1).is_some_and(|p| !p.beyond_noise);
            let style = if is_noise { output::DIM } else { anstyle::Style::new() };
            writeln!(out, "{style}{line}{style:#}")?;
        }
        if config.more_paths > 0 {
            writeln!(out, "… and {} more paths (--limit)", config.more_paths)?;
        }
        if config.uncounted > 0 {
            writeln!(out, "… and {} differences that no path counts", config.uncounted)?;
        }
        for path in &config.paths {
            // Whoever asks for a path wants to see it, noise or not.
            if path.beyond_noise || self.path.is_some() {
                examples(&mut out, path)?;
            }
        }
        Ok(())
    }
}

fn pairs(compared: u64, equal: u64, different: u64) -> String {
    let share = if compared == 0 { 0.0 } else { equal as f64 / compared as f64 };
    format!("{compared} pairs compared, {} equal, {different} different", percent(share))
}

fn row(path: &PathDifferences) -> Vec<String> {
    let kinds: Vec<_> = path.kinds.keys().map(|kind| kind.as_str()).collect();
    let mut row =
        vec![output::one_line(&path.path, 60), path.pairs.to_string(), percent(path.rate)];
    if let (Some(noise), Some(net)) = (path.noise, path.net) {
        let sign = if net < 0.0 { "-" } else { "+" };
        row.extend([percent(noise), format!("{sign}{}", percent(net.abs()))]);
        row.push(if path.beyond_noise { String::new() } else { "noise".to_owned() });
    }
    row.push(kinds.join(", "));
    row
}

fn examples(out: &mut impl Write, path: &PathDifferences) -> io::Result<()> {
    if path.examples.is_empty() {
        return Ok(());
    }
    let dim = output::DIM;
    writeln!(out, "\n{}", output::one_line(&path.path, 100))?;
    for example in &path.examples {
        let sample = |text: &Option<String>| match text {
            Some(text) => output::one_line(text, 60),
            None => "(nothing)".to_owned(),
        };
        writeln!(out, "  {} -> {}", sample(&example.primary), sample(&example.shadow))?;
        writeln!(out, "  {dim}{} -> {}{dim:#}", example.primary_id, example.branch_id)?;
    }
    Ok(())
}

fn note_missing_controls(found: &[ConfigDifferences]) {
    let without: HashSet<_> = found
        .iter()
        .filter(|config| config.control.is_none() && config.is_beyond_noise())
        .map(|config| &*config.experiment)
        .collect();
    let mut without: Vec<_> = without.into_iter().collect();
    without.sort_unstable();
    if !without.is_empty() {
        output::note(&format!(
            "\n{} has no control, so all of this may be noise; `shadow: {{ control: true }}` adds one",
            without.join(", ")
        ));
    }
}

/// A share in percent, with as many digits as matter.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.01 {
        "<0.01%".to_owned()
    } else if percent < 100.0 && percent > 99.99 {
        ">99.99%".to_owned()
    } else {
        format!("{percent:.2}%")
    }
}

fn parse_share(text: &str) -> Result<f64, String> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => text.parse(),
    };
    match share {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("write a share from 0 to 1, or a percentage (20%)".to_owned()),
    }
}
