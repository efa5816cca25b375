//! Configs from YAML, with the line and column of everything.
//!
//! A file holds one config, several documents, or a list; a directory is read recursively in
//! sorted order. YAML's loose scalars are pinned down, so that a file means the same to every
//! reader: `true`/`false` are the only booleans, a number that would lose digits (`010`, `2^64`)
//! is an error, and a key written twice is an error.
//!
//! ```
//! use tower_spearmint::ConfigPool;
//!
//! let pool = ConfigPool::from_yaml_str("
//! - config_id: stable
//!   model: small-v1
//! - config_id: candidate
//!   model: small-v2
//! ")?;
//! assert_eq!(pool.len(), 2);
//!
//! let error = ConfigPool::from_yaml_str("{ config_id: a, size: 010 }").unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "<text>:1:23: `size`: `010` is not a plain number; write 10, or \"010\" for a text"
//! );
//! # Ok::<(), tower_spearmint::config::ConfigError>(())
//! ```
mod document;
mod parse;
mod tree;

pub use document::{Document, Spot};
pub use parse::parse;

use super::{Config, ConfigError, ConfigPool};
use document::syntax;
use parse::MAX_BYTES;
use serde_json::Value;
use std::path::{Path, PathBuf};

impl ConfigPool {
    /// A pool from YAML text: one config, several documents, or a list.
    ///
    /// # Errors
    ///
    /// When the text is not YAML, a document is not a config, there are none, or two different
    /// ones share an id. The error names the line and column.
    pub fn from_yaml_str(text: &str) -> Result<Self, ConfigError> {
        Self::placed(configs_of(&parse(text, "<text>")?)?, "<text>")
    }

    /// As [`ConfigPool::from_yaml_str`], from a file.
    ///
    /// # Errors
    ///
    /// As [`ConfigPool::from_yaml_str`], and when the file cannot be read.
    pub fn from_yaml_file(file: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let file = file.as_ref();
        let place = file.display().to_string();
        Self::placed(configs_of(&parse(&read(file)?, &place)?)?, &place)
    }

    /// A pool from every `*.yaml` and `*.yml` below a directory, in the order of their paths.
    /// Names that begin with a dot are passed over.
    ///
    /// # Errors
    ///
    /// As [`ConfigPool::from_yaml_file`].
    pub fn from_dir(directory: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let directory = directory.as_ref();
        let mut configs = Vec::new();
        for file in below(directory)?.files {
            configs.extend(configs_of(&parse(&read(&file)?, &file.display().to_string())?)?);
        }
        Self::placed(configs, &directory.display().to_string())
    }
}

/// What a directory holds.
#[derive(Default)]
pub(crate) struct Below {
    /// The files that are read, in the order of their paths.
    pub(crate) files: Vec<PathBuf>,
    /// The directories, itself included.
    pub(crate) directories: Vec<PathBuf>,
}

/// What [`ConfigPool::from_dir`] reads.
pub(crate) fn below(directory: &Path) -> Result<Below, ConfigError> {
    let mut below = Below::default();
    collect(directory, &mut Vec::new(), &mut below)?;
    below.files.sort();
    Ok(below)
}

/// Honest trees are not this deep.
const MAX_DIRECTORY_DEPTH: usize = 32;

/// `above`: the directories around this one, as they are really called, since symbolic links may
/// make a circle.
fn collect(
    directory: &Path,
    above: &mut Vec<PathBuf>,
    below: &mut Below,
) -> Result<(), ConfigError> {
    let failed = |source| ConfigError::Read { path: directory.to_owned(), source };
    let real = directory.canonicalize().map_err(failed)?;
    if above.contains(&real) {
        return Err(failed(std::io::Error::other("a link to a directory that it stands in")));
    }
    if above.len() >= MAX_DIRECTORY_DEPTH {
        return Err(failed(std::io::Error::other("nested more than 32 deep")));
    }
    above.push(real);
    below.directories.push(directory.to_owned());
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            collect(&path, above, below)?;
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            below.files.push(path);
        }
    }
    above.pop();
    Ok(())
}

pub(crate) fn read(file: &Path) -> Result<String, ConfigError> {
    let failed = |source| ConfigError::Read { path: file.to_owned(), source };
    let size = std::fs::metadata(file).map_err(failed)?.len();
    if size > MAX_BYTES as u64 {
        return Err(failed(std::io::Error::other("larger than 16 MiB")));
    }
    let bytes = std::fs::read(file).map_err(failed)?;
    String::from_utf8(bytes).map_err(|error| {
        let bytes = error.as_bytes();
        let at = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&bytes[..at]);
        let line = before.matches('\n').count() as u64 + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
        syntax(
            &file.display().to_string(),
            Spot { line, column },
            format!("the byte {:#04x} is not UTF-8; save the file as UTF-8", bytes[at]),
        )
    })
}

/// The configs of some documents, each with where it was written; a list counts as its items.
fn configs_of(documents: &[Document]) -> Result<Vec<(Config, String)>, ConfigError> {
    let mut configs = Vec::new();
    for document in documents {
        let paths = match document.value() {
            Value::Array(items) => (0..items.len()).map(|at| format!("[{at}]")).collect(),
            _ => vec![String::new()],
        };
        for at in paths {
            configs.push(document.config(&at)?);
        }
    }
    Ok(configs)
}
