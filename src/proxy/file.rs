//! An experiment file, read and checked.

use super::{
    limits::Limits,
    settings::Settings,
    target::{REWRITE_LIMIT, Target},
};
use crate::{
    config::{
        Config, ConfigError, ConfigPool, Document, SecretKeys, Sources, Spot,
        document::text::syntax, interpolate::Resolvers, yaml::parse,
    },
    shadow::ShadowSettings,
    strategy::BUILT_IN,
};
use serde_json::{Map, Value};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

const A_MAP: &str = "an experiment file is a map: `experiment: …`, `strategy: …`, `configs: …`";

/// An experiment file: what `spearmint serve` runs. Checked as a whole when it is read; the
/// errors name the line, the column and what would be right.
#[derive(Debug, Clone)]
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
        let document = sources.load()?;
        let directory = match sources.path() {
            path if path.is_dir() => Some(path),
            path => path.parent(),
        };
        let mut file = Self::checked(document, directory.map(Path::to_owned).unwrap_or_default())?;
        file.sources = Some(sources.clone());
        Ok(file)
    }

    /// The files it was read from, each once.
    pub fn files(&self) -> &[PathBuf] {
        self.document.files()
    }

    /// Reads it again from where it came, with the same variables and overrides.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load), and when it came from a text.
    pub fn reread(&self) -> Result<Self, ConfigError> {
        let Some(sources) = &self.sources else {
            return Err(self.error("", "read from a text; there is no file to read again"));
        };
        Self::load(sources)
    }

    /// Reads a text. Paths in it are relative to the current directory.
    ///
    /// # Errors
    ///
    /// When something in it is wrong.
    pub fn from_yaml_str(text: &str) -> Result<Self, ConfigError> {
        let mut documents = parse(text, "<text>")?;
        if documents.len() != 1 {
            let message = match documents.len() {
                0 => format!("empty; {A_MAP}"),
                count => format!("{count} documents; an experiment file is one"),
            };
            return Err(syntax("<text>", Spot::START, message));
        }
        Self::checked(documents.swap_remove(0), PathBuf::new())
    }

    fn checked(mut document: Document, directory: PathBuf) -> Result<Self, ConfigError> {
        match document.value() {
            Value::Object(map) if map.is_empty() => {
                return Err(document.error("", format!("empty; {A_MAP}")));
            }
            Value::Object(_) => {}
            _ => return Err(document.error("", A_MAP)),
        }
        let resolvers = resolvers(&document, &directory);
        document.settle(&resolvers, "configs")?;
        let custom = take_custom(&mut document)?;
        let settings: Settings = document.bind("")?;
        let secrets = SecretKeys::default().and(settings.secrets.iter().map(String::as_str));
        let count = document
            .expand_list("configs", &secrets, &resolvers)?
            .unwrap_or(settings.configs.len());
        let mut configs = Vec::new();
        for at in 0..count {
            configs.push(document.config_with(&format!("configs[{at}]"), &secrets)?);
        }
        let places: Vec<_> = configs.iter().map(|(_, place)| place.clone()).collect();
        let ids: Vec<_> = configs.iter().map(|(config, _)| config.id().clone()).collect();
        let pool = ConfigPool::placed(configs, document.name()).map_err(|error| match error {
            ConfigError::Empty { .. } => {
                document.error("configs", "empty; an experiment needs at least one config")
            }
            ConfigError::DuplicateId { id, first, second, differs } => {
                let at = places.iter().rposition(|place| *place == second).unwrap_or(0);
                document.error(
                    &format!("configs[{at}].config_id"),
                    format!(
                        "`{id}` is the id of another config, too ({first}; they differ at \
                         `{differs}`); give each its own"
                    ),
                )
            }
            other => other,
        })?;
        if settings.strategy == "shadow" {
            for at in 0..count {
                let path = format!("configs[{at}].shadow");
                if document.get(&path).is_some() {
                    document.bind::<ShadowSettings>(&path)?;
                }
            }
        }
        let targets = ids
            .into_iter()
            .enumerate()
            .map(|(at, id)| {
                let path = format!("configs[{at}]");
                Ok((id, Arc::new(Target::read(&document, &path, &settings)?)))
            })
            .collect::<Result<_, ConfigError>>()?;
        let sources = None;
        let file = Self { document, settings, pool, targets, custom, directory, sources };
        file.check()?;
        Ok(file)
    }

    /// What the types do not say.
    fn check(&self) -> Result<(), ConfigError> {
        let named = [
            ("primary", &self.settings.primary),
            ("fallback", &self.settings.fallback),
            ("single.config", &self.settings.single.config),
        ];
        for (path, id) in named {
            if let Some(id) = id {
                self.pool.get(id).map_err(|error| self.document.error(path, error))?;
            }
        }
        if self.settings.strategy == "shadow" && self.settings.primary.is_none() {
            return Err(self.document.error(
                "primary",
                format!(
                    "not set; name the config that answers, as in `primary: {}`",
                    self.pool[0].id().short()
                ),
            ));
        }
        if self.settings.fallback.is_some()
            && !matches!(self.settings.strategy.as_str(), "single" | "round_robin")
        {
            return Err(self.document.error(
                "fallback",
                "only for the strategies `single` and `round_robin`, where one config answers",
            ));
        }
        if self.settings.experiment.trim().is_empty() {
            return Err(self.document.error("experiment", "empty; give the experiment a name"));
        }
        let limits = &self.settings.limits;
        for (path, is_none) in [
            ("limits.max_connections", limits.max_connections == 0),
            ("limits.max_headers", limits.max_headers == 0),
            ("limits.max_streams", limits.max_streams == 0),
        ] {
            if is_none {
                return Err(self.document.error(path, "0; nobody could be served"));
            }
        }
        if self.settings.threads == Some(0) {
            return Err(self.document.error("threads", "0; at least one thread must serve"));
        }
        Ok(())
    }

    /// An error about the value at `path`, with its place in the file.
    pub(super) fn error(&self, path: &str, message: impl std::fmt::Display) -> ConfigError {
        self.document.error(path, message)
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        self.directory.join(path)
    }

    /// The name of the experiment.
    pub fn experiment(&self) -> &str {
        &self.settings.experiment
    }

    /// The name of the strategy.
    pub fn strategy(&self) -> &str {
        &self.settings.strategy
    }

    /// The configs.
    pub fn pool(&self) -> &ConfigPool {
        &self.pool
    }

    /// The upstream of each config, in the order of the pool, without any password.
    pub fn upstreams(&self) -> impl Iterator<Item = (&crate::ConfigId, String)> {
        self.targets.iter().map(|(id, target)| (id, target.to_string()))
    }

    /// Where to listen, if the file says.
    pub fn listen(&self) -> Option<SocketAddr> {
        self.settings.listen
    }

    /// Whether the listener speaks TLS.
    pub const fn has_tls(&self) -> bool {
        self.settings.tls.is_some()
    }

    /// Where to listen for the operator, if the file says.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.settings.admin
    }

    /// The store, if the file says; relative to the file.
    pub fn store(&self) -> Option<PathBuf> {
        self.settings.store.as_deref().map(|path| self.resolve(path))
    }

    /// The MLflow server, if the file says.
    pub fn mlflow(&self) -> Option<&str> {
        self.settings.mlflow.as_deref()
    }

    /// How many threads serve, if the file says.
    pub fn threads(&self) -> Option<usize> {
        self.settings.threads
    }

    /// How long requests, shadows and records may take to end when the process stops; 10 s if the
    /// file does not say.
    pub fn drain_timeout(&self) -> Duration {
        self.settings.drain_timeout.unwrap_or(Duration::from_secs(10))
    }

    /// How many bytes of a body are read at most, to look into it or to change it.
    pub(super) fn rewrite_limit(&self) -> usize {
        self.settings.rewrite_limit.unwrap_or(REWRITE_LIMIT)
    }

    pub(super) const fn limits(&self) -> &Limits {
        &self.settings.limits
    }

    /// The keys that differ from `first` and cannot change while the process runs.
    pub(super) fn needs_restart(&self, first: &Self) -> Vec<&'static str> {
        let (new, old) = (&self.settings, &first.settings);
        let differs = [
            ("listen", new.listen != old.listen),
            ("admin", new.admin != old.admin),
            ("store", new.store != old.store),
            ("mlflow", new.mlflow != old.mlflow),
            ("threads", new.threads != old.threads),
            ("limits.max_connections", new.limits.max_connections != old.limits.max_connections),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
    }

    /// Certificate and key of the listener.
    pub(super) fn tls(&self) -> Option<(PathBuf, PathBuf)> {
        let tls = self.settings.tls.as_ref()?;
        Some((self.resolve(&tls.certificate), self.resolve(&tls.key)))
    }

    pub(super) fn ca_file(&self) -> Option<PathBuf> {
        self.settings.upstreams.ca_file.as_deref().map(|path| self.resolve(path))
    }
}

/// What the file's references may call; paths are relative to the file. Its own `secrets` count.
fn resolvers(document: &Document, directory: &Path) -> Resolvers {
    let keys = document.get("secrets").and_then(Value::as_array).into_iter().flatten();
    let secrets = SecretKeys::default().and(keys.filter_map(Value::as_str));
    Resolvers::standard().relative_to(directory).with_secrets(secrets)
}

/// The settings of a strategy of the user's own stand under its name, like those of the others.
fn take_custom(document: &mut Document) -> Result<Config, ConfigError> {
    let name = document.value().get("strategy").and_then(Value::as_str).map(str::to_owned);
    let settings = name
        .as_ref()
        .filter(|name| !BUILT_IN.contains(&name.as_str()))
        .and_then(|name| document.value_mut().as_object_mut()?.remove(name))
        .unwrap_or_else(|| Value::Object(Map::new()));
    let secrets = SecretKeys::default().and_drawn(document.drawn(), &name.unwrap_or_default());
    Config::with_secrets(settings, &secrets)
}
