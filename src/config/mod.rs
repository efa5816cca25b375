//! What varies: a frozen, nested value with a stable id.
//!
//! A [`Config`] is made once, from a value, a file or code, and never changes afterwards. Its
//! [`ConfigId`] is the user's own `config_id` if the value has one; otherwise it is derived from
//! the content, so that equal content has an equal id whatever the order of the keys or the
//! format it was written in. A [`ConfigPool`] is the ordered set of configs a strategy chooses
//! from.
//!
//! ```
//! use tower_spearmint::{Config, ConfigPool};
//! use serde_json::json;
//!
//! let pool = ConfigPool::from_values([
//!     json!({ "config_id": "stable", "llm": { "model": "small-v1", "temperature": 0.2 } }),
//!     json!({ "config_id": "candidate", "llm": { "model": "small-v2", "temperature": 0.7 } }),
//! ])?;
//! let candidate = pool.get("candidate")?;
//! assert_eq!(candidate.get::<f64>("llm.temperature")?, 0.7);
//! assert_eq!(candidate.get_or("llm.top_p", 1.0)?, 1.0);
//! # Ok::<(), tower_spearmint::config::ConfigError>(())
//! ```
//!
//! A typed view, with an error that says where and what:
//!
//! ```
//! use serde::Deserialize;
//! use serde_json::json;
//! use tower_spearmint::Config;
//!
//! #[derive(Debug, Deserialize)]
//! struct Llm { model: String, temperature: f64 }
//!
//! let config = Config::new(json!({ "llm": { "model": "small", "temperature": "warm" } }))?;
//! let error = config.bind::<Llm>("llm").unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "`llm.temperature`: invalid type: string \"warm\", expected f64"
//! );
//! # Ok::<(), tower_spearmint::config::ConfigError>(())
//! ```
//!
//! A config that is put together from files, the environment and overrides is a [`Document`] until it
//! is frozen; [`Sources`] says where it comes from.
//!
//! # Secrets
//!
//! Values under keys that look like secrets (`api_key`, `token`, `password`, `authorization`, …;
//! see [`SecretKeys`]) can be read by the program but are shown as `[redacted]` everywhere else:
//! in `Debug` output, in records and in what any backend receives. In the id they count only
//! by their path, so that rotating a key does not make a new config.

mod canonical;
pub mod diff;
pub mod document;
mod error;
mod exact;
pub mod expand;
mod id;
pub mod interpolate;
mod nearest;
pub(crate) mod path;
mod pool;
#[cfg(feature = "schema")]
pub mod schema;
mod secret;
mod secret_value;
pub(crate) mod time;
pub(crate) mod units;
mod unquoted;
#[cfg(feature = "watch")]
pub mod watch;
#[cfg(feature = "yaml")]
pub mod yaml;

pub use canonical::{NumberError, canonical_json};
pub use diff::{Change, Diff, diff};
pub use document::{Document, Lists, Origin, Print, Sources, Spot, to_yaml};
pub use error::ConfigError;
pub(crate) use exact::Exact;
pub use expand::ExpandConfig;
pub use id::ConfigId;
pub(crate) use nearest::nearest;
pub use pool::{ConfigPool, Primary};
pub use secret::{REDACTED, SecretKeys};
pub use secret_value::Secret;
pub use time::parse_time;
pub use units::{parse_duration, parse_size};

use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// A frozen, nested value with a stable id. Cheap to clone (one reference count).
#[derive(Clone)]
pub struct Config {
    inner: Arc<Inner>,
}

struct Inner {
    id: ConfigId,
    /// What it was expanded from. Then the value is made when it is first asked for.
    template: Option<expand::Template>,
    value: OnceLock<Value>,
    /// The value without its secrets, if it has any.
    redacted: OnceLock<Option<Value>>,
    /// Paths of values that no error quotes, though they are shown.
    unquoted: Box<[String]>,
}

impl Config {
    /// Freezes a map of settings into a config, with the default [`SecretKeys`].
    ///
    /// If the map has a string under `config_id`, that is the id; otherwise the id is derived
    /// from the content.
    ///
    /// # Errors
    ///
    /// When the value is not a map, when `config_id` is not a non-empty string, or when it holds
    /// a number that has no exact place in JSON as other languages read it (an integer beyond
    /// ±(2⁵³−1)).
    pub fn new(value: Value) -> Result<Self, ConfigError> {
        Self::with_secrets(value, SecretKeys::usual())
    }

    /// As [`Config::new`], with the caller's rule for what is a secret.
    ///
    /// # Errors
    ///
    /// As [`Config::new`].
    pub fn with_secrets(value: Value, secrets: &SecretKeys) -> Result<Self, ConfigError> {
        let Value::Object(map) = &value else {
            return Err(ConfigError::NotAMap { found: path::kind(&value) });
        };
        if map.contains_key("config_id") && secrets.hide("config_id") {
            return Err(ConfigError::SecretId);
        }
        let own_id = ConfigId::own(map.get("config_id"))?;
        // Most configs have no secret; then nothing is copied.
        let (canonical, redacted) = if secrets.are_in(&value) {
            (canonical_json(&secrets.by_path(&value, ""))?, Some(secrets.redact(&value)))
        } else {
            (canonical_json(&value)?, None)
        };
        let id = own_id.unwrap_or_else(|| ConfigId::of_canonical(&canonical));
        let (value, redacted) = (OnceLock::from(value), OnceLock::from(redacted));
        let unquoted = secrets.unquoted().map(str::to_owned).collect();
        Ok(Self { inner: Arc::new(Inner { id, template: None, value, redacted, unquoted }) })
    }

    /// A config of a template, whose id is known.
    fn expanded(id: ConfigId, template: expand::Template) -> Self {
        let unquoted = template.secrets().unquoted().map(str::to_owned).collect();
        let (template, value, redacted) = (Some(template), OnceLock::new(), OnceLock::new());
        Self { inner: Arc::new(Inner { id, template, value, redacted, unquoted }) }
    }

    /// Freezes anything that serialises to a map.
    ///
    /// # Errors
    ///
    /// As [`Config::new`], and when serialisation fails.
    pub fn from_serialize<T: serde::Serialize>(value: &T) -> Result<Self, ConfigError> {
        Self::new(serde_json::to_value(value).map_err(ConfigError::Serialize)?)
    }

    /// The stable id.
    pub fn id(&self) -> &ConfigId {
        &self.inner.id
    }

    /// The value at a dotted path (`llm.temperature`, `stops[0]`, `stops.0`), as a `T`. The empty
    /// path is the whole config.
    ///
    /// # Errors
    ///
    /// When nothing is there, or what is there is not a `T`; the error names the path, what was
    /// found and what was expected.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ConfigError> {
        self.bind(path)
    }

    /// As [`Config::get`], or `default` when nothing is there.
    ///
    /// # Errors
    ///
    /// When something is there that is not a `T`: a wrong value is never hidden by a default.
    pub fn get_or<T: DeserializeOwned>(&self, path: &str, default: T) -> Result<T, ConfigError> {
        match path::find(self.value(), path) {
            Some(Value::Null) | None => Ok(default),
            Some(_) => self.bind(path),
        }
    }

    /// Whether something is at that path (`null` counts as something).
    pub fn has(&self, path: &str) -> bool {
        path::find(self.value(), path).is_some()
    }

    /// Binds the part at `path` (the whole for `""`) to any `Deserialize` type.
    ///
    /// # Errors
    ///
    /// As [`Config::get`]; the path in the error goes down to the value that does not fit.
    pub fn bind<T: DeserializeOwned>(&self, path: &str) -> Result<T, ConfigError> {
        let value =
            path::find(self.value(), path).ok_or_else(|| path::missing(self.value(), path))?;
        serde_path_to_error::deserialize(value).map_err(|error| {
            let path = path::of_serde(path, error.path());
            let message = unquoted::speakable(&path, error.into_inner().to_string());
            let message = if self.may_quote(&path) { message } else { unquoted::unquoted(message) };
            ConfigError::Mismatch { path, message }
        })
    }

    /// Whether an error may quote the value at `path`.
    fn may_quote(&self, path: &str) -> bool {
        let is_shown = path::find(self.redacted(), path) == path::find(self.value(), path);
        is_shown
            && !self.inner.unquoted.iter().any(|other| {
                path::within(path, other).is_some() || path::within(other, path).is_some()
            })
    }

    /// The whole value, secrets included. For the program's own use: what is shown or recorded
    /// is [`Config::redacted`].
    pub fn value(&self) -> &Value {
        let template = self.inner.template.as_ref();
        self.inner.value.get_or_init(|| template.map_or(Value::Null, expand::Template::value))
    }

    /// The value with every secret replaced by `[redacted]`.
    pub fn redacted(&self) -> &Value {
        let template = self.inner.template.as_ref();
        let redacted = self.inner.redacted.get_or_init(|| template?.redacted(self.value()));
        redacted.as_ref().unwrap_or_else(|| self.value())
    }

    /// The paths of all secrets.
    #[cfg(feature = "schema")]
    fn hidden_paths(&self) -> Vec<String> {
        fn walk(value: &Value, shown: &Value, path: &str, into: &mut Vec<String>) {
            match (value, shown) {
                (_, Value::String(shown)) if shown == REDACTED => into.push(path.to_owned()),
                (Value::Object(value), Value::Object(shown)) => {
                    for ((key, value), shown) in value.iter().zip(shown.values()) {
                        walk(value, shown, &path::child(path, key), into);
                    }
                }
                (Value::Array(value), Value::Array(shown)) => {
                    for (at, (value, shown)) in value.iter().zip(shown).enumerate() {
                        walk(value, shown, &path::item(path, at), into);
                    }
                }
                _ => {}
            }
        }
        let mut paths = Vec::new();
        walk(self.value(), self.redacted(), "", &mut paths);
        paths
    }

    /// Whether both are the same frozen value (not merely equal ones).
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl PartialEq for Config {
    /// Equal id and equal content.
    fn eq(&self, other: &Self) -> bool {
        self.same(other) || (self.id() == other.id() && self.value() == other.value())
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("id", self.id()).field("value", self.redacted()).finish()
    }
}

impl serde::Serialize for Config {
    /// The redacted value: a config leaves the process without its secrets.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.redacted().serialize(serializer)
    }
}
