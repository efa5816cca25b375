//! `spearmint branches`.

use crate::{Failed, output, since::parse_since, store_path};
use clap::{Args, ValueEnum};
use std::{
    io::{BufWriter, Write},
    path::PathBuf,
    time::{Duration, UNIX_EPOCH},
};
use tower_spearmint::{
    assign::Reason,
    branch::{Role, Status, TraceId, TraceParent},
    store::{BranchRow, Filter, SqliteStore},
};

/// Show the branches that a store holds
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  spearmint branches --experiment ranker --status failed --since 1h
  spearmint branches --summary
  spearmint branches --config candidate --format json | jq '.[].duration_ns'

A table shows the newest 50 unless --limit says otherwise; json and csv show all, oldest first.")]
pub(crate) struct Branches {
    /// Only of this experiment
    #[arg(long, value_name = "NAME")]
    experiment: Option<String>,
    /// Only of this config: its id, or the beginning of just one
    #[arg(long, value_name = "ID")]
    config: Option<String>,
    /// Only those that ended so: success, failed, skipped or cancelled
    #[arg(long, value_name = "STATUS")]
    status: Option<Status>,
    /// Only in this role: primary, shadow, control, branch or fallback
    #[arg(long, value_name = "ROLE")]
    role: Option<Role>,
    /// Only those assigned for this reason: weight, sticky, cycle, override, ramp, …
    #[arg(long, value_name = "REASON")]
    reason: Option<Reason>,
    /// Only of the epoch with this fingerprint (16 hexadecimal digits)
    #[arg(long, value_name = "FINGERPRINT", value_parser = parse_fingerprint)]
    epoch: Option<u64>,
    /// Only of this trace: the 32 digits that a service has in its log, or a whole traceparent
    #[arg(long, value_name = "ID", value_parser = parse_trace)]
    trace: Option<TraceId>,
    /// Only those that started since: so long ago (15m, 1h, 2d), or a time (2026-01-31T12:00:00Z)
    #[arg(long, value_name = "TIME", value_parser = parse_since)]
    since: Option<u64>,
    /// At most so many
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Requests, errors and percentiles per config instead of single branches
    #[arg(long)]
    summary: bool,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// The store
    #[arg(long, value_name = "FILE", default_value = "spearmint.db")]
    store: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
    Csv,
}

impl Branches {
    pub(crate) fn run(self) -> Result<(), Failed> {
        let store = store_path::open(&self.store)?;
        let filter = self.filter();
        let format = if self.json { Format::Json } else { self.format };
        let wrong = |error: tower_spearmint::store::StoreError| Failed::Input(error.into());
        if self.summary {
            let summaries = store.summary(&filter).map_err(wrong)?;
            let mut out = std::io::stdout().lock();
            match format {
                Format::Table => writeln!(out, "{}", output::summary(&summaries).trim_fmt())?,
                Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&summaries)?)?,
                Format::Csv => {
                    let text = "--summary has no csv form; use --format json";
                    return Err(Failed::Input(text.into()));
                }
            }
            return Ok(());
        }
        let rows = store.branches(&filter).map_err(wrong)?;
        match format {
            Format::Table => print_table(rows, &store, &self.store),
            Format::Json => print_json(rows),
            Format::Csv => print_csv(rows),
        }
    }

    fn filter(&self) -> Filter {
        let mut filter = Filter::new();
        filter.experiment.clone_from(&self.experiment);
        filter.config.clone_from(&self.config);
        filter.status = self.status;
        filter.role = self.role;
        filter.reason = self.reason;
        filter.epoch = self.epoch;
        filter.trace = self.trace;
        filter.since_ns = self.since;
        filter.limit = self.limit;
        if self.format == Format::Table && !self.json {
            filter.limit = Some(self.limit.unwrap_or(50));
            filter.newest_first = true;
        }
        filter
    }
}

/// With or without the epoch's number in front.
fn parse_fingerprint(text: &str) -> Result<u64, String> {
    let digits = text.rsplit('-').next().unwrap_or(text);
    u64::from_str_radix(digits, 16)
        .ok()
        .filter(|_| digits.len() == 16)
        .ok_or_else(|| "write the 16 digits, as in afbe801e86ef3ebe".to_owned())
}

fn parse_trace(text: &str) -> Result<TraceId, String> {
    match TraceParent::parse(text.as_bytes()) {
        Some(parent) => Ok(parent.trace_id),
        None => text
            .parse()
            .map_err(|_| "write the 32 digits, as in 4bf92f3577b34da6a3ce929d0e0e4736".to_owned()),
    }
}

type Rows = tower_spearmint::store::BranchRows;

fn print_table(rows: Rows, store: &SqliteStore, path: &std::path::Path) -> Result<(), Failed> {
    // At most as many as the limit says.
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    let mut header = vec![
        "started",
        "experiment",
        "config",
        "role",
        "status",
        "duration",
        "first byte",
        "in",
        "out",
        "why",
    ];
    // Where no caller has a trace, there is nothing to find there.
    let with_traces = rows.iter().any(|row| row.trace.is_some());
    if with_traces {
        header.push("trace");
    }
    let with_metrics = rows.iter().any(|row| !row.metrics.is_empty());
    if with_metrics {
        header.push("metrics");
    }
    let mut table = output::table(&header, 5..9);
    for row in &rows {
        let mut cells = vec![
            time(row.start_ns),
            row.experiment.to_string(),
            row.config_id.short().to_owned(),
            row.role.to_string(),
            row.status.to_string(),
            output::duration(Some(row.duration_ns)),
            output::duration(row.first_byte_ns),
            output::bytes(row.bytes_in),
            output::bytes(row.bytes_out),
            why(row),
        ];
        if with_traces {
            cells.push(row.trace_id().to_string());
        }
        if with_metrics {
            let said: Vec<_> =
                row.metrics.iter().map(|(name, value)| format!("{name} {value}")).collect();
            cells.push(said.join(", "));
        }
        table.add_row(cells);
    }
    let count = rows.len();
    let mut out = std::io::stdout().lock();
    if count > 0 {
        writeln!(out, "{}", table.trim_fmt())?;
    }
    let all = store.counts()?.branches;
    output::note(&format!("{count} of {all} branches in {}", path.display()));
    Ok(())
}

fn why(row: &BranchRow) -> String {
    let text = match (&row.failure, row.skip) {
        (Some(failure), _) => failure.to_string(),
        (None, Some(reason)) => reason.to_string(),
        (None, None) => String::new(),
    };
    output::one_line(&text, 100)
}

fn number(measure: Option<u64>) -> String {
    measure.map(|measure| measure.to_string()).unwrap_or_default()
}

fn time(ns: u64) -> String {
    let time = UNIX_EPOCH + Duration::from_nanos(ns);
    humantime::format_rfc3339_millis(time).to_string()
}

fn print_json(rows: Rows) -> Result<(), Failed> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut separator = "[\n";
    for row in rows {
        write!(out, "{separator}{}", serde_json::to_string(&row?)?)?;
        separator = ",\n";
    }
    writeln!(out, "{}", if separator == "[\n" { "[]" } else { "\n]" })?;
    Ok(out.flush()?)
}

fn print_csv(rows: Rows) -> Result<(), Failed> {
    let mut out = csv::Writer::from_writer(std::io::stdout().lock());
    out.write_record([
        "id",
        "request_id",
        "parent",
        "experiment",
        "strategy",
        "config_id",
        "role",
        "status",
        "start_ns",
        "end_ns",
        "duration_ns",
        "probability",
        "reason",
        "epoch",
        "retry_count",
        "first_byte_ns",
        "bytes_in",
        "bytes_out",
        "failure_kind",
        "failure_message",
        "skip",
        "trace_id",
        "parent_span_id",
        "metrics",
    ])?;
    for row in rows {
        let row = row?;
        let failure = row.failure.as_ref();
        out.write_record([
            row.id.to_string(),
            row.request_id.to_string(),
            row.parent.map(|id| id.to_string()).unwrap_or_default(),
            row.experiment.to_string(),
            row.strategy.to_string(),
            row.config_id.to_string(),
            row.role.to_string(),
            row.status.to_string(),
            row.start_ns.to_string(),
            row.end_ns.to_string(),
            row.duration_ns.to_string(),
            row.probability.to_string(),
            row.reason.map(|reason| reason.to_string()).unwrap_or_default(),
            row.epoch.map(|epoch| epoch.to_string()).unwrap_or_default(),
            row.retry_count.to_string(),
            number(row.first_byte_ns),
            number(row.bytes_in),
            number(row.bytes_out),
            failure.map(|failure| failure.kind.to_string()).unwrap_or_default(),
            failure.map(|failure| failure.message.clone()).unwrap_or_default(),
            row.skip.map(|reason| reason.to_string()).unwrap_or_default(),
            row.trace_id().to_string(),
            row.trace.map(|trace| trace.parent_span_id.to_string()).unwrap_or_default(),
            if row.metrics.is_empty() {
                String::new()
            } else {
                serde_json::to_string(&row.metrics).unwrap_or_default()
            },
        ])?;
    }
    Ok(out.flush()?)
}
