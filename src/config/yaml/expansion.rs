//! Templates in documents: `$` words, with the places they were written at.

use super::{Document, parse, read};
use crate::config::{
    Config, ConfigError, SecretKeys,
    expand::{Space, SpaceError, is_template},
    path,
};
use serde_json::Value;
use std::{borrow::Cow, path::Path};

/// A list of a document that was expanded: which item of the file each item comes from.
#[derive(Debug, Clone)]
pub(super) struct Expanded {
    list: String,
    origins: Vec<usize>,
}

impl Expanded {
    /// The path in the file of what stands at `path` now.
    pub(super) fn written<'a>(&self, path: &'a str) -> Cow<'a, str> {
        let item = path
            .strip_prefix(self.list.as_str())
            .and_then(|rest| rest.strip_prefix('['))
            .and_then(|rest| rest.split_once(']'));
        let origin =
            item.and_then(|(at, rest)| Some((self.origins.get(at.parse::<usize>().ok()?)?, rest)));
        match origin {
            Some((origin, rest)) => Cow::Owned(format!("{}[{origin}]{rest}", self.list)),
            None => Cow::Borrowed(path),
        }
    }
}

impl Document {
    /// The space of the template at `path`. A config without `$` words is a space of one.
    ///
    /// # Errors
    ///
    /// When the template is wrong; the error names the file, the line and the column.
    pub fn space(&self, path: &str, secrets: &SecretKeys) -> Result<Space, ConfigError> {
        let template = self.get(path).cloned().unwrap_or(Value::Null);
        Space::with_secrets(template, secrets.clone())
            .map_err(|error| self.misexpanded(path, &error))
    }

    fn misexpanded(&self, base: &str, error: &SpaceError) -> ConfigError {
        self.error(&path::join(base, &error.path), &error.message)
    }

    /// What the config or template at `path` stands for, each with the place it was written at.
    /// `before`: how many configs there are already.
    pub(super) fn configs(
        &self,
        path: &str,
        before: usize,
    ) -> Result<Vec<(Config, String)>, ConfigError> {
        if !self.get(path).is_some_and(is_template) {
            return Ok(vec![self.config(path)?]);
        }
        let space = self.space(path, &SecretKeys::default())?;
        let place = self.place_of(path);
        space
            .configs(before)
            .map_err(|error| self.misexpanded(path, &error))?
            .map(|config| match config {
                Ok(config) => Ok((config, place.clone())),
                Err(error) => Err(self.error(path, error)),
            })
            .collect()
    }

    /// Puts what its templates stand for in place of a list. How many items it has then, if it
    /// had any templates.
    #[cfg(feature = "proxy")]
    pub(crate) fn expand_list(
        &mut self,
        list: &str,
        secrets: &SecretKeys,
    ) -> Result<Option<usize>, ConfigError> {
        let Some(Value::Array(items)) = self.get(list).filter(|items| is_template(items)) else {
            return Ok(None);
        };
        let (mut values, mut origins) = (Vec::new(), Vec::new());
        for (at, item) in items.iter().enumerate() {
            if is_template(item) {
                let path = format!("{list}[{at}]");
                let space = self.space(&path, secrets)?;
                let kept = space.kept(values.len());
                for point in kept.map_err(|error| self.misexpanded(&path, &error))? {
                    values.push(point.value().map_err(|error| self.error(&path, error))?);
                }
            } else {
                values.push(item.clone());
            }
            origins.resize(values.len(), at);
        }
        let target =
            path::steps(list).try_fold(self.value_mut(), |value, step| value.get_mut(step));
        if let Some(target) = target {
            *target = Value::Array(values);
        }
        let count = origins.len();
        self.set_expanded(Expanded { list: list.to_owned(), origins });
        Ok(Some(count))
    }
}

/// The spaces of a file's templates, in order, each with the place it was written at. The file holds
/// configs (one, several documents or a list), or it is an experiment file with `configs`.
///
/// # Errors
///
/// When the file cannot be read, is no YAML, or a template is wrong; the error names the file, the
/// line and the column.
pub fn spaces(file: impl AsRef<Path>) -> Result<Vec<(Space, String)>, ConfigError> {
    let file = file.as_ref();
    let mut spaces = Vec::new();
    for document in parse(&read(file)?, &file.display().to_string())? {
        let is_experiment =
            document.get("experiment").is_some() && document.get("configs").is_some();
        let (list, secrets) = if is_experiment {
            let secrets: Option<Vec<String>> = match document.get("secrets") {
                Some(_) => document.bind("secrets")?,
                None => None,
            };
            let secrets = secrets.unwrap_or_default();
            ("configs", SecretKeys::default().and(secrets.iter().map(String::as_str)))
        } else {
            ("", SecretKeys::default())
        };
        let paths: Vec<_> = match document.get(list) {
            Some(Value::Array(items)) => {
                (0..items.len()).map(|at| format!("{list}[{at}]")).collect()
            }
            _ if is_experiment => {
                return Err(document.error(list, "a list is expected here, as in [a, b]"));
            }
            _ => vec![String::new()],
        };
        for path in paths {
            spaces.push((document.space(&path, &secrets)?, document.place_of(&path)));
        }
    }
    Ok(spaces)
}
