//! `spearmint outcomes import`.

use super::source::Source;
use crate::{Failed, output, store::Watch, store::open_to_write};
use clap::Args;
use serde_json::json;
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    path::PathBuf,
};
use tower_spearmint::store::{Outcome, OutcomeError, OutcomesRecorded, SqliteStore};

/// So many are one transaction, between which others can write.
const TOGETHER: usize = 2_000;
/// So many of those that are refused are told one by one.
const MAX_TOLD: u64 = 20;

/// Read outcomes from a file: each counts for the exposures of its unit
#[derive(Debug, Args)]
#[command(after_help = "\
A table (CSV) with a header, or a JSON map in each line:
  id,unit,name,value,time
  order-1001,ann,purchase,19.90,2026-01-31T12:00:00Z

  {\"id\": \"order-1001\", \"unit\": \"ann\", \"name\": \"purchase\", \"value\": 19.9, \"time_ms\": 1769860800000}

id: tells it apart from all others; read again, it counts once. unit: the key that the unit is
assigned by (or unit_hash: the hash that its branches have). value: 1, if there is none.

Exit codes: 0 all are in the store; 2 some were refused, the others are in.")]
pub(crate) struct Import {
    /// The file; - for what is piped in
    file: PathBuf,
    /// Only say what would become of them
    #[arg(long)]
    dry_run: bool,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
    /// The store
    #[arg(long, value_name = "FILE", default_value = "spearmint.db")]
    store: PathBuf,
}

impl Import {
    pub(crate) fn run(self) -> Result<(), Failed> {
        let store = open_to_write(&self.store)?;
        let from: Box<dyn BufRead> = if self.file.as_os_str() == "-" {
            Box::new(BufReader::new(io::stdin().lock()))
        } else {
            let file = File::open(&self.file)
                .map_err(|error| Failed::Input(self.place(&error.to_string()).into()))?;
            Box::new(BufReader::new(file))
        };
        let mut source =
            Source::new(from).map_err(|error| Failed::Input(self.place(&error).into()))?;
        let mut import = Running::new(store, self.dry_run);
        let watch = Watch::new();
        while let Some((line, outcome)) =
            source.next().map_err(|error| Failed::Run(self.place(&error.to_string()).into()))?
        {
            match outcome {
                Ok(outcome) if outcome.at_ms.is_none() => {
                    import.refuse(line, "`time` is missing: a file says when it was");
                }
                Ok(outcome) => import.add(line, outcome)?,
                Err(error) => import.refuse(line, &error.reason),
            }
            watch.say("reading outcomes", import.seen, 0);
        }
        import.flush()?;
        drop(watch);
        import.say(self.json)
    }

    fn place(&self, text: &str) -> String {
        format!("{}: {text}", self.file.display())
    }
}

/// An import under way.
struct Running {
    store: SqliteStore,
    dry_run: bool,
    lines: Vec<u64>,
    outcomes: Vec<Outcome>,
    recorded: OutcomesRecorded,
    seen: u64,
    refused: u64,
    /// Those that are told, by line.
    told: Vec<(u64, String)>,
}

impl Running {
    fn new(store: SqliteStore, dry_run: bool) -> Self {
        Self {
            store,
            dry_run,
            lines: Vec::new(),
            outcomes: Vec::new(),
            recorded: OutcomesRecorded::default(),
            seen: 0,
            refused: 0,
            told: Vec::new(),
        }
    }

    fn add(&mut self, line: u64, outcome: Outcome) -> Result<(), Failed> {
        self.seen += 1;
        self.lines.push(line);
        self.outcomes.push(outcome);
        if self.outcomes.len() >= TOGETHER { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Failed> {
        let (recorded, refused) = self.store.import_outcomes(&self.outcomes, self.dry_run)?;
        self.recorded = self.recorded.and(recorded);
        self.seen -= refused.len() as u64;
        for OutcomeError { at, reason, .. } in refused {
            let place = usize::try_from(at).unwrap_or(0).saturating_sub(1);
            let line = self.lines.get(place).copied().unwrap_or(0);
            self.refuse(line, &reason);
        }
        self.lines.clear();
        self.outcomes.clear();
        Ok(())
    }

    fn refuse(&mut self, line: u64, reason: &str) {
        self.seen += 1;
        self.refused += 1;
        if self.refused <= MAX_TOLD {
            self.told.push((line, output::one_line(reason, 300)));
        }
    }

    fn say(mut self, as_json: bool) -> Result<(), Failed> {
        self.told.sort_unstable();
        for (line, reason) in &self.told {
            output::warning(&format!("line {line}: {reason}"));
        }
        if self.refused > MAX_TOLD {
            output::warning(&format!("{} more were refused", self.refused - MAX_TOLD));
        }
        let OutcomesRecorded { new, known, attributed, unattributed, .. } = self.recorded;
        let (refused, dry_run) = (self.refused, self.dry_run);
        if as_json {
            let said = json!({
                "new": new, "known": known, "attributed": attributed, "unattributed": unattributed,
                "refused": refused, "dry_run": dry_run,
                "reasons": self.told.iter()
                    .map(|(line, reason)| json!({ "line": line, "reason": reason }))
                    .collect::<Vec<_>>(),
            });
            writeln!(io::stdout().lock(), "{}", serde_json::to_string_pretty(&said)?)?;
        } else {
            let would = if dry_run { " would be" } else { "" };
            output::note(&format!(
                "{} outcomes: {new}{would} new ({attributed} belong to an exposure, {unattributed} to none \
                 so far), {known} known, {refused} refused",
                self.seen
            ));
        }
        if refused > 0 { Err(Failed::Said) } else { Ok(()) }
    }
}
