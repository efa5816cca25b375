//! The ordered set of configs a strategy chooses from.

use super::{
    Config, ConfigError, ConfigId,
    diff::first_difference,
    expand::{ExpandConfig, MAX_EXPANDED, Space, SpaceError, is_template},
    interpolate::Noted,
};
use serde_json::Value;
use std::{collections::HashMap, fmt, ops::Deref, path::PathBuf, sync::Arc};

/// Up to so many configs are looked through one by one: as fast as a map, and without its memory.
const SEARCHED: usize = 16;

/// The ordered, non-empty set of configs a strategy chooses from. Cheap to clone.
///
/// Within one source an id stands for one content. The same config written twice counts once;
/// two different ones under one id are an error. (For an A/A test give the copies different
/// `config_id`s.)
#[derive(Debug, Clone)]
pub struct ConfigPool {
    configs: Arc<[Config]>,
    /// Where each id stands, in large pools.
    places: Option<Arc<HashMap<ConfigId, usize>>>,
    /// What its values were read from besides the files that hold the configs.
    drawn_files: Arc<[PathBuf]>,
}

/// Where a config of a pool made in code stands.
struct Item(usize);

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "configs[{}]", self.0)
    }
}

impl ConfigPool {
    /// A pool of configs made in code.
    ///
    /// # Errors
    ///
    /// When there are none, or two different ones share an id.
    pub fn new(configs: impl IntoIterator<Item = Config>) -> Result<Self, ConfigError> {
        let placed = configs.into_iter().enumerate().map(|(at, config)| (config, Item(at)));
        Self::placed(placed, "the pool")
    }

    /// A pool of one config per value; a value with `$` words stands for all that it
    /// [expands](super::expand) to.
    ///
    /// # Errors
    ///
    /// As [`ConfigPool::new`], when a value is no config ([`Config::new`]) or no template
    /// ([`Space::new`]), and when there are more than [`MAX_EXPANDED`] configs.
    pub fn from_values(values: impl IntoIterator<Item = Value>) -> Result<Self, ConfigError> {
        let mut configs = Vec::new();
        for (at, value) in values.into_iter().enumerate() {
            let wrong = |error: ConfigError| error.at(Item(at).to_string());
            if is_template(&value) {
                let space = Space::new(value).map_err(|error| wrong(error.into()))?;
                for config in space.configs(configs.len()).map_err(|error| wrong(error.into()))? {
                    configs.push((config.map_err(wrong)?, Item(at)));
                }
            } else {
                configs.push((Config::new(value).map_err(wrong)?, Item(at)));
            }
        }
        Self::placed(configs, "the pool")
    }

    /// A pool of all configs of a space, but for those it leaves out.
    ///
    /// # Errors
    ///
    /// When there are more than [`MAX_EXPANDED`], none is left, two different ones have the same
    /// name, or one cannot be made.
    pub fn from_space(space: &Space) -> Result<Self, ConfigError> {
        Self::new(space.configs(0)?.collect::<Result<Vec<_>, _>>()?)
    }

    /// This pool with the configs of another source: one whose id is in the pool already takes
    /// that one's place, the others follow at the end.
    ///
    /// # Errors
    ///
    /// When the source fails, has more than [`MAX_EXPANDED`] configs, or has two different ones
    /// under one id.
    pub fn overridden_by(&self, source: &impl ExpandConfig) -> Result<Self, ConfigError> {
        let mut expanded = Vec::new();
        for config in source.expand() {
            if expanded.len() == MAX_EXPANDED {
                let message = format!("more than {MAX_EXPANDED} configs for one pool");
                return Err(SpaceError::new("", message).into());
            }
            expanded.push(config?);
        }
        if expanded.is_empty() {
            return Ok(self.clone());
        }
        // By itself first: within one source an id stands for one content.
        let expanded = Self::new(expanded)?;
        let mut configs = self.configs.to_vec();
        for config in expanded.iter() {
            match self.find(config.id().as_str()) {
                Some(at) => configs[at] = config.clone(),
                None => configs.push(config.clone()),
            }
        }
        Ok(Self { drawn_files: self.drawn_files.clone(), ..Self::new(configs)? })
    }

    /// A pool of one config, which cannot fail.
    pub(crate) fn single(config: Config) -> Self {
        Self { configs: Arc::new([config]), places: None, drawn_files: Arc::default() }
    }

    /// A pool from configs that know where each was written.
    pub(crate) fn placed<P: fmt::Display>(
        configs: impl IntoIterator<Item = (Config, P)>,
        source: &str,
    ) -> Result<Self, ConfigError> {
        let configs = configs.into_iter();
        let (count, _) = configs.size_hint();
        let mut places: HashMap<ConfigId, usize> = HashMap::with_capacity(count);
        let (mut kept, mut written) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for (config, place) in configs {
            match places.get(config.id()) {
                None => {
                    places.insert(config.id().clone(), kept.len());
                    kept.push(config);
                    written.push(place);
                }
                Some(first) => {
                    if let Some(differs) =
                        first_difference(Config::value(&kept[*first]), config.value())
                    {
                        return Err(ConfigError::DuplicateId {
                            id: config.id().to_string(),
                            first: written[*first].to_string(),
                            second: place.to_string(),
                            differs,
                        });
                    }
                }
            }
        }
        if kept.is_empty() {
            return Err(ConfigError::Empty { place: source.to_owned() });
        }
        let places = (kept.len() > SEARCHED).then(|| Arc::new(places));
        Ok(Self { configs: kept.into(), places, drawn_files: Arc::default() })
    }

    /// This pool, of configs whose references read these files.
    pub(crate) fn drawn_from(self, noted: &Noted) -> Self {
        Self { drawn_files: noted.files().into(), ..self }
    }

    /// The files that `${file:…}` read for its values, each once. Whoever follows the pool's own files
    /// follows these, too.
    pub fn drawn_files(&self) -> &[PathBuf] {
        &self.drawn_files
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
        self.find(id).ok_or_else(|| {
            let known: Vec<_> =
                self.iter().take(12).map(|c| format!("`{}`", c.id().short())).collect();
            let more = if self.len() > known.len() { ", …" } else { "" };
            ConfigError::Unknown { id: id.to_owned(), known: format!("{}{more}", known.join(", ")) }
        })
    }

    fn find(&self, id: &str) -> Option<usize> {
        match &self.places {
            Some(places) => places.get(id).copied(),
            None => self.configs.iter().position(|config| config.id().as_str() == id),
        }
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
