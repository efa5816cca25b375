//! An experiment file, read and checked.

use super::{
    limits::Limits,
    settings::Settings,
    stack,
    target::{REWRITE_LIMIT, Target},
};
use crate::{
    config::{
        Config, ConfigError, ConfigPool, Diff, Document, SecretKeys, Sources, Spot,
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

/// More mistakes than anyone reads at once.
const ENOUGH: usize = 100;

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
        let mut file = Self::checked(sources.load()?, sources.directory())?;
        file.sources = Some(sources.clone());
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
        Self::checked(Self::document(text, "<text>")?, PathBuf::new())
    }

    /// The one document of a text.
    pub(super) fn document(text: &str, place: &str) -> Result<Document, ConfigError> {
        let mut documents = parse(text, place)?;
        if documents.len() != 1 {
            let message = match documents.len() {
                0 => format!("empty; {A_MAP}"),
                count => format!("{count} documents; an experiment file is one"),
            };
            return Err(syntax(place, Spot::START, message));
        }
        Ok(documents.swap_remove(0))
    }

    fn checked(document: Document, directory: PathBuf) -> Result<Self, ConfigError> {
        let mut document = Self::resolved(document, &directory)?;
        let custom = take_custom(&mut document)?;
        let mut wrong = Vec::new();
        let file = Self::read_document(document, custom, directory, &mut wrong);
        ConfigError::many(wrong)?;
        file.ok_or_else(|| ConfigError::Empty { place: "configs".to_owned() })
    }

    /// A document that is a map, with its references resolved and its configs expanded.
    pub(super) fn resolved(
        mut document: Document,
        directory: &Path,
    ) -> Result<Document, ConfigError> {
        match document.value() {
            Value::Object(map) if map.is_empty() => {
                return Err(document.error("", format!("empty; {A_MAP}")));
            }
            Value::Object(_) => {}
            _ => return Err(document.error("", A_MAP)),
        }
        let secrets = secrets(&document);
        let resolvers = Resolvers::standard().relative_to(directory).with_secrets(secrets.clone());
        document.settle(&resolvers, "configs")?;
        document.expand_list("configs", &secrets, &resolvers)?;
        Ok(document)
    }

    /// Reads and checks a document without the settings of a strategy of the user's own; everything
    /// that is found wrong is pushed. `None` only if something is.
    pub(super) fn read_document(
        mut document: Document,
        custom: Config,
        directory: PathBuf,
        wrong: &mut Vec<ConfigError>,
    ) -> Option<Self> {
        let settings: Settings = document.bind("").map_err(|error| wrong.push(error)).ok()?;
        let secrets = secrets(&document);
        if let Err(error) = check_configs(&mut document, &settings, &directory) {
            wrong.push(error);
        }
        let mut configs = Vec::new();
        let mut targets = Vec::new();
        for at in 0..settings.configs.len() {
            if wrong.len() > ENOUGH {
                return None;
            }
            let path = format!("configs[{at}]");
            if !document.get(&path).is_some_and(Value::is_object) {
                wrong.extend(document.config_with(&path, &secrets).err());
                continue;
            }
            targets.extend(Target::read(&document, &path, &settings, wrong).map(Arc::new));
            let shadow = format!("{path}.shadow");
            if settings.strategy == "shadow" && document.get(&shadow).is_some() {
                wrong.extend(document.bind::<ShadowSettings>(&shadow).err());
            }
            match document.config_with(&path, &secrets) {
                Ok(config) => configs.push(config),
                Err(error) => wrong.push(error),
            }
        }
        if configs.len() < settings.configs.len() {
            // Which ids there are is not known.
            return None;
        }
        let is_complete = targets.len() == configs.len();
        let targets = configs.iter().map(|(config, _)| config.id().clone()).zip(targets).collect();
        let places: Vec<_> = configs.iter().map(|(_, place)| place.clone()).collect();
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
        });
        let pool = pool.map_err(|error| wrong.push(error)).ok()?;
        let file = Self { document, settings, pool, targets, custom, directory, sources: None };
        file.check(wrong);
        is_complete.then_some(file)
    }

    /// What the types do not say.
    fn check(&self, wrong: &mut Vec<ConfigError>) {
        let named = [
            ("primary", &self.settings.primary),
            ("fallback", &self.settings.fallback),
            ("single.config", &self.settings.single.config),
        ];
        for (path, id) in named {
            if let Some(id) = id {
                wrong.extend(self.pool.get(id).err().map(|error| self.document.error(path, error)));
            }
        }
        if self.settings.strategy == "shadow" && self.settings.primary.is_none() {
            wrong.push(self.document.error(
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
            wrong.push(self.document.error(
                "fallback",
                "only for the strategies `single` and `round_robin`, where one config answers",
            ));
        }
        if self.settings.experiment.trim().is_empty() {
            wrong.push(self.document.error("experiment", "empty; give the experiment a name"));
        }
        let limits = &self.settings.limits;
        for (path, is_none) in [
            ("limits.max_connections", limits.max_connections == 0),
            ("limits.max_headers", limits.max_headers == 0),
            ("limits.max_streams", limits.max_streams == 0),
        ] {
            if is_none {
                wrong.push(self.document.error(path, "0; nobody could be served"));
            }
        }
        if self.settings.threads == Some(0) {
            wrong.push(self.document.error("threads", "0; at least one thread must serve"));
        }
        stack::check(self, wrong);
    }

    /// Whether it is followed while it is served; true if the file does not say.
    pub const fn watch(&self) -> bool {
        self.settings.watch
    }

    /// What differs in `after`, by path. Configs are paired as in
    /// [`ConfigPool::diff`]: `configs[candidate].upstream`.
    pub fn diff(&self, after: &Self) -> Diff {
        let keys = after.settings.secrets.iter().map(String::as_str);
        let secrets = secrets(&self.document)
            .and(keys)
            .and_drawn(self.document.drawn(), "")
            .and_drawn(after.document.drawn(), "");
        let mut diff = Diff::with_secrets(&self.plain(), &after.plain(), &secrets);
        diff.append(self.pool.diff_at("configs", &after.pool));
        diff
    }

    /// All but the configs.
    fn plain(&self) -> Value {
        let mut value = self.document.value().clone();
        if let Some(map) = value.as_object_mut() {
            map.remove("configs");
            if !BUILT_IN.contains(&self.strategy()) {
                map.insert(self.strategy().to_owned(), self.custom.value().clone());
            }
        }
        value
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
            ("watch", new.watch != old.watch),
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

/// The keys that hold secrets, with those that the file names.
pub(super) fn secrets(document: &Document) -> SecretKeys {
    let keys = document.get("secrets").and_then(Value::as_array).into_iter().flatten();
    SecretKeys::default().and(keys.filter_map(Value::as_str))
}

/// The part of each config that is the user's own, by the schema that the file names.
fn check_configs(
    document: &mut Document,
    settings: &Settings,
    directory: &Path,
) -> Result<(), ConfigError> {
    let Some(file) = &settings.schema else { return Ok(()) };
    #[cfg(feature = "schema")]
    {
        use crate::config::schema::{Options, Schema};

        let schema = Schema::from_file(directory.join(file))
            .map_err(|error| document.error("schema", error))?;
        let options = Options::default().beside(["config_id", "upstream", "request", "shadow"]);
        let mut wrong = Vec::new();
        for at in 0..settings.configs.len() {
            if wrong.len() > ENOUGH {
                break;
            }
            wrong.extend(document.validate_at(&format!("configs[{at}]"), &schema, &options).err());
        }
        ConfigError::many(wrong)
    }
    #[cfg(not(feature = "schema"))]
    {
        let _ = (file, directory);
        Err(document.error("schema", "this program was built without the feature `schema`"))
    }
}

/// The settings of a strategy of the user's own stand under its name, like those of the others.
pub(super) fn take_custom(document: &mut Document) -> Result<Config, ConfigError> {
    let name = document.value().get("strategy").and_then(Value::as_str).map(str::to_owned);
    let settings = name
        .as_ref()
        .filter(|name| !BUILT_IN.contains(&name.as_str()))
        .and_then(|name| document.value_mut().as_object_mut()?.remove(name))
        .unwrap_or_else(|| Value::Object(Map::new()));
    let secrets = SecretKeys::default().and_drawn(document.drawn(), &name.unwrap_or_default());
    Config::with_secrets(settings, &secrets)
}
