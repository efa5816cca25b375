//! `spearmint config`: what the files come to.

mod diff;
mod expand;
mod schema;
mod show;
mod validate;

use crate::Failed;
use clap::{Args, Subcommand};
use std::path::Path;
use tower_spearmint::config::Sources;

/// Look at configs: what the files, the environment and the overrides come to
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Config {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Show(show::Show),
    Validate(validate::Validate),
    Expand(expand::Expand),
    Diff(diff::Diff),
    Schema(schema::Schema),
}

impl Config {
    pub(crate) fn run(self) -> Result<(), Failed> {
        match self.command {
            Command::Show(command) => command.run(),
            Command::Validate(command) => command.run(),
            Command::Expand(command) => command.run(),
            Command::Diff(command) => command.run(),
            Command::Schema(command) => command.run(),
        }
    }
}

/// Where every command that takes an experiment file reads it from.
pub(crate) fn sources(file: &Path, overlay: Option<&str>, overrides: &[String]) -> Sources {
    let sources =
        Sources::new(file).environment("SPEARMINT__", std::env::vars_os()).overrides(overrides);
    match overlay {
        Some(name) => sources.overlay(name),
        None => sources,
    }
}
