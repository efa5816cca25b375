//! `spearmint config`: what a file says, before anything runs.

mod schema;
mod validate;

use crate::Failed;
use clap::{Args, Subcommand};

/// Look at an experiment file: check it, describe it
#[derive(Debug, Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Validate(validate::Validate),
    Schema(schema::Schema),
}

impl Config {
    pub(crate) fn run(self) -> Result<(), Failed> {
        match self.command {
            Command::Validate(command) => command.run(),
            Command::Schema(command) => command.run(),
        }
    }
}
