//! `spearmint ui token new`.

use crate::{Failed, output::note};
use clap::{Args, Subcommand};
use std::{
    fs::OpenOptions,
    io::{Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};
use tower_spearmint::server::{Access, Tokens};

/// Make tokens for those who may use a server
#[derive(Debug, Args)]
pub(super) struct Token {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    New(New),
}

/// Make a token, and print it, this once
///
/// What is kept of it is a hash. To take a token back, remove its line and start the server again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  spearmint ui token new --name ann --token-file tokens
  spearmint ui token new --name notebook --read-only --token-file tokens
  export SPEARMINT_UI_TOKEN=$(spearmint ui token new)")]
struct New {
    /// Whose it is
    #[arg(long, default_value = "token")]
    name: String,
    /// It may call what changes nothing, only
    #[arg(long)]
    read_only: bool,
    /// Adds its line to this file; without, the line is shown on stderr
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl Token {
    pub(super) fn run(self) -> Result<(), Failed> {
        let TokenCommand::New(new) = self.command;
        let access = if new.read_only { Access::ReadOnly } else { Access::ReadWrite };
        let token = Tokens::generate()?;
        let line = Tokens::line(&new.name, access, &token)
            .map_err(|error| Failed::Input(format!("--name: {error}").into()))?;
        match &new.token_file {
            Some(path) => add(path, &line)
                .map_err(|error| Failed::Input(format!("{}: {error}", path.display()).into()))?,
            None => note(&format!("its line in a file of tokens: {line}")),
        }
        writeln!(std::io::stdout().lock(), "{token}")?;
        Ok(())
    }
}

/// Adds a line to a file that is right with it, too.
fn add(path: &Path, line: &str) -> Result<(), tower_spearmint::BoxError> {
    let mut options = OpenOptions::new();
    let mut file = options.read(true).append(true).create(true).mode(0o600).open(path)?;
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    let new_line = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let added = format!("{new_line}{line}\n");
    text.push_str(&added);
    Tokens::parse(&text)?;
    file.write_all(added.as_bytes())?;
    Ok(())
}
