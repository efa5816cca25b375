//! Which file a name stands for: by its endings, in a directory, in `env/`.

use crate::config::ConfigError;
use std::path::{Path, PathBuf};

/// The endings of files that are read.
const ENDINGS: [&str; 4] = ["yaml", "yml", "json", "toml"];

pub(super) fn failed(path: &Path, message: impl Into<String>) -> ConfigError {
    ConfigError::Read { path: path.to_owned(), source: std::io::Error::other(message.into()) }
}

pub(super) fn base_of(path: &Path) -> Result<PathBuf, ConfigError> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    with_ending(path, "base")?.ok_or_else(|| {
        failed(path, format!("a directory without a file base.yaml; {}", listed(path)))
    })
}

pub(super) fn overlay_of(directory: &Path, name: &str) -> Result<PathBuf, ConfigError> {
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
