//! `spearmint completions`.

use crate::{Cli, Failed};
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use std::io::Write;

/// Print the completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  spearmint completions bash > ~/.local/share/bash-completion/completions/spearmint")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self) -> Result<(), Failed> {
        // Written in one go: the generator panics where it cannot write.
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "spearmint", &mut text);
        Ok(std::io::stdout().write_all(&text)?)
    }
}
