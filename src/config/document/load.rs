//! A document from files: by the ending of the name, with an overlay, the environment and overrides.

use super::{Document, Override, Trace, defaults::Composer, env::with_prefix, json, text};
use crate::config::ConfigError;
use serde_json::{Map, Value};
use std::{
    ffi::{OsStr, OsString},
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The endings of files that are read.
pub(super) const ENDINGS: [&str; 4] = ["yaml", "yml", "json", "toml"];

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
        let (mut overrides, mut wrong) = (Vec::new(), Vec::new());
        for text in &self.overrides {
            match Override::parse(text) {
                Ok(change) => overrides.push(change),
                Err(error) => wrong.push(error),
            }
        }
        let file = base_of(&self.path)?;
        let directory = file.parent().unwrap_or(Path::new(""));
        let mut composer = Composer::new(directory, overrides);
        let mut document = composer.compose(&file)?;
        if let Some(name) = &self.overlay {
            let over = composer.compose(&overlay_of(directory, name)?)?;
            document.merge(over)?;
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
        let place: Arc<str> = file.display().to_string().into();
        let ending = file.extension().and_then(OsStr::to_str).unwrap_or_default();
        let mut document = match ending {
            "yaml" | "yml" => yaml(&text::read(file)?, &place)?,
            "json" => json::parse(&text::read(file)?, &place)?,
            "toml" => toml(&text::read(file)?, &place)?,
            _ => {
                return Err(failed(file, "its name ends in none of .yaml, .yml, .json, .toml"));
            }
        };
        document.files.push(file.to_owned());
        Ok(document)
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
fn yaml(text: &str, place: &Arc<str>) -> Result<Document, ConfigError> {
    let mut documents = crate::config::yaml::parse(text, place)?;
    match documents.len() {
        0 => {
            let origin = super::Origin::File { place: place.clone(), spot: super::Spot::START };
            let empty = Value::Object(Map::new());
            Ok(Document::read(place.clone(), empty, Trace::whole(origin)))
        }
        1 => Ok(documents.swap_remove(0)),
        count => Err(text::syntax(
            place,
            super::Spot::START,
            format!("{count} documents; a config file is one"),
        )),
    }
}

#[cfg(not(feature = "yaml"))]
fn yaml(_: &str, place: &Arc<str>) -> Result<Document, ConfigError> {
    Err(failed(Path::new(&**place), "this build reads no YAML; it lacks the feature `yaml`"))
}

#[cfg(feature = "toml")]
use super::toml::parse as toml;

#[cfg(not(feature = "toml"))]
fn toml(_: &str, place: &Arc<str>) -> Result<Document, ConfigError> {
    Err(failed(Path::new(&**place), "this build reads no TOML; it lacks the feature `toml`"))
}

pub(super) fn failed(path: &Path, message: impl Into<String>) -> ConfigError {
    ConfigError::Read { path: path.to_owned(), source: std::io::Error::other(message.into()) }
}

fn base_of(path: &Path) -> Result<PathBuf, ConfigError> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    with_ending(path, "base")?.ok_or_else(|| {
        failed(path, format!("a directory without a file base.yaml; {}", listed(path)))
    })
}

fn overlay_of(directory: &Path, name: &str) -> Result<PathBuf, ConfigError> {
    let directory = directory.join("env");
    let found = if is_name(name) { with_ending(&directory, name)? } else { None };
    found.ok_or_else(|| failed(&directory, format!("no overlay `{name}`; {}", listed(&directory))))
}

/// Whether a file of that name stands below its directory, whatever the name is.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
        && !name.contains('\\')
}

/// The file of that name with one of the endings, if there is one.
pub(super) fn with_ending(directory: &Path, name: &str) -> Result<Option<PathBuf>, ConfigError> {
    let whole = directory.join(name);
    let is_whole = ENDINGS.iter().any(|ending| whole.extension().is_some_and(|own| own == *ending));
    if is_whole && whole.is_file() {
        return Ok(Some(whole));
    }
    let mut found = ENDINGS
        .iter()
        .map(|ending| directory.join(format!("{name}.{ending}")))
        .filter(|file| file.is_file());
    match (found.next(), found.next()) {
        (Some(first), Some(second)) => Err(failed(
            directory,
            format!(
                "both {} and {} are there; keep one",
                first.file_name().unwrap_or_default().display(),
                second.file_name().unwrap_or_default().display()
            ),
        )),
        (found, _) => Ok(found),
    }
}

/// What there is in a directory to choose from, in words.
pub(super) fn listed(directory: &Path) -> String {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return "there is no such directory".to_owned();
    };
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
        })
        .filter_map(|path| Some(format!("`{}`", path.file_stem()?.to_str()?)))
        .collect();
    names.sort();
    names.dedup();
    match names.len() {
        0 => "it holds no config files".to_owned(),
        count => {
            let more = if count > 12 { ", …" } else { "" };
            names.truncate(12);
            format!("there are {}{more}", names.join(", "))
        }
    }
}
