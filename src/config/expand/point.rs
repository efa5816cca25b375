//! One config of a space, looked at or made.

use super::space::{Inner, Space};
use crate::config::{Config, ConfigError, ConfigId, SecretKeys, interpolate::Drawn, path};
use serde_json::Value;
use std::{borrow::Cow, sync::Arc};

/// One config of a space: its index, with ways to look at what it would be.
#[derive(Debug, Clone, Copy)]
pub struct Point<'a> {
    space: &'a Space,
    index: u64,
}

impl<'a> Point<'a> {
    pub(super) const fn new(space: &'a Space, index: u64) -> Self {
        Self { space, index }
    }

    /// Its index in the space.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The position on each of the space's [axes](Space::axes).
    pub fn digits(&self) -> impl Iterator<Item = u64> + use<'a> {
        let index = self.index;
        self.space.inner.axes.iter().map(move |axis| axis.digit(index))
    }

    /// The value at a dotted path, without making the rest.
    pub fn get(&self, path: &str) -> Option<Cow<'a, Value>> {
        self.space.inner.root.find(self.index, path::steps(path))
    }

    /// Whether `exclude` and `include` leave it in.
    pub fn is_kept(&self) -> bool {
        self.space.inner.rules.keeps(&self.space.inner.root, self.index)
    }

    /// The whole value. A name from the template's `$expand` stands in it as its `config_id`.
    ///
    /// # Errors
    ///
    /// What [`Space::resolved_by`]'s function returns.
    pub fn value(&self) -> Result<Value, ConfigError> {
        self.drawn_value().map(|(value, _)| value)
    }

    /// As [`Point::value`], and what it was drawn from.
    pub(crate) fn drawn_value(&self) -> Result<(Value, Drawn), ConfigError> {
        let Some(resolve) = &self.space.resolve else {
            return Ok((self.space.inner.value(self.index), Drawn::default()));
        };
        let mut value = self.space.inner.root.value(self.index);
        let drawn = resolve(&mut value)?;
        if let Some(name) = self.space.inner.rules.name() {
            name.check(&drawn)?;
        }
        self.space.inner.put_name(self.index, &mut value);
        Ok((value, drawn))
    }

    /// The id of the config, without making it.
    ///
    /// # Errors
    ///
    /// When the config's own id is none, and as [`Point::value`].
    pub fn id(&self) -> Result<ConfigId, ConfigError> {
        if self.space.resolve.is_some() {
            return self.config().map(|config| config.id().clone());
        }
        let inner = &*self.space.inner;
        if let Some(own) = self.own_id()? {
            return Ok(own);
        }
        let mut canonical = String::with_capacity(256);
        inner.root.write_canonical(self.index, &mut canonical);
        Ok(ConfigId::of_canonical(&canonical))
    }

    /// The id that the template gives, by a name or in the config itself.
    fn own_id(&self) -> Result<Option<ConfigId>, ConfigError> {
        let inner = &*self.space.inner;
        let find = |steps: &[String]| inner.root.find(self.index, steps.iter().map(String::as_str));
        match inner.rules.name() {
            Some(name) => ConfigId::own(Some(&Value::String(name.render(self.index, find)))),
            None if inner.has_ids => ConfigId::own(self.get("config_id").as_deref()),
            None => Ok(None),
        }
    }

    /// Makes the config: its id now, its value when it is first asked for.
    ///
    /// # Errors
    ///
    /// As [`Point::id`].
    pub fn config(&self) -> Result<Config, ConfigError> {
        let inner = &*self.space.inner;
        if self.space.resolve.is_some() {
            let (value, drawn) = self.drawn_value()?;
            return Config::with_secrets(value, &inner.secrets.clone().and_drawn(&drawn, ""));
        }
        let template = Template { space: Arc::clone(&self.space.inner), index: self.index };
        Ok(Config::expanded(self.id()?, template))
    }
}

/// What the value of an expanded config is made from, once it is asked for.
pub(crate) struct Template {
    space: Arc<Inner>,
    index: u64,
}

impl Template {
    pub(crate) fn value(&self) -> Value {
        self.space.value(self.index)
    }

    /// What is a secret in it.
    pub(crate) fn secrets(&self) -> &SecretKeys {
        &self.space.secrets
    }

    /// The value without its secrets, if it may have any.
    pub(crate) fn redacted(&self, value: &Value) -> Option<Value> {
        self.space.has_secrets.then(|| self.space.secrets.redact(value))
    }
}

impl Inner {
    fn value(&self, index: u64) -> Value {
        let mut value = self.root.value(index);
        self.put_name(index, &mut value);
        value
    }

    fn put_name(&self, index: u64, value: &mut Value) {
        let Some(name) = self.rules.name() else { return };
        let find = |steps: &[String]| path::find_steps(value, steps.iter().map(String::as_str));
        let name = name.render(index, |steps| find(steps).map(Cow::Borrowed));
        if let Value::Object(map) = value {
            map.insert("config_id".to_owned(), Value::String(name));
        }
    }
}
