//! `spearmint store`.

mod check;
mod compact;
mod prune;
mod snapshot;
mod stat;

use crate::{Failed, store_path};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use std::{path::Path, time::Duration};
use tower_spearmint::store::{Progress, SqliteStore, StoreError};

/// Look after a store: what it holds, whether it is whole, making it smaller
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Store {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Stat(stat::Stat),
    Check(check::Check),
    Compact(compact::Compact),
    Prune(prune::Prune),
    Snapshot(snapshot::Snapshot),
}

impl Store {
    pub(crate) fn run(self) -> Result<(), Failed> {
        match self.command {
            Command::Stat(command) => command.run(),
            Command::Check(command) => command.run(),
            Command::Compact(command) => command.run(),
            Command::Prune(command) => command.run(),
            Command::Snapshot(command) => command.run(),
        }
    }
}

/// The store of a command that changes it: there must be one.
pub(crate) fn open_to_write(path: &Path) -> Result<SqliteStore, Failed> {
    store_path::open(path)?;
    SqliteStore::open(path).map_err(|error| Failed::Input(error.into()))
}

/// What the user named wrong is another exit code than what went wrong.
fn failed(error: StoreError) -> Failed {
    match error {
        StoreError::NoExperiment { .. } => Failed::Input(error.into()),
        error => error.into(),
    }
}

/// A line at the terminal that says how far long work has come; nothing where there is none.
pub(crate) struct Watch(ProgressBar);

impl Watch {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    pub(crate) fn show(&self, progress: Progress) {
        self.say(progress.step, progress.done, progress.total);
    }

    /// So much is done, of so much (0 where that is not known).
    pub(crate) fn say(&self, step: &'static str, done: u64, total: u64) {
        let template = if total > 0 {
            "{spinner} {msg}: {human_pos} of {human_len} [{bar:30}]"
        } else if done > 0 {
            "{spinner} {msg}: {human_pos}"
        } else {
            "{spinner} {msg}"
        };
        if self.0.message() != step
            && let Ok(style) = ProgressStyle::with_template(template)
        {
            self.0.set_style(style);
            self.0.set_message(step);
        }
        self.0.set_length(total);
        self.0.set_position(done);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
