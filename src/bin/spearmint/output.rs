//! What the commands print, and where.

use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, CellAlignment, Table, presets};
use std::{
    error::Error,
    io::Write,
    time::{Duration, UNIX_EPOCH},
};
use tower_spearmint::{config::ConfigError, store::ConfigSummary};
use tracing_subscriber::EnvFilter;

const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();

/// An error with its causes, on stderr. A cause that its effect quotes already is not repeated.
pub(crate) fn error(error: &(dyn Error + 'static)) {
    let mut stderr = anstream::stderr().lock();
    // Several mistakes in one file: each on a line of its own.
    if let Some(ConfigError::Several { errors } | ConfigError::MissingValues { errors }) =
        error.downcast_ref()
    {
        for error in errors {
            let _ = writeln!(stderr, "{RED}error:{RED:#} {error}");
        }
        return;
    }
    let mut said = error.to_string();
    let _ = writeln!(stderr, "{RED}error:{RED:#} {said}");
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !said.contains(&text) {
            let _ = writeln!(stderr, "  caused by: {text}");
            said = text;
        }
        cause = error.source();
    }
}

/// What may not be meant, on stderr.
pub(crate) fn warning(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{YELLOW}warning:{YELLOW:#} {text}");
}

/// What the log says, on stderr: SPEARMINT_LOG, or `info`.
pub(crate) fn start_log() {
    let filter =
        EnvFilter::try_from_env("SPEARMINT_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let ansi = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(ansi)
        .with_writer(std::io::stderr)
        .init();
}

/// A line for the person at the terminal, on stderr.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// A heading, on stdout.
pub(crate) fn heading(text: &str) -> std::io::Result<()> {
    writeln!(anstream::stdout().lock(), "{BOLD}{text}{BOLD:#}")
}

/// A table without lines; the columns in `numbers` are aligned to the right.
pub(crate) fn table(header: &[&str], numbers: std::ops::Range<usize>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let align =
        |at: usize| if numbers.contains(&at) { CellAlignment::Right } else { CellAlignment::Left };
    table.set_header(
        header.iter().enumerate().map(|(at, text)| Cell::new(text).set_alignment(align(at))),
    );
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_cell_alignment(align(at));
    }
    table
}

/// What the branches of each config come to.
pub(crate) fn summary(summaries: &[ConfigSummary]) -> Table {
    let header = [
        "config",
        "role",
        "requests",
        "failed",
        "skipped",
        "cancelled",
        "errors",
        "p50",
        "p95",
        "p99",
    ];
    let mut table = table(&header, 2..header.len());
    for summary in summaries {
        let ended = summary.success + summary.failed;
        let errors = if ended == 0 { 0.0 } else { summary.failed as f64 / ended as f64 * 100.0 };
        table.add_row([
            summary.config_id.short().to_owned(),
            summary.role.to_string(),
            summary.requests.to_string(),
            summary.failed.to_string(),
            summary.skipped.to_string(),
            summary.cancelled.to_string(),
            format!("{errors:.1}%"),
            duration(summary.p50_ns),
            duration(summary.p95_ns),
            duration(summary.p99_ns),
        ]);
    }
    table
}

/// A text on one line, whatever a service says: its first `max` characters.
pub(crate) fn one_line(text: &str, max: usize) -> String {
    let line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(max).collect();
    if text.chars().nth(max).is_some() { format!("{}…", line.trim_end()) } else { line }
}

/// A duration in the unit that reads best.
pub(crate) fn duration(ns: Option<u64>) -> String {
    match ns {
        None => "-".to_owned(),
        Some(ns) if ns < 1_000 => format!("{ns}ns"),
        Some(ns) if ns < 1_000_000 => format!("{:.1}us", ns as f64 / 1e3),
        Some(ns) if ns < 1_000_000_000 => format!("{:.1}ms", ns as f64 / 1e6),
        Some(ns) => format!("{:.2}s", ns as f64 / 1e9),
    }
}

/// A number of bytes in the unit that reads best.
pub(crate) fn bytes(bytes: Option<u64>) -> String {
    match bytes {
        None => "-".to_owned(),
        Some(bytes) if bytes < 1 << 10 => format!("{bytes}B"),
        Some(bytes) if bytes < 1 << 20 => format!("{:.1}KiB", bytes as f64 / 1024.0),
        Some(bytes) => format!("{:.1}MiB", bytes as f64 / 1_048_576.0),
    }
}

/// A time in ns since the Unix epoch, to the minute.
pub(crate) fn minute(ns: u64) -> String {
    let time = UNIX_EPOCH + Duration::from_nanos(ns);
    let text = humantime::format_rfc3339_seconds(time).to_string();
    format!("{} UTC", text.get(..16).unwrap_or(&text).replace('T', " "))
}
