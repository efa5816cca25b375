//! Files for a test, gone at its end.

use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tower_spearmint::config::{ConfigError, Document, Sources};

pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let these = Self(TempDir::new().unwrap());
        for (name, text) in files {
            these.write(name, text);
        }
        these
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let file = self.path(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn directory(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn load(&self, name: &str, overrides: &[&str]) -> Result<Document, ConfigError> {
        Sources::new(self.path(name)).overrides(overrides.iter().copied()).load()
    }

    pub(crate) fn value(&self, name: &str, overrides: &[&str]) -> Value {
        self.load(name, overrides).unwrap_or_else(|error| panic!("{error}")).value().clone()
    }

    /// What is said to it, with the names of the files as seen from the directory.
    pub(crate) fn error(&self, name: &str, overrides: &[&str]) -> String {
        self.said(&self.load(name, overrides).unwrap_err())
    }

    pub(crate) fn said(&self, error: &ConfigError) -> String {
        error.to_string().replace(&format!("{}/", self.0.path().display()), "")
    }
}

/// Asserts that an error is said so, and that the documentation shows it.
#[track_caller]
pub(crate) fn documented(said: &str, expected: &str) {
    assert_eq!(said, expected);
    let documentation = include_str!("../../docs/configuration.md");
    assert!(documentation.contains(expected), "docs/configuration.md does not show: {expected}");
}
