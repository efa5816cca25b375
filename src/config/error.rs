//! What can be wrong with a config or a pool.

use super::NumberError;
use std::path::PathBuf;

/// What is wrong with a secret under `config_id`.
pub(super) const MADE_OF_SECRET: &str = "made of a secret; an id is shown everywhere";

/// What is wrong with a config, and where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A config must be a map of settings.
    #[error("a config is a map of settings; this is {found}")]
    NotAMap {
        /// What it was instead.
        found: &'static str,
    },
    /// `config_id` must be a non-empty string.
    #[error("`config_id`: {found} is not a non-empty string")]
    BadId {
        /// What it was instead.
        found: String,
    },
    /// `config_id` was drawn from a secret.
    #[error("`config_id`: {MADE_OF_SECRET}")]
    SecretId,
    /// A number that cannot be carried exactly.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// Nothing is at the path.
    #[error("`{path}`: not set; {at} {has}")]
    Missing {
        /// The path asked for.
        path: String,
        /// The deepest part of it that exists.
        at: String,
        /// What is there, as in `is a list of 2 items`.
        has: String,
    },
    /// What is at the path is not of the type asked for.
    #[error("`{path}`: {message}")]
    Mismatch {
        /// The path down to the value that does not fit.
        path: String,
        /// What was found and what was expected.
        message: String,
    },
    /// A template that cannot be expanded.
    #[error(transparent)]
    Space(#[from] super::expand::SpaceError),
    /// A value that does not serialise.
    #[error("not serialisable as a config")]
    Serialize(#[source] serde_json::Error),
    /// A pool needs at least one config.
    #[error("{place}: no configs; a pool needs at least one")]
    Empty {
        /// The source that held none.
        place: String,
    },
    /// Two configs of one source with the same id and different content.
    #[error(
        "two different configs have the id `{id}`: {first} and {second} (they differ at `{differs}`)"
    )]
    DuplicateId {
        /// The id.
        id: String,
        /// Where the first stands.
        first: String,
        /// Where the second stands.
        second: String,
        /// A path at which they differ.
        differs: String,
    },
    /// No config of the pool has this id.
    #[error("no config `{id}`; the pool has {known}")]
    Unknown {
        /// The id asked for.
        id: String,
        /// The ids there are.
        known: String,
    },
    /// A config of a pool is wrong.
    #[error("{place}: {source}")]
    At {
        /// Which one.
        place: String,
        /// What is wrong with it.
        source: Box<Self>,
    },
    /// Values that must be given elsewhere (`???`) are not given.
    #[error("{}", list(errors))]
    MissingValues {
        /// One for each missing value and each reference to one, with its place.
        errors: Vec<Self>,
    },
    /// More than one mistake.
    #[error("{}", list(errors))]
    Several {
        /// Each of them, in the order they were found.
        errors: Vec<Self>,
    },
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A value that was given on the command line is wrong.
    #[error("override `{text}`: {message}")]
    Override {
        /// The override.
        text: String,
        /// What is wrong and what would be right.
        message: String,
    },
    /// A value that was given by an environment variable is wrong.
    #[error("environment variable {name}: {message}")]
    Environment {
        /// The variable.
        name: String,
        /// What is wrong and what would be right.
        message: String,
    },
    /// A text is not what was expected.
    #[error("{place}:{line}:{column}: {message}")]
    Syntax {
        /// The file, or `<text>`.
        place: String,
        /// The line, from 1.
        line: u64,
        /// The column, from 1.
        column: u64,
        /// What is wrong and what would be right.
        message: String,
    },
}

impl ConfigError {
    /// Every single error of which this one consists.
    pub fn into_each(self) -> impl Iterator<Item = Self> {
        let mut each = Vec::new();
        let mut waiting = vec![self];
        while let Some(error) = waiting.pop() {
            match error {
                Self::Several { errors } | Self::MissingValues { errors } => {
                    waiting.extend(errors.into_iter().rev());
                }
                error => each.push(error),
            }
        }
        each.into_iter()
    }

    /// One error of at least one.
    pub(crate) fn several(mut errors: Vec<Self>) -> Self {
        match errors.len() {
            1 => errors.swap_remove(0),
            _ => Self::Several { errors },
        }
    }

    /// No error, the error, or all of them in the order of the file.
    #[cfg(any(feature = "schema", feature = "proxy"))]
    pub(crate) fn many(errors: impl IntoIterator<Item = Self>) -> Result<(), Self> {
        let mut each: Vec<_> = errors.into_iter().flat_map(Self::into_each).collect();
        // A stable sort: what has no place stays in its order, behind what has one.
        each.sort_by_key(|error| match error {
            Self::Syntax { line, column, .. } => (*line, *column),
            _ => (u64::MAX, 0),
        });
        match each.len() {
            0 => Ok(()),
            _ => Err(Self::several(each)),
        }
    }

    pub(crate) fn at(self, place: impl Into<String>) -> Self {
        Self::At { place: place.into(), source: Box::new(self) }
    }
}

/// A line each.
fn list(errors: &[ConfigError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
