//! What is missing, for people.

use std::io::{self, Write};
use tower_spearmint::report::{ArmLosses, Candidate, Coverage, Report};

pub(super) fn print(out: &mut impl Write, report: &Report) -> io::Result<()> {
    if let Some(aside) = report.set_aside() {
        writeln!(out, "\n{aside}")?;
    }
    if let Some(completions) = &report.completions {
        super::text::sample_ratio(out, completions)?;
    }
    for lost in &report.losses {
        losses(out, lost)?;
    }
    for candidate in &report.candidates {
        if let Some(found) = &candidate.coverage {
            coverage(out, candidate, found)?;
        }
    }
    Ok(())
}

fn losses(out: &mut impl Write, lost: &ArmLosses) -> io::Result<()> {
    let reasons: Vec<_> = lost.reasons.iter().map(|(why, n)| format!("{why} {n}")).collect();
    writeln!(
        out,
        "\nnot recorded: {} of {} ({}), {:.2}%: {}",
        lost.branches,
        lost.config_id.short(),
        lost.role,
        lost.share * 100.0,
        reasons.join(", ")
    )
}

/// Only where something is missing.
fn coverage(out: &mut impl Write, candidate: &Candidate, found: &Coverage) -> io::Result<()> {
    let Coverage { shadows, ended, pairs, cancelled, .. } = *found;
    if found.is_whole() {
        return Ok(());
    }
    let due = found.due.map_or_else(String::new, |due| format!(" of {due} due"));
    write!(out, "\nshadows of {}: {shadows}{due}", candidate.config_id.short())?;
    for (reason, count) in &found.skips {
        write!(out, ", {count} skipped ({reason})")?;
    }
    if cancelled > 0 {
        write!(out, ", {cancelled} given up")?;
    }
    writeln!(out, ", {ended} ended, {pairs} beside a primary that did")
}
