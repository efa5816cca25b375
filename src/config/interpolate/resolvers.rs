//! What `${name:…}` calls.

mod env;
mod file;
mod noted;
mod paths;
mod system;
mod time;

pub(crate) use noted::Noted;

use super::drawn::DrawnFrom;
use crate::{BoxError, config::SecretKeys};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

type Custom = dyn Fn(&[Value]) -> Result<Value, BoxError> + Send + Sync;
type Environment = dyn Fn(&str) -> Option<String> + Send + Sync;
type Clock = dyn Fn() -> SystemTime + Send + Sync;

/// What `${name:…}` may call, and what the standard ones see: the environment, the clock, the
/// directory that paths are relative to.
///
/// ```
/// use serde_json::{Value, json};
/// use tower_spearmint::config::interpolate::{Resolvers, resolve};
///
/// let resolvers = Resolvers::standard()
///     .with_env(|name| (name == "REGION").then(|| "eu".to_owned()))
///     .with("upper", |arguments| match arguments {
///         [Value::String(text)] => Ok(text.to_uppercase().into()),
///         _ => Err("one text is expected".into()),
///     });
/// let mut value = json!({ "region": "${upper:${env:REGION}}" });
/// resolve(&mut value, &resolvers)?;
/// assert_eq!(value, json!({ "region": "EU" }));
/// # Ok::<(), tower_spearmint::config::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Resolvers {
    custom: BTreeMap<String, Arc<Custom>>,
    surroundings: Surroundings,
    pub(super) secrets: SecretKeys,
}

/// What the standard resolvers see.
#[derive(Clone)]
pub(super) struct Surroundings {
    env: Option<Arc<Environment>>,
    clock: Option<Arc<Clock>>,
    directory: PathBuf,
    noted: Noted,
}

impl Surroundings {
    fn now(&self) -> SystemTime {
        self.clock.as_ref().map_or_else(SystemTime::now, |clock| clock())
    }

    /// A path of a file, which is relative to that file.
    fn place(&self, path: &str) -> PathBuf {
        self.directory.join(path)
    }
}

impl Resolvers {
    /// The standard resolvers (see [the module](super)), with the environment and the clock of the
    /// process; paths are relative to the current directory.
    pub fn standard() -> Self {
        let surroundings = Surroundings {
            env: None,
            clock: None,
            directory: PathBuf::new(),
            noted: Noted::default(),
        };
        Self { custom: BTreeMap::new(), surroundings, secrets: SecretKeys::default() }
    }

    /// Adds a resolver, or replaces the one of that name. It is called once for each place in a
    /// document that calls it, with its arguments resolved.
    ///
    /// A name is letters, digits, `_` and `-`, in parts with dots between them.
    #[must_use]
    pub fn with(
        mut self,
        name: impl Into<String>,
        resolver: impl Fn(&[Value]) -> Result<Value, BoxError> + Send + Sync + 'static,
    ) -> Self {
        self.custom.insert(name.into(), Arc::new(resolver));
        self
    }

    /// Environment variables come from `env` instead of the process.
    #[must_use]
    pub fn with_env(
        mut self,
        env: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.surroundings.env = Some(Arc::new(env));
        self
    }

    /// The time comes from `clock` instead of the system. It is read once per document.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.surroundings.clock = Some(Arc::new(clock));
        self
    }

    /// Paths are relative to `directory`, usually that of the file.
    #[must_use]
    pub fn relative_to(mut self, directory: impl Into<PathBuf>) -> Self {
        self.surroundings.directory = directory.into();
        self
    }

    /// Paths are relative to the directory of `file`.
    #[must_use]
    pub fn beside(self, file: &Path) -> Self {
        self.relative_to(file.parent().unwrap_or_else(|| Path::new("")))
    }

    /// What counts as a secret, and makes what is drawn from it one.
    #[must_use]
    pub fn with_secrets(mut self, secrets: SecretKeys) -> Self {
        self.secrets = secrets;
        self
    }

    /// The files that are read are noted there.
    #[must_use]
    pub(crate) fn noting(mut self, noted: &Noted) -> Self {
        self.surroundings.noted = noted.clone();
        self
    }

    pub(super) fn is_custom(&self, name: &str) -> bool {
        self.custom.contains_key(name)
    }

    pub(super) fn now(&self) -> SystemTime {
        self.surroundings.now()
    }

    /// Calls `name`, if there is such a resolver.
    pub(super) fn call(
        &self,
        name: &str,
        arguments: &[Value],
        now: impl FnOnce() -> SystemTime,
    ) -> Option<Result<(Value, DrawnFrom), String>> {
        if let Some(custom) = self.custom.get(name) {
            let answer = custom(arguments).map_err(|error| error.to_string());
            return Some(answer.map(|value| (value, DrawnFrom::NONE)));
        }
        let around = &self.surroundings;
        Some(match name {
            "env" | "oc.env" => env::env(arguments, around, &self.secrets),
            "file" => file::contents(arguments, around, &self.secrets),
            "path.join" => paths::join(arguments),
            "path.abspath" => paths::absolute(arguments, around),
            "path.dirname" => paths::directory_of(arguments),
            "path.basename" => paths::name_of(arguments),
            "path.exists" => paths::exists(arguments, around),
            "time.now" => none(arguments).and_then(|()| time::rfc3339(now())),
            "time.unix" => none(arguments).and_then(|()| time::unix(now())),
            "sys.cpu_count" => none(arguments).and_then(|()| system::cpu_count()),
            "sys.hostname" => none(arguments).and_then(|()| system::hostname()),
            "sys.platform" => none(arguments).map(|()| system::platform()),
            "sys.cwd" => none(arguments).and_then(|()| system::directory()),
            _ => return None,
        })
    }

    /// The names there are, for a message about one that is not.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.custom.keys().map(String::as_str).chain(STANDARD)
    }
}

/// The standard names, those that the engine answers itself included.
const STANDARD: [&str; 20] = [
    "env",
    "file",
    "decode",
    "path.join",
    "path.abspath",
    "path.dirname",
    "path.basename",
    "path.exists",
    "time.now",
    "time.unix",
    "sys.cpu_count",
    "sys.hostname",
    "sys.platform",
    "sys.cwd",
    "oc.env",
    "oc.decode",
    "oc.create",
    "oc.select",
    "oc.dict.keys",
    "oc.dict.values",
];

impl Default for Resolvers {
    fn default() -> Self {
        Self::standard()
    }
}

impl fmt::Debug for Resolvers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolvers")
            .field("custom", &self.custom.keys().collect::<Vec<_>>())
            .field("directory", &self.surroundings.directory)
            .finish_non_exhaustive()
    }
}

/// A text as an argument. Others are written out, as they would be inside a text.
pub(super) fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Null => Err("null is given where a text is expected".to_owned()),
        Value::Array(_) => Err("a list is given where a text is expected".to_owned()),
        Value::Object(_) => Err("a map is given where a text is expected".to_owned()),
        other => Ok(other.to_string()),
    }
}

/// No argument.
fn none(arguments: &[Value]) -> Result<(), String> {
    if arguments.is_empty() { Ok(()) } else { Err(count("no argument", arguments.len())) }
}

/// One argument, a text.
fn one(arguments: &[Value], what: &str) -> Result<String, String> {
    match arguments {
        [argument] => text(argument),
        _ => Err(count(what, arguments.len())),
    }
}

/// The message for a wrong number of arguments.
pub(super) fn count(expected: &str, given: usize) -> String {
    let given = match given {
        0 => "none is given".to_owned(),
        1 => "1 is given".to_owned(),
        more => format!("{more} are given"),
    };
    format!("{expected} is expected; {given}")
}
