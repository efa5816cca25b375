//! A report for people at a terminal.

use crate::output;
use anstyle::{AnsiColor, Style};
use std::io::{self, Write};
use tower_spearmint::report::{
    ArmFigures, Candidate, Decided, Finding, Looks, MetricRole, Report, SampleRatio, Unit, Verdict,
};
use tower_spearmint::stats::sequential::Interval;

pub(super) fn print(reports: &[Report]) -> io::Result<()> {
    for (at, report) in reports.iter().enumerate() {
        if at > 0 {
            writeln!(anstream::stdout().lock())?;
        }
        print_one(report)?;
    }
    Ok(())
}

fn print_one(report: &Report) -> io::Result<()> {
    output::heading(&format!("{} ({})", report.experiment, report.strategy))?;
    let mut out = anstream::stdout().lock();
    verdicts(&mut out, report)?;
    writeln!(out)?;
    let header = [
        "config",
        "role",
        "requests",
        "errors",
        "timed out",
        "skipped",
        "p50",
        "p95",
        "p99",
        "agrees",
    ];
    let mut table = output::table(&header, 2..header.len());
    let candidates = report.candidates.iter().map(|candidate| &candidate.figures);
    for arm in std::iter::once(&report.baseline).chain(&report.control).chain(candidates) {
        table.add_row(figures(arm));
    }
    writeln!(out, "{}", table.trim_fmt())?;
    if let Some(ratio) = &report.sample_ratio {
        sample_ratio(&mut out, ratio)?;
    }
    if report.outcomes_one_of > 1 {
        writeln!(
            out,
            "\noutcomes of one of {} units: of several stores not all are held",
            report.outcomes_one_of
        )?;
    }
    if let Some(looks) = &report.looks {
        writeln!(out, "\n{}", said(looks))?;
    }
    super::trust::print(&mut out, report)?;
    for candidate in &report.candidates {
        findings(&mut out, candidate)?;
    }
    Ok(())
}

/// What to do with each candidate, and why.
pub(crate) fn verdicts(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let baseline = report.baseline.config_id.short();
    if report.candidates.is_empty() {
        writeln!(out, "{baseline} alone: there is nothing to hold it against")?;
    }
    for candidate in &report.candidates {
        let style = colour(candidate.verdict);
        let name = candidate.config_id.short();
        write!(out, "{style}{}{style:#}  {name} against {baseline}", candidate.verdict)?;
        if let Some(decided) = &candidate.decided {
            write!(out, ", since {}", dated(decided))?;
        }
        writeln!(out, "\n  {}", candidate.because)?;
        for other in candidate.reached.iter().filter(|one| one.verdict != candidate.verdict) {
            writeln!(out, "  {} was reached at {}", other.verdict, dated(other))?;
        }
        if candidate.survives == Some(false) {
            writeln!(
                out,
                "  not sure enough to be taken out of so many experiments (5% of those taken may be false)"
            )?;
        }
    }
    Ok(())
}

fn dated(decided: &Decided) -> String {
    format!("{} (look {})", output::minute(decided.at_ns), decided.look)
}

/// How often this was looked at.
fn said(looks: &Looks) -> String {
    let mut text = match looks.count {
        1 => format!("1 look, at {}", output::minute(looks.first_ns)),
        count => format!("{count} looks, the first at {}", output::minute(looks.first_ns)),
    };
    if looks.has_others {
        text.push_str("; those by other metrics, margins, baselines or candidates do not count");
    }
    text
}

fn figures(arm: &ArmFigures) -> [String; 10] {
    let percent =
        |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |s| format!("{:.2}%", s * 100.0));
    [
        arm.config_id.short().to_owned(),
        arm.role.to_string(),
        arm.requests.to_string(),
        percent(arm.error_rate),
        arm.timed_out.to_string(),
        arm.skipped.to_string(),
        output::duration(arm.p50_ns),
        output::duration(arm.p95_ns),
        output::duration(arm.p99_ns),
        percent(arm.agreement),
    ]
}

pub(super) fn sample_ratio(out: &mut impl Write, ratio: &SampleRatio) -> io::Result<()> {
    let verdict = if ratio.total == 0 && ratio.unsettled > 0 {
        "not checked yet: the requests of the last minutes may still be under way"
    } else if ratio.total == 0 {
        "not checked: no fixed share is known"
    } else if ratio.broken {
        "broken"
    } else {
        "as it should be"
    };
    if ratio.total == 0 {
        return writeln!(out, "\nsplit of {}: {verdict}", ratio.counted);
    }
    let parts: Vec<_> = ratio
        .arms
        .iter()
        .map(|arm| {
            let got = arm.count as f64 / ratio.total as f64;
            let name = arm.config_id.short();
            format!("{name} {:.2}% of {:.2}%", got * 100.0, arm.share * 100.0)
        })
        .collect();
    let mut of = format!("{} {}", ratio.total, ratio.counted);
    if ratio.one_of > 1 {
        of += &format!(", one of {}", ratio.one_of);
    }
    if ratio.unsettled > 0 {
        of += &format!(" (not of {} of the last minutes yet)", ratio.unsettled);
    }
    writeln!(out, "\nsplit of {of}: {verdict} ({})", parts.join(", "))?;
    if ratio.unchecked_epochs > 0 {
        writeln!(out, "not checked: {} epochs whose shares are not known", ratio.unchecked_epochs)?;
    }
    Ok(())
}

fn findings(out: &mut impl Write, candidate: &Candidate) -> io::Result<()> {
    if candidate.findings.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}:", candidate.config_id.short())?;
    let width = candidate.findings.iter().map(|f| f.metric.measure.as_str().len()).max();
    for finding in &candidate.findings {
        let dim =
            if finding.metric.role == MetricRole::Quality { output::DIM } else { Style::new() };
        writeln!(
            out,
            "  {dim}{:9}  {:width$}  {}  {}{dim:#}",
            finding.metric.role,
            finding.metric.measure,
            drawn(finding),
            finding.sentence,
            width = width.unwrap_or(0),
        )?;
    }
    Ok(())
}

/// How many characters an interval is drawn in, an odd number: no difference is in the middle.
const WIDTH: usize = 31;

/// The interval of this look on a line, with no difference in the middle and the margin at a quarter from
/// the end; what lies beyond is an arrow. What all looks have in common is drawn in it as `=`, if it is less.
fn drawn(finding: &Finding) -> String {
    let middle = WIDTH / 2;
    let bound = finding.metric.margin.max(finding.metric.mde);
    // Without a bound of its own: what is worth seeing.
    let bound = match finding.unit {
        _ if bound > 0.0 => bound,
        Unit::Points => 0.01,
        _ => 0.10,
    };
    let place = |value: f64| middle as f64 + value / bound * (middle / 2) as f64;
    let Interval { low, high } = finding.interval;
    let (low, high) = (place(low), place(high));
    let last = (WIDTH - 1) as f64;
    let cell = |place: f64| place.clamp(0.0, last).round() as usize;
    let mut line = vec![' '; WIDTH];
    line[middle] = '|';
    if finding.metric.role != MetricRole::Quality {
        let worse = if finding.metric.increase { -1.0 } else { 1.0 };
        let side = if finding.metric.role == MetricRole::Success { -worse } else { worse };
        let at = place(side * bound).round() as usize;
        line[at.min(WIDTH - 1)] = ':';
    }
    for cell in &mut line[cell(low)..=cell(high)] {
        *cell = match *cell {
            ' ' => '-',
            '|' => '+',
            other => other,
        };
    }
    if finding.intersection != finding.interval {
        let Interval { low, high } = finding.intersection;
        for cell in &mut line[cell(place(low))..=cell(place(high))] {
            *cell = if *cell == '-' { '=' } else { *cell };
        }
    }
    if low < 0.0 {
        line[0] = '<';
    }
    if high > last {
        line[WIDTH - 1] = '>';
    }
    line.into_iter().collect()
}

const fn colour(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Ship => AnsiColor::Green.on_default().bold(),
        Verdict::Keep => AnsiColor::Yellow.on_default().bold(),
        Verdict::Broken => AnsiColor::Red.on_default().bold(),
        _ => Style::new().bold(),
    }
}
