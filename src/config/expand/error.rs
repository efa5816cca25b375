//! What can be wrong with a template.

use crate::config::SecretKeys;
use std::fmt;

/// What is wrong with a template, and at which path of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceError {
    /// The path in the template, as in `llm.temperature.$range`; empty for the template itself.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl SpaceError {
    pub(crate) fn new(path: &str, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), message: message.into() }
    }

    /// The same, without a word of what stands under the key of a secret.
    pub(super) fn hushed(mut self, secrets: &SecretKeys) -> Self {
        if secrets.cover(&self.path) {
            "not what a template takes here (a secret is not quoted)".clone_into(&mut self.message);
        }
        self
    }
}

impl fmt::Display for SpaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.path {
            "" => f.write_str(&self.message),
            path => write!(f, "`{path}`: {}", self.message),
        }
    }
}

impl std::error::Error for SpaceError {}
