//! `spearmint report --fixed`.

use super::{Format, ReportCommand};
use crate::{Failed, output, store::Watch, store_path};
use anstyle::Style;
use serde::Serialize;
use std::io::{self, Write};
use tower_spearmint::{
    report::{
        OneLook,
        fixed::{AlsoTested, FixedCandidate, FixedReport, FixedTest},
    },
    stats::Interval,
};

/// What is to be known before anything is read.
const NOTE: &str = "For data that is complete, looked at once. Looking again and again makes these wrong; \
    the verdict of `spearmint report` is not.";

/// What all values of a metric lie between.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    name: String,
    low: f64,
    high: f64,
}

pub(super) fn parse_bounds(text: &str) -> Result<Bounds, String> {
    let parse = || {
        let (name, bounds) = text.split_once('=')?;
        let (low, high) = bounds.split_once("..")?;
        let number = |text: &str| text.trim().parse::<f64>().ok();
        Some(Bounds { name: name.trim().to_owned(), low: number(low)?, high: number(high)? })
    };
    parse().ok_or_else(|| "write name=lowest..highest, as in score=0..1".to_owned())
}

/// As JSON.
#[derive(Serialize)]
struct Printed<'a> {
    note: &'static str,
    experiments: &'a [FixedReport],
}

pub(super) fn run(command: &ReportCommand) -> Result<(), Failed> {
    let wrong = |text: &str| Err(Failed::Input(text.into()));
    if !command.fail_on.is_empty() {
        return wrong(
            "--fail-on: there is no verdict with --fixed: a pipeline that asks again and again until one pleases \
             would be wrong more often than 5% of the time; leave out one of both",
        );
    }
    if command.format == Format::Html {
        return wrong("--fixed prints for a terminal or as JSON; leave out --format html");
    }
    let Some(paths) = command.sources.only_stores() else {
        return wrong("--fixed reads branches, and a snapshot has none; name stores with --store");
    };
    let stores: Vec<_> =
        paths.iter().map(|path| store_path::open(path)).collect::<Result<_, _>>()?;
    let mut look = OneLook::new(command.plan()?);
    if let Some(until) = command.until {
        look = look.until_ns(until);
    }
    for Bounds { name, low, high } in &command.bounds {
        look = look.bounds(name.as_str(), *low, *high);
    }
    let watch = Watch::new();
    let reports = look.read(&stores, |progress| watch.show(progress));
    drop(watch);
    let reports = reports.map_err(|error| Failed::Input(error.into()))?;
    if command.json || command.format == Format::Json {
        let printed = Printed { note: NOTE, experiments: &reports };
        writeln!(io::stdout().lock(), "{}", serde_json::to_string_pretty(&printed)?)?;
    } else {
        print(&reports)?;
        if reports.is_empty() {
            output::note(&format!("nothing to report in {}", command.sources.names()));
        }
    }
    Ok(())
}

fn print(reports: &[FixedReport]) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    writeln!(out, "{NOTE}")?;
    for report in reports {
        writeln!(out)?;
        output::heading(&format!("{} ({})", report.experiment, report.strategy))?;
        if let Some(aside) = report.set_aside() {
            writeln!(out, "{aside}")?;
        }
        if report.removed > 0 {
            writeln!(
                out,
                "{} branches are there, and {} of this time were removed: roll-ups count them, and do not have the \
                 values that these tests ask",
                report.branches, report.removed
            )?;
        }
        if report.candidates.is_empty() {
            let baseline = report.baseline.short();
            writeln!(out, "{baseline} alone: there is nothing to hold it against")?;
        }
        for candidate in &report.candidates {
            print_candidate(&mut out, report, candidate)?;
        }
    }
    Ok(())
}

fn print_candidate(
    out: &mut impl Write,
    report: &FixedReport,
    candidate: &FixedCandidate,
) -> io::Result<()> {
    let (name, baseline) = (candidate.config_id.short(), report.baseline.short());
    write!(out, "\n{name} against {baseline}")?;
    if let Some(epoch) = candidate.epoch {
        write!(out, ", in the epoch {epoch:016x}, which has the most requests of both")?;
    }
    writeln!(out)?;
    let header = [
        "metric",
        "test",
        "baseline",
        "candidate",
        "difference",
        "95% from",
        "to",
        "p",
        "Holm",
        "BH",
        "finds",
        "of",
    ];
    let mut table = output::table(&header, 2..header.len() - 1);
    for test in &candidate.tests {
        table.add_row(tested(test));
        for also in &test.also {
            table.add_row(also_tested(test, also));
        }
    }
    writeln!(out, "{}", table.trim_fmt())?;
    let dim = Style::new().dimmed();
    for test in &candidate.tests {
        let metric = &test.metric.measure;
        if let Some(note) = &test.note {
            writeln!(out, "{dim}{metric}: {note}{dim:#}")?;
        }
        if let Some([one, other]) = test.sampled {
            writeln!(out, "{dim}{metric}: of {one} and {other} values, drawn at random{dim:#}")?;
        }
    }
    Ok(())
}

fn tested(test: &FixedTest) -> [String; 12] {
    let value = |value: Option<f64>| value.map_or_else(nothing, |value| test.value_text(value));
    let [low, high] = ends(test, test.interval);
    let counts = match (test.baseline_count, test.candidate_count) {
        (one, other) if one == other => format!("{one} {}", test.by),
        (one, other) => format!("{one}, {other} {}", test.by),
    };
    [
        test.metric.measure.to_string(),
        test.method.to_string(),
        value(test.baseline),
        value(test.candidate),
        difference(test, test.difference),
        low,
        high,
        chance(test.p),
        chance(test.p_holm),
        chance(test.p_benjamini_hochberg),
        detectable(test),
        counts,
    ]
}

fn also_tested(test: &FixedTest, also: &AlsoTested) -> [String; 12] {
    let [low, high] = ends(test, also.interval);
    let mut row: [String; 12] = std::array::from_fn(|_| String::new());
    row[1] = format!("  {}", also.method);
    row[4] = difference(test, also.difference);
    (row[5], row[6], row[7]) = (low, high, chance(also.p));
    row
}

fn nothing() -> String {
    "-".to_owned()
}

fn difference(test: &FixedTest, difference: Option<f64>) -> String {
    difference.map_or_else(nothing, |difference| test.difference_text(difference))
}

/// The size of what would have been found.
fn detectable(test: &FixedTest) -> String {
    difference(test, test.detectable).trim_start_matches('+').to_owned()
}

fn ends(test: &FixedTest, interval: Interval) -> [String; 2] {
    if interval == Interval::EVERYTHING {
        return [nothing(), nothing()];
    }
    [interval.low, interval.high].map(|end| test.difference_text(end))
}

/// A chance as people read it: with two digits that tell something.
fn chance(p: Option<f64>) -> String {
    match p {
        None => nothing(),
        Some(p) if p < 0.0001 => "<0.0001".to_owned(),
        Some(p) if p < 0.01 => format!("{p:.4}"),
        Some(p) => format!("{p:.3}"),
    }
}
