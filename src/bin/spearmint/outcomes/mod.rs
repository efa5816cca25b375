//! `spearmint outcomes`.

mod import;
mod list;
mod prune;
mod source;

use crate::Failed;
use clap::{Args, Subcommand};

/// What units did later: purchases, ratings, returns
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Outcomes {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Import(import::Import),
    List(list::List),
    Prune(prune::Prune),
}

impl Outcomes {
    pub(crate) fn run(self) -> Result<(), Failed> {
        match self.command {
            Command::Import(command) => command.run(),
            Command::List(command) => command.run(),
            Command::Prune(command) => command.run(),
        }
    }
}
