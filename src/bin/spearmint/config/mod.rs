//! `spearmint config`.

mod diff;

use crate::Failed;
use clap::{Args, Subcommand};

/// Look at configs and experiment files
#[derive(Debug, Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Diff(diff::Diff),
}

impl Config {
    pub(crate) fn run(self) -> Result<(), Failed> {
        match self.command {
            Command::Diff(command) => command.run(),
        }
    }
}
