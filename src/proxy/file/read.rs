//! From a document to what it holds: all of it read, all mistakes gathered.

use super::{
    ExperimentFile,
    own::{check_configs, take_custom},
};
use crate::{
    config::{
        Config, ConfigError, ConfigPool, Document, SecretKeys, Spot,
        document::text::syntax,
        interpolate::{Noted, Resolvers},
        yaml::parse,
    },
    proxy::{settings::Settings, target::Target},
    shadow::ShadowSettings,
};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// More mistakes than anyone reads at once.
pub(super) const ENOUGH: usize = 100;

const A_MAP: &str = "an experiment file is a map: `experiment: …`, `strategy: …`, `configs: …`";

impl ExperimentFile {
    /// The one document of a text.
    pub(in super::super) fn document(text: &str, place: &str) -> Result<Document, ConfigError> {
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

    pub(super) fn checked(
        document: Document,
        directory: PathBuf,
        noted: &Noted,
    ) -> Result<Self, ConfigError> {
        let mut document = Self::resolved(document, &directory, noted)?;
        let custom = take_custom(&mut document)?;
        let mut wrong = Vec::new();
        let file = Self::read_document(document, custom, directory, &mut wrong);
        ConfigError::many(wrong)?;
        file.ok_or_else(|| ConfigError::Empty { place: "configs".to_owned() })
    }

    /// A document that is a map, with its references resolved and its configs expanded.
    pub(in super::super) fn resolved(
        mut document: Document,
        directory: &Path,
        noted: &Noted,
    ) -> Result<Document, ConfigError> {
        match document.value() {
            Value::Object(map) if map.is_empty() => {
                return Err(document.error("", format!("empty; {A_MAP}")));
            }
            Value::Object(_) => {}
            _ => return Err(document.error("", A_MAP)),
        }
        let secrets = secrets(&document);
        let resolvers = Resolvers::standard()
            .relative_to(directory)
            .with_secrets(secrets.clone())
            .noting(noted);
        document.settle(&resolvers, "configs")?;
        document.expand_list("configs", &secrets, &resolvers)?;
        Ok(document)
    }

    /// Reads and checks a document without the settings of a strategy of the user's own; everything
    /// that is found wrong is pushed. `None` only if something is.
    pub(in super::super) fn read_document(
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
        let pool = pool(&document, configs).map_err(|error| wrong.push(error)).ok()?;

        let file = Self {
            document,
            settings,
            pool,
            targets,
            custom,
            directory,
            sources: None,
            followed: Vec::new(),
            #[cfg(feature = "watch")]
            certified: None,
        };
        file.check(wrong);
        is_complete.then_some(file)
    }
}

/// The configs with their places, each under an id of its own.
fn pool(document: &Document, configs: Vec<(Config, String)>) -> Result<ConfigPool, ConfigError> {
    let places: Vec<_> = configs.iter().map(|(_, place)| place.clone()).collect();
    ConfigPool::placed(configs, document.name()).map_err(|error| match error {
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
    })
}

/// The keys that hold secrets, with those that the file names.
pub(in super::super) fn secrets(document: &Document) -> SecretKeys {
    document.secret_keys()
}
