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
mod parse;
mod tree;

pub use parse::parse;

use super::{
    Config, ConfigError, ConfigPool, Document,
    document::text::read,
    interpolate::{Noted, Resolvers},
};
use std::path::{Path, PathBuf};

impl ConfigPool {
    /// A pool from YAML text: one config, several documents, or a list.
    ///
    /// # Errors
    ///
    /// When the text is not YAML, a document is not a config, there are none, or two different
    /// ones share an id. The error names the line and column.
    pub fn from_yaml_str(text: &str) -> Result<Self, ConfigError> {
        let resolvers = Resolvers::standard();
        Self::placed(configs_of(parse(text, "<text>")?, &resolvers)?, "<text>")
    }

    /// As [`ConfigPool::from_yaml_str`], from a file. Paths in it are relative to the file.
    ///
    /// # Errors
    ///
    /// As [`ConfigPool::from_yaml_str`], and when the file cannot be read.
    pub fn from_yaml_file(file: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let file = file.as_ref();
        Self::from_yaml_file_with(file, &Resolvers::standard().beside(file))
    }

    /// As [`ConfigPool::from_yaml_file`], with the caller's resolvers for `${name:…}`.
    ///
    /// # Errors
    ///
    /// As [`ConfigPool::from_yaml_file`].
    pub fn from_yaml_file_with(
        file: impl AsRef<Path>,
        resolvers: &Resolvers,
    ) -> Result<Self, ConfigError> {
        let noted = Noted::default();
        let pool = Self::read_file(file.as_ref(), resolvers.clone().noting(&noted))?;
        Ok(pool.drawn_from(&noted))
    }

    fn read_file(file: &Path, resolvers: Resolvers) -> Result<Self, ConfigError> {
        let place = file.display().to_string();
        Self::placed(configs_of(parse(&read(file)?, &place)?, &resolvers)?, &place)
    }

    /// A pool from every `*.yaml` and `*.yml` below a directory, in the order of their paths.
    /// Names that begin with a dot are passed over.
    ///
    /// # Errors
    ///
    /// As [`ConfigPool::from_yaml_file`].
    pub fn from_dir(directory: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let noted = Noted::default();
        Ok(Self::read_directory(directory.as_ref(), &noted)?.drawn_from(&noted))
    }

    fn read_directory(directory: &Path, noted: &Noted) -> Result<Self, ConfigError> {
        let mut configs = Vec::new();
        for file in below(directory)?.files {
            let documents = parse(&read(&file)?, &file.display().to_string())?;
            let resolvers = Resolvers::standard().beside(&file).noting(noted);
            configs.extend(configs_of(documents, &resolvers)?);
        }
        Self::placed(configs, &directory.display().to_string())
    }

    /// [`from_dir`](Self::from_dir) or [`from_yaml_file`](Self::from_yaml_file), whichever it is; what
    /// was read is noted, even if it was wrong.
    #[cfg(feature = "watch")]
    pub(crate) fn read_noting(path: &Path, noted: &Noted) -> Result<Self, ConfigError> {
        let pool = match path.is_dir() {
            true => Self::read_directory(path, noted),
            false => Self::read_file(path, Resolvers::standard().beside(path).noting(noted)),
        };
        Ok(pool?.drawn_from(noted))
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

/// The configs of some documents, each with where it was written.
fn configs_of(
    documents: Vec<Document>,
    resolvers: &Resolvers,
) -> Result<Vec<(Config, String)>, ConfigError> {
    let mut configs = Vec::new();
    for mut document in documents {
        document.settle(resolvers, "")?;
        let more = document.configs(resolvers, configs.len())?;
        configs.extend(more);
    }
    Ok(configs)
}
