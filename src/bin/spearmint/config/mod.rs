//! `spearmint config`.

mod expand;

use crate::Failed;
use clap::{Args, Subcommand};

/// Look at configs and experiment files
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Config {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Expand(expand::Expand),
}

impl Config {
    pub(crate) fn run(self) -> Result<(), Failed> {
        match self.command {
            Command::Expand(command) => command.run(),
        }
    }
}
