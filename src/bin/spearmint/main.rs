//! The `spearmint` command: a door to the library.

#![forbid(unsafe_code)]

mod assign;
mod branches;
mod completions;
mod config;
mod demo;
mod diff;
mod listen;
mod outcomes;
mod output;
mod report;
mod serve;
mod since;
mod store;
mod store_path;
mod sync;
mod ui;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Try a new model, prompt or build on real traffic, without risk.
#[derive(Debug, Parser)]
#[command(
    name = "spearmint",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "\
Examples:
  spearmint demo                                 see it at work, with nothing to set up
  spearmint config validate experiment.yaml      everything that is wrong with a file
  spearmint serve experiment.yaml                run an experiment in front of your services
  spearmint branches --status failed --since 1h  look at what was recorded
  spearmint assign experiment.yaml --unit ann    who gets what, and why
  spearmint diff                                 where shadows answered otherwise
  spearmint report                               which config to keep, and how sure that is
  spearmint outcomes import orders.csv           what units did later, for the report
  spearmint config diff a.yaml b.yaml            what differs between two files of configs
  spearmint store stat                           what a store holds, and what it takes
  spearmint sync --to http://mlflow:5000         send what was recorded to a team's MLflow
  spearmint ui                                   open a store to MLflow's clients

Exit codes: 0 done; 1 something failed; 2 wrong arguments or a mistake in a file.
Colour follows the terminal and NO_COLOR. The level of the log follows SPEARMINT_LOG (info)."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Demo(demo::Demo),
    Branches(branches::Branches),
    Assign(assign::Assign),
    Diff(diff::Diff),
    Report(report::ReportCommand),
    Outcomes(outcomes::Outcomes),
    Ui(ui::Ui),
    Config(config::Config),
    Store(store::Store),
    Sync(sync::Sync),
    Completions(completions::Completions),
}

/// Something failed; which exit code that is.
pub(crate) enum Failed {
    /// The user's input: exit code 2.
    Input(tower_spearmint::BoxError),
    /// Everything else: exit code 1.
    Run(tower_spearmint::BoxError),
    /// The user's input, and what is wrong with it was said: exit code 2.
    Said,
    /// Something differs, and the exit code was to say so: 1, without a word.
    Differs,
}

impl<E: Into<tower_spearmint::BoxError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::Run(error.into())
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Serve(command) => command.run(),
        Command::Demo(command) => command.run(),
        Command::Branches(command) => command.run(),
        Command::Assign(command) => command.run(),
        Command::Diff(command) => command.run(),
        Command::Report(command) => command.run(),
        Command::Outcomes(command) => command.run(),
        Command::Ui(command) => command.run(),
        Command::Config(command) => command.run(),
        Command::Store(command) => command.run(),
        Command::Sync(command) => command.run(),
        Command::Completions(command) => command.run(),
    };
    let (error, code) = match result {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failed::Input(error)) => (error, 2),
        Err(Failed::Run(error)) => (error, 1),
        Err(Failed::Said) => return ExitCode::from(2),
        Err(Failed::Differs) => return ExitCode::FAILURE,
    };
    // `spearmint branches | head` is no failure.
    if is_broken_pipe(&*error) {
        return ExitCode::SUCCESS;
    }
    output::error(&*error);
    ExitCode::from(code)
}

fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    let io = match error.downcast_ref::<csv::Error>().map(csv::Error::kind) {
        Some(csv::ErrorKind::Io(io)) => Some(io),
        _ => error.downcast_ref(),
    };
    io.is_some_and(|io: &std::io::Error| io.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
