//! An experiment file, read and checked.

mod accessors;
mod changes;
mod check;
mod followed;
mod own;
mod read;
#[cfg(feature = "report")]
mod report;
mod start;

pub use self::accessors::SyncFile;
#[cfg(feature = "schema")]
pub(super) use self::{own::take_custom, read::secrets};
use super::{settings::Settings, target::Target};
#[cfg(feature = "watch")]
use crate::config::watch::Print;
use crate::config::{Config, ConfigError, ConfigPool, Document, Sources, interpolate::Noted};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// An experiment file: what `spearmint serve` runs. Checked as a whole when it is read; the
/// errors name the line, the column and what would be right.
#[derive(Clone)]
pub struct ExperimentFile {
    pub(super) document: Document,
    pub(super) settings: Settings,
    pub(super) pool: ConfigPool,
    pub(super) targets: Vec<(crate::ConfigId, Arc<Target>)>,
    /// The settings of a strategy that did not come with the crate.
    pub(super) custom: Config,
    directory: PathBuf,
    /// Where it came from, to read it again.
    sources: Option<Sources>,
    /// What it was read from, and all that is read because it says so.
    followed: Vec<PathBuf>,
    /// What its certificates held.
    #[cfg(feature = "watch")]
    certified: Option<Print>,
}

impl ExperimentFile {
    /// Reads a file. Paths in it are relative to the file.
    ///
    /// # Errors
    ///
    /// When it cannot be read or something in it is wrong.
    pub fn from_yaml_file(file: impl AsRef<Path>) -> Result<Self, ConfigError> {
        Self::with_overrides(file, &[])
    }

    /// As [`from_yaml_file`](Self::from_yaml_file), with `key=value` overrides as they are given on
    /// a command line: `shadow.sample=0.1`, `configs[1].upstream=http://127.0.0.1:9003`. A value
    /// is read as YAML.
    ///
    /// # Errors
    ///
    /// As [`from_yaml_file`](Self::from_yaml_file), and when an override is not of that form.
    pub fn with_overrides(
        file: impl AsRef<Path>,
        overrides: &[String],
    ) -> Result<Self, ConfigError> {
        Self::load(&Sources::new(file.as_ref()).overrides(overrides))
    }

    /// Reads a file of any of the formats, or a directory with a `base` file, with an overlay,
    /// environment variables and overrides. Paths in it are relative to the file.
    ///
    /// # Errors
    ///
    /// As [`Sources::load`], and when something in it is wrong.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        Self::load_noting(sources, &Noted::default())
    }

    /// As [`load`](Self::load); what `${file:…}` reads is noted, even if something is wrong.
    fn load_noting(sources: &Sources, noted: &Noted) -> Result<Self, ConfigError> {
        let mut file = Self::checked(sources.load()?, sources.directory(), noted)?;
        file.sources = Some(sources.clone());
        file.followed = file.all_files(noted);
        #[cfg(feature = "watch")]
        {
            // Before they are put to use: a later change is told from what is in use.
            file.certified = Some(Print::of(&file.certificates()));
        }
        Ok(file)
    }

    /// The files it was read from, each once; none if it came from a text. What they name (certificates,
    /// a store) does not count.
    pub fn files(&self) -> &[PathBuf] {
        self.document.files()
    }

    /// Reads it again from where it came, with the same variables and overrides.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load), and when it came from a text.
    pub fn reread(&self) -> Result<Self, ConfigError> {
        self.reread_noting(&Noted::default())
    }

    /// As [`reread`](Self::reread); what `${file:…}` reads is noted, even if something is wrong.
    pub(super) fn reread_noting(&self, noted: &Noted) -> Result<Self, ConfigError> {
        let Some(sources) = &self.sources else {
            return Err(self.error("", "read from a text; there is no file to read again"));
        };
        Self::load_noting(sources, noted)
    }

    /// Reads a text. Paths in it are relative to the current directory.
    ///
    /// # Errors
    ///
    /// When something in it is wrong.
    pub fn from_yaml_str(text: &str) -> Result<Self, ConfigError> {
        Self::checked(Self::document(text, "<text>")?, PathBuf::new(), &Noted::default())
    }

    /// An error about the value at `path`, with its place in the file.
    pub(super) fn error(&self, path: &str, message: impl std::fmt::Display) -> ConfigError {
        self.document.error(path, message)
    }
}

impl fmt::Debug for ExperimentFile {
    /// Without secrets, wherever the file puts them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExperimentFile")
            .field("experiment", &self.experiment())
            .field("strategy", &self.strategy())
            .field("pool", &self.pool)
            .field("files", &self.followed)
            .finish_non_exhaustive()
    }
}
