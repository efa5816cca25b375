//! Templates in documents: `$` words, with the places they were written at.

use super::{Document, Sources};
use crate::config::{
    Config, ConfigError, SecretKeys,
    expand::{Space, SpaceError, is_template},
    interpolate::Resolvers,
    path,
};
use serde_json::Value;
use std::{borrow::Cow, sync::Arc};

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
    /// The space of the template at `path`. A config without `$` words is a space of one. What refers
    /// to values that the template varies is resolved for each config, with `resolvers`.
    ///
    /// # Errors
    ///
    /// When the template is wrong; the error names the file, the line and the column.
    pub fn space(
        &self,
        path: &str,
        secrets: &SecretKeys,
        resolvers: &Resolvers,
    ) -> Result<Space, ConfigError> {
        let template = self.get(path).cloned().unwrap_or(Value::Null);
        let secrets = secrets.clone().and_drawn(&self.drawn, path);
        let space = Space::with_secrets(template, secrets)
            .map_err(|error| self.misexpanded(path, &error))?;
        if self.drawn.below(path).next().is_none() && self.drawn.is_complete() {
            return Ok(space);
        }
        let (document, at, resolvers) =
            (Arc::new(self.clone()), path.to_owned(), resolvers.clone());
        Ok(space.resolved_by(move |value| document.resolve_expanded(value, &at, &resolvers)))
    }

    /// Whether something in a part has yet to be expanded. (While one text waits for that, all may.)
    fn left_open(&self, part: &Value) -> bool {
        is_template(part) || !self.drawn.is_complete()
    }

    fn misexpanded(&self, base: &str, error: &SpaceError) -> ConfigError {
        self.error(&path::join(base, &error.path), &error.message)
    }

    /// The configs that it holds, each with where it was written: a list counts as its items, a
    /// template as what it stands for. `before`: how many configs there are already.
    pub(crate) fn configs(
        &self,
        resolvers: &Resolvers,
        before: usize,
    ) -> Result<Vec<(Config, String)>, ConfigError> {
        let paths = match &self.value {
            Value::Array(items) => (0..items.len()).map(|at| path::item("", at)).collect(),
            _ => vec![String::new()],
        };
        let secrets = SecretKeys::default();
        let mut configs = Vec::new();
        for at in paths {
            if !self.get(&at).is_some_and(|part| self.left_open(part)) {
                configs.push(self.config_with(&at, &secrets)?);
                continue;
            }
            let space = self.space(&at, &secrets, resolvers)?;
            let place = self.place_of(&at);
            let made = space
                .configs(before + configs.len())
                .map_err(|error| self.misexpanded(&at, &error))?;
            for config in made {
                let config = config.map_err(|error| self.unless_placed(&at, error))?;
                configs.push((config, place.clone()));
            }
        }
        Ok(configs)
    }

    /// An error of an expanded config, which may know its place already.
    fn unless_placed(&self, path: &str, error: ConfigError) -> ConfigError {
        match error {
            ConfigError::Syntax { .. }
            | ConfigError::Override { .. }
            | ConfigError::Environment { .. } => error,
            other => self.error(path, other),
        }
    }

    /// Puts what its templates stand for in place of a list.
    #[cfg(feature = "proxy")]
    pub(crate) fn expand_list(
        &mut self,
        list: &str,
        secrets: &SecretKeys,
        resolvers: &Resolvers,
    ) -> Result<(), ConfigError> {
        let Some(items) = self.get(list).filter(|items| self.left_open(items)) else {
            return Ok(());
        };
        let Value::Array(items) = items else { return Ok(()) };
        let (mut values, mut origins, mut drawn) =
            (Vec::new(), Vec::new(), crate::config::interpolate::Drawn::default());
        for (at, item) in items.iter().enumerate() {
            if self.left_open(item) {
                let path = path::item(list, at);
                let space = self.space(&path, secrets, resolvers)?;
                let kept = space.kept(values.len());
                for point in kept.map_err(|error| self.misexpanded(&path, &error))? {
                    let (value, own) =
                        point.drawn_value().map_err(|error| self.unless_placed(&path, error))?;
                    values.push(value);
                    drawn.join(own, &path);
                }
            } else {
                values.push(item.clone());
            }
            origins.resize(values.len(), at);
        }
        self.drawn.join(drawn, "");
        let target =
            path::steps(list).try_fold(&mut self.value, |value, step| value.get_mut(&*step));
        if let Some(target) = target {
            *target = Value::Array(values);
        }
        self.expanded = Some(Expanded { list: list.to_owned(), origins });
        Ok(())
    }
}

impl Sources {
    /// The spaces of the templates, in order, each with the place it was written at. The sources hold
    /// configs (one, several documents or a list), or they are an experiment file with `configs`.
    /// What is laid over a file of several documents is laid over each.
    ///
    /// # Errors
    ///
    /// As [`Sources::load`], and when a reference or a template is wrong.
    pub fn spaces(&self) -> Result<Vec<(Space, String)>, ConfigError> {
        let mut spaces = Vec::new();
        for mut document in self.load_each()? {
            let is_experiment = document.has("experiment") && document.has("configs");
            let mut secrets = SecretKeys::default();
            if is_experiment && document.has("secrets") {
                let more: Vec<String> = document.bind("secrets")?;
                secrets = secrets.and(more.iter().map(String::as_str));
            }
            let list = if is_experiment { "configs" } else { "" };
            let resolvers =
                Resolvers::standard().relative_to(self.directory()).with_secrets(secrets.clone());
            document.settle(&resolvers, list)?;
            let paths: Vec<_> = match document.get(list) {
                Some(Value::Array(items)) => {
                    (0..items.len()).map(|at| path::item(list, at)).collect()
                }
                _ if is_experiment => {
                    return Err(document.error(list, "a list is expected here, as in [a, b]"));
                }
                _ => vec![String::new()],
            };
            for path in paths {
                let space = document.space(&path, &secrets, &resolvers)?;
                spaces.push((space, document.place_of(&path)));
            }
        }
        Ok(spaces)
    }
}
