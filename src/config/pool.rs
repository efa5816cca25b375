//! The ordered set of configs a strategy chooses from.

use super::{Config, ConfigError, ConfigId, diff::first_difference};
use serde_json::Value;
use std::{collections::HashMap, ops::Deref, sync::Arc};

/// The ordered, non-empty set of configs a strategy chooses from. Cheap to clone.
///
/// Within one source an id stands for one content. The same config written twice counts once;
/// two different ones under one id are an error. (For an A/A test give the copies different
/// `config_id`s.)
#[derive(Debug, Clone)]
pub struct ConfigPool {
    configs: Arc<[Config]>,
}

impl ConfigPool {
    /// A pool of configs made in code.
    ///
    /// # Errors
    ///
    /// When there are none, or two different ones share an id.
    pub fn new(configs: impl IntoIterator<Item = Config>) -> Result<Self, ConfigError> {
        Self::placed(
            configs.into_iter().enumerate().map(|(at, config)| (config, format!("configs[{at}]"))),
            "the pool",
        )
    }

    /// A pool of one config per value.
    ///
    /// # Errors
    ///
    /// As [`ConfigPool::new`], and when a value is no config ([`Config::new`]).
    pub fn from_values(values: impl IntoIterator<Item = Value>) -> Result<Self, ConfigError> {
        let configs: Vec<_> = values
            .into_iter()
            .enumerate()
            .map(|(at, value)| {
                Config::new(value).map_err(|error| error.at(format!("configs[{at}]")))
            })
            .collect::<Result<_, _>>()?;
        Self::new(configs)
    }

    /// A pool of one config, which cannot fail.
    pub(crate) fn single(config: Config) -> Self {
        Self { configs: Arc::new([config]) }
    }

    /// A pool from configs that know where each was written.
    pub(crate) fn placed(
        configs: impl IntoIterator<Item = (Config, String)>,
        source: &str,
    ) -> Result<Self, ConfigError> {
        let mut seen: HashMap<ConfigId, (usize, String)> = HashMap::new();
        let mut kept: Vec<Config> = Vec::new();
        for (config, place) in configs {
            match seen.get(config.id()) {
                None => {
                    seen.insert(config.id().clone(), (kept.len(), place));
                    kept.push(config);
                }
                Some((first, first_place)) => {
                    if let Some(differs) = first_difference(kept[*first].value(), config.value()) {
                        return Err(ConfigError::DuplicateId {
                            id: config.id().to_string(),
                            first: first_place.clone(),
                            second: place,
                            differs,
                        });
                    }
                }
            }
        }
        if kept.is_empty() {
            return Err(ConfigError::Empty { place: source.to_owned() });
        }
        Ok(Self { configs: kept.into() })
    }

    /// The config with this id.
    ///
    /// # Errors
    ///
    /// When there is none; the error lists the ids there are.
    pub fn get(&self, id: &str) -> Result<&Config, ConfigError> {
        self.position(id).map(|at| &self.configs[at])
    }

    /// This pool with the named config as its primary, as the shadow strategy wants it.
    ///
    /// # Errors
    ///
    /// When there is no such config; the error lists the ids there are.
    pub fn primary(&self, id: &str) -> Result<Primary, ConfigError> {
        Ok(Primary { position: self.position(id)?, pool: self.clone() })
    }

    pub(crate) fn position(&self, id: &str) -> Result<usize, ConfigError> {
        self.configs.iter().position(|config| config.id().as_str() == id).ok_or_else(|| {
            let known: Vec<_> =
                self.iter().take(12).map(|c| format!("`{}`", c.id().short())).collect();
            let more = if self.len() > known.len() { ", …" } else { "" };
            ConfigError::Unknown { id: id.to_owned(), known: format!("{}{more}", known.join(", ")) }
        })
    }
}

impl Deref for ConfigPool {
    type Target = [Config];

    fn deref(&self) -> &[Config] {
        &self.configs
    }
}

/// A pool in which one config is the primary.
#[derive(Debug, Clone)]
pub struct Primary {
    pool: ConfigPool,
    position: usize,
}

impl Primary {
    /// The primary config.
    pub fn config(&self) -> &Config {
        &self.pool[self.position]
    }

    /// The whole pool, the primary included.
    pub fn pool(&self) -> &ConfigPool {
        &self.pool
    }

    pub(crate) fn position(&self) -> usize {
        self.position
    }
}
