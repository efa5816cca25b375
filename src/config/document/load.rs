//! A document from files: by the ending of the name, with an overlay, the environment and overrides.

use super::{
    Document, Origin, Override, Spot, Trace,
    defaults::Composer,
    env::with_prefix,
    find::{base_of, failed, overlay_of},
    json, text,
};
use crate::config::ConfigError;
use serde_json::{Map, Value};
use std::{
    ffi::{OsStr, OsString},
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Where a config comes from: a file (or a directory with a `base` file), an overlay, environment
/// variables, and overrides. What is named later wins.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = std::env::temp_dir().join(format!("spearmint-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(dir.join("env"))?;
/// # std::fs::write(dir.join("base.json"), "{ \"sample\": 1, \"timeout\": \"2s\", \"threads\": 4 }")?;
/// # std::fs::write(dir.join("env/prod.json"), "{ \"sample\": 0.1, \"threads\": 8 }")?;
/// use tower_spearmint::config::{Document, Sources};
///
/// let base = Document::load(&dir)?; // base.json, by itself
/// assert_eq!(base.bind::<f64>("sample")?, 1.0);
///
/// let document = Sources::new(&dir)
///     .overlay("prod") // env/prod.json
///     .environment("SPEARMINT__", [("SPEARMINT__THREADS", "2")])
///     .overrides(["timeout=5s"])
///     .load()?;
/// assert_eq!(document.value().to_string(), r#"{"sample":0.1,"threads":2,"timeout":"5s"}"#);
/// # std::fs::remove_dir_all(dir)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Sources {
    path: PathBuf,
    overlay: Option<String>,
    prefix: String,
    variables: Vec<(OsString, OsString)>,
    overrides: Vec<String>,
}

impl Sources {
    /// A file, or a directory with a file `base.yaml` (or `.yml`, `.json`, `.toml`).
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            overlay: None,
            prefix: String::new(),
            variables: Vec::new(),
            overrides: Vec::new(),
        }
    }

    /// Lays `env/<name>.yaml` (or `.yml`, `.json`, `.toml`), which stands in the directory of the
    /// file, over it.
    #[must_use]
    pub fn overlay(mut self, name: impl Into<String>) -> Self {
        self.overlay = Some(name.into());
        self
    }

    /// Applies the variables that begin with `prefix`, as [`Document::apply_env`] does. For those
    /// of the process, pass [`std::env::vars_os`].
    #[must_use]
    pub fn environment<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        mut self,
        prefix: &str,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        prefix.clone_into(&mut self.prefix);
        self.variables = with_prefix(prefix, variables);
        self
    }

    /// Applies overrides, as [`Document::set`] does. Where the file has a `defaults:` list,
    /// `model=claude` chooses `model/claude.yaml`.
    #[must_use]
    pub fn overrides<S: Into<String>>(mut self, overrides: impl IntoIterator<Item = S>) -> Self {
        self.overrides.extend(overrides.into_iter().map(Into::into));
        self
    }

    /// The file or directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory of the file, which paths in it are relative to.
    pub fn directory(&self) -> PathBuf {
        let directory = if self.path.is_dir() { Some(&*self.path) } else { self.path.parent() };
        directory.map(Path::to_owned).unwrap_or_default()
    }

    /// Reads and merges them.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or is not of its format, a `defaults:` list names what is not
    /// there, a map would be merged with a list, or a variable or an override is wrong. The error
    /// names the file, line and column, the variable or the override.
    pub fn load(&self) -> Result<Document, ConfigError> {
        let file = base_of(&self.path)?;
        self.complete(&file, Document::read_file(&file)?)
    }

    /// As [`load`](Self::load), of each document of a YAML file: what is laid over one is laid over all.
    pub(super) fn load_each(&self) -> Result<Vec<Document>, ConfigError> {
        let file = base_of(&self.path)?;
        let documents = Document::read_each(&file)?.into_iter();
        documents.map(|own| self.complete(&file, own)).collect()
    }

    /// What the file says itself, with all that it names and that is laid over it.
    fn complete(&self, file: &Path, own: Document) -> Result<Document, ConfigError> {
        let (mut overrides, mut wrong) = (Vec::new(), Vec::new());
        for text in &self.overrides {
            match Override::parse(text) {
                Ok(change) => overrides.push(change),
                Err(error) => wrong.push(error),
            }
        }
        let directory = file.parent().unwrap_or(Path::new(""));
        let mut composer = Composer::new(directory, overrides);
        let mut document = composer.compose(file, own)?;
        if let Some(name) = &self.overlay {
            let overlay = overlay_of(directory, name)?;
            let own = Document::read_file(&overlay)?;
            document.merge(composer.compose(&overlay, own)?)?;
        }
        document.apply_env(&self.prefix, self.variables.iter().map(|(k, v)| (k, v)))?;
        for change in composer.not_chosen()? {
            wrong.extend(document.apply(change).err());
        }
        if wrong.is_empty() { Ok(document) } else { Err(ConfigError::several(wrong)) }
    }
}

impl fmt::Debug for Sources {
    /// Without the values of variables and overrides, which may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("path", &self.path)
            .field("overlay", &self.overlay)
            .field("variables", &self.variables.len())
            .field("overrides", &self.overrides.len())
            .finish_non_exhaustive()
    }
}

impl Document {
    /// Reads a file, by the ending of its name (`.yaml`, `.yml`, `.json`, `.toml`), or the `base`
    /// file of a directory, with the files of its `defaults:` list. [`Sources`] takes more.
    ///
    /// # Errors
    ///
    /// As [`Sources::load`].
    pub fn load(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        Sources::new(path).load()
    }

    /// Reads one file, and nothing that it names. An empty one is an empty map.
    pub(super) fn read_file(file: &Path) -> Result<Self, ConfigError> {
        let mut documents = Self::read_each(file)?;
        let place: Arc<str> = file.display().to_string().into();
        match documents.len() {
            0 => {
                let origin = Origin::File { place: place.clone(), spot: Spot::START };
                let mut empty = Self::read(place, Value::Object(Map::new()), Trace::whole(origin));
                empty.files.push(file.to_owned());
                Ok(empty)
            }
            1 => Ok(documents.swap_remove(0)),
            count => Err(text::syntax(
                &place,
                Spot::START,
                format!("{count} documents; a config file is one"),
            )),
        }
    }

    /// The documents of one file: several only of YAML.
    fn read_each(file: &Path) -> Result<Vec<Self>, ConfigError> {
        let place: Arc<str> = file.display().to_string().into();
        let ending = file.extension().and_then(OsStr::to_str).unwrap_or_default();
        let mut documents = match ending {
            "yaml" | "yml" => yaml(&text::read(file)?, &place)?,
            "json" => vec![json::parse(&text::read(file)?, &place)?],
            "toml" => vec![toml(&text::read(file)?, &place)?],
            _ => {
                return Err(failed(file, "its name ends in none of .yaml, .yml, .json, .toml"));
            }
        };
        for document in &mut documents {
            document.files.push(file.to_owned());
        }
        Ok(documents)
    }

    /// This document under the keys of `package`.
    pub(super) fn nested(mut self, package: &[String]) -> Self {
        for key in package.iter().rev() {
            let origin = self.trace.origin.clone();
            let mut outside = origin.map_or_else(Trace::default, Trace::whole);
            *outside.entry(key) = self.trace;
            self.trace = outside;
            self.value = Value::Object(Map::from_iter([(key.clone(), self.value)]));
        }
        self
    }
}

#[cfg(feature = "yaml")]
fn yaml(text: &str, place: &str) -> Result<Vec<Document>, ConfigError> {
    crate::config::yaml::parse(text, place)
}

#[cfg(not(feature = "yaml"))]
fn yaml(_: &str, place: &str) -> Result<Vec<Document>, ConfigError> {
    Err(failed(Path::new(place), "this build reads no YAML; it lacks the feature `yaml`"))
}

#[cfg(feature = "toml")]
use super::toml::parse as toml;

#[cfg(not(feature = "toml"))]
fn toml(_: &str, place: &Arc<str>) -> Result<Document, ConfigError> {
    Err(failed(Path::new(&**place), "this build reads no TOML; it lacks the feature `toml`"))
}
