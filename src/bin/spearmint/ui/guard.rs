//! Who may use a server, as the command line and the environment say.

use crate::Failed;
use std::{env::VarError, net::SocketAddr, path::Path};
use tower_spearmint::server::{Access, Tokens};

/// Holds a token that may do everything. (An argument would be seen by whoever lists processes.)
const VARIABLE: &str = "SPEARMINT_UI_TOKEN";

pub(crate) struct Guard {
    pub(crate) tokens: Tokens,
}

impl Guard {
    /// The tokens of the file that `named_by` names, and that of the environment.
    pub(crate) fn read(named_by: &str, file: Option<&Path>) -> Result<Self, Failed> {
        let mut tokens = Tokens::new();
        if let Some(path) = file {
            let wrong = |why: &dyn std::fmt::Display| {
                Failed::Input(format!("{named_by} {}: {why}", path.display()).into())
            };
            let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
            tokens = Tokens::parse(&text).map_err(|error| wrong(&error))?;
            if tokens.is_empty() {
                return Err(wrong(
                    &"no token in it; `spearmint ui token new --token-file FILE` adds one",
                ));
            }
        }
        match std::env::var(VARIABLE) {
            Ok(token) if !token.is_empty() => {
                tokens = tokens
                    .and(VARIABLE, Access::ReadWrite, &token)
                    .map_err(|error| Failed::Input(format!("{VARIABLE}: {error}").into()))?;
            }
            Err(VarError::NotUnicode(_)) => {
                return Err(Failed::Input(format!("{VARIABLE}: it is not UTF-8").into()));
            }
            _ => {}
        }
        Ok(Self { tokens })
    }

    /// Whether they are enough for this address.
    pub(crate) fn at(self, address: SocketAddr) -> Result<Self, Failed> {
        self.tokens.check_address(address).map_err(|error| Failed::Input(error.into()))?;
        Ok(self)
    }
}
